/* Reading tables, with libcsv. See csv_read.h. */
#include "formats/csv_read.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/utf8.h"

enum { CHUNK = 1 << 16 };

struct reading {
    int (*each)(void *arg, const struct sb_csv_row *row);
    void *arg;
    struct sb_buffer text; /* the row's cells, each with a NUL behind it */
    size_t *start;         /* [cells]: where each begins in it */
    const char **cell;
    size_t cells, start_cap, cell_cap;
    uint64_t line;
    char separator;
    int status;
};

static void on_cell(void *bytes, size_t size, void *arg)
{
    struct reading *r = arg;
    if (r->status || r->text.size + size >= SB_CSV_ROW_MAX) {
        if (!r->status) r->status = sb_error("line %" PRIu64 ": it is longer than %zu bytes", r->line, SB_CSV_ROW_MAX);
        return;
    }
    SB_GROW(r->start, r->start_cap, r->cells + 1);
    r->start[r->cells++] = r->text.size;
    sb_buffer_add(&r->text, bytes, size);
    sb_buffer_add(&r->text, "", 1);
    char *cell = (char *)r->text.data + r->text.size - size - 1;
    for (size_t i = 0; i < size; i++) {
        if (cell[i] == 0) cell[i] = '?';
        r->line += cell[i] == '\n'; /* inside quotes */
    }
}

/* The end of a line, or (-1) of the file. CRLF comes as two, and the second one finds no cell. */
static void on_line(int ended_by, void *arg)
{
    struct reading *r = arg;
    size_t filled = 0;
    SB_GROW(r->cell, r->cell_cap, r->cells + 1);
    for (size_t i = 0; i < r->cells; i++) {
        r->cell[i] = (const char *)r->text.data + r->start[i];
        filled += *r->cell[i] != 0;
    }
    struct sb_csv_row row = {r->cell, r->cells, r->line, r->separator};
    if (!r->status && filled) r->status = r->each(r->arg, &row);
    r->cells = r->text.size = 0;
    r->line += ended_by == '\n';
}

/* Past the lines of comments that tables begin with; where nothing else is in sight, the last of them stays. */
static void skip_comments(const char **text, size_t *size)
{
    const char *end;
    while (*size > 0 && **text == '#' && (end = memchr(*text, '\n', *size)) && (size_t)(end - *text) + 1 < *size) {
        *size -= (size_t)(end - *text) + 1;
        *text = end + 1;
    }
}

static unsigned char find_separator(const char *text, size_t size)
{
    static const char candidates[] = "\t,;"; /* where as many stand: the one that stands least in names */
    size_t count[3] = {0};
    int most = 0;
    bool quoted = false;
    while (size > 0 && strchr(" \r\n", *text)) text++, size--;
    skip_comments(&text, &size);
    for (; size > 0 && *text != '\n' && *text != '\r'; text++, size--) {
        const char *c = *text ? strchr(candidates, *text) : NULL;
        quoted ^= *text == '"';
        if (c && !quoted) count[c - candidates]++;
    }
    for (int i = 1; i < 3; i++)
        if (count[i] > count[most]) most = i;
    return (unsigned char)(count[most] ? candidates[most] : ',');
}

static int start(struct csv_parser *p, struct reading *r, const char **text, size_t *size)
{
    if (*size >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) *text += 3, *size -= 3;
    if (*size >= 2 && (memcmp(*text, "\xff\xfe", 2) == 0 || memcmp(*text, "\xfe\xff", 2) == 0))
        return sb_error("it is UTF-16: save it as UTF-8");
    r->separator = (char)find_separator(*text, *size);
    csv_set_delim(p, (unsigned char)r->separator);
    return 0;
}

static int read_all(FILE *f, struct csv_parser *p, struct reading *r)
{
    char chunk[CHUNK];
    for (bool first = true; !r->status; first = false) {
        size_t size = fread(chunk, 1, sizeof chunk, f);
        const char *text = chunk;
        if (ferror(f)) return sb_error("%s", strerror(errno));
        if (size == 0) break;
        if (first && start(p, r, &text, &size) < 0) return -1;
        if (csv_parse(p, text, size, on_cell, on_line, r) != size)
            sb_die("out of memory: no room for a row of a table");
        if (!r->status && csv_get_buffer_size(p) > SB_CSV_ROW_MAX)
            return sb_error("line %" PRIu64 ": a cell has no end (is a quote not closed?)", r->line);
    }
    if (!r->status) csv_fini(p, on_cell, on_line, r);
    return r->status;
}

int sb_csv_read(FILE *f, int (*each)(void *arg, const struct sb_csv_row *row), void *arg)
{
    struct reading r = {.each = each, .arg = arg, .line = 1};
    struct csv_parser p;
    csv_init(&p, CSV_REPALL_NL | CSV_APPEND_NULL);
    int status = read_all(f, &p, &r);
    csv_free(&p);
    free(r.text.data);
    free(r.start);
    free(r.cell);
    return status;
}

int sb_csv_row_utf8(const struct sb_csv_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (!sb_utf8_valid(row->cell[i], strlen(row->cell[i])))
            return sb_error("line %" PRIu64
                            ": cell %zu is not UTF-8: convert it, with iconv -f latin1 -t utf-8 perhaps",
                            row->line, i + 1);
    }
    return 0;
}

int sb_csv_load(const char *path, int (*each)(void *arg, const struct sb_csv_row *row), void *arg)
{
    char why[768];
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    int status = sb_csv_read(f, each, arg);
    fclose(f);
    if (status >= 0) return status;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", path, why);
}
