/* Convolutions by cuDNN, opened by name at the first one. A plan holds what it wants to know of one shape: four
 * descriptors and the working memory.
 *
 * It is asked through its older interface (one descriptor an operand), which has what is needed here: NHWC, bf16 with
 * sums in f32, tensor cores. Of the algorithms that interface names, one for each direction works on implicit matrix
 * products, is exact to rounding (no Winograd, no Fourier) and gives the same bytes each time; which kernel serves it
 * the library chooses by shape. */
#include "kernels/cuda/convolution.h"

#include <stdlib.h>

#include "base/err.h"
#include "kernels/cuda/library.h"

#if __has_include(<cudnn.h>)
#include <cudnn.h>

#define WORKSPACE ((size_t)256 << 20) /* bytes, for all plans: what wants more is done without cuDNN */

#define EACH(X)                                                                                                        \
    X(cudnnCreate)                                                                                                     \
    X(cudnnDestroy)                                                                                                    \
    X(cudnnSetStream)                                                                                                  \
    X(cudnnGetVersion)                                                                                                 \
    X(cudnnGetErrorString)                                                                                             \
    X(cudnnCreateTensorDescriptor)                                                                                     \
    X(cudnnDestroyTensorDescriptor)                                                                                    \
    X(cudnnSetTensor4dDescriptor)                                                                                      \
    X(cudnnCreateFilterDescriptor)                                                                                     \
    X(cudnnDestroyFilterDescriptor)                                                                                    \
    X(cudnnSetFilter4dDescriptor)                                                                                      \
    X(cudnnCreateConvolutionDescriptor)                                                                                \
    X(cudnnDestroyConvolutionDescriptor)                                                                               \
    X(cudnnSetConvolution2dDescriptor)                                                                                 \
    X(cudnnSetConvolutionMathType)                                                                                     \
    X(cudnnGetConvolutionForwardWorkspaceSize)                                                                         \
    X(cudnnGetConvolutionBackwardDataWorkspaceSize)                                                                    \
    X(cudnnGetConvolutionBackwardFilterWorkspaceSize)                                                                  \
    X(cudnnConvolutionForward)                                                                                         \
    X(cudnnConvolutionBackwardData)                                                                                    \
    X(cudnnConvolutionBackwardFilter)

static const cudnnConvolutionFwdAlgo_t forward = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
static const cudnnConvolutionBwdDataAlgo_t backward_data = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
static const cudnnConvolutionBwdFilterAlgo_t backward_filter = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;

struct plan {
    struct plan *next;
    enum sb_convolve what;
    struct sb_convolution shape;
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t w;
    cudnnConvolutionDescriptor_t how;
    size_t workspace; /* bytes */
    bool works;
};

struct sb_cuda_convs {
    struct {
        EACH(SB_LIBRARY_POINTER)
    } call;
    cudnnHandle_t handle; /* NULL: no cuDNN */
    void *workspace;      /* WORKSPACE bytes, or NULL */
    struct plan *plans;
};

static struct sb_cuda_convs *open_library(struct sb_dev *d)
{
    static const char *const files[] = {"libcudnn.so.9", NULL}, *const functions[] = {EACH(SB_LIBRARY_NAME) NULL};
    struct sb_cuda_convs *l = d->convs = sb_calloc(1, sizeof *l);
    if (!sb_library_open(files, functions, &l->call)) {
        sb_warn("GPU %d: no libcudnn.so.9, which convolves: it is done through matrix products, more slowly", d->index);
        return l;
    }
    cudnnStatus_t status = l->call.cudnnCreate(&l->handle);
    if (!status) status = l->call.cudnnSetStream(l->handle, d->stream);
    if (status) {
        sb_warn("GPU %d: cuDNN can't be used (%s): convolutions are done through matrix products, more slowly",
                d->index, l->call.cudnnGetErrorString(status));
        l->handle = NULL;
        return l;
    }
    if (cudaMalloc(&l->workspace, WORKSPACE) != cudaSuccess) {
        (void)cudaGetLastError();
        l->workspace = NULL;
    }
    return l;
}

/* ---- plans ------------------------------------------------------------------------------------------------------- */

