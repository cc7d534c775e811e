/* A perceptual hash: 64 bits that stay nearly the same when a picture is encoded again, resized or slightly recoloured,
 * and that differ in about half of the bits between pictures of different things.
 *
 * Each bit is the sign of one of the 64 lowest spatial frequencies (discrete cosine transform, the mean left out) of
 * the picture squeezed to 32 x 32 grey values. Arithmetic is in integers: the same bits on every machine. */
#ifndef SB_SELECT_PHASH_H
#define SB_SELECT_PHASH_H

#include <stdint.h>

#define SB_PHASH_SIDE 32    /* pixels: what the picture is to be resized to (bilinear) */
#define SB_PHASH_DISTANCE 4 /* bits: at most so many between a picture and its copy; see phash.c */

/* rgb: SB_PHASH_SIDE rows of SB_PHASH_SIDE pixels, 3 bytes each. The lowest frequency is the highest bit. */
uint64_t sb_phash(const uint8_t *rgb);

static inline int sb_phash_distance(uint64_t a, uint64_t b) { return __builtin_popcountll(a ^ b); }

#endif
