/* A filter that computes: what sb-classify and sb-caption share. It opens stream, model and device, refuses a stream
 * that was tensorized otherwise than the model wants, and gathers the tensors of records into batches. */
#ifndef SB_LEARN_INFER_H
#define SB_LEARN_INFER_H

#include "nn/net.h"
#include "preprocess/preprocess_options.h"
#include "stream/batches.h"

struct sb_infer_options {
    const char *model, *output, *drop, *device, *precision; /* precision: auto, f32, bf16 */
    int64_t batch, jobs, max_wait;                          /* max_wait: milliseconds; negative: none */
    /* What the model's file may leave open. */
    struct sb_preprocess_options how; /* size, mean and std */
    const char *labels;               /* a file of the classes' names, one a line */
    bool embeds;                      /* a head whose classes have no names is left out; else it is an error */
    bool captions;                    /* a model that is not a captioner is an error */
};

#define SB_INFER_DEFAULTS {.precision = "auto", .batch = 32, .max_wait = -1}

/* The rows of an option table that fill one. */
#define SB_INFER_OPTIONS(o)                                                                                            \
    SB_OPT_MODEL(&(o)->model), SB_OPT_OUTPUT(&(o)->output), SB_OPT_BATCH(&(o)->batch, "32"),                           \
        {0, "max-wait", "MS", SB_INT, &(o)->max_wait, SB_OPT_UNRECORDED,                                               \
         "run a part-filled batch once its oldest record has waited so long", 0, 3600000},                             \
        {0, "precision", "auto|f32|bf16", SB_TEXT, &(o)->precision, 0, "of activations and matrix products (default auto)", 0, 0}, \
        SB_OPT_DROP(&(o)->drop), SB_OPT_DEVICE(&(o)->device), SB_OPT_JOBS(&(o)->jobs), SB_OPT_QUIET, SB_OPT_END

/* The rows for what a model's file may leave open. */
#define SB_INFER_FOREIGN(o)                                                                                            \
    {0, "size", "S", SB_INT, &(o)->how.size, 0, "pixels a side, where the model's file does not say", 1, 5000},        \
        {0, "mean", "A,B,C", SB_TEXT, &(o)->how.mean, 0, "one number a channel, likewise", 0, 0},                      \
        {0, "std", "A,B,C", SB_TEXT, &(o)->how.std, 0, "likewise", 0, 0},                                              \
        {0, "labels", "FILE", SB_TEXT, &(o)->labels, SB_OPT_FILE, "the classes' names, one a line", 0, 0}

struct sb_infer {
    struct sb_filter filter;
    struct sb_model model;
    struct sb_backend backend;
    struct sb_net *net;
    struct sb_batches *batches;
    enum sb_dtype dtype;    /* of the batch's tensors */
    enum sb_dtype promised; /* of all tensors, by the stream's header; SB_NDTYPES: it does not say */
    const void **tensor;    /* [batch]: where each record of a batch has it */
    bool partly;            /* the model does not say what it wants but for size, mean and std */
    bool warned;            /* that records are no crops */
    bool flush_each;
};

/* Dies with one line on failure. */
void sb_infer_open(struct sb_infer *n, const struct sb_tool *tool, const struct sb_args *args,
                   const struct sb_infer_options *o);

/* What a program does with a batch. At most SB_NET_UNDER_WAY are started and not finished; place, below that, tells
 * those apart. */
struct sb_infer_work {
    void (*start)(void *arg, const struct sb_batch *b, int place);
    /* Adds fields to the batch's records, which are then written. In the order of the starts; in a thread of its own
     * where the device is no host. n->filter.counts.out is how many records were written before this batch. */
    void (*finish)(void *arg, struct sb_record *record, int count, int place);
    void *arg;
};
/* Takes the stream through it, to its end. Results do not wait for the next input. */
void sb_infer_run(struct sb_infer *n, const struct sb_infer_work *w);

/* For sb_infer_run: the next records and their tensors; how many, 0 at the end. The records of SB_INFER_HELD batches
 * are valid, those of one where the device is a host. */
#define SB_INFER_HELD 3 /* one is read, one computed, one written */
int sb_infer_next(struct sb_infer *n, struct sb_record **record, struct sb_batch *batch);
/* Writes the batch, with the fields that were added. */
void sb_infer_put(struct sb_infer *n, struct sb_record *record, int count);
void sb_infer_close(struct sb_infer *n);

#endif
