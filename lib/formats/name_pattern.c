#include "formats/name_pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "formats/names.h"

/* ---- the pattern ---- */

static void add_part(struct sb_name_pattern *p, const char *text, size_t size, bool column)
{
    if (size == 0) return;
    SB_GROW(p->part, p->cap, p->count + 1);
    p->part[p->count++] = (struct sb_name_part){sb_strndup(text, size), column};
}

int sb_name_pattern_parse(struct sb_name_pattern *p, const char *text)
{
    if (strchr(text, '/')) return sb_error("'%s': a name has no slash; --by makes folders", text);
    for (const char *at = text; *at;) {
        size_t plain = strcspn(at, "{}");
        add_part(p, at, plain, false);
        at += plain;
        if (!*at) break;
        size_t size = *at == '{' ? strcspn(at + 1, "{}") : 0;
        if (size == 0 || at[size + 1] != '}')
            return sb_error("'%s': braces stand in pairs, around a field's name", text);
        add_part(p, at + 1, size, true);
        at += size + 2;
    }
    return 0;
}

/* ---- a record's name ---- */

static bool is_separator(char c) { return c && strchr("_-. ", c); }

/* "2026-07-03T14:05:09.25Z" without what file systems and shells dislike. */
static void write_time(FILE *out, double time)
{
    char text[SB_CLOCK_TEXT];
    sb_clock_text(time, -1, text);
    bool date = strchr(text, 'T') != NULL;
    for (const char *c = text; *c; c++) {
        if (!date || (*c != '-' && *c != ':')) putc(*c, out);
    }
}

/* 1 with a text in the cell, 0 if the record has none, -1 with a message. */
static int value(struct sb_name_pattern *p, struct sb_record *rec, const char *column)
{
    double number;
    bool id8 = !strcmp(column, "id8"), time = !strcmp(column, "time"), pts = !strcmp(column, "pts");
    int rc = time || pts ? sb_get_real(rec, column, &number) : sb_cell_text(&p->cell, rec, id8 ? "id" : column);
    if (rc < 1) return rc;
    if (id8 && p->cell.size > 8) p->cell.size = 8;
    if (!strcmp(column, "source")) {
        char *stem = sb_name_stem(p->cell.text, p->cell.size);
        fputs(stem, sb_cell_begin(&p->cell));
        sb_cell_end(&p->cell);
        free(stem);
    }
    if (time) write_time(sb_cell_begin(&p->cell), number);
    if (pts) fprintf(sb_cell_begin(&p->cell), fabs(number) < 1e9 ? "%010.3f" : "%g", number);
    if (time || pts) sb_cell_end(&p->cell);
    return p->cell.size > 0;
}

const char *sb_name_pattern_text(struct sb_name_pattern *p, struct sb_record *rec)
{
    struct sb_buffer *name = &p->name;
    bool first_missing = false;
    name->size = 0;
    for (size_t i = 0; i < p->count; i++) {
        const char *text = p->part[i].text;
        if (!p->part[i].column) {
            while (first_missing && name->size == 0 && is_separator(*text)) text++;
            sb_buffer_add(name, text, strlen(text));
            continue;
        }
        int rc = value(p, rec, text);
        if (rc < 0) return NULL;
        if (rc) sb_buffer_add(name, p->cell.text, p->cell.size);
        bool literal = i > 0 && !p->part[i - 1].column;
        while (!rc && literal && name->size > 0 && is_separator((char)name->data[name->size - 1])) name->size--;
        first_missing = first_missing || (!rc && name->size == 0);
    }
    if (name->size == 0) sb_buffer_add(name, "picture", 7);
    sb_buffer_add(name, "", 1);
    return (const char *)name->data;
}

void sb_name_pattern_free(struct sb_name_pattern *p)
{
    for (size_t i = 0; i < p->count; i++) free(p->part[i].text);
    free(p->part);
    free(p->name.data);
    sb_cell_free(&p->cell);
    memset(p, 0, sizeof *p);
}
