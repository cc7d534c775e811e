/* How well several labels a picture were predicted: average precision of each class, F1 at a threshold. */
#ifndef SB_LEARN_AVERAGE_PRECISION_H
#define SB_LEARN_AVERAGE_PRECISION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All predictions are kept, 5 bytes a class and record: where a record stands among all decides. */
struct sb_ranking {
    size_t classes, count, cap;
    float *probability; /* [count, classes] */
    uint8_t *truth;     /* [count, classes], 0 or 1 */
};

void sb_ranking_init(struct sb_ranking *r, size_t classes);
/* Both [classes]; truth is 1 (or more than half) where the record has the label. */
void sb_ranking_add(struct sb_ranking *r, const float *probability, const float *truth);
/* scikit-learn's average_precision_score: the sum over thresholds of (gain in recall) * precision, equal probabilities
 * taken together. NAN for a class that no record has. */
double sb_ranking_precision(const struct sb_ranking *r, size_t class);
/* Mean average precision: over the classes that some record has. */
double sb_ranking_mean_precision(const struct sb_ranking *r);
/* Labels of at least this probability taken as predicted: mean over the classes that occur (as truth or as prediction)
 * of F1 = 2 tp / (2 tp + fp + fn). */
double sb_ranking_macro_f1(const struct sb_ranking *r, double threshold);
/* One JSON object: records, map, threshold, macro_f1, micro_f1 (over all labels together), and for each class its
 * label, records, average_precision (null where no record has it), recall, precision, f1. */
void sb_ranking_json(const struct sb_ranking *r, const char *const *label, double threshold, FILE *f);
void sb_ranking_free(struct sb_ranking *r);

#endif
