/* The names of the table's ops, once: a backend declares and fills its table from this list, a loader looks for holes
 * with it.
 *
 *     #define DECLARE(op) __typeof__(*((struct sb_ops *)0)->op) sb_ref_##op;
 *     SB_OPS_EACH(DECLARE)
 */
#ifndef SB_KERNELS_EACH_H
#define SB_KERNELS_EACH_H

#include "kernels/ops.h"

#define SB_OPS_EACH(X)                                                                                                 \
    X(open) X(close) X(fast_bf16) X(alloc) X(release) X(upload) X(download) X(wait) X(memory) X(prefetch)              \
    X(fetch) X(fetched) X(repeat)                                                                                      \
    X(linear) X(linear_bwd) X(linear_pack_size) X(linear_pack)                                                         \
    X(norm) X(norm_bwd) X(batchnorm) X(batchnorm_bwd)                                                                  \
    X(attention) X(attention_bwd)                                                                                      \
    X(gelu) X(gelu_bwd) X(relu) X(relu_bwd) X(silu_mul) X(silu_mul_bwd) X(scale_add) X(scale_add_bwd) X(dropout)       \
    X(tokens) X(tokens_bwd) X(embed) X(embed_bwd) X(gather) X(gather_bwd) X(patchify) X(pool) X(pool_bwd)              \
    X(conv2d) X(conv2d_bwd) X(maxpool) X(maxpool_bwd)                                                                  \
    X(xent) X(bce) X(mse) X(softmax) X(argmax)                                                                         \
    X(adamw) X(sumsq)                                                                                                  \
    X(lerp) X(cast) X(fill) X(copy)                                                                                    \
    X(normalize) X(warp) X(mix)                                                                                        \
    X(nearest) X(nearest_sum) X(centroids)

/* The list is complete: behind version, size, name and host the table holds these pointers. */
#define SB_OPS_ONE(op) +1
#ifndef __cplusplus
_Static_assert(sizeof(struct sb_ops) ==
                   offsetof(struct sb_ops, open) + (0 SB_OPS_EACH(SB_OPS_ONE)) * sizeof(void (*)(void)),
               "an op is missing in SB_OPS_EACH");
#endif

#endif
