/* The op table: the one boundary between models and devices.
 *
 * A backend fills the whole table: null (checks shapes, computes nothing), ref (naive loops, double accumulation: the
 * truth), cpu (oneDNN), cuda. Layers are plain C over these ops. C and C++.
 *
 * Rules that hold for every op
 *  - The result depends on the arguments alone. Ops never allocate and never wait; they are queued on the sb_dev in
 *    the order of the calls. (A backend may keep plans by shape in its sb_dev.)
 *  - Tensors are C order and dense unless a stride is named. Data pointers are the device's. A tensor that is marked
 *    optional may be NULL. Nothing aliases unless it is said here.
 *  - "act" below is the activations' dtype, f32 or bf16, the same for all act operands of a call. Parameters (weights,
 *    biases, gains, tables) have the act dtype; their gradients are f32. Statistics and losses are f32. Sums are
 *    taken in f32 or better.
 *  - Outputs overwrite (=), but for parameter gradients (dw, db, dgain, dtable, ...), which accumulate (+=). A NULL
 *    gradient is not computed: frozen parameters cost nothing.
 *  - What forward saves for backward is named "saved"; it is the same in every backend.
 *  - Chance follows base/philox.h; masks are never stored: backward draws them again.
 *  - What changes between repeats of a step is read from device memory (marked "device"), so a captured graph
 *    replays unchanged.
 *  - Shapes are checked by null alone: the caller plans over null first (lib/nn/run.h). */
#ifndef SB_KERNELS_OPS_H
#define SB_KERNELS_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SB_OPS_VERSION 3

struct sb_dev; /* a backend's queue, handles, threads and plans */

enum sb_act { SB_ACT_NONE, SB_ACT_GELU, SB_ACT_GELU_TANH, SB_ACT_RELU }; /* GELU: erf (Hendrycks and Gimpel 2016) */

/* Chance: which draw of which step this is. The seed and step are device memory, {u32 seed lo, seed hi, step, first
 * sample of this micro-batch in the global batch}. */
struct sb_chance {
    const uint32_t *state; /* device, 4 words */
    uint32_t site;         /* a number of its own for each place in the model */
    float p; /* probability of dropping, 0 <= p < 1: dropped where the uniform number < p; 0: off, state may be NULL */
};

struct sb_conv {
    int64_t stride, pad;
};

/* Neighbouring parameters that share a learning rate and a decay. Segments go upwards and never overlap. */
struct sb_segment {
    int64_t offset, count; /* elements in the flat buffers */
    float lr_scale, decay;
};

/* Device memory of adamw, written by the host once a step. */
struct sb_adamw_step {
    float lr, beta1, beta2, eps;
    float correction1, correction2; /* 1 - beta^step */
    float max_norm;   /* 0: no clipping; else the gradient is scaled by min(1, max_norm / (norm + 1e-6)) */
    float grad_scale; /* multiplies the gradient first: 1 / micro-batches */
    float average;    /* weight average: avg += (1 - average) * (master - avg) */
    float decoupled;  /* 1: AdamW (Loshchilov and Hutter 2019); 0: Adam, decay added to the gradient */
};

enum sb_pool_kind { SB_POOL_FIRST, SB_POOL_MEAN };

#define SB_FETCH_SLOTS 8

typedef const struct sb_tensor *sb_in;  /* read */
typedef const struct sb_tensor *sb_out; /* its data is written */

struct sb_ops {
    uint32_t version; /* SB_OPS_VERSION */
    uint32_t size;    /* sizeof(struct sb_ops) */
    const char *name; /* "cpu" */
    bool host;        /* its memory is the program's: ops take any address in it, aligned for the dtype alone */

    /* ---- device ------------------------------------------------------------------------------------------------- */

