#include "join/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/utf8.h"

#define MICROSECOND 1e-6

/* ---- adding ---- */

void sb_join_rows_add(struct sb_join_rows *rows, const struct sb_record *fields, const struct sb_join_key *key,
                      uint64_t number)
{
    struct sb_join_row row = {.number = number, .at = rows->packed.size};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &rows->packed, sb_buffer_write);
    msgpack_pack_map(&pk, fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct sb_field *f = &fields->field[i];
        msgpack_pack_str(&pk, f->key_size);
        msgpack_pack_str_body(&pk, f->key, f->key_size);
        sb_buffer_add(&rows->packed, f->value, f->size);
    }
    row.size = rows->packed.size - row.at;
    row.key.moment = NAN;
    if (key) row.key = *key;
    SB_GROW(rows->row, rows->cap, rows->count + 1);
    rows->row[rows->count++] = row;
}

void sb_join_row_fields(const struct sb_join_rows *rows, size_t row, struct sb_record *rec)
{
    sb_record_reset(rec);
    if (sb_record_parse(rec, rows->packed.data + rows->row[row].at, rows->row[row].size)) sb_die_error();
}

bool sb_join_rows_take(const struct sb_join_rows *rows, const char *column)
{
    if (!strcmp(column, "id") || sb_join_keys_have(rows->keys, column)) return false;
    bool side = *column && !column[1] && strchr("xywh", *column);
    for (size_t i = 0; i < rows->taken.count; i++)
        if (!strcmp(rows->taken.text[i], column) || (side && !strcmp(rows->taken.text[i], "box"))) return true;
    return rows->taken.count == 0 && strcmp(column, "image") != 0 && strcmp(column, "tensor") != 0;
}

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

/* Rows without a key, whose moment is NAN, come last. */
static int by_key(const struct sb_join_key *a, const struct sb_join_key *b)
{
    bool none = isnan(a->moment);
    if (none != isnan(b->moment)) return none ? 1 : -1;
    if (none) return 0;
    int order = compare(a->texts.hi, b->texts.hi);
    if (!order) order = compare(a->texts.lo, b->texts.lo);
    return order ? order : a->moment < b->moment ? -1 : a->moment > b->moment;
}

static int by_place(const void *a, const void *b)
{
    const struct sb_join_row *x = a, *y = b;
    int order = by_key(&x->key, &y->key);
    return order ? order : compare(x->number, y->number);
}

static int by_content(const void *a, const void *b, void *arg)
{
    const struct sb_join_row *x = a, *y = b;
    const uint8_t *bytes = arg;
    int order = by_key(&x->key, &y->key);
    if (!order) order = compare(x->size, y->size);
    if (!order) order = memcmp(bytes + x->at, bytes + y->at, x->size);
    return order ? order : compare(x->number, y->number);
}

/* Leaves out rows that are alike in everything. */
static void unite(struct sb_join_rows *rows)
{
    const uint8_t *bytes = rows->packed.data;
    size_t kept = 0;
    qsort_r(rows->row, rows->count, sizeof *rows->row, by_content, rows->packed.data);
    for (size_t i = 0; i < rows->count; i++) {
        const struct sb_join_row *row = &rows->row[i], *last = kept ? &rows->row[kept - 1] : NULL;
        bool again = last && !isnan(row->key.moment) && by_key(&last->key, &row->key) == 0 && last->size == row->size &&
                     memcmp(bytes + last->at, bytes + row->at, row->size) == 0;
        if (!again) rows->row[kept++] = *row;
    }
    rows->repeated = rows->count - kept;
    rows->count = kept;
}

static void settle(struct sb_join_rows *rows)
{
    if (!rows->count) return;
    if (rows->keys->name.count == 1 && sb_join_keys_have(rows->keys, "id")) unite(rows);
    qsort(rows->row, rows->count, sizeof *rows->row, by_place);
    while (rows->keyed < rows->count && !isnan(rows->row[rows->keyed].key.moment)) rows->keyed++;
}

/* ---- finding ---- */

static bool alike(const struct sb_join_rows *rows, size_t i, const struct sb_join_key *key)
{
    if (i >= rows->keyed) return false;
    const struct sb_hash *h = &rows->row[i].key.texts;
    return h->hi == key->texts.hi && h->lo == key->texts.lo;
}

size_t sb_join_rows_find(const struct sb_join_rows *rows, const struct sb_join_key *key, double within, size_t *first)
{
    size_t low = 0, high = rows->keyed; /* the first row that does not come before the key is within [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_key(&rows->row[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t nearest = low;
    bool before = low > 0 && alike(rows, low - 1, key), after = alike(rows, low, key);
    if (!before && !after) return 0;
    double behind = before ? key->moment - rows->row[low - 1].key.moment : INFINITY;
    double ahead = after ? rows->row[low].key.moment - key->moment : INFINITY;
    if (behind <= ahead + MICROSECOND / 2) nearest = low - 1;
    if (fmin(behind, ahead) > within + MICROSECOND / 2) return 0;
    double moment = rows->row[nearest].key.moment;
    size_t from = nearest, to = nearest + 1;
    while (from > 0 && alike(rows, from - 1, key) && moment - rows->row[from - 1].key.moment <= MICROSECOND / 2) from--;
    while (alike(rows, to, key) && rows->row[to].key.moment - moment <= MICROSECOND / 2) to++;
    *first = from;
    return to - from;
}

/* ---- the table ---- */

/* The first bytes, which stay to be read: how many, or -1 with a message. A pipe's are looked at in a copy; one with a
 * name could not be opened again if it was written and closed meanwhile. */
static ssize_t peek(const char *path, uint8_t *head, size_t size)
{
    struct stat st;
    struct statfs fs;
    int copy[2] = {-1, -1}, error;
    bool fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
    if (fifo && statfs(path, &fs) == 0 && fs.f_type != PIPEFS_MAGIC)
        return sb_error("%s: a named pipe can't be the table, <(...) can", path);
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && !fifo)
        n = pread(fd, head, size, 0);
    else if (fd >= 0 && pipe2(copy, O_CLOEXEC) == 0 && (n = tee(fd, copy[1], size, 0)) > 0)
        n = read(copy[0], head, (size_t)n);
    error = errno;
    if (fd >= 0) close(fd);
    if (copy[0] >= 0) close(copy[0]), close(copy[1]);
    if (n == 0) return sb_error("%s: it is empty", path);
    return n < 0 ? sb_error("%s: %s", path, strerror(error)) : n;
}

/* A stream begins with a map; so does no text in UTF-8. */
static bool is_text(const uint8_t *head, size_t size)
{
    bool map = (*head & 0xf0) == 0x80 || *head == 0xde || *head == 0xdf;
    return !map || sb_utf8_length((const char *)head, size) > 0;
}

int sb_join_rows_load(struct sb_join_rows *rows, const char *path)
{
    uint8_t head[4];
    ssize_t size = peek(path, head, sizeof head);
    if (size < 0) return -1;
    rows->text = is_text(head, (size_t)size);
    int rc = rows->text ? sb_join_rows_read_text(rows, path) : sb_join_rows_read_stream(rows, path);
    if (rc == 0) settle(rows);
    return rc;
}

void sb_join_rows_free(struct sb_join_rows *rows)
{
    free(rows->row);
    free(rows->packed.data);
    sb_record_free(&rows->header);
    sb_cell_reading_free(&rows->reading);
    memset(rows, 0, sizeof *rows);
}
