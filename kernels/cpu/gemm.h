/* A small matrix product for one thread: c[m,n] = a[m,k] b[k,n], or += with `add`. For what lies in cache, as a head of
 * attention does; large ones go to oneDNN.
 *
 * a is read with two strides, so it may be stored transposed. b and c are rows; n is rounded up to whole vectors, so
 * their rows must have room for that (sb_gemm_width). What stands in the surplus columns of b ends in the surplus
 * columns of c. */
#ifndef SB_KERNELS_CPU_GEMM_H
#define SB_KERNELS_CPU_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/cpu/lanes.h"

/* The tile of c that is held in registers: 24 of 32 with AVX-512, 12 of 16 with AVX2. */
#define SB_TILE_ROWS 6
#define SB_TILE_VECTORS (SB_LANES == 16 ? 4 : 2)

/* Floats in a row of n: whole vectors, and an odd number of cache lines, since rows a power of two apart evict each
 * other. */
static inline int64_t sb_gemm_width(int64_t n)
{
    int64_t lines = (n + 15) / 16;
    return (lines | 1) * 16;
}

typedef float sb_word __attribute__((may_alias)); /* a float, or two bf16 */

struct sb_gemm {
    int64_t m, n, k;
    const float *a;
    int64_t a_row, a_col;
    const float *b;
    int64_t b_row;
    float *c;
    int64_t c_row;
    bool add;
};

/* sum + a line. Pairs: each float is two bf16, whose two products are added. */
static inline __attribute__((always_inline)) sb_vector sb_gemm_step(const bool pairs, sb_vector sum, float a,
                                                                    sb_vector line)
{
#ifdef __AVX512BF16__
    if (pairs) return (sb_vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_ps(a), (__m512bh)line);
#endif
    (void)pairs;
    return sum + a * line;
}

static inline __attribute__((always_inline)) void sb_gemm_tile(const bool pairs, const int rows, const int vectors,
                                                               const struct sb_gemm *g, int64_t row, int64_t col)
{
    sb_vector sum[SB_TILE_ROWS][SB_TILE_VECTORS];
    const sb_word *a = g->a + row * g->a_row;
    const float *b = g->b + col;
    float *c = g->c + row * g->c_row + col;
    const int64_t a_row = g->a_row, a_col = g->a_col, b_row = g->b_row, c_row = g->c_row, k = g->k;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            sum[r][v] = (sb_vector){0};
            if (g->add) sum[r][v] = sb_load_vector(c + r * c_row + v * SB_LANES);
        }
    }
    for (int64_t p = 0; p < k; p++, a += a_col, b += b_row) {
        sb_vector line[SB_TILE_VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) line[v] = sb_load_vector(b + v * SB_LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            float factor = a[r * a_row];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) sum[r][v] = sb_gemm_step(pairs, sum[r][v], factor, line[v]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) *(sb_vector_at *)(c + r * c_row + v * SB_LANES) = sum[r][v];
    }
}

static inline __attribute__((always_inline)) void sb_gemm_rows(const bool pairs, const int vectors,
                                                               const struct sb_gemm *g, int64_t col)
{
    int64_t row = 0;
    for (; row + SB_TILE_ROWS <= g->m; row += SB_TILE_ROWS) sb_gemm_tile(pairs, SB_TILE_ROWS, vectors, g, row, col);
    switch (g->m - row) {
    case 5: sb_gemm_tile(pairs, 5, vectors, g, row, col); break;
    case 4: sb_gemm_tile(pairs, 4, vectors, g, row, col); break;
    case 3: sb_gemm_tile(pairs, 3, vectors, g, row, col); break;
    case 2: sb_gemm_tile(pairs, 2, vectors, g, row, col); break;
    case 1: sb_gemm_tile(pairs, 1, vectors, g, row, col); break;
    }
}

static inline __attribute__((always_inline)) void sb_gemm_all(const bool pairs, struct sb_gemm g)
{
    int64_t vectors = (g.n + SB_LANES - 1) / SB_LANES, done = 0;
    for (; done + SB_TILE_VECTORS <= vectors; done += SB_TILE_VECTORS)
        sb_gemm_rows(pairs, SB_TILE_VECTORS, &g, done * SB_LANES);
    switch (vectors - done) {
#if SB_LANES == 16
    case 3: sb_gemm_rows(pairs, 3, &g, done * SB_LANES); break;
    case 2: sb_gemm_rows(pairs, 2, &g, done * SB_LANES); break;
#endif
    case 1: sb_gemm_rows(pairs, 1, &g, done * SB_LANES); break;
    }
}

static inline void sb_gemm(struct sb_gemm g)
{
    sb_gemm_all(false, g);
}

#ifdef __AVX512BF16__
/* The same of bf16: k counts pairs of them along the inner dimension, each pair in the place of a float of a and b. */
static inline void sb_gemm_pairs(struct sb_gemm g)
{
    sb_gemm_all(true, g);
}
#endif

#endif
