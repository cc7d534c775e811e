/* The part of the CUDA runtime that kernels/cuda's shared headers and .cu files name, for the stand-in. C and C++. */
#ifndef SB_TESTS_CUSIM_RUNTIME_H
#define SB_TESTS_CUSIM_RUNTIME_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cusim_stream *cudaStream_t;
typedef int cudaError_t;
enum { cudaSuccess, cudaErrorInvalidValue };
enum cudaMemcpyKind { cudaMemcpyDeviceToDevice = 3 };

/* Queued as kernels are: a pass that is repeated replays them too. */
cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
