/* A set of 128-bit hashes that numbers its members 0, 1, 2, ... in the order in which they came. 16 bytes a member for
 * the hash and 5 to 11 for its place. */
#ifndef SB_SELECT_HASH_TABLE_H
#define SB_SELECT_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* A zeroed one is valid and empty. At most 2^32 - 2 members. */
struct sb_hash_table {
    struct sb_hash *hash; /* [count], by number */
    size_t count, cap;
    uint32_t *slot; /* [nslot], number + 1, 0: empty */
    size_t nslot;
};

/* The number of h, or SIZE_MAX where it is not there. */
size_t sb_hash_table_find(const struct sb_hash_table *t, struct sb_hash h);
/* The same, after adding h where it was not there (*added, which may be NULL, tells). */
size_t sb_hash_table_add(struct sb_hash_table *t, struct sb_hash h, bool *added);
void sb_hash_table_free(struct sb_hash_table *t); /* and zeroes it */

#endif
