/* What a picture may be turned into. All drawn anew each epoch, from the seed, the epoch and the record alone. */
#ifndef SB_LEARN_AUGMENT_H
#define SB_LEARN_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

struct sb_augment {
    bool flip; /* left to right, half of the time */
    bool flip_vertical;
    double rotate; /* degrees either way */
    double scale;  /* 0.2: from 1/1.2 to 1.2 times, evenly on a logarithmic scale */
    double shift;  /* part of the side, either way, each axis */
    double colour; /* 0.2: contrast 0.8 to 1.2, brightness -25 to 25 of 255 */
};

bool sb_augment_any(const struct sb_augment *a);
/* The matrix of op warp for one draw, side x side pictures. */
void sb_augment_draw(const struct sb_augment *a, uint64_t seed, uint64_t epoch, uint64_t record, int side,
                     float matrix[6], float colour[2]);

#endif
