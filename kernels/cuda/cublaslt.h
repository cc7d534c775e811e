/* cuBLASLt, opened by name at the first matrix product: loading it takes 45 to 300 ms. */
#ifndef SB_KERNELS_CUDA_CUBLASLT_H
#define SB_KERNELS_CUDA_CUBLASLT_H

#include <cublasLt.h>

#include "kernels/cuda/library.h"

#define SB_CUBLASLT_EACH(X)                                                                                            \
    X(cublasLtGetVersion)                                                                                              \
    X(cublasLtGetStatusString)                                                                                         \
    X(cublasLtCreate)                                                                                                  \
    X(cublasLtDestroy)                                                                                                 \
    X(cublasLtMatmul)                                                                                                  \
    X(cublasLtMatmulDescCreate)                                                                                        \
    X(cublasLtMatmulDescDestroy)                                                                                       \
    X(cublasLtMatmulDescSetAttribute)                                                                                  \
    X(cublasLtMatrixLayoutCreate)                                                                                      \
    X(cublasLtMatrixLayoutDestroy)                                                                                     \
    X(cublasLtMatmulPreferenceCreate)                                                                                  \
    X(cublasLtMatmulPreferenceDestroy)                                                                                 \
    X(cublasLtMatmulPreferenceSetAttribute)                                                                            \
    X(cublasLtMatmulAlgoGetHeuristic)                                                                                  \
    X(cublasLtMatmulAlgoCapGetAttribute)

struct sb_cublaslt {
    SB_CUBLASLT_EACH(SB_LIBRARY_POINTER)
};

/* Ends the program with a line that says what to install where the library is missing. */
const struct sb_cublaslt *sb_cublaslt_open(void);

#endif
