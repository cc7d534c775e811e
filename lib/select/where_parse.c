/* Conditions from text: a recursive descent over where.h's grammar. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "select/where_inner.h"

enum { NESTING_MOST = 100, QUOTED_MOST = 60 };

enum token { END, WORD, QUOTED, OPERATOR, OPEN, CLOSE, AND, OR, NOT, HAS };

struct parse {
    const char *text, *next; /* next: behind the token */
    enum token token;
    const char *at; /* the token's text, without quotes */
    size_t size;
    const char *start; /* with them */
    struct sb_where *w;
    int depth;
};

/* ---- tokens ---- */

static int wrong(const struct parse *p, const char *what)
{
    size_t column = 1, rest = strlen(p->start);
    for (const char *c = p->text; c < p->start; c++) column += (*c & 0xc0) != 0x80; /* characters, not bytes */
    if (!rest) return sb_error("'%.400s': at its end: %s", p->text, what);
    return sb_error("'%.400s': column %zu, at '%.*s': %s", p->text, column,
                    (int)(rest < QUOTED_MOST ? rest : QUOTED_MOST), p->start, what);
}

static enum token word_token(const struct parse *p)
{
    static const struct {
        const char *word;
        enum token token;
    } words[] = {{"and", AND}, {"or", OR}, {"not", NOT}, {"has", HAS}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == p->size && !strncasecmp(words[i].word, p->at, p->size)) return words[i].token;
    return WORD;
}

static int advance(struct parse *p)
{
    const char *c = p->next + strspn(p->next, " \t\r\n");
    p->start = p->at = c;
    p->size = 1;
    if (*c == 0) {
        p->size = 0;
        p->token = END;
    } else if (*c == '(' || *c == ')') {
        p->token = *c == '(' ? OPEN : CLOSE;
    } else if (*c == '\'' || *c == '"') {
        const char *end = strchr(++p->at, *c);
        if (!end) return wrong(p, "this quote is not closed");
        p->token = QUOTED;
        p->size = (size_t)(end - p->at);
        p->next = end + 1;
        return 0;
    } else if (strchr("=!<>~", *c)) {
        p->token = OPERATOR;
        p->size = strchr("!<>", *c) && c[1] == '=' ? 2 : 1;
        if (*c == '!' && p->size == 1) return wrong(p, "unlike is written !=");
    } else {
        p->size = strcspn(c, " \t\r\n()=!<>~'\"");
        p->token = word_token(p);
    }
    p->next = p->at + p->size;
    return 0;
}

/* ---- steps ---- */

static struct sb_where_step *add_step(struct sb_where *w, enum sb_where_kind kind)
{
    SB_GROW(w->step, w->cap, w->count + 1);
    w->step[w->count] = (struct sb_where_step){.kind = kind};
    return &w->step[w->count++];
}

static unsigned fits(const struct parse *p)
{
    unsigned fit = *p->at == '<' ? SB_WHERE_LESS : *p->at == '>' ? SB_WHERE_MORE : *p->at == '=' ? SB_WHERE_EQUAL : 0;
    if (*p->at == '!') return SB_WHERE_LESS | SB_WHERE_MORE;
    return p->size == 2 ? fit | SB_WHERE_EQUAL : fit;
}

static int compile(const struct parse *p, struct sb_where_step *s)
{
    char why[256];
    s->regex = sb_calloc(1, sizeof *s->regex);
    int rc = regcomp(s->regex, s->text, REG_EXTENDED | REG_NOSUB);
    if (rc == 0) return 0;
    regerror(rc, s->regex, why, sizeof why);
    free(s->regex);
    s->regex = NULL;
    return wrong(p, why);
}

static int take_value(const struct parse *p, struct sb_where_step *s)
{
    char *end;
    s->text = sb_strndup(p->at, p->size);
    s->size = p->size;
    if (s->kind == SB_WHERE_MATCH) return compile(p, s);
    s->number = strtod(s->text, &end);
    s->is_number = p->size && !*end && strspn(s->text, "+-.0123456789eE") == p->size && isfinite(s->number);
    if (s->is_number || strcmp(s->field, "time")) return 0;
    if (sb_clock_parse(s->text, s->size, NULL, &s->number)) {
        char *why = sb_strdup(sb_error_message());
        wrong(p, why);
        free(why);
        return -1;
    }
    s->is_number = true;
    return 0;
}

/* ---- grammar ---- */

static int parse_field(struct parse *p, struct sb_where_step *s)
{
    if (p->token != WORD && p->token != QUOTED) return wrong(p, "a field's name is wanted");
    if (p->size == 0) return wrong(p, "a field has a name");
    s->field = sb_strndup(p->at, p->size);
    return advance(p);
}

static int parse_comparison(struct parse *p)
{
    struct sb_where_step *s = add_step(p->w, SB_WHERE_COMPARE);
    if (parse_field(p, s)) return -1;
    if (p->token != OPERATOR) return wrong(p, "one of = != < <= > >= ~ is wanted");
    if (*p->at == '~') s->kind = SB_WHERE_MATCH;
    s->fits = fits(p);
    if (advance(p)) return -1;
    if (p->token >= AND) return wrong(p, "a value is wanted (a text that is a word of the language stands in quotes)");
    if (p->token != WORD && p->token != QUOTED) return wrong(p, "a value is wanted");
    return take_value(p, s) ? -1 : advance(p);
}

static int parse_condition(struct parse *p);

static int parse_single(struct parse *p)
{
    bool not = false;
    for (; p->token == NOT; not = !not )
        if (advance(p)) return -1;
    if (p->token == OPEN) {
        if (p->depth == NESTING_MOST) return wrong(p, "parentheses nest too deep");
        p->depth++;
        if (advance(p) || parse_condition(p)) return -1;
        if (p->token != CLOSE) return wrong(p, "and, or or ) is wanted");
        p->depth--;
        if (advance(p)) return -1;
    } else if (p->token == HAS) {
        struct sb_where_step *s = add_step(p->w, SB_WHERE_HAS);
        if (advance(p) || parse_field(p, s)) return -1;
    } else if (parse_comparison(p)) {
        return -1;
    }
    if (not ) add_step(p->w, SB_WHERE_NOT);
    return 0;
}

/* Operands with a word between them; one whose truth settles it skips the next. */
static int parse_row(struct parse *p, enum token between, enum sb_where_kind skip, int (*operand)(struct parse *p))
{
    if (operand(p)) return -1;
    while (p->token == between) {
        size_t at = p->w->count;
        add_step(p->w, skip);
        if (advance(p) || operand(p)) return -1;
        p->w->step[at].to = p->w->count;
    }
    return 0;
}

static int parse_both(struct parse *p) { return parse_row(p, AND, SB_WHERE_SKIP_UNLESS, parse_single); }

static int parse_condition(struct parse *p) { return parse_row(p, OR, SB_WHERE_SKIP_IF, parse_both); }

struct sb_where *sb_where_parse(const char *text)
{
    struct parse p = {.text = text, .next = text, .start = text, .w = sb_calloc(1, sizeof *p.w)};
    int rc = advance(&p) || parse_condition(&p);
    if (rc == 0 && p.token != END) rc = wrong(&p, "and, or or the end is wanted");
    if (rc == 0) return p.w;
    sb_where_free(p.w);
    return NULL;
}
