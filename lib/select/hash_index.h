/* Perceptual hashes, searched for the nearest one within a Hamming distance that is fixed when the index is made.
 *
 * The 64 bits are cut into distance / 2 + 1 parts. Of two hashes that differ in at most `distance` bits, some part
 * differs in at most one (pigeonhole), so a look-up visits, for each part, the bucket of its bits and those of its bits
 * with one flipped (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012). Memory: 8 bytes a hash and 4 to 6 for
 * each part: about 26 bytes at distance 4, 42 at 10. */
#ifndef SB_SELECT_HASH_INDEX_H
#define SB_SELECT_HASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define SB_HASH_INDEX_DISTANCE 20 /* bits: the largest; further on, different pictures meet */

struct sb_hash_index;

struct sb_hash_index *sb_hash_index_new(int distance); /* 0 .. SB_HASH_INDEX_DISTANCE */
/* Hashes are numbered 0, 1, 2, ... as they are added. */
void sb_hash_index_add(struct sb_hash_index *x, uint64_t hash);
/* The number of the nearest hash within the distance, the first added of equals; SIZE_MAX where there is none. */
size_t sb_hash_index_find(const struct sb_hash_index *x, uint64_t hash);
void sb_hash_index_free(struct sb_hash_index *x); /* NULL does nothing */

#endif