    /* threads: 0 the backend's default. index: which device of its kind. NULL with a message in *why (static or owned
     * by the backend until the next call) where there is none. */
    struct sb_dev *(*open)(int index, int threads, const char **why);
    void (*close)(struct sb_dev *d);
    bool (*fast_bf16)(struct sb_dev *d);            /* bf16 activations are faster than f32 here */
    void *(*alloc)(struct sb_dev *d, size_t bytes); /* 64-byte aligned, zeroed; NULL when there is not enough */
    void (*release)(struct sb_dev *d, void *p);
    /* from_host may be reused on return */
    void (*upload)(struct sb_dev *d, void *to, const void *from_host, size_t bytes);
    void (*download)(struct sb_dev *d, void *to_host, const void *from, size_t bytes); /* waits for what was queued */
    void (*wait)(struct sb_dev *d);
    /* Bytes that alloc could still give, about. *all (may be NULL): the device's memory in all. */
    size_t (*memory)(struct sb_dev *d, size_t *all);
    /* Gathers `count` pieces of `bytes` bytes, which lie at from_host[0], from_host[1], ..., to `to`, one behind the
     * other. As upload (the host's memory may be reused on return, ops queued later see the data), but beside what was
     * queued since the last prefetch, which must not use `to`. With two buffers in turn, copies overlap with ops. */
    void (*prefetch)(struct sb_dev *d, void *to, const void *const *from_host, size_t count, size_t bytes);
    /* Queues a copy to host memory that the backend keeps for this slot, 0 .. SB_FETCH_SLOTS - 1. */
    void (*fetch)(struct sb_dev *d, int slot, const void *from, size_t bytes);
    /* Waits for the slot's last fetch, not for what was queued after it. Valid until the slot's next fetch; NULL where
     * there was none. A second thread may call it while one queues. */
    const void *(*fetched)(struct sb_dev *d, int slot);
    /* Calls fn(arg), or replays what it queued the last time with the same key and arg: fn queues ops alone (no upload,
     * download, prefetch or fetch), the same ones with the same arguments each time. A release of memory forgets what
     * was kept. */
    void (*repeat)(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg);

    /* ---- matrices --------------------------------------------------------------------------------------------------
     * linear: y[M,N] = a(x[M,K] w[N,K]^T + b[N]) (+ residual[M,N], after the activation; may be y itself).
     * b, residual optional. saved, optional: pre[M,N], what went into the activation (NULL where a is NONE). packed,
     * optional: w as linear_pack wrote it; w must be given all the same. */
    void (*linear)(struct sb_dev *d, sb_in x, sb_in w, const void *packed, sb_in b, enum sb_act a, sb_in residual,
                   sb_out pre, sb_out y);
    /* With g = dy * a'(pre) (written over dy where a is not NONE; else dy is only read, and pre is NULL):
     * dx[M,K] = g w, dw[N,K] += g^T x, db[N] += column sums of g. dx, dw, db optional. */
    void (*linear_bwd)(struct sb_dev *d, sb_in x, sb_in w, const void *packed, enum sb_act a, sb_in pre, sb_out dy,
                       sb_out dx, sb_out dw, sb_out db);
    /* Bytes of the packed form of an act-dtype weight [N,K], 0: this backend gains nothing from packing. backward: the
     * packed form serves linear_bwd too, else linear alone. */
    size_t (*linear_pack_size)(struct sb_dev *d, int64_t n, int64_t k, enum sb_dtype dtype, bool backward);
    void (*linear_pack)(struct sb_dev *d, sb_in w, bool backward, void *packed);

