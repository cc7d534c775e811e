#include "base/opt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

/* One parse: the tables, the command line, and what has been gathered so far. */
struct parse {
    const struct sb_tool *tool;
    const struct sb_opt *opts;
    char **argv;
    int argc, at;
    struct sb_args *args;
    size_t recorded_cap, file_cap, operand_cap;
    bool takes_command;
};

static struct sb_args kept __attribute__((used)); /* what was parsed lives as long as the program */

static const struct sb_opt built_in[] = {
    {'h', "help", NULL, SB_FLAG, NULL, SB_OPT_UNRECORDED, "print this help", 0, 0},
    {0, "version", NULL, SB_FLAG, NULL, SB_OPT_UNRECORDED, "print the version", 0, 0},
    {0, "list-options", NULL, SB_FLAG, NULL, SB_OPT_UNRECORDED, NULL, 0, 0}, /* for completion: --help is silent about it */
    SB_OPT_END,
};

void sb_usage(const char *fmt, ...)
{
    char text[900];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sb_quiet = false;
    sb_warn("%s", text);
    fprintf(stderr, "Try '%s --help'.\n", sb_program);
    exit(2);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What the history may hold of a value: no password, and of a file only its name, so that the bytes of a stream do not
 * depend on where its input lay. */
static char *presentable(const char *value, bool is_file)
{
    const char *scheme = strstr(value, "://");
    if (scheme) {
        const char *host = scheme + 3, *end = host + strcspn(host, "/?#"), *at = NULL;
        for (const char *p = host; p < end; p++) {
            if (*p == '@') at = p;
        }
        if (!at) return sb_strdup(value);
        return sb_format("%.*s***%s", (int)(host - value), value, at);
    }
    if (!is_file) return sb_strdup(value);
    if (!strncmp(value, "/dev/fd/", 8)) return sb_strdup("pipe"); /* the shell's <(...): any number */
    size_t n = strlen(value);
    while (n > 1 && value[n - 1] == '/') n--;
    char *trimmed = sb_strndup(value, n), *name = sb_strdup(base_name(trimmed));
    free(trimmed);
    return name;
}

static void record(struct parse *p, char *text)
{
    SB_GROW(p->args->recorded, p->recorded_cap, p->args->nrecorded + 1);
    p->args->recorded[p->args->nrecorded++] = text;
}

/* What a pipe gave is gone once it was read: there is nothing to hash. */
static bool is_pipe(const char *path)
{
    struct stat st;
    return !stat(path, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static void add_file(struct parse *p, const char *path)
{
    if (is_pipe(path)) return;
    SB_GROW(p->args->file, p->file_cap, p->args->nfile + 1);
    p->args->file[p->args->nfile++] = path;
}

static void record_option(struct parse *p, const struct sb_opt *o, const char *value)
{
    struct stat st;
    bool there = o->flags & SB_OPT_MAYBE_FILE && value && !stat(value, &st);
    if ((o->flags & SB_OPT_FILE && value) || (there && S_ISREG(st.st_mode))) add_file(p, value);
    if (o->flags & SB_OPT_UNRECORDED) return;
    char *shown = value ? presentable(value, o->flags & SB_OPT_FILE || there) : NULL;
    record(p, shown ? sb_format("--%s=%s", o->name, shown) : sb_format("--%s", o->name));
    free(shown);
}

static void add_operand(struct parse *p, char *word)
{
    SB_GROW(p->args->operand, p->operand_cap, p->args->count + 2);
    p->args->operand[p->args->count++] = word;
    p->args->operand[p->args->count] = NULL;
    record(p, presentable(word, true));
}

/* A word of a command: what it names, itself or behind "--config=", is a file's base name in the history. */
static void record_command_word(struct parse *p, const char *word)
{
    struct stat st;
    const char *equals = word[0] == '-' ? strchr(word, '=') : NULL, *value = equals ? equals + 1 : word;
    bool there = stat(value, &st) == 0;
    if (there && S_ISREG(st.st_mode)) add_file(p, value);
    char *shown = presentable(value, there);
    record(p, sb_format("%.*s%s", (int)(value - word), word, shown));
    free(shown);
}

static void take_command(struct parse *p)
{
    record(p, sb_strdup("--"));
    p->args->command = p->argv + p->at;
    while (p->at < p->argc) record_command_word(p, p->argv[p->at++]);
}

/* ---- help ---- */

/* Prints text after `column` characters are on the line, wrapped at 80 columns with a hanging indent. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > 80) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word, text);
        column += word;
        text += word;
        while (*text == ' ') text++;
    }
    putchar('\n');
}

static void print_option(const struct sb_opt *o)
{
    enum { COLUMN = 26 };
    char left[128];
    char letter[] = {'-', o->letter, ',', ' ', 0};
    size_t n = (size_t)snprintf(left, sizeof left, "  %s--%s%s%s", o->letter ? letter : "    ", o->name,
                                o->metavar ? " " : "", o->metavar ? o->metavar : "");
    printf("%s", left);
    if (n + 2 > COLUMN) {
        putchar('\n');
        n = 0;
    }
    printf("%*s", (int)(COLUMN - n), "");
    print_wrapped(o->help, COLUMN, COLUMN);
}

static _Noreturn void print_help(const struct sb_tool *tool)
{
    printf("usage: %s [OPTION]...%s%s\n\n", tool->name, *tool->usage ? " " : "", tool->usage);
    print_wrapped(tool->summary, 0, 0);
    putchar('\n');
    for (const struct sb_opt *o = tool->opts; o->name; o++) print_option(o);
    for (const struct sb_opt *o = built_in; o->help; o++) print_option(o);
    exit(fflush(stdout) ? 1 : 0);
}

/* What completion may offer as the value of an option. */
static const char *value_kind(const struct sb_opt *o)
{
    if (!o->metavar) return "flag";
    if (strchr(o->metavar, '|')) return o->metavar;
    if (!strcmp(o->metavar, "DIR") || !strcmp(o->metavar, "FOLDER")) return "folder";
    return o->flags & (SB_OPT_FILE | SB_OPT_MAYBE_FILE) || !strcmp(o->metavar, "FILE") ? "file" : "value";
}

static void list_option(const struct sb_tool *tool, const struct sb_opt *o)
{
    char letter[] = {o->letter ? '-' : 0, o->letter, 0};
    printf("%s\t%s\t--%s\t%s\t%s\n", tool->name, letter, o->name, value_kind(o), o->help);
}

/* Five columns, separated by tabs: the program, an option's letter and name, the kind of its value, its help. The first line has
 * the operands for the kind. */
static _Noreturn void list_options(const struct sb_tool *tool)
{
    printf("%s\t\t\t%s\t%s\n", tool->name, tool->usage, tool->summary);
    for (const struct sb_opt *o = tool->opts; o->name; o++) list_option(tool, o);
    for (const struct sb_opt *o = built_in; o->help; o++) list_option(tool, o);
    exit(fflush(stdout) ? 1 : 0);
}

static void run_built_in(const struct parse *p, const struct sb_opt *o)
{
    if (o == &built_in[0]) print_help(p->tool);
    if (o == &built_in[2]) list_options(p->tool);
    printf("%s %s\n", p->tool->name, SB_VERSION);
    exit(fflush(stdout) ? 1 : 0);
}

/* ---- values ---- */

static void check_range(const struct sb_opt *o, const char *text, double v)
{
    if (o->max > o->min && (v < o->min || v > o->max)) {
        sb_usage("--%s: %s is not within %.16g to %.16g", o->name, text, o->min, o->max);
    }
}

static void set_int(const struct sb_opt *o, const char *text)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno) sb_usage("--%s: '%s' is not a whole number", o->name, text);
    check_range(o, text, (double)v);
    *(int64_t *)o->value = v;
}

static void set_real(const struct sb_opt *o, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v)) sb_usage("--%s: '%s' is not a number", o->name, text);
    check_range(o, text, v);
    *(double *)o->value = v;
}

