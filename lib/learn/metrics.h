/* How well labels were predicted: a confusion matrix and what follows from it. */
#ifndef SB_LEARN_METRICS_H
#define SB_LEARN_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sb_confusion {
    size_t classes;
    uint64_t *count; /* [classes][classes + 1]: row the truth, column the prediction, the last one "unknown" */
    uint64_t total, right;
};

void sb_confusion_init(struct sb_confusion *c, size_t classes);
void sb_confusion_add(struct sb_confusion *c, size_t truth, int64_t predicted); /* predicted -1: unknown */
double sb_confusion_top1(const struct sb_confusion *c);
/* Mean over the classes that occur (as truth or as prediction) of F1 = 2 tp / (2 tp + fp + fn), as scikit-learn's macro
 * average. */
double sb_confusion_macro_f1(const struct sb_confusion *c);
/* One JSON object: records, top1, macro_f1, and for each class its label, records, recall, precision, f1, predicted
 * {label: count}. */
void sb_confusion_json(const struct sb_confusion *c, const char *const *label, FILE *f);
void sb_confusion_free(struct sb_confusion *c);

#endif
