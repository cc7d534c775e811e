/* A list of ids that a person or another program wrote, as a set: a stream's own ids; or a table, in its column `id`;
 * or a text, one a line. 25 bytes an id. */
#ifndef SB_SELECT_IDS_H
#define SB_SELECT_IDS_H

#include "select/hash_table.h"

/* A zeroed one is empty. */
struct sb_ids {
    struct sb_hash_table table;
    bool *met;      /* [table.count] */
    uint64_t blank; /* rows and records without an id */
};

/* Reads a file, or a list (no stream) from a pipe, into ids, which the caller frees, also after an error. -1 with a
 * message that names it. */
int sb_ids_read(struct sb_ids *ids, const char *path);
/* Whether an id (not NUL-terminated) is in the list; it is met then. */
bool sb_ids_meet(struct sb_ids *ids, const char *id, size_t size);
/* Warns of rows without an id, and of ids that were not met, with the first of them where the file can be read
 * again: "list.csv: 2 of its 40 ids were not met: ab01, ab02". */
void sb_ids_report(const struct sb_ids *ids, const char *path);
void sb_ids_free(struct sb_ids *ids);

#endif
