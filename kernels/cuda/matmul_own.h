/* A matrix product of our own for what cuBLASLt refuses; slow, any size and alignment. */
#ifndef SB_KERNELS_CUDA_MATMUL_OWN_H
#define SB_KERNELS_CUDA_MATMUL_OWN_H

#include "kernels/cuda/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As sb_cuda_matmul, without an epilogue. */
void sb_cuda_matmul_own(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p);

#ifdef __cplusplus
}
#endif
#endif
