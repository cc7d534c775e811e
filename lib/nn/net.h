/* A model on a device, with its memory planned once: inference and training steps over host batches. */
#ifndef SB_NN_NET_H
#define SB_NN_NET_H

#include "nn/backend.h"
#include "nn/model.h"

struct sb_net;

struct sb_net_options {
    int batch; /* most samples a call */
    bool train;
    bool bf16;                                /* compute in bf16 (master weights stay f32) */
    uint64_t seed;                            /* of dropout and drop path */
    bool adam;                                /* Adam instead of AdamW */
    float beta1, beta2, eps, decay, max_norm; /* 0.9 0.999 1e-8 0.05 1.0 ... */
    float smooth;                             /* label smoothing */
    const float *class_weight;                /* f32 [classes] or NULL */
    int frozen_layers;                        /* parameters of layers 0..frozen_layers-1 are not trained */
};

/* Plans over null, takes the memory, uploads the weights; inference in host memory uses m's where they lie. m must
 * outlive it. NULL with a message ("not enough memory:
 * wanted N bytes"). */
struct sb_net *sb_net_open(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o);
void sb_net_close(struct sb_net *n);
size_t sb_net_bytes(const struct sb_net *n); /* device memory taken */

/* Pictures for a batch. Either tensors ready at the model's size, or larger ones with an augmentation matrix each (op
 * warp). */
struct sb_batch {
    int count;
    enum sb_dtype dtype;    /* SB_U8: normalised on the device. SB_F32: mean and std already applied */
    const void *pictures;   /* host [count,3,h,w] */
    int height, width;      /* of pictures */
    const float *matrix;    /* host [count,6] or NULL: pictures are S x S and used as they are */
    const float *colour;    /* host [count,2] or NULL */
    const int32_t *label;   /* host [count], training a classifier; -1: ignored */
    const int32_t *caption; /* host [count, decoder.length], training a captioner: begin, words, end, then 0 (pad) */
};

/* probability f32 [count, classes], embedding f32 [count, dim] (after the last norm, before the head); either may be
 * NULL. Host memory. */
void sb_net_classify(struct sb_net *n, const struct sb_batch *b, float *probability, float *embedding);
/* Greedy decoding with a key-value cache: token i32 [count, decoder.length], the words that follow "<begin>" (at most
 * length - 1), then 2 ("<end>") where there is room, padded with 0. */
void sb_net_caption(struct sb_net *n, const struct sb_batch *b, int32_t *token);
/* Mean plain loss (no smoothing, no class weights) over the batch, no update. correct (optional): how many labels (or
 * words) were predicted right; of (optional): how many there were. */
double sb_net_evaluate(struct sb_net *n, const struct sb_batch *b, int64_t *correct, int64_t *of);
/* One optimiser step at this learning rate; returns the mean loss of the batch before the update. */
double sb_net_step(struct sb_net *n, const struct sb_batch *b, double lr);
uint64_t sb_net_steps(const struct sb_net *n);
void sb_net_weights(struct sb_net *n); /* downloads the weights into the model's master */
/* For tests: the mean loss of the batch and its flat f32 gradient [total], before clipping; the weights stay. */
double sb_net_gradient(struct sb_net *n, const struct sb_batch *b, float *out);

#endif
