/* y[M,N] = a b (+ c), tiles of 32 x 32, f32 sums in order of k. For sizes and addresses that cuBLASLt refuses: nothing
 * here is aligned, nothing is fast. */
#include "kernels/cuda/kernel.h"
#include "kernels/cuda/matmul_own.h"

#define TILE 32
#define ROWS (256 / TILE) /* rows that a block reads at once; a thread sums each of TILE / ROWS of them */

/* Element (row, col) of a [rows,cols] matrix that may lie transposed; 0 outside. */
template <typename T> struct matrix {
    const T *x;
    int64_t rows, cols;
    bool transposed;
};

template <typename T> static __device__ inline float element(const matrix<T> &m, int64_t row, int64_t col)
{
    if (row >= m.rows || col >= m.cols) return 0;
    return sb_get(m.x[m.transposed ? col * m.rows + row : row * m.cols + col]);
}

/* The TILE x TILE part at (row, col), neighbours in memory by neighbouring threads. */
template <typename T>
static __device__ inline void load(float (*to)[TILE + 1], const matrix<T> &m, int64_t row, int64_t col)
{
    int fast = (int)threadIdx.x % TILE;
#pragma unroll
    for (int slow = (int)threadIdx.x / TILE; slow < TILE; slow += ROWS) {
        int r = m.transposed ? fast : slow, c = m.transposed ? slow : fast;
        to[r][c] = element(m, row + r, col + c);
    }
}

template <typename T, typename Out>
static __global__ void __launch_bounds__(256) multiply(matrix<T> a, matrix<T> b, const Out *c, Out *y, int64_t across)
{
    SB_SHARED(float, tile, 2 * TILE * (TILE + 1));
    float(*ta)[TILE + 1] = (float(*)[TILE + 1])tile, (*tb)[TILE + 1] = ta + TILE;
    int64_t row = blockIdx.x / across * TILE, col = blockIdx.x % across * TILE;
    int lane = (int)threadIdx.x % TILE, first = (int)threadIdx.x / TILE;
    float sum[TILE / ROWS] = {};
    for (int64_t k = 0; k < a.cols; k += TILE) {
        load(ta, a, row, k);
        load(tb, b, k, col);
        __syncthreads();
#pragma unroll 8
        for (int i = 0; i < TILE; i++) {
#pragma unroll
            for (int r = 0; r < TILE / ROWS; r++) sum[r] = fmaf(ta[first + r * ROWS][i], tb[i][lane], sum[r]);
        }
        __syncthreads();
    }
#pragma unroll
    for (int r = 0; r < TILE / ROWS; r++) {
        int64_t i = row + first + r * ROWS, j = col + lane;
        if (i < a.rows && j < b.cols) sb_put(&y[i * b.cols + j], sum[r] + (c ? sb_get(c[i * b.cols + j]) : 0));
    }
}

template <typename T, typename Out>
static void launch(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    matrix<T> a = {(const T *)p->a, m->m, m->k, m->a_transposed}, b = {(const T *)p->b, m->k, m->n, m->b_transposed};
    int64_t across = sb_ceil_div(m->n, TILE);
    SB_LAUNCH(d, (multiply<T, Out>), (unsigned)(sb_ceil_div(m->m, TILE) * across), 256, 0, a, b,
              (const Out *)(m->add ? p->c : NULL), (Out *)p->y, across);
}

void sb_cuda_matmul_own(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    if (!m->m || !m->n) return;
    if (m->in == SB_BF16) SB_BY_DTYPE(m->out, T, launch<sb_bf16, T>(d, m, p));
    else SB_BY_DTYPE(m->out, T, launch<float, T>(d, m, p));
}