static cudnnStatus_t describe(struct sb_cuda_convs *l, struct plan *p)
{
    const struct sb_convolution *s = &p->shape;
    cudnnDataType_t type = s->dtype == SB_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    /* FMA: f32 is not rounded to TF32 */
    cudnnMathType_t math = s->dtype == SB_BF16 ? CUDNN_TENSOR_OP_MATH : CUDNN_FMA_MATH;
    int b = (int)s->b, i = (int)s->i, o = (int)s->o, pad = (int)s->pad, stride = (int)s->stride;
    cudnnStatus_t status = l->call.cudnnCreateTensorDescriptor(&p->x);
    if (!status) status = l->call.cudnnCreateTensorDescriptor(&p->y);
    if (!status) status = l->call.cudnnCreateFilterDescriptor(&p->w);
    if (!status) status = l->call.cudnnCreateConvolutionDescriptor(&p->how);
    if (!status)
        status = l->call.cudnnSetTensor4dDescriptor(p->x, CUDNN_TENSOR_NHWC, type, b, i, (int)s->h, (int)s->w);
    if (!status)
        status = l->call.cudnnSetTensor4dDescriptor(p->y, CUDNN_TENSOR_NHWC, type, b, o, (int)s->oh, (int)s->ow);
    if (!status)
        status = l->call.cudnnSetFilter4dDescriptor(p->w, type, CUDNN_TENSOR_NHWC, o, i, (int)s->kh, (int)s->kw);
    if (!status)
        status = l->call.cudnnSetConvolution2dDescriptor(p->how, pad, pad, stride, stride, 1, 1,
                                                         CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    if (!status) status = l->call.cudnnSetConvolutionMathType(p->how, math);
    return status;
}

static cudnnStatus_t measure(struct sb_cuda_convs *l, struct plan *p)
{
    if (p->what == SB_CONVOLVE)
        return l->call.cudnnGetConvolutionForwardWorkspaceSize(l->handle, p->x, p->w, p->how, p->y, forward,
                                                               &p->workspace);
    if (p->what == SB_CONVOLVE_DATA)
        return l->call.cudnnGetConvolutionBackwardDataWorkspaceSize(l->handle, p->w, p->y, p->how, p->x, backward_data,
                                                                    &p->workspace);
    return l->call.cudnnGetConvolutionBackwardFilterWorkspaceSize(l->handle, p->x, p->y, p->how, p->w, backward_filter,
                                                                  &p->workspace);
}

/* cuDNN counts in int: elements, too. */
static bool countable(const struct sb_convolution *s)
{
    return s->b * s->h * s->w * s->i <= INT32_MAX && s->b * s->oh * s->ow * s->o <= INT32_MAX;
}

static bool same(const struct sb_convolution *a, const struct sb_convolution *b)
{
    return a->b == b->b && a->h == b->h && a->w == b->w && a->i == b->i && a->oh == b->oh && a->ow == b->ow &&
           a->o == b->o && a->kh == b->kh && a->kw == b->kw && a->stride == b->stride && a->pad == b->pad &&
           a->dtype == b->dtype;
}

static struct plan *plan_for(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *s)
{
    struct plan *p = d->convs ? d->convs->plans : NULL;
    while (p && (p->what != what || !same(&p->shape, s))) p = p->next;
    if (p || sb_cuda_captures(d)) return p;
    struct sb_cuda_convs *l = d->convs ? d->convs : open_library(d);
    p = sb_calloc(1, sizeof *p);
    p->what = what;
    p->shape = *s;
    p->next = l->plans;
    l->plans = p;
    p->works = l->handle && countable(s) && !describe(l, p) && !measure(l, p) &&
               p->workspace <= (l->workspace ? WORKSPACE : 0);
    return p;
}

int64_t sb_cudnn_version(struct sb_dev *d)
{
    if (!d->convs && !sb_cuda_captures(d)) open_library(d);
    const struct sb_cuda_convs *l = d->convs;
    return l && l->handle ? (int64_t)l->call.cudnnGetVersion() * (l->workspace ? 1 : -1) : 0;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static cudnnStatus_t convolve(struct sb_cuda_convs *l, const struct plan *p, void *x, void *w, void *y)
{
    const float one = 1, zero = 0;
    if (p->what == SB_CONVOLVE)
        return l->call.cudnnConvolutionForward(l->handle, &one, p->x, x, p->w, w, p->how, forward, l->workspace,
                                               p->workspace, &zero, p->y, y);
    if (p->what == SB_CONVOLVE_DATA)
        return l->call.cudnnConvolutionBackwardData(l->handle, &one, p->w, w, p->y, y, p->how, backward_data,
                                                    l->workspace, p->workspace, &zero, p->x, x);
    return l->call.cudnnConvolutionBackwardFilter(l->handle, &one, p->x, x, p->y, y, p->how, backward_filter,
                                                  l->workspace, p->workspace, &zero, p->w, w);
}

bool sb_cudnn_convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *c, void *x, void *w,
                       void *y)
{
    struct plan *p = plan_for(d, what, c);
    if (!p || !p->works) return false;
    cudnnStatus_t status = convolve(d->convs, p, x, w, y);
    if (status >= CUDNN_STATUS_INTERNAL_ERROR)
        sb_warn("GPU %d: a convolution is done without cuDNN, which says: %s", d->index,
                d->convs->call.cudnnGetErrorString(status));
    p->works = !status; /* what it queued is overwritten; where the device is lost the next launch says so */
    return p->works;
}

void sb_cudnn_close(struct sb_dev *d)
{
    struct sb_cuda_convs *l = d->convs;
    if (!l) return;
    for (struct plan *p = l->plans, *next; p; p = next) {
        next = p->next;
        if (p->x) l->call.cudnnDestroyTensorDescriptor(p->x);
        if (p->y) l->call.cudnnDestroyTensorDescriptor(p->y);
        if (p->w) l->call.cudnnDestroyFilterDescriptor(p->w);
        if (p->how) l->call.cudnnDestroyConvolutionDescriptor(p->how);
        free(p);
    }
    if (l->handle) l->call.cudnnDestroy(l->handle);
    cudaFree(l->workspace);
    free(l);
    d->convs = NULL;
}

#else /* built without cuDNN's headers: everything is done without it */

bool sb_cudnn_convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *c, void *x, void *w,
                       void *y)
{
    (void)d, (void)what, (void)c, (void)x, (void)w, (void)y;
    return false;
}

int64_t sb_cudnn_version(struct sb_dev *d)
{
    (void)d;
    return 0;
}

void sb_cudnn_close(struct sb_dev *d) { (void)d; }

#endif
