/* Perceptual hashes, searched for the nearest one within a Hamming distance that is fixed when the index is made.
 *
 * The 64 bits are cut into three parts. Of two hashes that differ in at most `distance` bits, some part differs in at
 * most a third of them (pigeonhole), so a look-up visits, for each part, the bucket of its bits and those of its bits
 * with so many flipped (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012). Where those buckets are more than
 * there are hashes, it goes through the hashes instead. Memory: 26 to 32 bytes a hash. */
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
