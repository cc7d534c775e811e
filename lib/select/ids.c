#include "select/ids.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/err.h"
#include "formats/csv_read.h"
#include "stream/stream.h"

enum { SHOWN = 5 };

/* One pass over a file: each id, or NULL for a row without. */
struct pass {
    void (*each)(void *arg, const char *id, size_t size);
    void *arg;
    bool begun, titled;
    size_t column;
};

/* ---- the three kinds of files ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int pass_stream(struct pass *p, const char *path)
{
    struct sb_record rec = {0};
    const char *id;
    size_t size;
    int rc;
    struct sb_reader *in = sb_reader_open(path);
    if (!in) return -1;
    while ((rc = sb_reader_next(in, &rec)) > 0) {
        int found = sb_get_text(&rec, "id", &id, &size);
        if (found < 0) {
            rc = sb_error("%s: record %" PRIu64 ": its id is no text", path, sb_reader_count(in));
            break;
        }
        p->each(p->arg, found ? id : NULL, found ? size : 0);
    }
    sb_record_free(&rec);
    sb_reader_close(in);
    return rc;
}

static int pass_row(void *arg, const struct sb_csv_row *row)
{
    struct pass *p = arg;
    bool first = !p->begun;
    p->begun = true;
    for (size_t i = 0; first && i < row->count && !p->titled; i++) {
        p->titled = strcasecmp(row->cell[i], "id") == 0;
        p->column = p->titled ? i : 0;
    }
    if (first && p->titled) return 0;
    if (!p->titled && row->count > 1)
        return sb_error("line %" PRIu64 ": more than one cell, and no column in the first line is called id",
                        row->line);
    const char *id = p->column < row->count ? row->cell[p->column] : "";
    p->each(p->arg, *id ? id : NULL, strlen(id));
    return 0;
}

static int pass_table(struct pass *p, FILE *f, const char *path)
{
    int rc = sb_csv_read(f, pass_row, p);
    if (rc == 0) return 0;
    char *why = sb_strdup(sb_error_message());
    sb_error("%s: %s", path, why);
    free(why);
    return -1;
}

/* The file is opened once, since a pipe can't be opened again; but for a stream, which no text begins like. */
static int pass(const char *path, void (*each)(void *arg, const char *id, size_t size), void *arg)
{
    struct pass p = {.each = each, .arg = arg};
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    int c = getc(f), rc;
    bool stream = (c >= 0x80 && c <= 0x8f) || c == 0xde || c == 0xdf;
    ungetc(c, f);
    if (!stream)
        rc = pass_table(&p, f, path);
    else if (is_file(path))
        rc = pass_stream(&p, path);
    else
        rc = sb_error("%s: ids of a stream are read from a file, not from a pipe", path);
    fclose(f);
    return rc;
}

/* ---- the set ---- */

static void add(void *arg, const char *id, size_t size)
{
    struct sb_ids *ids = arg;
    if (id)
        sb_hash_table_add(&ids->table, sb_hash_bytes(id, size), NULL);
    else
        ids->blank++;
}

int sb_ids_read(struct sb_ids *ids, const char *path)
{
    memset(ids, 0, sizeof *ids);
    if (pass(path, add, ids)) return -1;
    ids->met = sb_calloc(ids->table.count + 1, sizeof *ids->met);
    return 0;
}

bool sb_ids_meet(struct sb_ids *ids, const char *id, size_t size)
{
    size_t number = sb_hash_table_find(&ids->table, sb_hash_bytes(id, size));
    if (number == SIZE_MAX) return false;
    return ids->met[number] = true;
}

/* ---- the report ---- */

struct unmet {
    const struct sb_ids *ids;
    struct sb_buffer list;
    size_t shown;
    bool *said;
};

static void add_unmet(void *arg, const char *id, size_t size)
{
    struct unmet *u = arg;
    size_t number = id ? sb_hash_table_find(&u->ids->table, sb_hash_bytes(id, size)) : SIZE_MAX;
    if (u->shown == SHOWN || number == SIZE_MAX || u->ids->met[number] || u->said[number]) return;
    u->said[number] = true;
    if (u->shown++) sb_buffer_add(&u->list, ", ", 2);
    sb_buffer_add(&u->list, id, size < 60 ? size : 60);
}

void sb_ids_report(const struct sb_ids *ids, const char *path)
{
    size_t count = 0;
    if (ids->blank) sb_warn("%s: %" PRIu64 " of its rows %s no id", path, ids->blank, ids->blank == 1 ? "has" : "have");
    for (size_t i = 0; i < ids->table.count; i++) count += !ids->met[i];
    if (!count || sb_quiet) return;
    struct unmet u = {.ids = ids, .said = sb_calloc(ids->table.count, sizeof *u.said)};
    sb_quiet = true; /* what a foreign stream lacks was said when it was read first */
    int rc = is_file(path) ? pass(path, add_unmet, &u) : -1;
    sb_quiet = false;
    if (rc == 0)
        sb_warn("%s: %zu of its %zu ids %s not met: %.*s%s", path, count, ids->table.count, count == 1 ? "was" : "were",
                (int)u.list.size, (const char *)u.list.data, count > u.shown ? ", ..." : "");
    else
        sb_warn("%s: %zu of its %zu ids were not met", path, count, ids->table.count);
    free(u.list.data);
    free(u.said);
}

void sb_ids_free(struct sb_ids *ids)
{
    sb_hash_table_free(&ids->table);
    free(ids->met);
    memset(ids, 0, sizeof *ids);
}
