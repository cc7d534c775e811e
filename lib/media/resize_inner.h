/* What resize.c is made of: the weights of an axis, and the two inner loops in the ways that a processor has. All ways
 * give the same bytes: a sum is one of integers modulo 2^32, whatever its order and however its weights are cut up. */
#ifndef SB_MEDIA_RESIZE_INNER_H
#define SB_MEDIA_RESIZE_INNER_H

#include <stdbool.h>

#include "media/resize.h"

#define SB_RESIZE_BITS 22 /* fractional bits of a weight: 32, less 8 for the sample and 2 for overshoot */
#define SB_RESIZE_BAND 8  /* rows that a horizontal pass takes together */
#define SB_RESIZE_PACK 16 /* bytes of four packed weights */
#define SB_RESIZE_SPARE 2 /* pixels that a vector of four taps reads besides, after the last tap or before the first   \
                           */

struct sb_resize_way;

/* For each output position the input samples that it is the weighted sum of: `taps` of them, the same number for all,
 * so that some weights are 0. */
struct sb_axis {
    int count, taps, room; /* room: taps a position that memory is reserved for */
    int first, last;       /* of the input: all samples with weights lie in first .. last - 1 */
    int *start;            /* [count], counted from the first sample that can be read */
    int readable;          /* samples */
    int32_t *weight;       /* [count][room] */
    uint8_t *packed; /* [count][taps / 4][SB_RESIZE_PACK] as a way wants them; NULL: only the plain one can be used */
};

/* Positions at .. at + count - 1 of `out` that `in` samples are resized to. */
void sb_axis_init(struct sb_axis *a, int in, int out, int at, int count, enum sb_filter_kind kind);
/* From now on the samples origin .. end - 1 can be read, which are at least those with weights. The weights are packed
 * for `way` where so many samples are enough for it. */
void sb_axis_settle(struct sb_axis *a, int origin, int end, const struct sb_resize_way *way);
void sb_axis_free(struct sb_axis *a);

struct sb_resize_way {
    const char *name;
    bool (*can)(void); /* on this processor */
    void (*pack)(void *to, const int32_t weight[4]);
    /* The horizontal pass over at most SB_RESIZE_BAND rows of RGB, `pitch` bytes apart, from the axis's origin on. */
    void (*across)(uint8_t *out, size_t out_pitch, const uint8_t *in, size_t pitch, int rows, const struct sb_axis *a);
    /* Row y of the vertical pass: `bytes` samples of the rows from the axis's origin on. */
    void (*down)(uint8_t *out, const uint8_t *in, size_t pitch, size_t bytes, const struct sb_axis *a, int y);
};

/* Best first; the last before NULL is the plain one, which every processor can. */
extern const struct sb_resize_way *const sb_resize_ways[];
extern const struct sb_resize_way sb_resize_plain, sb_resize_avx2, sb_resize_avx512;

/* sb_resize_window() in one way. */
int sb_resize_window_by(const struct sb_resize_way *way, const struct sb_picture *in, struct sb_picture *out,
                        const struct sb_window *window, enum sb_filter_kind kind);

/* The vertical pass over the samples that are left after whole vectors: from..bytes - 1. */
void sb_resize_down_rest(uint8_t *out, const uint8_t *in, size_t pitch, size_t from, size_t bytes,
                         const struct sb_axis *a, int y);

#endif
