/* y[M,N] = a(x[M,K] w[N,K]^T + b) + residual for at most SB_FEW_ROWS rows, in one launch; any alignment. */
#ifndef SB_KERNELS_CUDA_FEW_ROWS_H
#define SB_KERNELS_CUDA_FEW_ROWS_H

#include "kernels/cuda/cuda.h"

#define SB_FEW_ROWS 8

/* As linear's operands: b, residual and pre may be NULL, residual may be y. */
struct sb_few_rows {
    const void *x, *w, *b, *residual;
    void *pre, *y;
    enum sb_dtype dtype;
    enum sb_act act;
    int64_t m, n, k;
};

void sb_cuda_few_rows(struct sb_dev *d, const struct sb_few_rows *r);

#endif