    /* ---- normalisation ---------------------------------------------------------------------------------------------
     * norm: LayerNorm (Ba et al. 2016) over the last dim. x, y [M,D]; y = (x - mean) rstd gain[D] + bias[D],
     * variance biased, rstd = 1/sqrt(var + eps). saved: stats f32 [M,2] = mean, rstd (optional). */
    void (*norm)(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, float eps, sb_out stats, sb_out y);
    /* dx[M,D] = add[M,D] (optional: the gradient that comes round the block; may be dx itself) + the gradient through
     * norm. */
    void (*norm_bwd)(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, sb_in dy, sb_in add, sb_out dx, sb_out dgain,
                     sb_out dbias);
    /* Batch normalisation (Ioffe and Szegedy 2015), NHWC: x, y [B,H,W,C]; y = relu?((x - mean) rstd gain + bias +
     * residual).
     * train: mean and biased variance of the batch, running[2,C] f32 (mean, unbiased variance; of one value 0) moves by
     * momentum (torch's sense: 0.1); else running is used. saved: stats f32 [2,C] = mean, rstd that were used. residual
     * optional. gain, bias: f32. */
    void (*batchnorm)(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, sb_in residual, float eps, float momentum,
                      bool train, bool relu, sb_out running, sb_out stats, sb_out y);
    /* y as forward wrote it tells where relu was on. dresidual optional. */
    void (*batchnorm_bwd)(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, bool relu, sb_in y, sb_in dy, sb_out dx,
                          sb_out dresidual, sb_out dgain, sb_out dbias);

    /* ---- attention -------------------------------------------------------------------------------------------------
     * qkv [B,T,3,H,E] as one linear writes it; y [B,T,H,E] = softmax(q k^T / sqrt(E)) v for each head (Vaswani et al.
     * 2017).
     * causal: token i sees tokens 0..i. saved: lse f32 [B,H,T], log-sum-exp of each score row (optional).
     * With a cache, k and v of this call are first stored at positions *length .. *length+T-1 of cache [2,B,H,L,E]
     * (act), and token i sees cache positions 0 .. *length+i. length: device i32. cache, length optional, together;
     * always causal then. */
    void (*attention)(struct sb_dev *d, sb_in qkv, bool causal, sb_out cache, const int32_t *length, sb_out lse,
                      sb_out y);
    void (*attention_bwd)(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv);

    /* ---- element by element; n elements, any shape, x and y may be the same ------------------------------------- */
    void (*gelu)(struct sb_dev *d, enum sb_act a, sb_in x, sb_out y);                /* a: GELU or GELU_TANH */
    void (*gelu_bwd)(struct sb_dev *d, enum sb_act a, sb_in x, sb_in dy, sb_out dx); /* dx may be dy */
    void (*relu)(struct sb_dev *d, sb_in x, sb_out y);
    void (*relu_bwd)(struct sb_dev *d, sb_in y, sb_in dy, sb_out dx);
    /* SwiGLU (Shazeer 2020): x [M,2D] = (a, b); y [M,D] = silu(a) b. */
    void (*silu_mul)(struct sb_dev *d, sb_in x, sb_out y);
    void (*silu_mul_bwd)(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx);
    /* y[B,...,D] = r + keep(sample) x gain[D]: residual, LayerScale (Touvron et al. 2021), drop path (Huang et al.
     * 2016: a whole sample is dropped with p, else x / (1 - p)). r optional (then y = the rest), may be y; gain
     * optional. dim 0 is the sample, element 0. */
    void (*scale_add)(struct sb_dev *d, sb_in r, sb_in x, sb_in gain, struct sb_chance c, sb_out y);
    /* dx = keep dy gain, dgain[D] += sum keep dy x. (dr is dy itself.) x needed where dgain is wanted. dx may be dy. */
    void (*scale_add_bwd)(struct sb_dev *d, sb_in x, sb_in gain, struct sb_chance c, sb_in dy, sb_out dx, sb_out dgain);
    /* y = x / (1 - p) where kept, else 0; element = index within the sample (dim 0). Its backward is itself. */
    void (*dropout)(struct sb_dev *d, sb_in x, struct sb_chance c, sb_out y);

