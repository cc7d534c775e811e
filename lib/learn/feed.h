/* Feeds a net from a data set: pictures read from the stream, augmentation drawn for each, targets, mixtures. The next
 * batches are read while the caller computes. */
#ifndef SB_LEARN_FEED_H
#define SB_LEARN_FEED_H

#include "learn/augment.h"
#include "learn/dataset.h"
#include "learn/mixing.h"
#include "nn/net.h"

struct sb_feed {
    struct sb_dataset *data;
    const struct sb_tokenizer *tokenizer; /* a captioner's; NULL for a classifier */
    int length;                           /* tokens of a caption */
    int batch, micro; /* pictures of a step, and most of a call: what memory holds, some times over */
    int jobs;         /* 1: nothing is read meanwhile */
    uint64_t seed;
    /* of a pass that trains */
    const struct sb_augment *augment; /* NULL: pictures as they are */
    struct sb_mixing mixing;
    float smooth; /* of several labels, whose loss knows of none: 0 and 1 move by half of it towards each other */
};

/* A pass over a part of the data. */
struct sb_pass {
    const struct sb_part *part;
    const uint32_t *order; /* of its examples; NULL: as they lie */
    bool train;
    uint64_t epoch;
    /* Called for each micro-batch; last: it ends its step. -1 with a message ends the pass. */
    int (*each)(void *arg, const struct sb_batch *b, bool last);
    void *arg;
};

/* -1 with a message: of each(), or the stream can't be read any more. A step is `batch` pictures (the last one what is
 * left), a micro-batch at most `micro`. A pass that trains on one label gives `target` instead of `label` where it
 * mixes; several labels are always `target`. */
int sb_feed_pass(const struct sb_feed *f, const struct sb_pass *p);

#endif
