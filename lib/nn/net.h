/* A model on a device, with its memory planned once: inference and training steps over host batches. */
#ifndef SB_NN_NET_H
#define SB_NN_NET_H

#include "nn/backend.h"
#include "nn/model.h"

struct sb_net;

struct sb_net_options {
    int batch;                /* most samples a call: a micro-batch */
    const char *batch_option; /* the program's option for it, "--batch", which a message names; or NULL */
    bool train;
    bool bf16;                                /* compute in bf16 (master weights stay f32) */
    uint64_t seed;                            /* of dropout and drop path */
    bool adam;                                /* Adam instead of AdamW */
    float beta1, beta2, eps, decay, max_norm; /* 0.9 0.999 1e-8 0.05 1.0 ... */
    float layer_decay; /* each layer's rate is this times that of the one above (Bao et al. 2022); 0, 1: alike */
    float average;     /* weight average: avg += (1 - average) * (weight - avg) each step; 0: none */
    float smooth;      /* label smoothing; of several labels the caller smooths the target */
    const float *class_weight; /* f32 [classes] or NULL; of a picture's several labels: multiplies the positive term */
    int frozen_layers;         /* layers 0..frozen_layers-1 are not trained; they compute as in inference: no dropout.
                                * sb_model_layers() - 1: a linear probe, whose backbone costs no backward */
    bool recompute;            /* keep each block's input alone, compute the block again in backward */
};

/* Plans over null, takes the memory, uploads the weights; inference in host memory uses m's where they lie. m must
 * outlive it. NULL with a message; where memory is too little it names the largest batch that would fit. */
struct sb_net *sb_net_open(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o);
void sb_net_close(struct sb_net *n);
size_t sb_net_bytes(const struct sb_net *n); /* device memory taken */

/* What a picture is mixed with, after augmentation, as op mix does it: mixup (Zhang et al. 2018) has an empty box,
 * CutMix (Yun et al. 2019) weight 1. */
struct sb_mix {
    int32_t partner; /* number of the other picture in the same call */
    float weight;    /* of the picture itself outside the box */
    int32_t box[4];  /* x0, y0, x1, y1, half open: here stands the partner */
};

/* Pictures for a batch. Either tensors ready at the model's size, or larger ones with an augmentation matrix each (op
 * warp). */
struct sb_batch {
    int count;
    enum sb_dtype dtype;      /* SB_U8: normalised on the device. SB_F32: mean and std already applied */
    const void *pictures;     /* host [count,3,h,w] */
    const void *const *each;  /* or, where that is NULL, host [count]: where each [3,h,w] lies */
    int height, width;        /* of pictures */
    const float *matrix;      /* host [count,6] or NULL: pictures are S x S and used as they are */
    const float *colour;      /* host [count,2] or NULL */
    const struct sb_mix *mix; /* host [count] or NULL, training alone; the caller mixes the targets */
    const int32_t *label;     /* host [count], a classifier's classes; -1: ignored */
    const float *target;      /* host [count, classes], instead of label: a distribution over the classes, or 0 to 1
                               * for each class where a picture may have several labels */
    const int32_t *caption; /* host [count, decoder.length], training a captioner: begin, words, end, then any words */
};

/* logits, probability f32 [count, classes], embedding f32 [count, dim] (after the last norm, before the head); each may
 * be NULL. Host memory. probability is the softmax, or each class's sigmoid where a picture may have several labels. */
void sb_net_classify(struct sb_net *n, const struct sb_batch *b, float *logits, float *probability, float *embedding);
/* Greedy decoding with a key-value cache: token i32 [count, decoder.length], the words that follow the model's begin
 * (at most length - 1), then its end where there is room, then -1. */
void sb_net_caption(struct sb_net *n, const struct sb_batch *b, int32_t *token);
/* Mean plain loss (no smoothing, no class weights, no mix) over the batch, no update. correct (optional, labels and
 * words alone): how many were predicted right; of (optional): how many there were. */
double sb_net_evaluate(struct sb_net *n, const struct sb_batch *b, int64_t *correct, int64_t *of);

/* Adds the gradient of a micro-batch to those since the last update; returns the sum of its losses. *weight: what they
 * are a mean over: the sum of the labels' class weights, the words, or with `target` the pictures. Chance goes by the
 * seed, the step and the sample's number since the last update, so that micro-batches change nothing but rounding
 * (and what batch norm makes of a batch). */
double sb_net_accumulate(struct sb_net *n, const struct sb_batch *b, double *weight);
/* One optimiser step at this learning rate over what was accumulated since the last: the mean of the gradients. */
void sb_net_update(struct sb_net *n, double lr);
/* Both for one batch; returns its mean loss before the update. */
double sb_net_step(struct sb_net *n, const struct sb_batch *b, double lr);

/* Those three in two halves, so that the device need not wait for the host: start queues a batch, whose memory is then
 * the caller's again, and finish waits for the oldest batch that was started and gives what the whole call gives. At
 * most SB_NET_UNDER_WAY are started and not finished. An update, the average and the state count what was started
 * before. One thread may start while another finishes. */
#define SB_NET_UNDER_WAY 2
void sb_net_classify_start(struct sb_net *n, const struct sb_batch *b);
void sb_net_classify_finish(struct sb_net *n, float *logits, float *probability, float *embedding);
void sb_net_evaluate_start(struct sb_net *n, const struct sb_batch *b);
double sb_net_evaluate_finish(struct sb_net *n, int64_t *correct, int64_t *of);
void sb_net_accumulate_start(struct sb_net *n, const struct sb_batch *b);
double sb_net_accumulate_finish(struct sb_net *n, double *weight);

uint64_t sb_net_steps(const struct sb_net *n);
/* The average starts as the weights and follows them after each step, a batch norm's running statistics too (as timm's
 * ModelEmaV2). While on, evaluate, classify, caption and weights() use the averaged weights. No training meanwhile. */
void sb_net_average(struct sb_net *n, bool on);
void sb_net_weights(struct sb_net *n); /* downloads the weights into the model's master */

/* All that training changes, between two steps. Host buffers [total] each; average NULL where options.average is 0. */
struct sb_net_state {
    float *master, *moment1, *moment2, *average;
    uint64_t steps;
};
/* save fills the buffers, load takes them over; training goes on from there as if it had never stopped. -1 with a
 * message where one of state and net has an average and the other has not. */
int sb_net_save_state(struct sb_net *n, struct sb_net_state *out);
int sb_net_load_state(struct sb_net *n, const struct sb_net_state *in);

/* For tests: the mean loss of the batch and its flat f32 gradient [total], before clipping; the weights stay. Nothing
 * may be accumulated. */
double sb_net_gradient(struct sb_net *n, const struct sb_batch *b, float *out);

#endif