/* A metavar of words, "u8|f32", lists all that there are, but where one in capitals stands for any other: "auto|NAME". */
static void check_word(const struct sb_opt *o, const char *value)
{
    if (!strchr(o->metavar, '|') || strpbrk(o->metavar, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) return;
    struct sb_texts words = {0};
    sb_texts_split(o->metavar, '|', &words);
    SB_GROW(words.text, words.cap, words.count + 1);
    words.text[words.count] = NULL;
    sb_opt_choose(o->name, value, words.text);
    for (size_t i = 0; i < words.count; i++) free((char *)words.text[i]);
    free(words.text);
}

static void set_value(struct parse *p, const struct sb_opt *o, const char *value)
{
    for (const struct sb_opt *b = built_in; b->name; b++) {
        if (b == o) run_built_in(p, o);
    }
    switch (o->type) {
    case SB_FLAG: *(bool *)o->value = true; break;
    case SB_INT: set_int(o, value); break;
    case SB_REAL: set_real(o, value); break;
    case SB_TEXT:
        check_word(o, value);
        *(const char **)o->value = value;
        break;
    case SB_TEXTS: {
        struct sb_texts *t = o->value;
        SB_GROW(t->text, t->cap, t->count + 1);
        t->text[t->count++] = value;
    }
    }
    record_option(p, o, value);
}

/* ---- the command line ---- */

static const struct sb_opt *find_long(const struct sb_opt *opts, const char *name, size_t n)
{
    for (const struct sb_opt *o = opts; o->name; o++) {
        if (strlen(o->name) == n && memcmp(o->name, name, n) == 0) return o;
    }
    return NULL;
}

static const char *next_word(struct parse *p, const struct sb_opt *o)
{
    if (p->at >= p->argc) sb_usage("--%s needs a value: %s", o->name, o->metavar ? o->metavar : "VALUE");
    return p->argv[p->at++];
}

static void parse_long(struct parse *p, const char *word)
{
    size_t n = strcspn(word, "=");
    const struct sb_opt *o = find_long(p->opts, word, n);
    if (!o) o = find_long(built_in, word, n);
    if (!o) sb_usage("unknown option --%.*s", (int)n, word);
    const char *value = word[n] ? word + n + 1 : NULL;
    if (o->type == SB_FLAG && value) sb_usage("--%s takes no value", o->name);
    if (o->type != SB_FLAG && !value) value = next_word(p, o);
    set_value(p, o, value);
}

static void parse_letters(struct parse *p, const char *letters)
{
    while (*letters) {
        char c = *letters++;
        const struct sb_opt *o = p->opts;
        while (o->name && o->letter != c) o++;
        if (!o->name && c == built_in[0].letter) o = &built_in[0];
        if (!o->name) sb_usage("unknown option -%c", c);
        const char *value = NULL;
        if (o->type != SB_FLAG) {
            value = *letters ? letters : next_word(p, o);
            letters = "";
        }
        set_value(p, o, value);
    }
}

static void parse(const struct sb_tool *tool, int argc, char **argv, struct sb_args *args, bool takes_command)
{
    sb_program = tool->name;
    memset(args, 0, sizeof *args);
    args->operand = sb_calloc(2, sizeof *args->operand);
    struct parse p = {.tool = tool, .opts = tool->opts, .argv = argv, .argc = argc, .at = 1, .args = args};
    p.takes_command = takes_command;
    p.operand_cap = 2;
    bool options = true;
    while (p.at < argc) {
        char *word = argv[p.at++];
        if (!options || word[0] != '-' || !word[1]) {
            add_operand(&p, word);
        } else if (word[1] != '-') {
            parse_letters(&p, word + 1);
        } else if (word[2]) {
            parse_long(&p, word + 2);
        } else if (p.takes_command) {
            take_command(&p);
        } else {
            options = false;
        }
    }
    kept = *args;
    if (tool->reads_stdin && args->count == 0 && isatty(STDIN_FILENO)) {
        fprintf(stderr, "usage: %s [OPTION]... %s\nTry '%s --help'.\n", tool->name, tool->usage, tool->name);
        exit(2);
    }
}

void sb_opt_parse(const struct sb_tool *tool, int argc, char **argv, struct sb_args *args)
{
    parse(tool, argc, argv, args, false);
}

void sb_opt_parse_command(const struct sb_tool *tool, int argc, char **argv, struct sb_args *args)
{
    parse(tool, argc, argv, args, true);
    if (!args->command || !args->command[0]) sb_usage("say what to run, behind --");
}

void sb_args_file(struct sb_args *args, const char *path)
{
    if (is_pipe(path)) return;
    args->file = sb_realloc(args->file, args->nfile + 1, sizeof *args->file);
    args->file[args->nfile++] = path;
    kept = *args;
}

int sb_opt_choose(const char *option, const char *value, const char *const *words)
{
    char list[256] = "";
    for (int i = 0; words[i]; i++) {
        if (!strcmp(value, words[i])) return i;
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    sb_usage("--%s is %s, not '%s'", option, list, value);
}

void sb_opt_colour(const char *option, const char *text, uint8_t colour[3])
{
    const char *p = text;
    for (int c = 0; c < 3; c++) {
        char *stopped;
        unsigned long v = strtoul(p, &stopped, 10);
        if (*p < '0' || *p > '9' || v > 255 || *stopped != (c < 2 ? ',' : 0))
            sb_usage("--%s: '%s' is not a colour, as 114,114,114", option, text);
        colour[c] = (uint8_t)v;
        p = stopped + 1;
    }
}

static bool is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (; list && *list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
        if (!strncmp(list, name, n) && (list[n] == ',' || !list[n])) return true;
    return false;
}

static bool is_given(const struct sb_opt *o)
{
    switch (o->type) {
    case SB_TEXT: return *(const char **)o->value != NULL;
    case SB_INT: return *(int64_t *)o->value != 0;
    case SB_REAL: return *(double *)o->value != 0;
    case SB_FLAG: return *(bool *)o->value;
    default: return false;
    }
}

void sb_opt_check(const struct sb_opt *opt, const char *common, const char *own, const char *what)
{
    for (; opt->name; opt++) {
        bool taken = opt->letter || is_listed(common, opt->name) || is_listed(own, opt->name);
        if (!taken && is_given(opt)) sb_usage("--%s is not for %s", opt->name, what);
    }
}

void sb_texts_split(const char *s, char sep, struct sb_texts *out)
{
    while (s && *s) {
        const char *end = strchr(s, sep);
        size_t n = end ? (size_t)(end - s) : strlen(s);
        if (n) {
            SB_GROW(out->text, out->cap, out->count + 1);
            out->text[out->count++] = sb_strndup(s, n);
        }
        s = end ? end + 1 : NULL;
    }
}
