/* The CUDA backend's host side: its device, what its files share, how it fails. C and C++.
 *
 * Everything is queued on one stream in the order of the calls, and nothing here waits but download, fetched and wait.
 * A CUDA call that fails has no way back (the context is lost with it): sb_cuda_check ends the program with one line.
 * Built with SB_CUSIM the same sources run on the CPU, on the stand-in of tests/cusim. */
#ifndef SB_KERNELS_CUDA_CUDA_H
#define SB_KERNELS_CUDA_CUDA_H

#ifdef SB_CUSIM
#include "tests/cuda_fake/runtime.h"
#else
#include <cuda_runtime_api.h>
#endif

#include "kernels/each.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SB_CUDA_DECLARE(op) __typeof__(*((struct sb_ops *)0)->op) sb_cuda_##op;
SB_OPS_EACH(SB_CUDA_DECLARE)

/* Working memory that belongs to the op that runs, the same bytes for every op: an op that follows on the stream may
 * overwrite it. Taken once, so that captured graphs keep pointing at it: an op whose partial sums would not fit works
 * in pieces. */
#define SB_CUDA_SCRATCH ((size_t)64 << 20)

struct sb_cuda_transfers; /* device.c: staging memory, copy stream, fetches */
struct sb_cuda_graphs;    /* repeat.c: captured passes */
struct sb_cuda_matmuls;   /* matmul.c: cuBLASLt, opened when it is first needed */
struct sb_cuda_convs;     /* conv.c: cuDNN, likewise */
struct sb_cuda_choices;   /* choose.c: which way was fastest */

struct sb_dev {
    int index;          /* of the GPU */
    int processors;     /* streaming multiprocessors */
    int major, minor;   /* compute capability */
    size_t shared_most; /* bytes of shared memory that a block may ask for */
    cudaStream_t stream;
    void *scratch; /* SB_CUDA_SCRATCH bytes, 256-byte aligned */
    struct sb_cuda_transfers *transfers;
    struct sb_cuda_graphs *graphs;
    struct sb_cuda_matmuls *matmuls;
    struct sb_cuda_convs *convs;
    struct sb_cuda_choices *choices;
};

/* Ends the program with "GPU 0: WHAT: CUDA's own words" unless status is success. */
void sb_cuda_check(const struct sb_dev *d, cudaError_t status, const char *what);
/* Whether what is queued now goes into a graph: no timing, no allocation. */
bool sb_cuda_captures(const struct sb_dev *d);

static inline int64_t sb_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#ifdef __cplusplus
}
#endif
#endif
