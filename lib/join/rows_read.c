/* The two kinds of tables. See rows.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/csv_read.h"
#include "join/rows.h"
#include "stream/stream.h"

/* ---- text -------------------------------------------------------------------------------------------------------- */

struct reading {
    struct sb_join_rows *rows;
    char **column; /* [columns] names; NULL: without a title, not read */
    size_t columns;
    int side[4]; /* where x, y, w and h stand, if all of them do, or the first is -1 */
    struct sb_record texts, typed;
};

static int find(const struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->columns; i++)
        if (r->column[i] && !strcmp(r->column[i], name)) return (int)i;
    return -1;
}

static char *list(const struct reading *r)
{
    char *all = sb_strdup("");
    for (size_t i = 0; i < r->columns; i++) {
        if (!r->column[i]) continue;
        char *more = sb_format("%s%s%s", all, *all ? ", " : "", r->column[i]);
        free(all);
        all = more;
    }
    return all;
}

static int lacks(const struct reading *r, const char *name)
{
    char *all = list(r);
    sb_error("there is no column '%s': it has %.300s", name, all);
    free(all);
    return -1;
}

static bool is_side(const char *name) { return *name && !name[1] && strchr("xywh", *name); }

static int check_key(const struct reading *r, const char *name)
{
    if (find(r, name) < 0) return lacks(r, name);
    if (is_side(name) && r->side[0] < 0) return sb_error("by '%s' is matched where x, y, w and h are all there", name);
    if (strcmp(name, "id") && !sb_column_is_read(name))
        return sb_error("column '%s' only tells what a record has: it can't be matched by", name);
    return 0;
}

/* Titles; columns that have none are mostly behind a separator at the lines' ends. */
static int header(struct reading *r, const struct sb_csv_row *row)
{
    static const char *const side[] = {"x", "y", "w", "h"};
    const struct sb_join_rows *rows = r->rows;
    r->column = sb_calloc(row->count, sizeof *r->column);
    for (size_t i = 0; i < row->count; i++) {
        char *name = sb_column_name(row->cell[i]);
        if (name && find(r, name) >= 0) {
            sb_error("line %" PRIu64 ": column '%s' stands twice", row->line, name);
            free(name);
            return -1;
        }
        r->column[r->columns++] = name;
    }
    bool boxed = true;
    for (int i = 0; i < 4; i++) boxed = (r->side[i] = find(r, side[i])) >= 0 && boxed;
    if (!boxed) r->side[0] = -1;
    for (size_t i = 0; i < rows->keys->name.count; i++)
        if (check_key(r, rows->keys->name.text[i]) < 0) return -1;
    for (size_t i = 0; i < rows->taken.count; i++)
        if (find(r, rows->taken.text[i]) < 0 && (strcmp(rows->taken.text[i], "box") != 0 || !boxed))
            return lacks(r, rows->taken.text[i]);
    return 0;
}

/* Excel leaves out separators at the ends of lines where 16 lines together have nothing there: cells that are missing
 * are empty ones. Cells too many are a comma that should have been quoted. */
static const char *cell_of(const struct sb_csv_row *row, size_t column)
{
    return column < row->count ? row->cell[column] : "";
}

static int check_width(const struct reading *r, const struct sb_csv_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if ((i < r->columns && r->column[i]) || !*row->cell[i]) continue;
        if (i >= r->columns) return sb_error("it has more cells than the header: is a text with a comma not quoted?");
        return sb_error("its cell %zu, '%.40s', has no title above it", i + 1, row->cell[i]);
    }
    return 0;
}

