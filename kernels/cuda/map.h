/* One launcher for kernels that make each element by itself: activations, casts, residuals, gathered rows.
 *
 * The elements lie in rows of n. Each thread makes `width` neighbours of a row, at 16 bytes an access where pointers
 * and row lengths allow (wide), else one after the other by the same code. A kernel is a struct of its arguments and
 * one function beside it, found by the struct's type, a template over how many elements it makes at once:
 *
 *     template <typename T> struct halve { const T *x; T *y; int64_t stride; };
 *     template <int n, typename T>
 *     static __device__ inline void sb_map_at(const halve<T> &h, int64_t row, int64_t at, sb_lanes<n>)
 *     {
 *         float v[n];
 *         sb_read<n>(v, h.x + row * h.stride + at);
 *         for (int i = 0; i < n; i++) v[i] *= 0.5f;
 *         sb_write<n>(h.y + row * h.stride + at, v);
 *     }
 *     ...
 *     sb_map<SB_LANES<T>>(d, halve<T>{x, y, stride}, rows, n, sb_wide(x, n) && sb_wide(y, n) && ...);
 *
 * A row of 1 is the whole tensor; wide then asks for aligned pointers alone, for the last few elements are made one by
 * one. */
#ifndef SB_KERNELS_CUDA_MAP_H
#define SB_KERNELS_CUDA_MAP_H

#include "kernels/cuda/kernel.h"

#define SB_MAP_THREADS 256

template <int n> struct sb_lanes {};

/* SB_BY_UNIT(all, U, launch<U>(...)), for what moves bytes as they are: U is the widest unsigned type, of 16 bytes to
 * one, of which all addresses and lengths in bytes are multiples; `all` is the or of them. */
#define SB_BY_UNIT(all, U, ...)                                                                                        \
    do {                                                                                                               \
        if ((all) % 16 == 0) {                                                                                         \
            using U = uint4;                                                                                           \
            __VA_ARGS__;                                                                                               \
        } else if ((all) % 8 == 0) {                                                                                   \
            using U = uint2;                                                                                           \
            __VA_ARGS__;                                                                                               \
        } else if ((all) % 4 == 0) {                                                                                   \
            using U = uint32_t;                                                                                        \
            __VA_ARGS__;                                                                                               \
        } else if ((all) % 2 == 0) {                                                                                   \
            using U = uint16_t;                                                                                        \
            __VA_ARGS__;                                                                                               \
        } else {                                                                                                       \
            using U = uint8_t;                                                                                         \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)

/* Static, as everything here: two files may have structs of one name. */
template <int width, typename Body>
static __global__ void __launch_bounds__(SB_MAP_THREADS) sb_map_kernel(Body body, int64_t rows, int64_t n, bool wide)
{
    int64_t group = (int64_t)blockIdx.x * SB_MAP_THREADS + threadIdx.x, groups = (n + width - 1) / width, row = 0;
    if (rows > 1) {
        row = group / groups;
        group -= row * groups;
    }
    if (row >= rows || group >= groups) return;
    int64_t at = group * width, end = at + width < n ? at + width : n;
    if (wide && at + width == end) {
        sb_map_at(body, row, at, sb_lanes<width>());
    } else {
#pragma unroll 1
        for (; at < end; at++) sb_map_at(body, row, at, sb_lanes<1>());
    }
}

static inline int64_t sb_sample_count(sb_in x) { return x->shape[0] ? sb_tensor_count(x) / x->shape[0] : 0; }

template <int width, typename Body>
static inline void sb_map(struct sb_dev *d, const Body &body, int64_t rows, int64_t n, bool wide)
{
    if (!rows || !n) return;
    int64_t groups = sb_ceil_div(n, width) * rows;
    SB_LAUNCH(d, (sb_map_kernel<width, Body>), (unsigned)sb_ceil_div(groups, SB_MAP_THREADS), SB_MAP_THREADS, 0, body,
              rows, n, wide);
}

#endif