    /* ---- tokens ----------------------------------------------------------------------------------------------------
     * y[B,P+N,D] = (prefix[P,D] for each sample, x[B,N,D]) + pos. pos [P+N,D], or [N,D]: then the prefix gets none.
     * prefix (P = 0), pos optional. */
    void (*tokens)(struct sb_dev *d, sb_in x, sb_in prefix, sb_in pos, sb_out y);
    void (*tokens_bwd)(struct sb_dev *d, sb_in dy, sb_out dx, sb_out dprefix, sb_out dpos);
    /* y[B,T,D] = table[id[B,T]] + pos[start + t]. id i32 device. pos [L,D] optional; start: device i32, NULL is 0. */
    void (*embed)(struct sb_dev *d, sb_in id, sb_in table, sb_in pos, const int32_t *start, sb_out y);
    /* start 0; fixed order of summation */
    void (*embed_bwd)(struct sb_dev *d, sb_in id, sb_in dy, sb_out dtable, sb_out dpos);
    /* y[B,K,D] = x[B, index[B,K], D]; index i32, distinct within a sample. Backward: dx[B,N,D] = 0 but for the rows
     * taken. */
    void (*gather)(struct sb_dev *d, sb_in x, sb_in index, sb_out y);
    void (*gather_bwd)(struct sb_dev *d, sb_in index, sb_in dy, sb_out dx);
    /* [B,3,S,S] to [B,(S/p)^2,3*p*p], rows of patches, each channel, row, column: the order of a conv weight
     * [D,3,p,p]. */
    void (*patchify)(struct sb_dev *d, sb_in x, int64_t patch, sb_out y);
    /* x[B,N,D] to y[B,D]: token `first`, or the mean of tokens first..N-1. Backward overwrites all of dx. */
    void (*pool)(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in x, sb_out y);
    void (*pool_bwd)(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in dy, sb_out dx);

    /* ---- convolution, NHWC; w [O,I,KH,KW] ----------------------------------------------------------------------- */
    /* b optional; cross-correlation, zero padding */
    void (*conv2d)(struct sb_dev *d, sb_in x, sb_in w, sb_in b, struct sb_conv c, sb_out y);
    /* What is added to dw may be rounded to w's dtype: a library that convolves bf16 gives its gradient in bf16. */
    void (*conv2d_bwd)(struct sb_dev *d, sb_in x, sb_in w, struct sb_conv c, sb_in dy, sb_out dx, sb_out dw, sb_out db);
    /* size x size window; saved: index i32 [B,OH,OW,C], the winner's y*W+x (the first of equals). Padding
     * never wins. */
    void (*maxpool)(struct sb_dev *d, sb_in x, int64_t size, struct sb_conv c, sb_out index, sb_out y);
    void (*maxpool_bwd)(struct sb_dev *d, sb_in index, int64_t size, struct sb_conv c, sb_in dy, sb_out dx);

    /* ---- losses: one row each; loss f32 [M] overwritten; dlogits = gradient of scale[0] * sum of loss (optional; may
     * be the logits). scale: f32 [1] device; only read where the gradient is wanted, else it may be NULL.
     * xent: logits act [M,C]; target i32 [M] (-1: the row is ignored, loss and gradient 0) or f32 [M,C] (a
     * distribution). smooth: label smoothing, target' = (1-s) target + s/C. weight f32 [C] optional: each class's term
     * is multiplied by it (torch's definition without its mean). */
    void (*xent)(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, float smooth, sb_in scale, sb_out loss,
                 sb_out dlogits);
    /* binary cross-entropy with logits; target f32 [M,C]; a row's loss is the mean over C; weight f32 [C] multiplies
     * the positive term. */
    void (*bce)(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dlogits);
    /* mean over the row's D of (x - target)^2; target act [M,D]; weight f32 [M] optional multiplies a row. */
    void (*mse)(struct sb_dev *d, sb_in x, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dx);
    void (*softmax)(struct sb_dev *d, sb_in x, sb_out y); /* rows of [M,C]; y f32 */
    void (*argmax)(struct sb_dev *d, sb_in x, sb_out y);  /* rows of [M,C] to i32 [M]; the first of equals */

