/* Attention's kernels and what they share: where a head's rows lie, and which keys a query sees.
 *
 *   attention_resident.cu  bf16, up to 272 tokens: a head's keys and values whole in shared memory
 *   attention_stream.cu    bf16, any number of tokens, with a cache too: keys and values in tiles
 *   attention_plain.cu     f32, and the sizes of E that the matrix units do not take
 *
 * attention.cu chooses between them. Backward's names: p = exp(score - lse), dp = dy v, delta = dy y,
 * ds = p (dp - delta); then dq = ds k, dk = ds^T q, both over sqrt(E), and dv = p^T dy. */
#ifndef SB_KERNELS_CUDA_ATTENTION_H
#define SB_KERNELS_CUDA_ATTENTION_H

#include "kernels/cuda/kernel.h"

/* A row of E elements for each token of each head of each sample. */
struct sb_rows {
    void *first;
    int64_t sample, head; /* elements from one to the next */
    int token;
};

struct sb_attention {
    struct sb_rows q, k, v, y;     /* k, v: the cache's, where there is one */
    struct sb_rows dy, dq, dk, dv; /* backward alone */
    float *lse;                    /* [B,H,T]; forward's may be NULL */
    float *delta;                  /* backward: [B,H,T] */
    const int32_t *past;           /* device: how many cached tokens come before the first of these; NULL: none */
    int all, heads;                /* B H, H */
    int tokens, e;
    bool causal;
    float scale; /* 1 / sqrt(E) */
};

/* Row of token 0 of head `head` of all B H. */
template <typename T> static __device__ inline T *sb_head(struct sb_rows r, const struct sb_attention *a, int head)
{
    return (T *)r.first + head / a->heads * r.sample + head % a->heads * r.head;
}

/* Keys that query i sees: those before the one returned. */
static __device__ inline int sb_sees(const struct sb_attention *a, int past, int i)
{
    return past + (a->causal && i < a->tokens ? i + 1 : a->tokens);
}

/* Whether all rows can be read 16 bytes at a time; size: of an element. */
static inline bool sb_attention_wide(const struct sb_attention *a, size_t size)
{
    const struct sb_rows *all[] = {&a->q, &a->k, &a->v, &a->y, &a->dy, &a->dq, &a->dk, &a->dv};
    bool wide = (size_t)a->e * size % 16 == 0; /* every stride is a multiple of e */
    for (const struct sb_rows *r : all) wide = wide && (uintptr_t)r->first % 16 == 0;
    return wide;
}

#define SB_ATTENTION_WIDEST 128 /* elements of a head's row that the matrix units take */

/* True where the sizes fit the kernel, which is queued then. No cache, 16-byte aligned rows. */
bool sb_cuda_attention_resident(struct sb_dev *d, const struct sb_attention *a);
bool sb_cuda_attention_resident_bwd(struct sb_dev *d, const struct sb_attention *a);
/* E at most SB_ATTENTION_WIDEST, 16-byte aligned rows. Backward's delta is given. */
void sb_cuda_attention_stream(struct sb_dev *d, const struct sb_attention *a);
void sb_cuda_attention_stream_bwd(struct sb_dev *d, const struct sb_attention *a);
void sb_cuda_attention_plain(struct sb_dev *d, const struct sb_attention *a, enum sb_dtype act);
void sb_cuda_attention_plain_bwd(struct sb_dev *d, const struct sb_attention *a, enum sb_dtype act);

#endif
