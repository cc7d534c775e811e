/* What a training run knows of its stream: which records are examples of which part, and their targets. Pictures stay
 * in the stream and are read again for each batch (feed.h). */
#ifndef SB_LEARN_DATASET_H
#define SB_LEARN_DATASET_H

#include "base/dictionary.h"
#include "base/progress.h"
#include "preprocess/preprocess.h"
#include "stream/spool.h"

enum sb_task {
    SB_TASK_LABEL,  /* one of several classes: the field `label` */
    SB_TASK_LABELS, /* any of several classes: `labels`, and `label` too; an empty `labels` says that there is none */
    SB_TASK_CAPTION /* a sentence: `caption` */
};

struct sb_dataset_options {
    enum sb_task task;
    const char *train, *val; /* names of the parts in the field `split`; records without one are for training */
    /* The classes in this order, a record with another label is an error; NULL: those of the stream, sorted. */
    const struct sb_texts *labels;
};

struct sb_example {
    uint64_t record;
    uint32_t first, count; /* its targets are sb_dataset.number[first .. first + count - 1] */
};

struct sb_part {
    struct sb_example *example;
    size_t count, cap;
};

struct sb_dataset {
    enum sb_task task;
    struct sb_spool *spool;
    struct sb_preprocess preprocess;
    enum sb_dtype dtype; /* of `tensor`: u8, or f32 with mean and std applied */
    int size;            /* tensors are [3,size,size] */
    bool crops;          /* all that there is to train on are crops: records with a `box` */
    struct sb_part train, val;
    struct sb_dictionary target; /* class names, or the distinct captions */
    int32_t *number;             /* the examples' targets, as numbers of the dictionary */
    size_t numbers, numbers_cap;
    struct sb_counts counts;
};

/* -1 with a message: broken stream, no tensors, tensors of several shapes or other than the header
 * says, nothing to train on, an unknown label. */
int sb_dataset_open(struct sb_dataset *d, const char *path, const struct sb_dataset_options *o);
/* An example's class, or its caption's number; of several labels the first. */
static inline int32_t sb_example_target(const struct sb_dataset *d, const struct sb_example *e)
{
    return d->number[e->first];
}
void sb_dataset_close(struct sb_dataset *d);

#endif
