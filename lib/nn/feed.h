/* Fills batches for a net from a data set: pictures read from the stream, augmentation drawn for each, targets. */
#ifndef SB_NN_FEED_H
#define SB_NN_FEED_H

#include "nn/dataset.h"
#include "nn/net.h"

/* What a picture may be turned into. All drawn anew each epoch, from the seed, the epoch and the record alone. */
struct sb_augment {
    bool flip;          /* left to right, half of the time */
    bool flip_vertical;
    double rotate;      /* degrees either way */
    double scale;       /* 0.2: from 1/1.2 to 1.2 times, evenly on a logarithmic scale */
    double shift;       /* part of the side, either way, each axis */
    double colour;      /* 0.2: contrast 0.8 to 1.2, brightness -25 to 25 of 255 */
};

bool sb_augment_any(const struct sb_augment *a);

struct sb_feed {
    struct sb_dataset *data;
    const struct sb_dictionary *words; /* a captioner's vocabulary; NULL for a classifier */
    int length;                        /* tokens of a caption */
    uint64_t seed;
    struct sb_record record;
    uint8_t *pictures;
    float *matrix, *colour;
    int32_t *label, *caption;
};

void sb_feed_init(struct sb_feed *f, struct sb_dataset *d, int batch, const struct sb_dictionary *words, int length,
                  uint64_t seed);
/* The batch of examples order[first .. first+count-1] of part (order NULL: first .. first+count-1 as they lie). augment
 * NULL: as they are. out points into f until the next call. -1 with a message if the stream can't be read any more. */
int sb_feed_batch(struct sb_feed *f, const struct sb_part *part, const uint32_t *order, size_t first, int count,
                  const struct sb_augment *augment, uint64_t epoch, struct sb_batch *out);
void sb_feed_free(struct sb_feed *f);

/* The matrix of op warp for one draw, side x side pictures. */
void sb_augment_draw(const struct sb_augment *a, uint64_t seed, uint64_t epoch, uint64_t record, int side,
                     float matrix[6], float colour[2]);

#endif
