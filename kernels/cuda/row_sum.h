/* Sums of the rows that share a key: gradients of words that occur many times, centroids of clusters. Without atomics:
 * the rows are sorted by key, equal keys in their order, and a block sums the rows of one key. */
#ifndef SB_KERNELS_CUDA_ROW_SUM_H
#define SB_KERNELS_CUDA_ROW_SUM_H

#include "kernels/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sb_row_sum {
    const int32_t *key; /* [rows], each in 0 .. keys-1 */
    int64_t rows, keys;
    const void *x; /* [rows, columns] */
    enum sb_dtype dtype; /* of x: f32, bf16 */
    int64_t columns;
    float *sum;   /* [keys, columns] */
    float *count; /* [keys]: rows of each key; may be NULL */
    bool add;     /* sum and count: +=, else = (0 for a key without rows) */
};

/* The order of the sums hangs on the arguments alone. Uses d->scratch. */
void sb_cuda_row_sum(struct sb_dev *d, const struct sb_row_sum *r);

#ifdef __cplusplus
}
#endif
#endif
