/* Layers: plain C over ops, written once for training and inference, for every device.
 *
 * A layer holds its parameters' indices and, from a forward with run->save to its backward, what that backward needs
 * (on the run's stack). x is what goes in, y what comes out; tensors are [B,T,D] in the act dtype unless said. Backward
 * gets the gradient of y and gives that of x; parameter gradients are added up. */
#ifndef SB_NN_LAYER_H
#define SB_NN_LAYER_H

#include "nn/param.h"
#include "nn/run.h"

/* ---- y = act(x w^T + b) (+ residual) over the last dimension ---- */
struct sb_linear {
    int weight, bias; /* -1: no bias */
    enum sb_act act;
    struct sb_tensor x, pre; /* saved */
};
/* The weight that another parameter's index gives is shared: sb_linear_build is not called then. */
void sb_linear_build(struct sb_linear *l, struct sb_model *m, const char *name, int64_t in, int64_t out, int layer,
                     bool transposed, float scale);
void sb_linear_forward(struct sb_run *r, struct sb_linear *l, const struct sb_tensor *x,
                       const struct sb_tensor *residual, const struct sb_tensor *y);
/* dy is overwritten where the layer has an activation. dx may be NULL. */
void sb_linear_backward(struct sb_run *r, struct sb_linear *l, const struct sb_tensor *dy, const struct sb_tensor *dx);

/* ---- LayerNorm over the last dimension ---- */
struct sb_norm {
    int gain, bias;
    float eps;
    struct sb_tensor x, stats; /* saved */
};
void sb_norm_build(struct sb_norm *n, struct sb_model *m, const char *name, int64_t dim, int layer, float eps);
void sb_norm_forward(struct sb_run *r, struct sb_norm *n, const struct sb_tensor *x, const struct sb_tensor *y);
/* dx = add (may be NULL, may be dx) + the gradient through the norm. */
void sb_norm_backward(struct sb_run *r, struct sb_norm *n, const struct sb_tensor *dy, const struct sb_tensor *add,
                      const struct sb_tensor *dx);

/* ---- the way back to the residual stream: y = x + drop_path(gain * dropout(linear(in))) ---- */
struct sb_branch {
    struct sb_linear linear;
    int gain; /* LayerScale; -1: none */
    float drop_path, dropout;
    uint32_t site;         /* and the next one */
    struct sb_tensor last; /* saved where gain is trained: what it multiplies */
};
void sb_branch_forward(struct sb_run *r, struct sb_branch *b, const struct sb_tensor *in, const struct sb_tensor *x,
                       const struct sb_tensor *y);
void sb_branch_backward(struct sb_run *r, struct sb_branch *b, const struct sb_tensor *dy, const struct sb_tensor *din);

/* ---- one transformer block, before-norm ---- */
struct sb_block_names {
    const char *norm1, *qkv, *proj, *gain1, *norm2, *up, *down, *gain2; /* gains NULL: no LayerScale */
};

struct sb_block_config {
    const char *prefix; /* "blocks.0." */
    const struct sb_block_names *names;
    int64_t dim, heads, hidden;
    int layer;
    float eps, drop_path, dropout;
    enum sb_act act;
    bool causal, transposed;
    bool first;             /* of its result the first token alone is wanted */
    float scale, out_scale; /* deviations of the first weights, and of what writes to the residual stream */
    uint32_t site;          /* four sites from here are the block's */
};

struct sb_cache {
    struct sb_tensor *layer; /* [2,B,H,L,E] each */
    const int32_t *length;   /* device: tokens that stand in it */
};

struct sb_attention {
    struct sb_norm norm;
    struct sb_linear qkv;
    struct sb_branch out;
    int64_t heads;
    bool causal;
    struct sb_tensor packed, lse, mixed; /* saved: q, k, v; log-sum-exp; what attention gave */
};

struct sb_mlp {
    struct sb_norm norm;
    struct sb_linear up;
    struct sb_branch down;
    int64_t hidden;
};

struct sb_block {
    struct sb_attention attention;
    struct sb_mlp mlp;
    int layer;
    bool first;
    struct sb_tensor x; /* saved where blocks are recomputed */
};

void sb_block_build(struct sb_block *b, struct sb_model *m, const struct sb_block_config *c);
/* x [B,T,D]; y the same, or [B,1,D]: the first token alone, though it attends to all. y may be x where nothing is saved
 * and the shapes agree. cache: layer `index` of it is used; or NULL. */
void sb_attention_forward(struct sb_run *r, struct sb_attention *a, const struct sb_tensor *x,
                          const struct sb_cache *cache, int index, const struct sb_tensor *y);
/* dy and dx may be the same where the shapes agree. */
void sb_attention_backward(struct sb_run *r, struct sb_attention *a, const struct sb_tensor *dy,
                           const struct sb_tensor *dx);
void sb_mlp_forward(struct sb_run *r, struct sb_mlp *m, const struct sb_tensor *x, const struct sb_tensor *y);
void sb_mlp_backward(struct sb_run *r, struct sb_mlp *m,
                     const struct sb_tensor *dx); /* dx: gradient of y in, of x out */

/* A stack of blocks. Forward gives the tensor that holds its result: x itself where nothing is saved; [B,1,D] where the
 * last block is built for the first token alone. Blocks below run->frozen save nothing and draw no chance, as in
 * inference, and backward stops above them. With run->recompute a block's input alone is kept, and backward computes
 * the block again (Chen et al. 2016): the same bytes, for a third of the operations more. dx [B,T,D], whatever forward
 * gave: gradient of the result in, of x out. */
struct sb_tensor sb_blocks_forward(struct sb_run *r, struct sb_block *block, int depth, const struct sb_tensor *x,
                                   const struct sb_cache *cache);
/* false: it stopped at a frozen block, and nothing below is trained. */
bool sb_blocks_backward(struct sb_run *r, struct sb_block *block, int depth, const struct sb_tensor *dx);

/* ---- pictures [B,3,S,S] to patch tokens [B,N,D]; a convolution whose stride is its size ---- */
struct sb_patch {
    int64_t patch;
    struct sb_linear linear;
};
void sb_patch_build(struct sb_patch *p, struct sb_model *m, const char *name, int64_t patch, int64_t dim, int layer);
void sb_patch_forward(struct sb_run *r, struct sb_patch *p, const struct sb_tensor *pictures,
                      const struct sb_tensor *y);
void sb_patch_backward(struct sb_run *r, struct sb_patch *p, const struct sb_tensor *dy);

#endif
