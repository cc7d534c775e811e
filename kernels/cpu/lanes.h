/* Vectors of the level that a file is compiled for, and sums over rows. The compiler's own reductions add the lanes up
 * one after the other, which takes longer than a row of a few hundred numbers. */
#ifndef SB_KERNELS_CPU_LANES_H
#define SB_KERNELS_CPU_LANES_H

#include <immintrin.h>
#include <stdint.h>

#ifdef __AVX512F__
#define SB_LANES 16
#else
#define SB_LANES 8
#endif

typedef float sb_vector __attribute__((vector_size(SB_LANES * 4)));
typedef float sb_vector_at __attribute__((vector_size(SB_LANES * 4), aligned(4), may_alias)); /* in memory */

static inline sb_vector sb_load_vector(const float *x)
{
    return *(const sb_vector_at *)x;
}

static inline sb_vector sb_all(float x)
{
    return (sb_vector){0} + x;
}

#ifdef __AVX512F__
#define SB_SWAP_8(v) __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define SB_SWAP_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define SB_SWAP_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define SB_SWAP_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#else
#define SB_SWAP_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define SB_SWAP_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define SB_SWAP_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#endif

static inline float sb_lanes_sum(sb_vector v)
{
#ifdef SB_SWAP_8
    v += SB_SWAP_8(v);
#endif
    v += SB_SWAP_4(v);
    v += SB_SWAP_2(v);
    v += SB_SWAP_1(v);
    return v[0];
}

static inline sb_vector sb_larger(sb_vector a, sb_vector b)
{
#ifdef __AVX512F__
    return (sb_vector)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return (sb_vector)_mm256_max_ps((__m256)a, (__m256)b);
#endif
}

static inline float sb_lanes_max(sb_vector v)
{
#ifdef SB_SWAP_8
    v = sb_larger(v, SB_SWAP_8(v));
#endif
    v = sb_larger(v, SB_SWAP_4(v));
    v = sb_larger(v, SB_SWAP_2(v));
    v = sb_larger(v, SB_SWAP_1(v));
    return v[0];
}

static inline float sb_sum(const float *x, int64_t n)
{
    sb_vector a = {0}, b = {0};
    int64_t i = 0;
    for (; i + 2 * SB_LANES <= n; i += 2 * SB_LANES) {
        a += sb_load_vector(x + i);
        b += sb_load_vector(x + i + SB_LANES);
    }
    for (; i + SB_LANES <= n; i += SB_LANES) a += sb_load_vector(x + i);
    float sum = sb_lanes_sum(a + b);
    for (; i < n; i++) sum += x[i];
    return sum;
}

static inline float sb_dot(const float *x, const float *y, int64_t n)
{
    sb_vector a = {0}, b = {0};
    int64_t i = 0;
    for (; i + 2 * SB_LANES <= n; i += 2 * SB_LANES) {
        a += sb_load_vector(x + i) * sb_load_vector(y + i);
        b += sb_load_vector(x + i + SB_LANES) * sb_load_vector(y + i + SB_LANES);
    }
    for (; i + SB_LANES <= n; i += SB_LANES) a += sb_load_vector(x + i) * sb_load_vector(y + i);
    float sum = sb_lanes_sum(a + b);
    for (; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* Of at least one number. */
static inline float sb_max(const float *x, int64_t n)
{
    sb_vector v = sb_all(x[0]);
    int64_t i = 0;
    for (; i + SB_LANES <= n; i += SB_LANES) v = sb_larger(v, sb_load_vector(x + i));
    float most = sb_lanes_max(v);
    for (; i < n; i++) most = x[i] > most ? x[i] : most;
    return most;
}

/* ---- transposition ----------------------------------------------------------------------------------------------- */

/* Lane l of the first, or of the second, of two rows `step` apart after blocks of `step` lanes have changed places
 * between them. */
#define SB_UPPER(l, step) ((l) & (step) ? SB_LANES + (l) - (step) : (l))
#define SB_LOWER(l, step) ((l) & (step) ? SB_LANES + (l) : (l) + (step))
#define SB_EACH_4(f, l, step) f(l, step), f(l + 1, step), f(l + 2, step), f(l + 3, step)
#define SB_EACH_8(f, l, step) SB_EACH_4(f, l, step), SB_EACH_4(f, l + 4, step)
#ifdef __AVX512F__
#define SB_EACH_LANE(f, step) SB_EACH_8(f, 0, step), SB_EACH_8(f, 8, step)
#else
#define SB_EACH_LANE(f, step) SB_EACH_8(f, 0, step)
#endif
#define SB_EXCHANGE(row, step)                                                                                         \
    for (int i_ = 0; i_ < SB_LANES; i_++) {                                                                            \
        if (i_ & (step)) continue;                                                                                     \
        sb_vector upper_ = row[i_], lower_ = row[i_ + (step)];                                                         \
        row[i_] = __builtin_shufflevector(upper_, lower_, SB_EACH_LANE(SB_UPPER, step));                               \
        row[i_ + (step)] = __builtin_shufflevector(upper_, lower_, SB_EACH_LANE(SB_LOWER, step));                      \
    }

/* to[l][i] = from[i][l] for SB_LANES rows of SB_LANES. */
static inline void sb_transpose(const float *from, int64_t from_width, float *to, int64_t to_width)
{
    sb_vector row[SB_LANES];
#pragma GCC unroll 16
    for (int i = 0; i < SB_LANES; i++) row[i] = sb_load_vector(from + i * from_width);
#ifdef __AVX512F__
#pragma GCC unroll 16
    SB_EXCHANGE(row, 8)
#endif
#pragma GCC unroll 16
    SB_EXCHANGE(row, 4)
#pragma GCC unroll 16
    SB_EXCHANGE(row, 2)
#pragma GCC unroll 16
    SB_EXCHANGE(row, 1)
#pragma GCC unroll 16
    for (int i = 0; i < SB_LANES; i++) *(sb_vector_at *)(to + i * to_width) = row[i];
}

#endif
