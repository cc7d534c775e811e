/* The training loop: epochs over a data set, validation after each, the best weights kept, metrics as JSON lines, and
 * after a kill it goes on where the last whole epoch ended. */
#ifndef SB_LEARN_TRAIN_H
#define SB_LEARN_TRAIN_H

#include <stdio.h>

#include "learn/feed.h"
#include "nn/net.h"

struct sb_train_options {
    int64_t epochs;
    int64_t batch;    /* pictures of a step */
    int64_t micro;    /* most of them in memory at a time */
    double lr;        /* the highest, reached after warm-up; then half a cosine down to 0 */
    double warmup;    /* epochs of linear warm-up */
    int64_t patience; /* stop after so many epochs without a better validation; 0: never */
    bool keep_last;   /* keep the last weights; else those with the best validation */
    bool averaged;    /* the net keeps averaged weights: they are what is validated and kept */
    struct sb_augment augment;
    struct sb_mixing mixing;
    double smooth; /* label smoothing where a picture has several labels; else it is the net's */
    int64_t seed, jobs;
    FILE *metrics;      /* a JSON line an epoch; NULL: none */
    const char *output; /* the model file, replaced whole each time the weights are kept */
    bool resume;        /* keep OUTPUT.state, whole, after each epoch, and begin there where it exists */
};

/* Learning rate of step (from 0) out of `steps`, the first `warm` of them warming up. */
double sb_train_rate(double lr, double step, double warm, double steps);

/* Trains net, whose model is m. "Best": most right answers on the validation part, of several labels the highest mean
 * average precision, of captions the lowest loss; without a validation part the last weights are kept. -1 with a
 * message. */
int sb_train(struct sb_net *net, struct sb_model *m, struct sb_dataset *d, const struct sb_train_options *o);

#endif
