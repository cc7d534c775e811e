/* Sums over the rows of a matrix, one for each column: gradients of biases, gains and positions, statistics of
 * channels. One pass over the data at 16 bytes an access, sums in f32 in an order that the sizes alone fix.
 *
 * A matrix in memory, [rows, columns] with rows stride apart, into a parameter's gradient:
 *
 *     struct sb_column_rows<T> m = {x, stride};
 *     struct sb_column_to<1> to = {{db}, true};                 (true: +=, false: =)
 *     if (sb_wide(x, columns) && stride % SB_LANES<T> == 0) sb_column_sum<SB_LANES<T>>(d, m, rows, columns, to);
 *     else sb_column_sum<1>(d, m, rows, columns, to);
 *
 * Values that are computed, one or several at once from the same data (dy and dy * x, say): a struct of your pointers
 * and one function beside it, which is found by its type:
 *
 *     template <typename T> struct gains { const T *x, *dy; int64_t columns; };
 *     template <int width, typename T>
 *     static __device__ inline void sb_column_values(const gains<T> &g, int64_t row, int64_t column,
 *                                                    float (&to)[2][width])
 *
 * fills to[k][i] with the value that column + i adds to sum k. It may write, too, but only where it has read: to any
 * other address nvcc 13.0 splits the 16-byte stores in this loop. A kernel that has written partial sums [sums, rows,
 * columns] itself (to the front of d->scratch or elsewhere) ends with sb_column_finish. One that sums rows of its own
 * choice in one block uses sb_column_walk and sb_column_total. */
#ifndef SB_KERNELS_CUDA_COLUMN_SUM_H
#define SB_KERNELS_CUDA_COLUMN_SUM_H

#include "kernels/cuda/kernel.h"

#define SB_COLUMN_THREADS 256

/* Where the sums go, f32 [columns] each; NULL: nowhere. */
template <int sums> struct sb_column_to {
    float *sum[sums];
    bool add; /* +=, else = */
};

template <typename T> struct sb_column_rows {
    const T *x;
    int64_t stride;
};

template <int width, typename T>
static __device__ inline void sb_column_values(const sb_column_rows<T> &m, int64_t row, int64_t column,
                                               float (&to)[1][width])
{
    sb_read<width>(to[0], m.x + row * m.stride + column);
}

/* f32 [sums, rows, columns] */
struct sb_column_partials {
    const float *x;
    int64_t rows, columns;
};

template <int sums, int width>
static __device__ inline void sb_column_values(const sb_column_partials &p, int64_t row, int64_t column,
                                               float (&to)[sums][width])
{
#pragma unroll
    for (int k = 0; k < sums; k++) sb_read<width>(to[k], p.x + (k * p.rows + row) * p.columns + column);
}

/* ---- within a block ---------------------------------------------------------------------------------------------- */

/* `across` threads, a power of 2, lie along the columns, width columns each; the others take other rows. Each sums its
 * rows of first .. last-1; the sums are in part (shared, SB_COLUMN_THREADS * sums * width floats) when this returns. */
template <int sums, int width, typename Source>
static __device__ inline void sb_column_walk(const Source &source, int64_t first, int64_t last, int64_t column,
                                             int64_t columns, int across, float *part)
{
    int lane = (int)threadIdx.x / across, lanes = SB_COLUMN_THREADS / across, at = (int)threadIdx.x % across * width;
    int64_t row = first + lane, steps = (last - row + lanes - 1) >> (31 - __clz(lanes)); /* lanes: a power of 2 */
    float sum[sums][width] = {};
    if (column + at < columns) {
#pragma unroll 4
        for (int64_t i = 0; i < steps; i++, row += lanes) {
            float value[sums][width];
            sb_column_values(source, row, column + at, value);
#pragma unroll
            for (int j = 0; j < sums * width; j++) sum[j / width][j % width] += value[j / width][j % width];
        }
    }
#pragma unroll
    for (int k = 0; k < sums; k++) sb_write<width>(part + (k * lanes + lane) * across * width + at, sum[k]);
    __syncthreads();
}

