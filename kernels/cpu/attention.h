/* How attention's two files see its tensors: a head of a sample as rows in memory, brought into a thread's scratch. */
#ifndef SB_KERNELS_CPU_ATTENTION_H
#define SB_KERNELS_CPU_ATTENTION_H

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/vecmath.h"

#define AHEAD 12

/* Rows of E elements that lie `stride` elements apart. */
struct rows {
    sb_in in;
    int64_t first, stride;
};

struct shape {
    int64_t tokens, keys, past, heads, e;
    int64_t width, long_width; /* floats of a scratch row of E, of a row of keys */
    int64_t block;             /* queries at a time */
    bool causal;
};

/* scores: floats that those of a block of queries may take; most: queries of a block. */
static inline struct shape shape_of(sb_in qkv, bool causal, int64_t past, int64_t scores, int64_t most)
{
    struct shape s = {
        .tokens = qkv->shape[1], .past = past, .heads = qkv->shape[3], .e = qkv->shape[4], .causal = causal};
    s.keys = past + s.tokens;
    s.width = sb_gemm_width(s.e);
    s.long_width = sb_gemm_width(s.keys);
    int64_t fit = scores / s.keys;
    most = fit < 2 * SB_TILE_ROWS ? 2 * SB_TILE_ROWS : fit < most ? fit : most;
    int64_t blocks = (s.tokens + most - 1) / most, even = (s.tokens + blocks - 1) / blocks;
    s.block = (even + SB_TILE_ROWS - 1) / SB_TILE_ROWS * SB_TILE_ROWS;
    return s;
}

/* q (0), k (1) or v (2) of a head in qkv [B,T,3,H,E]. */
static inline struct rows part_of(sb_in qkv, const struct shape *s, int64_t b, int which, int64_t h)
{
    return (struct rows){qkv, ((b * s->tokens * 3 + which) * s->heads + h) * s->e, 3 * s->heads * s->e};
}

/* A head of y [B,T,H,E]. */
static inline struct rows head_of(sb_in y, const struct shape *s, int64_t b, int64_t h)
{
    return (struct rows){y, (b * s->tokens * s->heads + h) * s->e, s->heads * s->e};
}

static inline void load(struct rows from, int64_t first, int64_t count, int64_t e, float scale, float *to,
                        int64_t width)
{
    size_t bytes = (size_t)e * sb_dtype_size(from.in->dtype);
    for (int64_t i = 0; i < count; i++, to += width) {
        const char *later = sb_cpu_at(from.in, from.first + (first + i + AHEAD) * from.stride);
        for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(later + at);
        const float *a = sb_cpu_read(from.in, from.first + (first + i) * from.stride, e, to);
#pragma omp simd
        for (int64_t j = 0; j < e; j++) to[j] = a[j] * scale;
    }
}

static inline void store(struct rows out, int64_t first, int64_t count, int64_t e, float scale, float *from,
                         int64_t width)
{
    for (int64_t i = 0; i < count; i++, from += width) {
        int64_t at = out.first + (first + i) * out.stride;
        float *to = sb_cpu_write(out.in, at, from);
#pragma omp simd
        for (int64_t j = 0; j < e; j++) to[j] = from[j] * scale;
        sb_cpu_written(out.in, at, e, to);
    }
}

/* Up to whole vectors, for which rows have room: what does not divide would be computed one by one. */
static inline int64_t padded(int64_t n) { return (n + SB_LANES - 1) / SB_LANES * SB_LANES; }

/* to[padded e, padded count] = rows transposed; wide: room for SB_LANES rows. */
static inline void load_transposed(struct rows from, int64_t count, int64_t e, float *to, int64_t width, float *wide,
                                   int64_t wide_width)
{
    for (int64_t i = 0; i < count; i += SB_LANES) {
        load(from, i, count - i < SB_LANES ? count - i : SB_LANES, e, 1.0f, wide, wide_width);
        for (int64_t j = 0; j < e; j += SB_LANES) sb_transpose(wide + j, wide_width, to + j * width + i, width);
    }
}

/* e^x lane by lane, as sb_exp gives it but for x = inf, which no score less its row's largest is. AVX-512 rounds, and
 * scales by 2^n, in one instruction. */
static inline sb_vector exp_lanes(sb_vector x)
{
#ifdef __AVX512F__
    __m512 c = _mm512_max_ps(_mm512_set1_ps(-104.0f), (__m512)x); /* NaN stays */
    __m512 whole = _mm512_roundscale_ps(_mm512_mul_ps(c, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
    sb_vector n = (sb_vector)whole, r = ((sb_vector)c - n * 0.693359375f) + n * 2.12194440e-4f;
    sb_vector p = SB_EXP_POLYNOMIAL(r);
    return (sb_vector)_mm512_scalef_ps((__m512)p, whole);
#else
    for (int i = 0; i < SB_LANES; i++) x[i] = sb_exp(x[i]);
    return x;
#endif
}

/* How many keys query i sees. */
static inline int64_t seen(const struct shape *s, int64_t i) { return s->causal ? s->past + i + 1 : s->keys; }

#ifdef __AVX512BF16__
/* attention and attention_bwd of bf16 with an even E and no cache. */
void sb_cpu_attention_bf16(struct sb_dev *d, sb_in qkv, bool causal, sb_out lse, sb_out y);
void sb_cpu_attention_bf16_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv);

static inline bool sb_cpu_in_pairs(sb_in qkv) { return qkv->dtype == SB_BF16 && qkv->shape[4] % 2 == 0; }
#endif

#endif
