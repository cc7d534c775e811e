/* What a training run knows of its stream: which records are examples of which part, and their targets. Pictures stay
 * in the stream and are read again for each batch (feed.h). */
#ifndef SB_NN_DATASET_H
#define SB_NN_DATASET_H

#include "base/dictionary.h"
#include "base/progress.h"
#include "nn/preprocess.h"
#include "stream/spool.h"

struct sb_dataset_options {
    bool captions;                 /* targets are captions; else labels */
    const char *train, *val;       /* names of the parts in the field `split`; records without one are for training */
    /* The classes in this order, a record with another label is an error; NULL: those of the stream, sorted. */
    const struct sb_texts *labels;
};

struct sb_example {
    uint64_t record;
    int32_t target; /* number of its class, or of its caption */
};

struct sb_part {
    struct sb_example *example;
    size_t count, cap;
};

struct sb_dataset {
    struct sb_spool *spool;
    struct sb_preprocess preprocess;
    enum sb_dtype dtype;         /* of `tensor`: u8, or f32 with mean and std applied */
    int size;                    /* tensors are [3,size,size] */
    struct sb_part train, val;
    struct sb_dictionary target; /* class names, or the distinct captions */
    struct sb_counts counts;
};

/* -1 with a message: broken stream, no tensors, tensors of several shapes, nothing to train on, an unknown label. */
int sb_dataset_open(struct sb_dataset *d, const char *path, const struct sb_dataset_options *o);
void sb_dataset_close(struct sb_dataset *d);

#endif