/* Sum k of column `at` of the block's across * width columns. */
template <int width> static __device__ inline float sb_column_total(const float *part, int k, int at, int across)
{
    int lanes = SB_COLUMN_THREADS / across;
    float total = 0;
    for (int lane = 0; lane < lanes; lane++) total += part[(k * lanes + lane) * across * width + at];
    return total;
}

/* Threads along the columns: no more than there are columns, at most 512 bytes of a row. */
static inline int sb_column_across(int64_t columns, int width)
{
    int across = 1;
    while (across < SB_WARP && across * width < columns) across *= 2;
    return across;
}

/* ---- over the whole matrix --------------------------------------------------------------------------------------- */

/* Block (x, y) sums chunk y, rows_each rows, of its columns to row y of the targets. (Static: two files may have
 * sources of one name.) */
template <int sums, int width, typename Source>
static __global__ void __launch_bounds__(SB_COLUMN_THREADS)
    sb_column_kernel(Source source, int64_t rows, int64_t columns, int across, int64_t rows_each,
                     struct sb_column_to<sums> to)
{
    SB_SHARED(float, part, SB_COLUMN_THREADS * sums * width);
    int64_t first = blockIdx.y * rows_each, last = first + rows_each < rows ? first + rows_each : rows;
    int64_t column = (int64_t)blockIdx.x * across * width;
    sb_column_walk<sums, width>(source, first, last, column, columns, across, part);
    for (int at = (int)threadIdx.x; at < across * width && column + at < columns; at += SB_COLUMN_THREADS) {
#pragma unroll
        for (int k = 0; k < sums; k++) {
            if (!to.sum[k]) continue;
            float total = sb_column_total<width>(part, k, at, across);
            float *p = to.sum[k] + blockIdx.y * columns + column + at;
            *p = to.add ? *p + total : total;
        }
    }
}

template <int sums, int width, typename Source>
static inline void sb_column_launch(struct sb_dev *d, const Source &source, int64_t rows, int64_t columns, int across,
                                    int64_t chunks, const struct sb_column_to<sums> &to)
{
    dim3 grid((unsigned)sb_ceil_div(columns, across * width), (unsigned)chunks);
    SB_LAUNCH(d, (sb_column_kernel<sums, width, Source>), grid, SB_COLUMN_THREADS, 0, source, rows, columns, across,
              sb_ceil_div(rows, chunks), to);
}

/* Sums of partial sums [sums, rows, columns], 16-byte aligned. They are few, so a block takes 128 bytes of a row only:
 * more blocks, each thread with fewer rows. */
template <int sums>
static inline void sb_column_finish(struct sb_dev *d, const float *partial, int64_t rows, int64_t columns,
                                    const struct sb_column_to<sums> &to)
{
    struct sb_column_partials p = {partial, rows, columns};
    if (columns % 4 == 0) sb_column_launch<sums, 4>(d, p, rows, columns, 8, 1, to);
    else sb_column_launch<sums, 1>(d, p, rows, columns, SB_WARP, 1, to);
}

/* Enough chunks of rows for 1,024 blocks, each thread with four rows or more; the number does not hang on the GPU, so
 * that the bytes don't. Uses the first `sums` MiB of d->scratch: 1,024 blocks have 256 sums or fewer each. */
template <int width, int sums, typename Source>
static inline void sb_column_sum(struct sb_dev *d, const Source &source, int64_t rows, int64_t columns,
                                 const struct sb_column_to<sums> &to)
{
    if (!columns) return;
    int across = sb_column_across(columns, width);
    int64_t tiles = sb_ceil_div(columns, across * width), chunks = 1024 / tiles, least = 4 * SB_COLUMN_THREADS / across;
    if (chunks > rows / least) chunks = rows / least;
    if (chunks < 2) {
        sb_column_launch<sums, width>(d, source, rows, columns, across, 1, to);
        return;
    }
    chunks = sb_ceil_div(rows, sb_ceil_div(rows, chunks)); /* none is empty */
    float *partial = (float *)d->scratch;
    struct sb_column_to<sums> between = {};
    for (int k = 0; k < sums; k++) between.sum[k] = partial + k * chunks * columns;
    sb_column_launch<sums, width>(d, source, rows, columns, across, chunks, between);
    sb_column_finish(d, partial, chunks, columns, to);
}

#endif
