/* The rows of a table that records are joined with: a CSV or TSV file that a person had in a spreadsheet, or a stream
 * of records. It is read whole: memory holds its cells, and 56 bytes a row. */
#ifndef SB_JOIN_ROWS_H
#define SB_JOIN_ROWS_H

#include "formats/cell_read.h"
#include "join/keys.h"

struct sb_join_row {
    struct sb_join_key key;
    uint64_t number; /* its line in a CSV file, its record's number in a stream: from 1 */
    size_t at, size; /* its packed fields */
    uint64_t matched;
};

/* Of a table that is text, rows hold the cells as texts, those that are empty left out; but an emptied `label` or
 * `labels` is "". */
struct sb_join_rows {
    struct sb_join_row *row; /* those with a key first: in order of key, moment and number */
    size_t count, keyed, cap;
    struct sb_buffer packed;
    bool text;
    uint64_t repeated;       /* rows left out: see sb_join_rows_load() */
    struct sb_record header; /* of a stream */
    struct sb_texts taken;   /* the columns that are asked for; none: all */
    struct sb_join_keys *keys;
    struct sb_cell_reading reading;
};

/* Reads the table at path, whose kind its first bytes tell. With `id` alone as key, of rows that are alike in
 * everything the first one counts. -1 with a message that begins with the path: it can't be read, it lacks a key or a
 * column that `taken` names, or has a cell that can't be understood. `rows` is zeroed, but for keys, taken and
 * reading.zone. */
int sb_join_rows_load(struct sb_join_rows *rows, const char *path);
void sb_join_rows_free(struct sb_join_rows *rows);

/* Whether records get this column: `id`, keys and what is not asked for are not taken; `image` and `tensor` only if
 * they are. */
bool sb_join_rows_take(const struct sb_join_rows *rows, const char *column);

/* The rows that a record with this key gets: how many, from *first on. Without a moment all of the same key; with one,
 * of those that are at most `within` seconds off the nearest one (the earlier of two) and all of its microsecond. */
size_t sb_join_rows_find(const struct sb_join_rows *rows, const struct sb_join_key *key, double within, size_t *first);

/* A row's fields, borrowed; `rec` is reset. */
void sb_join_row_fields(const struct sb_join_rows *rows, size_t row, struct sb_record *rec);

/* For the two readers. */
int sb_join_rows_read_text(struct sb_join_rows *rows, const char *path);
int sb_join_rows_read_stream(struct sb_join_rows *rows, const char *path);
/* Adds a row with these fields; `key` NULL: it has none. */
void sb_join_rows_add(struct sb_join_rows *rows, const struct sb_record *fields, const struct sb_join_key *key,
                      uint64_t number);

#endif
