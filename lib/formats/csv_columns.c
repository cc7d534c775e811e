#include "formats/csv_columns.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/utf8.h"

struct reading {
    struct sb_csv_table table;
    int (*each)(void *arg, const struct sb_csv_table *t);
    void *arg;
    bool begun; /* past the titles */
};

/* ---- titles ---- */

/* Whether both have the same letters and digits. Bytes beyond ASCII are letters. */
static bool same_title(const char *a, const char *a_end, const char *b)
{
    for (;;) {
        while (a < a_end && !isalnum((unsigned char)*a) && (unsigned char)*a < 128) a++;
        while (*b && !isalnum((unsigned char)*b) && (unsigned char)*b < 128) b++;
        if (a == a_end || !*b) return a == a_end && !*b;
        if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++)) return false;
    }
}

static bool is_called(const char *names, const char *title)
{
    for (const char *end; *names; names = end + (*end == '|')) {
        end = strchrnul(names, '|');
        if (same_title(names, end, title)) return true;
    }
    return false;
}

void sb_csv_table_warn(const struct sb_csv_table *t, const char *path)
{
    struct sb_buffer b = {0};
    for (size_t i = 0; i < t->titles; i++) {
        bool wanted = !*t->title[i];
        for (size_t k = 0; k < t->columns && !wanted; k++) wanted = is_called(t->column[k].names, t->title[i]);
        if (wanted) continue;
        if (b.size) sb_buffer_add(&b, ", ", 2);
        sb_buffer_add(&b, t->title[i], strlen(t->title[i]));
    }
    if (b.size) sb_warn("%s: columns that are not kept: %.*s", path, (int)b.size, (char *)b.data);
    free(b.data);
}

/* Where the column stands: -1 it does not, -2 with a message. */
static int find(const struct sb_csv_table *t, const char *names)
{
    for (const char *end; *names; names = end + (*end == '|')) {
        int found = -1;
        end = strchrnul(names, '|');
        for (size_t i = 0; i < t->titles; i++) {
            if (!same_title(names, end, t->title[i])) continue;
            if (found >= 0) {
                sb_error("two of its columns are called '%.60s'", t->title[i]);
                return -2;
            }
            found = (int)i;
        }
        if (found >= 0) return found;
    }
    return -1;
}

static int find_all(struct sb_csv_table *t)
{
    struct sb_buffer missing = {0};
    int count = 0;
    for (size_t i = 0; i < t->columns; i++) {
        const char *names = t->column[i].names;
        if ((t->at[i] = find(t, names)) == -2) {
            free(missing.data);
            return -1;
        }
        if (t->at[i] >= 0 || !t->column[i].needed) continue;
        if (count++) sb_buffer_add(&missing, ", ", 2);
        sb_buffer_add(&missing, names, strcspn(names, "|"));
    }
    if (count == 0) return 0;
    sb_buffer_add(&missing, "", 1);
    sb_error("it has no column%s called %.400s", count == 1 ? "" : "s", (char *)missing.data);
    free(missing.data);
    return -1;
}

/* A line before the titles that begins with # and has no title that is wanted. */
static bool is_comment(const struct sb_csv_table *t)
{
    bool comment = *t->row->cell[0] == '#';
    for (size_t i = 0; comment && i < t->columns; i++) {
        for (size_t k = 0; comment && k < t->row->count; k++) comment = !is_called(t->column[i].names, t->row->cell[k]);
    }
    return comment;
}

static int each_row(void *arg, const struct sb_csv_row *row)
{
    struct reading *r = arg;
    struct sb_csv_table *t = &r->table;
    t->row = row;
    for (size_t i = 0; i < row->count; i++) {
        if (!sb_utf8_valid(row->cell[i], strlen(row->cell[i])))
            return sb_error("line %" PRIu64 ": it is not UTF-8: save the table as UTF-8", row->line);
    }
    if (r->begun) return r->each(r->arg, t);
    if (is_comment(t)) return 0;
    r->begun = true;
    t->titles = row->count;
    t->title = sb_calloc(row->count + 1, sizeof *t->title);
    for (size_t i = 0; i < row->count; i++) t->title[i] = sb_strdup(row->cell[i]);
    return find_all(t);
}

int sb_csv_table_load(const char *path, const struct sb_csv_column *column, size_t columns,
                      int (*each)(void *arg, const struct sb_csv_table *t), void *arg)
{
    struct reading r = {.table = {.column = column, .columns = columns}, .each = each, .arg = arg};
    r.table.at = sb_calloc(columns + 1, sizeof *r.table.at);
    int status = sb_csv_load(path, each_row, &r);
    if (status == 0 && !r.begun) status = sb_error("%s: it is empty", path);
    for (size_t i = 0; i < r.table.titles; i++) free(r.table.title[i]);
    free(r.table.title);
    free(r.table.at);
    return status;
}

/* ---- cells ---- */

const char *sb_csv_table_text(const struct sb_csv_table *t, size_t column)
{
    int at = t->at[column];
    return at >= 0 && (size_t)at < t->row->count ? t->row->cell[at] : "";
}

static bool is_empty(const char *text)
{
    return !*text || !strcasecmp(text, "nan") || !strcasecmp(text, "na") || !strcasecmp(text, "null") ||
           !strcasecmp(text, "none");
}

static int bad(const struct sb_csv_table *t, size_t column, const char *what)
{
    return sb_error("line %" PRIu64 ": column '%.60s': '%.60s' is no %s", t->row->line, t->title[t->at[column]],
                    sb_csv_table_text(t, column), what);
}

int sb_csv_table_real(const struct sb_csv_table *t, size_t column, double *v)
{
    const char *text = sb_csv_table_text(t, column);
    char copy[64], *end;
    size_t size = strlen(text);
    if (is_empty(text)) return 0;
    if (size >= sizeof copy || strspn(text, "+-.,0123456789eE") != size) return bad(t, column, "number");
    memcpy(copy, text, size + 1);
    char *comma = strchr(copy, ',');
    if (comma && !strchr(copy, '.')) *comma = '.';
    *v = strtod(copy, &end);
    return *end || end == copy || !isfinite(*v) ? bad(t, column, "number") : 1;
}

int sb_csv_table_int(const struct sb_csv_table *t, size_t column, int64_t *v)
{
    double number;
    int rc = sb_csv_table_real(t, column, &number);
    if (rc != 1) return rc;
    if (number != floor(number) || fabs(number) > 9e15) return bad(t, column, "whole number");
    *v = (int64_t)number;
    return 1;
}

int sb_csv_table_bool(const struct sb_csv_table *t, size_t column, bool *v)
{
    static const char *const words[] = {"0", "false", "no", "f", "n", "1", "true", "yes", "t", "y"};
    const char *text = sb_csv_table_text(t, column);
    if (is_empty(text)) return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i])) continue;
        *v = i >= 5;
        return 1;
    }
    return bad(t, column, "yes or no");
}
