/* Tokens: prefix and positions, words, rows that are chosen, patches, pooling. All move data or add up few columns. */
#include "kernels/cuda/column_sum.h"
#include "kernels/cuda/map.h"
#include "kernels/cuda/row_sum.h"

/* ---- prefix and positions ---------------------------------------------------------------------------------------- */

template <typename T> struct tokens {
    const T *x, *prefix, *pos;
    T *y;
    int64_t t, p, first, dim; /* tokens, of which p prefix; the first one with a position */
};

template <int n, typename T>
static __device__ inline void sb_map_at(const tokens<T> &k, int64_t row, int64_t at, sb_lanes<n>)
{
    int64_t b = row / k.t, i = row - b * k.t;
    float v[n], pos[n] = {};
    sb_read<n>(v, i < k.p ? k.prefix + i * k.dim + at : k.x + (b * (k.t - k.p) + i - k.p) * k.dim + at);
    if (i >= k.first) sb_read<n>(pos, k.pos + (i - k.first) * k.dim + at);
#pragma unroll
    for (int j = 0; j < n; j++) v[j] += pos[j];
    sb_write<n>(k.y + row * k.dim + at, v);
}

template <typename T> static void join(struct sb_dev *d, sb_in x, sb_in prefix, sb_in pos, sb_out y)
{
    int64_t t = y->shape[1], dim = y->shape[2];
    tokens<T> k = {(const T *)x->data, prefix ? (const T *)prefix->data : NULL, pos ? (const T *)pos->data : NULL,
                   (T *)y->data, t, t - x->shape[1], pos ? t - pos->shape[0] : t, dim};
    sb_map<SB_LANES<T>>(d, k, y->shape[0] * t, dim,
                        sb_wide(k.x, dim) && sb_wide(k.prefix, dim) && sb_wide(k.pos, dim) && sb_wide(k.y, dim));
}

void sb_cuda_tokens(struct sb_dev *d, sb_in x, sb_in prefix, sb_in pos, sb_out y)
{
    SB_BY_DTYPE(y->dtype, T, join<T>(d, x, prefix, pos, y));
}

/* sum[rows,D] += tokens first .. first+rows-1 of every sample; dy [B,T,D]. */
template <typename T> static void sum_samples(struct sb_dev *d, sb_in dy, int64_t first, int64_t rows, sb_out sum)
{
    int64_t stride = dy->shape[1] * dy->shape[2], columns = rows * dy->shape[2];
    sb_column_rows<T> m = {(const T *)dy->data + first * dy->shape[2], stride};
    struct sb_column_to<1> to = {{(float *)sum->data}, true};
    if (sb_wide(m.x, stride) && sb_wide(m.x, columns)) sb_column_sum<SB_LANES<T>>(d, m, dy->shape[0], columns, to);
    else sb_column_sum<1>(d, m, dy->shape[0], columns, to);
}

