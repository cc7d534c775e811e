/* A perceptual hash: bits that stay nearly the same when a picture is encoded again, resized or recoloured, and that
 * differ in about half between pictures of different things.
 *
 * Each bit is the sign of one of the lowest 64 or 256 spatial frequencies (discrete cosine transform, the mean left
 * out) of the picture's brightness. The first 64 bits of a long hash are the short one.
 *
 * Copies that were cut off at the edges are found where hashes are of the picture's middle nine tenths instead: looked
 * up are then not only the middle, but also windows that a cut moves the middle to. The hash that is kept stays one.
 * Bits are the same on every machine with IEEE floats. */
#ifndef SB_SELECT_PHASH_H
#define SB_SELECT_PHASH_H

#include <stdbool.h>
#include <stdint.h>

#define SB_PHASH_SIDE 64    /* pixels of the square of brightness that the picture is squeezed to */
#define SB_PHASH_WORDS 4    /* 64 bits each; the lowest frequency is the highest bit of the first */
#define SB_PHASH_WINDOWS 13 /* the middle first */

/* bits: 64 or 256; others of hash->word are 0. */
struct sb_phash {
    uint64_t word[SB_PHASH_WORDS];
};

#define SB_PHASH_DISTANCE 4       /* bits of 64: at most so many between a picture and its copy; see phash.c */
#define SB_PHASH_DISTANCE_256 24  /* of 256 */

/* The hash of the whole picture (`windows` is 1), or those of SB_PHASH_WINDOWS windows, and those of the picture mirrored
 * left to right (NULL: not wanted). */
void sb_phash(const float grey[SB_PHASH_SIDE][SB_PHASH_SIDE], int bits, int windows, struct sb_phash *hash,
              struct sb_phash *mirrored);

static inline int sb_phash_distance(const struct sb_phash *a, const struct sb_phash *b)
{
    int sum = 0;
    for (int i = 0; i < SB_PHASH_WORDS; i++) sum += __builtin_popcountll(a->word[i] ^ b->word[i]);
    return sum;
}

#endif
