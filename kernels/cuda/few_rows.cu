/* A linear layer for few rows, as a decoder has them word by word: bound by reading w, so each warp reads one row of w,
 * once, and makes one column of y of all rows. */
#include "kernels/cuda/activation.h"
#include "kernels/cuda/linear.h"

#define THREADS 256

template <typename T> struct few {
    const T *x, *w, *b, *residual;
    T *pre, *y;
    enum sb_act act;
    int64_t m, n, k;
};

static __device__ inline float activate(enum sb_act a, float x)
{
    switch (a) {
    case SB_ACT_GELU: return sb_activate<SB_ACT_GELU>(x);
    case SB_ACT_GELU_TANH: return sb_activate<SB_ACT_GELU_TANH>(x);
    case SB_ACT_RELU: return sb_activate<SB_ACT_RELU>(x);
    default: return x;
    }
}

/* A warp makes one column of up to `rows` rows: it reads one row of w, once; x comes from the cache. */
template <int rows, int width, typename T> static __global__ void __launch_bounds__(THREADS) few_rows(few<T> f)
{
    int lane = (int)threadIdx.x % SB_WARP;
    int64_t column = ((int64_t)blockIdx.x * THREADS + threadIdx.x) / SB_WARP;
    if (column >= f.n) return;
    float sum[rows] = {};
#pragma unroll(rows < 4 ? 4 : 2)
    for (int64_t at = lane * width; at < f.k; at += SB_WARP * width) {
        float w[width], x[width];
        sb_read<width>(w, f.w + column * f.k + at);
#pragma unroll
        for (int row = 0; row < rows; row++) {
            sb_read<width>(x, f.x + (row < f.m ? row : 0) * f.k + at); /* a branch would part the loads */
#pragma unroll
            for (int i = 0; i < width; i++) sum[row] = fmaf(w[i], x[i], sum[row]);
        }
    }
    float own = 0; /* lane r goes on with row r */
#pragma unroll
    for (int row = 0; row < rows; row++) {
        float total = sb_warp_sum(sum[row]);
        if (lane == row) own = total;
    }
    if (lane >= rows || lane >= f.m) return;
    int64_t i = lane * f.n + column;
    if (f.b) own += sb_get(f.b[column]);
    if (f.pre) sb_put(&f.pre[i], own);
    own = activate(f.act, own);
    if (f.residual) own += sb_get(f.residual[i]);
    sb_put(&f.y[i], own);
}

template <int rows, typename T> static void launch_few(struct sb_dev *d, const few<T> &f)
{
    unsigned blocks = (unsigned)sb_ceil_div(f.n * SB_WARP, THREADS);
    if (sb_wide(f.x, f.k) && sb_wide(f.w, f.k))
        SB_LAUNCH(d, (few_rows<rows, SB_LANES<T>, T>), blocks, THREADS, 0, f);
    else SB_LAUNCH(d, (few_rows<rows, 1, T>), blocks, THREADS, 0, f);
}

template <typename T> static void launch_by_rows(struct sb_dev *d, const struct sb_linear_call *l)
{
    few<T> f = {(const T *)l->x, (const T *)l->w, (const T *)l->b, (const T *)l->residual, (T *)l->pre,
                (T *)l->y,       l->act,          l->m,            l->n,                   l->k};
    if (f.m == 1) launch_few<1>(d, f);
    else if (f.m == 2) launch_few<2>(d, f);
    else if (f.m <= 4) launch_few<4>(d, f);
    else launch_few<SB_FEW_ROWS>(d, f);
}

void sb_cuda_few_rows(struct sb_dev *d, const struct sb_linear_call *l)
{
    SB_BY_DTYPE(l->dtype, T, launch_by_rows<T>(d, l));
}
