/* What the files of the cpu backend share.
 *
 * device.c and the files that call oneDNN (plan.c, matmul.c, convolution.c) are compiled once, for any x86-64. The
 * other files are compiled once for each level of instructions (x86-64-v3 with AVX2, x86-64-v4 with AVX-512, that with
 * bf16 products) and linked into one object a level, of which only its table is seen outside. device.c hands out the
 * table that suits the processor. */
#ifndef SB_KERNELS_CPU_CPU_H
#define SB_KERNELS_CPU_CPU_H

#include <omp.h>
#include <string.h>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "kernels/each.h"

#define SB_CPU_DECLARE(op) __typeof__(*((struct sb_ops *)0)->op) sb_cpu_##op;
SB_OPS_EACH(SB_CPU_DECLARE)

extern const struct sb_ops sb_cpu_ops_v3, sb_cpu_ops_v4, sb_cpu_ops_bf16;

struct sb_plans; /* plan.c */

struct sb_dev {
    int threads;
    size_t taken; /* bytes that alloc gave out */
    struct sb_plans *plans;
    float *scratch;        /* one part a thread */
    int64_t scratch_part;  /* floats in a part; a multiple of 16 */
    void *fetched[SB_FETCH_SLOTS];
    size_t fetched_cap[SB_FETCH_SLOTS];
};

/* Makes each thread's part of the scratch hold at least this many floats. It keeps nothing from op to op. */
void sb_cpu_reserve(struct sb_dev *d, int64_t floats);

static inline float *sb_cpu_part(const struct sb_dev *d, int thread)
{
    return d->scratch + d->scratch_part * thread;
}

static inline float *sb_cpu_mine(const struct sb_dev *d)
{
    return sb_cpu_part(d, omp_get_thread_num());
}

/* How many threads a loop over this many elements is worth: waking them costs about as much as 16 K elements. */
static inline int sb_cpu_threads(const struct sb_dev *d, int64_t elements)
{
    int64_t worth = elements / 16384;
    return worth < 2 ? 1 : worth < d->threads ? (int)worth : d->threads;
}

/* This thread's part of 0..n-1: the same for the same number of threads, so that sums are too. */
static inline void sb_cpu_share(int64_t n, int64_t *from, int64_t *to)
{
    int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
    *from = n * me / threads;
    *to = n * (me + 1) / threads;
}

/* ---- reading and writing act elements as f32 --------------------------------------------------------------------- */

#define SB_CPU_BLOCK 1024 /* elements that an element-wise loop takes at a time */

static inline void sb_cpu_widen(const uint16_t *x, float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        union { uint32_t u; float f; } v = {(uint32_t)x[i] << 16};
        y[i] = v.f;
    }
}

static inline void sb_cpu_narrow(const float *x, uint16_t *y, int64_t n)
{
    int64_t i = 0;
#ifdef __AVX512BF16__
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)(y + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
#endif
#pragma omp simd
    for (int64_t j = i; j < n; j++) {
        union { float f; uint32_t u; } v = {x[j]};
        uint32_t rounded = (v.u + 0x7fffu + ((v.u >> 16) & 1u)) >> 16, nan = (v.u >> 16) | 0x40u;
        y[j] = (uint16_t)((v.u & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
    }
}

/* n elements of x from element `at` on: in place where they are f32, else widened into buffer. */
static inline const float *sb_cpu_read(sb_in x, int64_t at, int64_t n, float *buffer)
{
    if (x->dtype == SB_F32) return (const float *)x->data + at;
    sb_cpu_widen((const uint16_t *)x->data + at, buffer, n);
    return buffer;
}

/* Where to write elements of y: in place, or into buffer until sb_cpu_written. */
static inline float *sb_cpu_write(sb_out y, int64_t at, float *buffer)
{
    return y->dtype == SB_F32 ? (float *)y->data + at : buffer;
}

static inline void sb_cpu_written(sb_out y, int64_t at, int64_t n, const float *buffer)
{
    if (y->dtype != SB_F32) sb_cpu_narrow(buffer, (uint16_t *)y->data + at, n);
}

static inline void *sb_cpu_at(sb_in x, int64_t at)
{
    return (char *)x->data + (size_t)at * sb_dtype_size(x->dtype);
}

static inline int64_t sb_cpu_last(sb_in x)
{
    return x->shape[x->ndim - 1];
}

/* y = body(a, b) block by block; b optional. */
typedef void (*sb_cpu_body)(const float *a, const float *b, float *y, int64_t n, const void *what);
void sb_cpu_map(struct sb_dev *d, sb_in a, sb_in b, sb_out y, sb_cpu_body body, const void *what); /* elementwise.c */
/* y = act(x) + residual (optional). */
void sb_cpu_activate(struct sb_dev *d, enum sb_act a, sb_in x, sb_in residual, sb_out y); /* elementwise.c */
/* sum[cols] += the columns of x[rows, cols]. */
void sb_cpu_columns(struct sb_dev *d, sb_in x, int64_t rows, int64_t cols, float *sum); /* elementwise.c */

/* ---- oneDNN (matmul.c, convolution.c) ---------------------------------------------------------------------------- */

/* y[M,N] = act(x[M,K] w[K,N] + bias[N]) + residual[M,N]; with sum, y += it. */
struct sb_matmul {
    int64_t m, n, k;
    int32_t in, out;                          /* enum sb_dtype: of x, w, bias and residual; of y */
    int32_t act;                              /* enum sb_act */
    uint8_t x_transposed, w_transposed;       /* stored as [K,M], [N,K] */
    uint8_t bias, residual, sum, packed;
};

struct sb_plans *sb_plans_open(int threads);
void sb_plans_close(struct sb_plans *p);
bool sb_plans_fast_bf16(void);
bool sb_plans_avx512(void);
bool sb_plans_avx512_bf16(void);
void sb_cpu_matmul(struct sb_dev *d, const struct sb_matmul *what, const void *x, const void *w, const void *bias,
                   const void *residual, void *y);
/* The packed form of w[K,N] (stored [N,K] if transposed), for sb_matmul.packed. 0 bytes: there is none. */
size_t sb_cpu_packed_size(struct sb_dev *d, int64_t k, int64_t n, enum sb_dtype dtype, bool transposed);
void sb_cpu_packed(struct sb_dev *d, int64_t k, int64_t n, enum sb_dtype dtype, bool transposed, const void *w,
                   void *packed);

struct sb_convolution {
    int64_t b, h, w, i; /* of x [B,H,W,I] */
    int64_t oh, ow, o;  /* of y [B,OH,OW,O] */
    int64_t kh, kw, stride, pad;
    int32_t dtype; /* enum sb_dtype */
};

enum sb_convolve {
    SB_CONVOLVE,        /* in x, with w and bias (optional), out y */
    SB_CONVOLVE_DATA,   /* in dy, with w, out dx */
    SB_CONVOLVE_WEIGHTS /* in dy, with x, out dw f32, += */
};

void sb_cpu_convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *shape, const void *in,
                     const void *with, const void *bias, void *out);

#endif
