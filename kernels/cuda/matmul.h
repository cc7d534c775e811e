/* Matrix products as cuBLASLt computes them; on the stand-in the reference does. */
#ifndef SB_KERNELS_CUDA_MATMUL_H
#define SB_KERNELS_CUDA_MATMUL_H

#include "kernels/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is done on the way out. */
enum sb_epilogue {
    SB_EPILOGUE_NONE,
    SB_EPILOGUE_BIAS,          /* + bias[N] */
    SB_EPILOGUE_GELU_TANH,     /* bias (may be NULL), then gelu by tanh */
    SB_EPILOGUE_GELU_TANH_PRE, /* the same, and what went into gelu to pre[M,N] */
    SB_EPILOGUE_SUMS,          /* y as with NONE; besides sums[M] = of a's rows, over k; of dtype out */
};

/* y[M,N] = epilogue(a[M,K] b[K,N] + beta c[M,N]), dense, C order, sums in f32. d->scratch is left alone. */
struct sb_matmul {
    int64_t m, n, k;
    bool a_transposed, b_transposed; /* a lies as [K,M], b as [N,K] */
    enum sb_dtype in, out;           /* f32 or bf16; bias and pre are of dtype out */
    bool tf32;                       /* f32 inputs may be rounded to TF32 (10 bits) */
    bool add;                        /* beta is 1, else 0 and c is not read */
    enum sb_epilogue epilogue;
};

struct sb_matmul_data {
    const void *a, *b, *c, *bias; /* c may be y */
    void *y, *pre, *sums;
};

void sb_cuda_matmul(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p);
/* False where the library has no way to do it (odd sizes, misaligned pointers of an epilogue): do it in two steps. */
bool sb_cuda_matmul_can(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p);

/* Which of `ways` ways to do the same work is fastest here. Each is timed once a key (name, GPU, driver, numbers) and
 * the answer is kept, in a file too. run(arg, way) does the work; it must bear being repeated, and captured once it has
 * run. While a graph is captured, and on the stand-in, an answer that is not known is not sought: way 0.
 *
 * Ways may differ in the last bits of what they compute, and the fastest in turn between machines, or where two are
 * about as fast: the file, $XDG_CACHE_HOME/seabot/cuda-choices or ~/.cache/seabot/cuda-choices, keeps results equal
 * from run to run on one machine. To have all of it timed again, delete it. */
int sb_cuda_choose(struct sb_dev *d, const char *name, const int64_t *number, int numbers, int ways,
                   void (*run)(void *arg, int way), void *arg);

/* When the device is closed: frees what they have kept in it, if anything. */
void sb_cuda_matmuls_close(struct sb_dev *d);
void sb_cuda_choices_close(struct sb_dev *d);

#ifdef __cplusplus
}
#endif
#endif
