/* Perceptual hashes, searched for the nearest one within a Hamming distance that is fixed when the index is made.
 *
 * Each 64 bits are cut into three parts. Of two hashes that differ in at most `distance` bits, some part differs in so
 * few that looking into a few hundred buckets finds it (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012). A
 * bucket's hashes lie side by side. What was added lately is a short list that is gone through; when that is full it
 * becomes a segment of buckets, with those before it that are not much longer, so that segments are few and each hash
 * is placed a few times in all. Where buckets are more than there are hashes, it goes through the hashes instead.
 *
 * Memory: 46 bytes a hash of 64 bits, 182 of 256; less for a distance under 2 or 11. A look-up may run in any thread
 * while nothing is added. */
#ifndef SB_SELECT_HASH_INDEX_H
#define SB_SELECT_HASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "select/phash.h"

#define SB_HASH_INDEX_DISTANCE 20 /* bits of 64: the largest; further on, different pictures meet. 80 of 256 */

struct sb_hash_index;

/* bits: 64 or 256; distance: 0 to SB_HASH_INDEX_DISTANCE, or four times that. */
struct sb_hash_index *sb_hash_index_new(int bits, int distance);
/* Hashes are numbered 0, 1, 2, ... as they are added. */
void sb_hash_index_add(struct sb_hash_index *x, const struct sb_phash *hash);

struct sb_nearest {
    size_t number;
    int distance;
};

/* The nearest hash within the distance and below number `limit`, the first added of equals. number is SIZE_MAX where
 * there is none. */
struct sb_nearest sb_hash_index_find(const struct sb_hash_index *x, const struct sb_phash *hash, size_t limit);
size_t sb_hash_index_bytes(const struct sb_hash_index *x); /* memory */
void sb_hash_index_free(struct sb_hash_index *x);          /* NULL does nothing */

#endif