    /* ---- optimiser, over flat f32 buffers -------------------------------------------------------------------------
     * m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; p -= lr lr_scale (m/c1 / (sqrt(v/c2) + eps) + decoupled decay p).
     * average, copy (bf16 of p) optional. norm2: f32 [1], sum of squares of the whole gradient before grad_scale (norm
     * = grad_scale sqrt(norm2)), optional (no clipping). segments: host. The segments' gradients are set to 0 in the
     * same pass. */
    void (*adamw)(struct sb_dev *d, const struct sb_segment *segment, int64_t segments,
                  const struct sb_adamw_step *step /* device */, sb_in norm2, sb_out master, sb_out grad, sb_out m,
                  sb_out v, sb_out average, sb_out copy);
    /* f32 [n] to f32 [1]; += is not needed: overwrites; fixed order of summation */
    void (*sumsq)(struct sb_dev *d, sb_in x, sb_out y);

    /* ---- moving data --------------------------------------------------------------------------------------------- */
    /* y = a + t (b - a); t f32 [1] or [dim 0] device; y may be a */
    void (*lerp)(struct sb_dev *d, sb_in a, sb_in b, sb_in t, sb_out y);
    /* f32, bf16, u8, i32 in any pair; to u8 and i32 rounds half to even and clamps */
    void (*cast)(struct sb_dev *d, sb_in x, sb_out y);
    void (*fill)(struct sb_dev *d, float value, sb_out y); /* dtypes as for cast */
    /* rows [M,D] whose starts are stride elements apart; any dtype */
    void (*copy)(struct sb_dev *d, sb_in x, int64_t x_stride, int64_t y_stride, sb_out y);

    /* ---- pictures ------------------------------------------------------------------------------------------------
     * y[B,3,S,S] (act) = (x[B,3,S,S] u8 / 255 - mean[c]) / std[c]. mean_std: f32 [2,3] device. */
    void (*normalize)(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y);
    /* Augmentation: u8 [B,3,H,W] to u8 [B,3,S,S]; matrix f32 [B,6] device maps output pixel centres to input ones:
     * sx = m0 x + m1 y + m2, sy = m3 x + m4 y + m5 (pixel centres at integers); bilinear, edge pixels repeated outside;
     * colour f32 [B,2] optional: (v - 128) * contrast + 128 + brightness. Rounds, clamps. */
    void (*warp)(struct sb_dev *d, sb_in x, sb_in matrix, sb_in colour, sb_out y);
    /* Mixup (Zhang et al. 2018: the box is empty) and CutMix (Yun et al. 2019: weight 1). x, y act [B,3,S,S]; p =
     * x[partner[b]]; y = p inside the box, weight x + (1 - weight) p outside. partner i32 [B], weight f32 [B], box i32
     * [B,4] = x0, y0, x1, y1, half open, all device. */
    void (*mix)(struct sb_dev *d, sb_in x, sb_in partner, sb_in weight, sb_in box, sb_out y);

    /* ---- clustering ----------------------------------------------------------------------------------------------
     * For each row of x f32 [N,D] the nearest of c f32 [K,D] in squared Euclidean distance: index i32 [N] (the first of
     * equals), distance f32 [N] (>= 0). */
    void (*nearest)(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance);
    /* sum f32 [K,D] = of the rows with that index, in row order; count f32 [K]. */
    void (*nearest_sum)(struct sb_dev *d, sb_in x, sb_in index, sb_out sum, sb_out count);
    /* y[K,D] = sum / count; where count is 0, what c[K,D] is. All f32; y may be c or sum. */
    void (*centroids)(struct sb_dev *d, sb_in sum, sb_in count, sb_in c, sb_out y);
};

/* The one symbol that a plugin exports. Its messages are the program's. */
#define SB_PLUGIN_SYMBOL "seabot_plugin"
typedef const struct sb_ops *(*sb_plugin_fn)(const char *program, bool quiet);

extern const struct sb_ops sb_ops_null, sb_ops_ref; /* linked in */

#ifdef __cplusplus
}
#endif
#endif
