/* Matrices whose rows are worked on one by one: a team of threads has a row, a block has one team or several.
 *
 * A kernel that only goes through its rows is a struct of its arguments (with `rows` and `width` among them) and one
 * function beside it, found by the struct's type, which all threads of a block call, sums over teams included:
 *
 *     template <typename T> struct halve { const T *x; T *y; int64_t rows, width; };
 *     template <int n, typename T>
 *     static __device__ inline void sb_row_at(const halve<T> &h, const sb_row<n> &r, float *room)
 *     {
 *         for (int64_t at = r.first; at < r.end; at += r.step) {
 *             float v[n];
 *             sb_row_read(v, h.x, r, at, 0.0f);
 *             for (int i = 0; i < n; i++) v[i] *= 0.5f;
 *             sb_row_write(h.y, r, at, v);
 *         }
 *     }
 *     ...
 *     sb_rows<SB_LANES<T>>(d, halve<T>{x, y, rows, width}, sb_wide(x, 0) && sb_wide(y, 0));
 *
 * Rows of any length take 16 bytes an access: pieces of n elements are cut where memory is aligned, so that the first
 * one of a row may begin before it and the last one may end behind it; there elements are taken one by one. */
#ifndef SB_KERNELS_CUDA_ROWS_H
#define SB_KERNELS_CUDA_ROWS_H

#include "kernels/cuda/kernel.h"

#define SB_TEAM_MOST 512 /* threads of a block: each may have 128 registers */

/* x: threads of a team, enough for a row and a multiple of 32, at most SB_TEAM_MOST; y: teams, for about `threads` in
 * all. */
static inline dim3 sb_teams(int64_t width, int lanes, int64_t rows, int threads)
{
    int64_t pieces = sb_ceil_div(width, lanes), most = SB_TEAM_MOST;
    int64_t x = pieces < most ? sb_ceil_div(pieces, SB_WARP) * SB_WARP : most;
    int64_t y = x < threads ? threads / x : 1;
    return dim3((unsigned)x, (unsigned)(y < rows ? y : rows));
}

/* Every thread gets the sum, or the largest, over its team. All threads of the block take part. room: shared, a float
 * for each thread that the block may have; two calls in turn take two rooms. */
static __device__ inline float sb_team_sum(float x, float *room)
{
    return sb_block_sum(x, room + threadIdx.y * SB_WARP);
}

static __device__ inline float sb_team_max(float x, float *room)
{
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP, warps = (int)blockDim.x / SB_WARP;
    room += threadIdx.y * SB_WARP;
    x = sb_warp_max(x);
    if (!lane) room[warp] = x;
    __syncthreads();
    return sb_warp_max(room[lane < warps ? lane : 0]);
}

/* A thread's share of a row: n elements at `first`, and at every `step` from there, up to `end`, the row's length;
 * none in a team that has no row. The row begins at element `start` of each matrix. */
template <int n> struct sb_row {
    int64_t row, start, first, end, step;
};

/* Elements beyond the row are `other`. */
template <int n, typename T>
static __device__ inline void sb_row_read(float (&to)[n], const T *x, const sb_row<n> &r, int64_t at, float other)
{
    const T *p = x + r.start + at;
    if (n == 1 || (at >= 0 && at + n <= r.end)) {
        sb_read<n>(to, p);
    } else {
#pragma unroll
        for (int i = 0; i < n; i++) to[i] = at + i >= 0 && at + i < r.end ? sb_get(p[i]) : other;
    }
}

template <int n, typename T>
static __device__ inline void sb_row_write(T *y, const sb_row<n> &r, int64_t at, const float (&from)[n])
{
    T *p = y + r.start + at;
    if (n == 1 || (at >= 0 && at + n <= r.end)) {
        sb_write<n>(p, from);
    } else {
#pragma unroll
        for (int i = 0; i < n; i++) {
            if (at + i >= 0 && at + i < r.end) sb_put(&p[i], from[i]);
        }
    }
}

/* Static: two files may have structs of one name. */
template <int n, typename Body> static __global__ void __launch_bounds__(SB_TEAM_MOST) sb_row_kernel(Body body)
{
    SB_SHARED(float, room, 2 * SB_TEAM_MOST);
    sb_row<n> r = {(int64_t)blockIdx.x * blockDim.y + threadIdx.y, 0, 0, 0, (int64_t)blockDim.x * n};
    if (r.row < body.rows) {
        r.start = r.row * body.width;
        r.first = (int64_t)threadIdx.x * n - r.start % n;
        r.end = body.width;
    }
    sb_row_at(body, r, room);
}

/* wide: all matrices are 16-byte aligned. */
template <int lanes, typename Body> static inline void sb_rows(struct sb_dev *d, const Body &body, bool wide)
{
    if (!body.rows || !body.width) return;
    dim3 block = sb_teams(body.width, wide ? lanes : 1, body.rows, 128);
    unsigned grid = (unsigned)sb_ceil_div(body.rows, block.y);
    if (wide) SB_LAUNCH(d, (sb_row_kernel<lanes, Body>), grid, block, 0, body);
    else SB_LAUNCH(d, (sb_row_kernel<1, Body>), grid, block, 0, body);
}

#endif
