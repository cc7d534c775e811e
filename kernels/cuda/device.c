/* Opening a GPU, its memory, and how a CUDA call that fails ends the program. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "kernels/cuda/convolution.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/parts.h"

#define ALIGN ((size_t)256)
/* What cuBLASLt, cuDNN (256 MiB of working memory) and captured graphs may take beside what is asked for. */
#define LIBRARIES ((size_t)768 << 20)
#define MAJOR 8 /* the least compute capability: bf16 matrix instructions, copies in the background */

void sb_cuda_check(const struct sb_dev *d, cudaError_t status, const char *what)
{
    if (status == cudaSuccess) return;
    (void)cudaGetLastError();
    /* An error that does not go away is the context's end: a fault in a kernel, memory that is broken, a GPU that fell
     * off the bus. (A capture refuses this call on a sound device.) */
    if (sb_cuda_captures(d) || cudaFree(NULL) == cudaSuccess)
        sb_die("GPU %d: %s: %s", d->index, what, cudaGetErrorString(status));
    sb_die("GPU %d: %s: %s: the device is lost; what was written last is whole (sb-train goes on with --resume)",
           d->index, what, cudaGetErrorString(status));
}

void sb_cuda_enter(const struct sb_dev *d, const char *what)
{
    if (sb_cuda_captures(d)) sb_die("%s within a repeated pass", what);
    sb_cuda_check(d, cudaSetDevice(d->index), "cannot be used");
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static char reason[512];

/* 13000 is version 13.0. */
static void no_device(cudaError_t status)
{
    int driver = 0, own = 0;
    (void)cudaGetLastError();
    if (cudaDriverGetVersion(&driver) != cudaSuccess || cudaRuntimeGetVersion(&own) != cudaSuccess) driver = own = 0;
    if (status == cudaErrorInsufficientDriver && !driver)
        snprintf(reason, sizeof reason, "no NVIDIA driver (libcuda.so.1): install it, or use --device cpu");
    else if (status == cudaErrorInsufficientDriver)
        snprintf(reason, sizeof reason,
                 "the NVIDIA driver is for CUDA %d.%d, and this was built with %d.%d: install a newer driver, or use "
                 "--device cpu",
                 driver / 1000, driver % 1000 / 10, own / 1000, own % 1000 / 10);
    else
        snprintf(reason, sizeof reason, "the NVIDIA driver gives no GPU: %s", cudaGetErrorString(status));
}

static bool is_there(int index)
{
    int count = 0;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || !count)
        no_device(status == cudaSuccess ? cudaErrorNoDevice : status);
    else if (count == 1 && index != 0)
        snprintf(reason, sizeof reason, "there is one GPU, cuda:0");
    else if (index < 0 || index >= count)
        snprintf(reason, sizeof reason, "there are %d GPUs, cuda:0 to cuda:%d", count, count - 1);
    else
        return true;
    return false;
}

static bool is_new_enough(int index)
{
    int major = 0, minor = 0;
    struct cudaDeviceProp properties;
    cudaError_t status = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index);
    if (!status) status = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index);
    if (!status && major >= MAJOR) return true;
    if (!status) status = cudaGetDeviceProperties(&properties, index); /* slow */
    (void)cudaGetLastError();
    if (status)
        snprintf(reason, sizeof reason, "GPU %d does not answer: %s", index, cudaGetErrorString(status));
    else
        snprintf(reason, sizeof reason,
                 "GPU %d, %s, has compute capability %d.%d, wanted is %d.0 or more (an A100, an RTX 30 or newer): use "
                 "--device cpu",
                 index, properties.name, major, minor, MAJOR);
    return false;
}

static cudaError_t attribute(const struct sb_dev *d, enum cudaDeviceAttr what, int *to)
{
    return cudaDeviceGetAttribute(to, what, d->index);
}

static cudaError_t begin(struct sb_dev *d)
{
    int shared = 0;
    cudaError_t status = cudaSetDevice(d->index);
    if (!status) status = attribute(d, cudaDevAttrMultiProcessorCount, &d->processors);
    if (!status) status = attribute(d, cudaDevAttrComputeCapabilityMajor, &d->major);
    if (!status) status = attribute(d, cudaDevAttrComputeCapabilityMinor, &d->minor);
    if (!status) status = attribute(d, cudaDevAttrMaxSharedMemoryPerBlockOptin, &shared);
    d->shared_most = (size_t)shared;
    /* apart from the stream that belongs to no one, which would wait for all others */
    if (!status) status = cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking);
    if (!status) status = cudaMalloc(&d->scratch, SB_CUDA_SCRATCH);
    return status;
}

struct sb_dev *sb_cuda_open(int index, int threads, const char **why)
{
    (void)threads;
    *why = reason;
    if (!is_there(index) || !is_new_enough(index)) return NULL;
    struct sb_dev *d = sb_calloc(1, sizeof *d);
    d->index = index;
    cudaError_t status = begin(d);
    if (status) {
        (void)cudaGetLastError();
        snprintf(reason, sizeof reason, "GPU %d can't be opened: %s", index, cudaGetErrorString(status));
        if (d->stream) cudaStreamDestroy(d->stream);
        free(d);
        return NULL;
    }
    d->transfers = sb_cuda_transfers_open(d);
    d->graphs = sb_cuda_graphs_open();
    return d;
}

void sb_cuda_close(struct sb_dev *d)
{
    if (!d) return;
    sb_cuda_wait(d);
    sb_cuda_graphs_close(d);
    sb_cuda_transfers_close(d);
    sb_cuda_matmuls_close(d);
    sb_cuda_choices_close(d);
    sb_cudnn_close(d);
    cudaFree(d->scratch);
    cudaStreamDestroy(d->stream);
    free(d);
}

bool sb_cuda_fast_bf16(struct sb_dev *d)
{
    (void)d; /* all that open takes are */
    return true;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

void *sb_cuda_alloc(struct sb_dev *d, size_t bytes)
{
    void *p;
    sb_cuda_enter(d, "alloc");
    if (bytes > SIZE_MAX - ALIGN) return NULL;
    size_t rounded = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    cudaError_t status = cudaMalloc(&p, rounded);
    if (status == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        return NULL;
    }
    sb_cuda_check(d, status, "memory");
    sb_cuda_check(d, cudaMemsetAsync(p, 0, rounded, d->stream), "memory");
    sb_cuda_transfers_mark(d); /* a prefetch to this memory comes after the zeros */
    return p;
}

/* cudaFree waits for the device. */
void sb_cuda_release(struct sb_dev *d, void *p)
{
    sb_cuda_enter(d, "release");
    if (!p) return;
    sb_cuda_wait(d);
    sb_cuda_graphs_forget(d);
    sb_cuda_check(d, cudaFree(p), "releasing memory");
}

size_t sb_cuda_memory(struct sb_dev *d, size_t *all)
{
    size_t left, total;
    sb_cuda_enter(d, "memory");
    sb_cuda_check(d, cudaMemGetInfo(&left, &total), "memory");
    if (all) *all = total;
    return left > LIBRARIES ? left - LIBRARIES : 0;
}

void sb_cuda_wait(struct sb_dev *d)
{
    sb_cuda_enter(d, "wait");
    sb_cuda_check(d, cudaStreamSynchronize(d->stream), "computing");
}
