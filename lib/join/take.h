/* Records that have taken the fields of a table's row. */
#ifndef SB_JOIN_TAKE_H
#define SB_JOIN_TAKE_H

#include "join/rows.h"
#include "select/hash_table.h"

/* How fields are taken, and what is needed and counted while they are. */
struct sb_join_taking {
    struct sb_join_rows *rows;
    const char *status, *by; /* of every label that a row brings; NULL: as the table says */
    bool nearby;         /* rows are of other moments: `pts`, `time` and `duration` are not taken unless asked for */
    uint64_t unlabelled; /* labels that were removed, since their cells had been emptied */
    struct sb_record fields;
    struct sb_hash_table ids; /* that matched records were given or have kept */
};

/* `out` becomes `from` with the fields of a row that matched it, the `nth` of those, from 0. It borrows from both,
 * `out` is reset. Its `id`: hash of source, pts and box, where the row brings a box that the record did not have;
 * `parent` is then the record's id, or its own parent where it had another box; else the record's own for the first
 * row, a hash of that and the number for a further one, with a `parent` likewise. A new box's that was given before hashes
 * the record's own id and the number, too. What is said of a label (`aphia_id`, `label_path`, `labelled_at`) is removed
 * where the label changed and that did not. -1 with a message. */
int sb_join_take(struct sb_join_taking *t, size_t row, size_t nth, const struct sb_record *from, struct sb_record *out);
void sb_join_taking_free(struct sb_join_taking *t);

#endif
