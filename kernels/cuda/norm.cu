/* Layer normalisation. A team of threads has a row: each takes 16 bytes of it, or one element of an odd one, and keeps
 * them in registers from the first sum to the last store, so that every tensor is read once. Rows of more than 512
 * such pieces are read again from memory for each sum. */
#include "kernels/cuda/column_sum.h"
#include "kernels/cuda/rows.h"

/* ---- forward ----------------------------------------------------------------------------------------------------- */

template <typename T> struct norm_call {
    const T *x, *gain, *bias;
    float *stats;
    T *y;
    int64_t rows, width;
    float eps;
};

/* kept: a team's threads have one piece each. The variance is summed around the mean: it keeps its digits where the
 * mean is far from 0. */
template <typename T, int n, bool kept>
static __global__ void __launch_bounds__(SB_TEAM_MOST) norm_kernel(norm_call<T> m)
{
    SB_SHARED(float, room, 2 * SB_TEAM_MOST);
    int64_t row = (int64_t)blockIdx.x * blockDim.y + threadIdx.y, step = (int64_t)blockDim.x * n;
    int64_t first = (int64_t)threadIdx.x * n, end = row < m.rows ? m.width : 0;
    const T *x = m.x + row * m.width;
    float v[n], sum = 0, square = 0;
    if (kept && first < end) sb_read<n>(v, x + first);
    for (int64_t at = first; at < end; at += step) {
        if (!kept) sb_read<n>(v, x + at);
#pragma unroll
        for (int i = 0; i < n; i++) sum += v[i];
    }
    float mean = sb_team_sum(sum, room) / (float)m.width;
    for (int64_t at = first; at < end; at += step) {
        if (!kept) sb_read<n>(v, x + at);
#pragma unroll
        for (int i = 0; i < n; i++) square += (v[i] - mean) * (v[i] - mean);
    }
    float rstd = 1.0f / sqrtf(sb_team_sum(square, room + SB_TEAM_MOST) / (float)m.width + m.eps);
    for (int64_t at = first; at < end; at += step) {
        float gain[n], bias[n];
        sb_read<n>(gain, m.gain + at);
        sb_read<n>(bias, m.bias + at);
        if (!kept) sb_read<n>(v, x + at);
#pragma unroll
        for (int i = 0; i < n; i++) v[i] = (v[i] - mean) * rstd * gain[i] + bias[i];
        sb_write<n>(m.y + row * m.width + at, v);
    }
    if (m.stats && !threadIdx.x && row < m.rows) {
        m.stats[2 * row] = mean;
        m.stats[2 * row + 1] = rstd;
    }
}

template <typename T, int n> static void launch_norm(struct sb_dev *d, const norm_call<T> &m)
{
    dim3 block = sb_teams(m.width, n, m.rows, 128);
    unsigned grid = (unsigned)sb_ceil_div(m.rows, block.y);
    if (m.width <= (int64_t)SB_TEAM_MOST * n) SB_LAUNCH(d, (norm_kernel<T, n, true>), grid, block, 0, m);
    else SB_LAUNCH(d, (norm_kernel<T, n, false>), grid, block, 0, m);
}

template <typename T> static void norm_as(struct sb_dev *d, const norm_call<T> &m)
{
    bool wide = sb_wide(m.x, m.width) && sb_wide(m.gain, m.width) && sb_wide(m.bias, m.width) && sb_wide(m.y, m.width);
    if (!m.rows || !m.width) return;
    if (wide) launch_norm<T, SB_LANES<T>>(d, m);
    else launch_norm<T, 1>(d, m);
}

void sb_cuda_norm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, float eps, sb_out stats, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T,
                norm_as<T>(d, {(const T *)x->data, (const T *)gain->data, (const T *)bias->data,
                               stats ? (float *)stats->data : NULL, (T *)y->data, x->shape[0], x->shape[1], eps}));
}

/* ---- backward ----------------------------------------------------------------------------------------------------
 * With h = (x - mean) rstd and g = dy gain: dx = add + rstd (g - mean(g) - h mean(g h)), dgain += dy h, dbias += dy. */

template <typename T> struct bwd_call {
    const T *x, *gain;
    const float *stats;
    const T *dy, *add;
    T *dx;
    float *part; /* [2, blocks, width]: each block's share of dgain and dbias; NULL: they are not wanted here */
    int64_t rows, width;
};

/* The block's teams put their shares of one parameter's gradient together, in order. room: shared. */
template <int n> static __device__ inline void put_share(float *room, const float *share, float *to, int64_t width)
{
    int step = (int)blockDim.x * n;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < n; i++) room[threadIdx.y * step + threadIdx.x * n + i] = share[i];
    __syncthreads();
    for (int at = (int)(threadIdx.y * blockDim.x + threadIdx.x); at < width; at += (int)(blockDim.x * blockDim.y)) {
        float sum = 0;
        for (int team = 0; team < (int)blockDim.y; team++) sum += room[team * step + at];
        to[at] = sum;
    }
}