/* Reads every cell once, so that what can't be understood is known before the first record is written. */
static int try_cells(struct reading *r, const struct sb_csv_row *row)
{
    struct sb_join_rows *rows = r->rows;
    sb_record_reset(&r->typed);
    for (size_t i = 0; i < r->columns; i++) {
        const char *name = r->column[i];
        if (!name || !(sb_join_rows_take(rows, name) || sb_join_keys_have(rows->keys, name))) continue;
        if (!strcmp(name, "id")) { /* of itself it is not read */
            if (*cell_of(row, i)) sb_set_cstr(&r->typed, name, cell_of(row, i));
        } else if (sb_cell_read(&rows->reading, &r->typed, name, cell_of(row, i)) < 0) {
            return -1;
        }
    }
    bool wanted = sb_join_rows_take(rows, "x");
    for (size_t i = 0; i < rows->keys->name.count; i++) wanted = wanted || is_side(rows->keys->name.text[i]);
    if (r->side[0] < 0 || !wanted) return 0;
    const char *text[4];
    for (int i = 0; i < 4; i++) text[i] = cell_of(row, (size_t)r->side[i]);
    return sb_cell_read_box(&rows->reading, &r->typed, text);
}

static int take_row(struct reading *r, const struct sb_csv_row *row)
{
    struct sb_join_key key;
    if (check_width(r, row) < 0 || try_cells(r, row) < 0) return -1;
    sb_record_reset(&r->texts);
    for (size_t i = 0; i < r->columns; i++) {
        const char *name = r->column[i], *cell = cell_of(row, i);
        bool is_label = name && (!strcmp(name, "label") || !strcmp(name, "labels"));
        if (!name || !(is_label || sb_join_rows_take(r->rows, name) || sb_join_keys_have(r->rows->keys, name)))
            continue;
        if (*cell || is_label) sb_set_cstr(&r->texts, name, cell);
    }
    int rc = sb_join_key_of(r->rows->keys, &r->typed, &key);
    if (rc < 0) return -1;
    sb_join_rows_add(r->rows, &r->texts, rc ? &key : NULL, row->line);
    return 0;
}

static int each_row(void *arg, const struct sb_csv_row *row)
{
    struct reading *r = arg;
    char why[900];
    if (!r->column) return header(r, row);
    if (take_row(r, row) == 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("line %" PRIu64 ": %s", row->line, why);
}

int sb_join_rows_read_text(struct sb_join_rows *rows, const char *path)
{
    struct reading r = {.rows = rows, .side = {-1, -1, -1, -1}};
    int rc = sb_csv_load(path, each_row, &r);
    if (rc == 0 && !r.column) rc = sb_error("%s: it is empty", path);
    for (size_t i = 0; i < r.columns; i++) free(r.column[i]);
    free(r.column);
    sb_record_free(&r.texts);
    sb_record_free(&r.typed);
    return rc;
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

/* The fields that are asked for, and the keys. */
static void keep_fields(const struct sb_join_rows *rows, struct sb_record *rec)
{
    for (size_t i = rec->count; i-- > 0;) {
        char *name = sb_strndup(rec->field[i].key, rec->field[i].key_size);
        bool nil = rec->field[i].size == 1 && *rec->field[i].value == 0xc0;
        bool wanted = sb_join_rows_take(rows, name) || sb_join_keys_have(rows->keys, name) || !strcmp(name, "label");
        if (nil || !wanted) sb_record_remove(rec, name);
        free(name);
    }
}

int sb_join_rows_read_stream(struct sb_join_rows *rows, const char *path)
{
    struct sb_record rec = {0};
    struct sb_join_key key;
    char why[512];
    int more;
    struct sb_reader *in = sb_reader_open(path);
    if (!in) return -1;
    sb_record_copy(&rows->header, sb_reader_header(in));
    while ((more = sb_reader_next(in, &rec)) > 0) {
        int rc = sb_join_key_of(rows->keys, &rec, &key);
        if (rc < 0) {
            snprintf(why, sizeof why, "%s", sb_error_message());
            more = sb_error("%s: record %" PRIu64 ": %s", path, sb_reader_count(in), why);
            break;
        }
        keep_fields(rows, &rec);
        sb_join_rows_add(rows, &rec, rc ? &key : NULL, sb_reader_count(in));
    }
    sb_record_free(&rec);
    sb_reader_close(in);
    return more;
}
