/* Forward passes of a linear layer in one launch of our own: what linear.cu may choose beside cuBLASLt. */
#ifndef SB_KERNELS_CUDA_LINEAR_H
#define SB_KERNELS_CUDA_LINEAR_H

#include "kernels/cuda/cuda.h"

/* y[M,N] = a(x[M,K] w[N,K]^T + b) + residual, as the op has it: b, residual, pre may be NULL, residual may be y. */
struct sb_linear_call {
    int64_t m, n, k;
    enum sb_dtype dtype;
    enum sb_act act;
    const void *x, *w, *b, *residual;
    void *pre, *y;
};

#define SB_FEW_ROWS 8 /* the most that sb_cuda_few_rows takes; any alignment */
void sb_cuda_few_rows(struct sb_dev *d, const struct sb_linear_call *l);

/* For a few hundred rows of bf16, N and K multiples of 8, all 16-byte aligned. */
bool sb_cuda_tiles_can(const struct sb_linear_call *l);
void sb_cuda_tiles(struct sb_dev *d, const struct sb_linear_call *l);

#endif
