/* Compares what a classifier predicts with what records say: for one label a picture a confusion matrix, for several
 * average precision and F1 at a threshold. */
#ifndef SB_LEARN_SCORER_H
#define SB_LEARN_SCORER_H

#include <stdio.h>

#include "base/dictionary.h"
#include "base/record.h"
#include "learn/average_precision.h"
#include "learn/metrics.h"
#include "nn/model.h"

struct sb_scorer {
    const struct sb_model *model;
    struct sb_dictionary labels;
    struct sb_confusion confusion; /* one label a picture */
    struct sb_ranking ranking;     /* several */
    float *truth;                  /* [classes] */
    double threshold;              /* from which on one of several labels is predicted */
    bool marked, failed;           /* the record in work has a label; one that the model does not know */
};

void sb_scorer_init(struct sb_scorer *s, const struct sb_model *m, double threshold);
/* probability [classes]; predicted: the class that was told, -1 for unknown. A record without a label (of several: with
 * neither `label` nor `labels`) does not count. -1 with a message: a label that the model does not know. */
int sb_scorer_add(struct sb_scorer *s, struct sb_record *rec, const float *probability, int predicted);
uint64_t sb_scorer_count(const struct sb_scorer *s); /* records that counted */
/* The figures as one JSON object to f, and in a line on stderr. */
void sb_scorer_write(const struct sb_scorer *s, FILE *f);
void sb_scorer_free(struct sb_scorer *s);

#endif
