/* Class weights for long tails: rare classes count more. */
#ifndef SB_LEARN_BALANCE_H
#define SB_LEARN_BALANCE_H

#include "learn/dataset.h"

/* Of each class count^-power over the training part's labels, scaled so that the mean weight of a label there is 1:
 * power 1 is scikit-learn's "balanced" (each class counts as much as any other), 0 leaves all alike. A class that the
 * training part lacks has weight 1. f32 [classes]; the caller frees it. */
float *sb_balance_weights(const struct sb_dataset *d, double power);

#endif
