/* A convolution as cuDNN computes it: how conv.cu asks for one. C and C++. */
#ifndef SB_KERNELS_CUDA_CONVOLUTION_H
#define SB_KERNELS_CUDA_CONVOLUTION_H

#include "kernels/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sb_convolve {
    SB_CONVOLVE,         /* y from x and w */
    SB_CONVOLVE_DATA,    /* x, a gradient, from y, likewise, and w */
    SB_CONVOLVE_WEIGHTS, /* w, a gradient, from x and y, a gradient */
};

/* x [b,h,w,i], w [o,kh,kw,i], y [b,oh,ow,o], all of one dtype, f32 (never TF32) or bf16. */
struct sb_convolution {
    int64_t b, h, w, i, oh, ow, o, kh, kw, stride, pad;
    enum sb_dtype dtype;
};

/* Queues it, the same bytes each time. False, and nothing is queued, where cuDNN is not there or has no way: do it
 * otherwise. While a graph is captured nothing is looked up: what was not asked for before is false then. */
bool sb_cudnn_convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *c, void *x, void *w,
                       void *y);
/* What results and times hang on: cuDNN's version, less than 0 where it has no working memory; 0: no cuDNN. */
int64_t sb_cudnn_version(struct sb_dev *d);
/* Frees d->convs. */
void sb_cudnn_close(struct sb_dev *d);

#ifdef __cplusplus
}
#endif
#endif