/* Blocks go through the rows in turn, so that each has one share of the parameters' gradients (where kept). */
template <typename T, int n, bool kept>
static __global__ void __launch_bounds__(SB_TEAM_MOST) norm_bwd_kernel(bwd_call<T> m)
{
    SB_SHARED(float, room, 2 * SB_TEAM_MOST);
    SB_SHARED_DYNAMIC(float, shares);
    int64_t step = (int64_t)blockDim.x * n, first = (int64_t)threadIdx.x * n;
    float h[n], g[n], out[n] = {}, gain[n] = {}, dgain[n] = {}, dbias[n] = {};
    if (kept && first < m.width) sb_read<n>(gain, m.gain + first);
    for (int64_t base = (int64_t)blockIdx.x * blockDim.y; base < m.rows; base += (int64_t)gridDim.x * blockDim.y) {
        int64_t row = base + threadIdx.y, end = row < m.rows ? m.width : 0, start = row * m.width;
        float mean = end ? m.stats[2 * row] : 0, rstd = end ? m.stats[2 * row + 1] : 0, sum = 0, sum_h = 0;
        for (int64_t at = first; at < end; at += step) {
            sb_read<n>(h, m.x + start + at);
            sb_read<n>(g, m.dy + start + at);
            if (!kept) sb_read<n>(gain, m.gain + at);
            else if (m.add) sb_read<n>(out, m.add + start + at); /* under way while the sums are made */
#pragma unroll
            for (int i = 0; i < n; i++) {
                h[i] = (h[i] - mean) * rstd;
                if (kept) dgain[i] += g[i] * h[i], dbias[i] += g[i];
                g[i] *= gain[i];
                sum += g[i];
                sum_h += g[i] * h[i];
            }
        }
        __syncthreads(); /* the rooms are free */
        float mean_g = sb_team_sum(sum, room) / (float)m.width;
        float mean_gh = sb_team_sum(sum_h, room + SB_TEAM_MOST) / (float)m.width;
        for (int64_t at = first; m.dx && at < end; at += step) {
            if (!kept) {
                if (m.add) sb_read<n>(out, m.add + start + at);
                sb_read<n>(h, m.x + start + at);
                sb_read<n>(g, m.dy + start + at);
                sb_read<n>(gain, m.gain + at);
#pragma unroll
                for (int i = 0; i < n; i++) h[i] = (h[i] - mean) * rstd, g[i] *= gain[i];
            }
            float dx[n];
#pragma unroll
            for (int i = 0; i < n; i++) dx[i] = out[i] + rstd * (g[i] - mean_g - h[i] * mean_gh);
            sb_write<n>(m.dx + start + at, dx);
        }
    }
    if (!kept || !m.part) return;
    put_share<n>(shares, dgain, m.part + blockIdx.x * m.width, m.width);
    put_share<n>(shares, dbias, m.part + (gridDim.x + blockIdx.x) * m.width, m.width);
}

/* For rows that are not kept: a pass of its own over x and dy. */
template <typename T> struct norm_gains {
    const T *x, *dy;
    const float *stats;
    int64_t width;
};

template <int n, typename T>
static __device__ inline void sb_column_values(const norm_gains<T> &m, int64_t row, int64_t column, float (&to)[2][n])
{
    sb_read<n>(to[0], m.x + row * m.width + column);
    sb_read<n>(to[1], m.dy + row * m.width + column);
#pragma unroll
    for (int i = 0; i < n; i++) to[0][i] = (to[0][i] - m.stats[2 * row]) * m.stats[2 * row + 1] * to[1][i];
}

#define BLOCKS 396 /* fixed, that the bytes do not hang on the GPU: three of 224 threads for each of 132 processors */

template <typename T, int n>
static void launch_bwd(struct sb_dev *d, bwd_call<T> m, const struct sb_column_to<2> &to)
{
    dim3 block = sb_teams(m.width, n, m.rows, 224);
    int64_t groups = sb_ceil_div(m.rows, block.y);
    unsigned grid = (unsigned)(groups < BLOCKS ? groups : BLOCKS);
    bool wanted = to.sum[0] || to.sum[1];
    if (m.width > (int64_t)SB_TEAM_MOST * n) {
        if (m.dx) SB_LAUNCH(d, (norm_bwd_kernel<T, n, false>), (unsigned)m.rows, block, 0, m);
        if (wanted) sb_column_sum<n>(d, norm_gains<T>{m.x, m.dy, m.stats, m.width}, m.rows, m.width, to);
        return;
    }
    m.part = wanted ? (float *)d->scratch : NULL; /* 13 MiB at most */
    size_t shared = wanted ? sizeof(float) * n * block.x * block.y : 0;
    SB_LAUNCH(d, (norm_bwd_kernel<T, n, true>), grid, block, shared, m);
    if (wanted) sb_column_finish(d, m.part, grid, m.width, to);
}

template <typename T> static void bwd_as(struct sb_dev *d, const bwd_call<T> &m, const struct sb_column_to<2> &to)
{
    bool wide = sb_wide(m.x, m.width) && sb_wide(m.gain, m.width) && sb_wide(m.dy, m.width) &&
                sb_wide(m.add, m.width) && sb_wide(m.dx, m.width);
    if (!m.rows || !m.width) return;
    if (wide) launch_bwd<T, SB_LANES<T>>(d, m, to);
    else launch_bwd<T, 1>(d, m, to);
}

void sb_cuda_norm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, sb_in dy, sb_in add, sb_out dx, sb_out dgain,
                      sb_out dbias)
{
    struct sb_column_to<2> to = {{dgain ? (float *)dgain->data : NULL, dbias ? (float *)dbias->data : NULL}, true};
    SB_BY_DTYPE(x->dtype, T,
                bwd_as<T>(d, {(const T *)x->data, (const T *)gain->data, (const float *)stats->data,
                              (const T *)dy->data, add ? (const T *)add->data : NULL, dx ? (T *)dx->data : NULL, NULL,
                              x->shape[0], x->shape[1]}, to));
}