void sb_cuda_tokens_bwd(struct sb_dev *d, sb_in dy, sb_out dx, sb_out dprefix, sb_out dpos)
{
    int64_t batch = dy->shape[0], t = dy->shape[1], dim = dy->shape[2];
    if (dprefix) SB_BY_DTYPE(dy->dtype, T, sum_samples<T>(d, dy, 0, dprefix->shape[0], dprefix));
    if (dpos) SB_BY_DTYPE(dy->dtype, T, sum_samples<T>(d, dy, t - dpos->shape[0], dpos->shape[0], dpos));
    if (!dx) return;
    int64_t n = dx->shape[1];
    struct sb_tensor from = {dy->dtype, 2, {batch, n * dim},
                             (char *)dy->data + (size_t)((t - n) * dim) * sb_dtype_size(dy->dtype)};
    struct sb_tensor to = {dx->dtype, 2, {batch, n * dim}, dx->data};
    sb_cuda_copy(d, &from, t * dim, n * dim, &to);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

template <typename T> struct words {
    const int32_t *id, *start; /* start NULL: 0 */
    const T *table, *pos;
    T *y;
    int64_t t, dim;
};

template <int n, typename T>
static __device__ inline void sb_map_at(const words<T> &w, int64_t row, int64_t at, sb_lanes<n>)
{
    float v[n], pos[n] = {};
    sb_read<n>(v, w.table + w.id[row] * w.dim + at);
    if (w.pos) {
        int64_t i = row % w.t + (w.start ? *w.start : 0);
        sb_read<n>(pos, w.pos + i * w.dim + at);
    }
#pragma unroll
    for (int j = 0; j < n; j++) v[j] += pos[j];
    sb_write<n>(w.y + row * w.dim + at, v);
}

template <typename T>
static void look_up(struct sb_dev *d, sb_in id, sb_in table, sb_in pos, const int32_t *start, sb_out y)
{
    int64_t t = id->shape[1], dim = table->shape[1];
    words<T> w = {(const int32_t *)id->data, start, (const T *)table->data, pos ? (const T *)pos->data : NULL,
                  (T *)y->data, t, dim};
    sb_map<SB_LANES<T>>(d, w, id->shape[0] * t, dim, sb_wide(w.table, dim) && sb_wide(w.pos, dim) && sb_wide(w.y, dim));
}

void sb_cuda_embed(struct sb_dev *d, sb_in id, sb_in table, sb_in pos, const int32_t *start, sb_out y)
{
    SB_BY_DTYPE(y->dtype, T, look_up<T>(d, id, table, pos, start, y));
}

void sb_cuda_embed_bwd(struct sb_dev *d, sb_in id, sb_in dy, sb_out dtable, sb_out dpos)
{
    int64_t t = dy->shape[1], dim = dy->shape[2];
    if (dpos) SB_BY_DTYPE(dy->dtype, T, sum_samples<T>(d, dy, 0, t, dpos));
    if (!dtable) return;
    struct sb_row_sum r = {};
    r.key = (const int32_t *)id->data, r.rows = dy->shape[0] * t, r.keys = dtable->shape[0];
    r.x = dy->data, r.dtype = dy->dtype, r.columns = dim;
    r.sum = (float *)dtable->data, r.add = true;
    sb_cuda_row_sum(d, &r);
}

/* ---- rows that are chosen ---------------------------------------------------------------------------------------- */

/* y[B,K,D] = x[B, index[B,K], D] in units of bytes; back: x is written, y is read. */
template <bool back, typename U> struct chosen {
    U *x, *y;
    const int32_t *index;
    int64_t n, k, units;
};

template <bool back, typename U>
static __device__ inline void sb_map_at(const chosen<back, U> &c, int64_t row, int64_t at, sb_lanes<1>)
{
    U *x = c.x + (row / c.k * c.n + c.index[row]) * c.units + at, *y = c.y + row * c.units + at;
    if (back) *x = *y;
    else *y = *x;
}

template <bool back, typename U> static void choose(struct sb_dev *d, sb_in x, sb_in index, sb_in y, size_t bytes)
{
    int64_t k = index->shape[1], units = (int64_t)(bytes / sizeof(U));
    chosen<back, U> c = {(U *)x->data, (U *)y->data, (const int32_t *)index->data, x->shape[1], k, units};
    sb_map<1>(d, c, index->shape[0] * k, units, true);
}

void sb_cuda_gather(struct sb_dev *d, sb_in x, sb_in index, sb_out y)
{
    size_t bytes = (size_t)x->shape[2] * sb_dtype_size(x->dtype);
    SB_BY_UNIT((uintptr_t)x->data | (uintptr_t)y->data | bytes, U, choose<false, U>(d, x, index, y, bytes));
}

void sb_cuda_gather_bwd(struct sb_dev *d, sb_in index, sb_in dy, sb_out dx)
{
    size_t bytes = (size_t)dx->shape[2] * sb_dtype_size(dx->dtype);
    sb_cuda_fill(d, 0, dx);
    SB_BY_UNIT((uintptr_t)dx->data | (uintptr_t)dy->data | bytes, U, choose<true, U>(d, dx, index, dy, bytes));
}

/* ---- patches ----------------------------------------------------------------------------------------------------- */

/* A row is `units` neighbours of a picture's row, in y's order: patch row and column, channel, row. U: as many bytes as
 * sizes and addresses allow at once. */
template <typename U> struct patches {
    const U *x;
    U *y;
    int64_t grid, patch, units;
};

template <typename U>
static __device__ inline void sb_map_at(const patches<U> &p, int64_t run, int64_t at, sb_lanes<1>)
{
    int64_t in_patch = 3 * p.patch, cell = run / in_patch, line = run - cell * in_patch, c = line / p.patch;
    int64_t cell_row = cell / p.grid, b = cell_row / p.grid, column = cell - cell_row * p.grid;
    int64_t row = (cell_row - b * p.grid) * p.patch + line - c * p.patch;
    p.y[run * p.units + at] = p.x[(((b * 3 + c) * p.grid * p.patch + row) * p.grid + column) * p.units + at];
}

template <typename U> static void cut(struct sb_dev *d, sb_in x, int64_t patch, sb_out y)
{
    int64_t grid = x->shape[2] / patch, units = patch * (int64_t)sb_dtype_size(x->dtype) / (int64_t)sizeof(U);
    patches<U> p = {(const U *)x->data, (U *)y->data, grid, patch, units};
    sb_map<1>(d, p, x->shape[0] * grid * grid * 3 * patch, units, true);
}

void sb_cuda_patchify(struct sb_dev *d, sb_in x, int64_t patch, sb_out y)
{
    uintptr_t all = (uintptr_t)x->data | (uintptr_t)y->data | (uintptr_t)patch * sb_dtype_size(x->dtype);
    SB_BY_UNIT(all, U, cut<U>(d, x, patch, y));
}

/* ---- pooling ----------------------------------------------------------------------------------------------------- */

/* Block x: the mean of `columns` of sample x / tiles over tokens first .. n-1. */
template <int width, typename T>
static __global__ void __launch_bounds__(SB_COLUMN_THREADS)
    mean_kernel(sb_column_rows<T> tokens, int64_t first, int64_t n, int64_t dim, int tiles, int across, T *y)
{
    SB_SHARED(float, part, SB_COLUMN_THREADS * width);
    int64_t b = blockIdx.x / tiles, column = (blockIdx.x - b * tiles) * across * width;
    float share = 1.0f / (float)(n - first);
    sb_column_walk<1, width>(tokens, b * n + first, (b + 1) * n, column, dim, across, part);
    for (int at = (int)threadIdx.x; at < across * width && column + at < dim; at += SB_COLUMN_THREADS)
        sb_put(y + b * dim + column + at, share * sb_column_total<width>(part, 0, at, across));
}

template <int width, typename T> static void mean_of(struct sb_dev *d, int64_t first, sb_in x, sb_out y)
{
    int64_t dim = x->shape[2];
    int across = sb_column_across(dim, width), tiles = (int)sb_ceil_div(dim, across * width);
    sb_column_rows<T> tokens = {(const T *)x->data, dim};
    SB_LAUNCH(d, (mean_kernel<width, T>), (unsigned)(x->shape[0] * tiles), SB_COLUMN_THREADS, 0, tokens, first,
              x->shape[1], dim, tiles, across, (T *)y->data);
}

template <typename T> static void mean(struct sb_dev *d, int64_t first, sb_in x, sb_out y)
{
    if (sb_wide((const T *)x->data, x->shape[2])) mean_of<SB_LANES<T>, T>(d, first, x, y);
    else mean_of<1, T>(d, first, x, y);
}

void sb_cuda_pool(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in x, sb_out y)
{
    int64_t n = x->shape[1], dim = x->shape[2];
    if (!sb_tensor_count(y)) return;
    if (kind == SB_POOL_MEAN) {
        SB_BY_DTYPE(x->dtype, T, mean<T>(d, first, x, y));
        return;
    }
    struct sb_tensor from = *y;
    from.data = (char *)x->data + (size_t)(first * dim) * sb_dtype_size(x->dtype);
    sb_cuda_copy(d, &from, n * dim, dim, y);
}

template <typename T> struct spread {
    const T *dy;
    T *dx;
    int64_t n, first, end, dim;
};

template <int width, typename T>
static __device__ inline void sb_map_at(const spread<T> &s, int64_t row, int64_t at, sb_lanes<width>)
{
    int64_t b = row / s.n, i = row - b * s.n;
    float v[width] = {}, share = 1.0f / (float)(s.end - s.first);
    if (i >= s.first && i < s.end) sb_read<width>(v, s.dy + b * s.dim + at);
#pragma unroll
    for (int j = 0; j < width; j++) v[j] *= share;
    sb_write<width>(s.dx + row * s.dim + at, v);
}

template <typename T>
static void pool_bwd(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in dy, sb_out dx)
{
    int64_t n = dx->shape[1], dim = dx->shape[2];
    spread<T> s = {(const T *)dy->data, (T *)dx->data, n, first, kind == SB_POOL_FIRST ? first + 1 : n, dim};
    sb_map<SB_LANES<T>>(d, s, dx->shape[0] * n, dim, sb_wide(s.dy, dim) && sb_wide(s.dx, dim));
}

void sb_cuda_pool_bwd(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in dy, sb_out dx)
{
    SB_BY_DTYPE(dx->dtype, T, pool_bwd<T>(d, kind, first, dy, dx));
}
