/* The training loop: epochs over a data set, validation after each, the best weights kept, metrics as JSON lines. */
#ifndef SB_NN_TRAIN_H
#define SB_NN_TRAIN_H

#include <stdio.h>

#include "nn/feed.h"
#include "nn/net.h"

struct sb_train_options {
    int64_t epochs, batch;
    double lr;            /* the highest, reached after warm-up; then half a cosine down to 0 */
    double warmup;        /* epochs of linear warm-up */
    bool keep_last;       /* keep the last weights; else those with the best validation */
    bool augmented;
    struct sb_augment augment;
    int64_t seed;
    FILE *metrics;        /* a JSON line an epoch; NULL: none */
    const char *output;   /* the model file, replaced whole each time the weights are kept */
};

/* Learning rate of step (from 0) out of `steps`, the first `warm` of them warming up. */
double sb_train_rate(double lr, double step, double warm, double steps);

/* Trains net, whose model is m. "Best": most right answers on the validation part (a captioner: lowest loss); without a
 * validation part the last weights are kept. -1 with a message. */
int sb_train(struct sb_net *net, struct sb_model *m, struct sb_dataset *d, const struct sb_train_options *o);

#endif
