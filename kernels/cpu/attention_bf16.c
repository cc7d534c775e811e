/* Attention with bf16 products and f32 sums, softmax and slopes: the way of attention.c, but that operands lie in
 * scratch as words of two bf16 that are neighbours along the product's inner dimension. A row's neighbours in E are
 * such words as they lie; two rows make them when they are interleaved. */
#ifdef __AVX512BF16__
#include <math.h>

#include "kernels/cpu/attention.h"

#define SCORES 16384
#define MOST_ROWS 48

static int64_t pairs(int64_t n) { return (n + 1) / 2; }

/* Rows as they lie. */
static void take(struct rows from, int64_t first, int64_t count, int64_t e, float *to, int64_t width)
{
    size_t bytes = (size_t)e * sizeof(uint16_t);
    for (int64_t i = 0; i < count; i++, to += width) {
        const char *later = sb_cpu_at(from.in, from.first + (first + i + AHEAD) * from.stride);
        for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(later + at);
        memcpy(to, sb_cpu_at(from.in, from.first + (first + i) * from.stride), bytes);
    }
}

/* to[E words of pairs, count] = rows transposed; wide: room for SB_LANES rows. */
static void take_transposed(struct rows from, int64_t count, int64_t e, float *to, int64_t width, float *wide,
                            int64_t wide_width)
{
    for (int64_t i = 0; i < count; i += SB_LANES) {
        take(from, i, count - i < SB_LANES ? count - i : SB_LANES, e, wide, wide_width);
        for (int64_t j = 0; j < pairs(e); j += SB_LANES) sb_transpose(wide + j, wide_width, to + j * width + i, width);
    }
}

/* to[pairs of rows, E]: row 2i in the lower halves of the words, row 2i+1 in the upper; after the last row zeros. */
static void interleave(const float *from, int64_t from_width, int64_t count, int64_t e, float *to, int64_t width)
{
    for (int64_t i = 0; i < count; i += 2, from += 2 * from_width, to += width) {
        const uint16_t *a = (const void *)from, *b = (const void *)(from + from_width);
        uint32_t *word = (void *)to;
        uint32_t upper = i + 1 < count ? 0xffffu : 0;
#pragma omp simd
        for (int64_t j = 0; j < e; j++) word[j] = a[j] | (b[j] & upper) << 16;
    }
}

static __m256i narrowed(const float *x) { return (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x)); }

/* A row of f32 to one of bf16 in its place. */
static void narrow(float *row, int64_t n)
{
    uint16_t *to = (void *)row;
    for (int64_t j = 0; j < n; j += SB_LANES) _mm256_storeu_si256((__m256i *)(void *)(to + j), narrowed(row + j));
}

/* Two rows of f32 to one of words. */
static void narrow_pair(const float *a, const float *b, int64_t n, float *to)
{
    for (int64_t j = 0; j < n; j += SB_LANES) {
        __m512i low = _mm512_cvtepu16_epi32(narrowed(a + j)), high = _mm512_cvtepu16_epi32(narrowed(b + j));
        _mm512_storeu_si512(to + j, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

/* Scores to exp(scale (score - largest)) as bf16 in their place, 0 from n to all; returns the sum. */
static float soften(float *score, int64_t n, int64_t all, float scale, float *largest)
{
    float most = sb_max(score, n) * scale;
    sb_vector sum = {0};
    uint16_t *to = (void *)score;
    for (int64_t j = n; j < padded(n); j++) score[j] = -INFINITY;
    for (int64_t j = 0; j < padded(n); j += SB_LANES) {
        sb_vector p = exp_lanes(sb_load_vector(score + j) * scale - most);
        sum += p;
        _mm256_storeu_si256((__m256i *)(void *)(to + j), (__m256i)_mm512_cvtneps_pbh((__m512)p));
    }
    if (padded(all) > padded(n)) memset(to + padded(n), 0, (size_t)(padded(all) - padded(n)) * sizeof *to);
    *largest = most;
    return sb_lanes_sum(sum);
}

/* A head's scratch: what blocks of queries share, then the block's own. */
struct scratch {
    float *keys, *values, *rest;
    int64_t row, wide, keys_size, values_size; /* row: floats of E as pairs; wide: of E */
};

static struct scratch scratch_of(const struct shape *s)
{
    struct scratch t = {.row = sb_gemm_width(pairs(s->e)), .wide = s->width};
    t.keys_size = padded(pairs(s->e)) * s->long_width;
    t.values_size = pairs(s->keys) * t.wide;
    return t;
}

static void forward_block(const struct shape *s, const struct scratch *t, struct rows q, int64_t first, int64_t count,
                          float *lse, struct rows y)
{
    float *query = t->rest, *out = query + s->block * t->row, *score = out + s->block * t->wide, part[2 * MOST_ROWS];
    int64_t all = seen(s, first + count - 1);
    take(q, first, count, s->e, query, t->row);
    sb_gemm_pairs((struct sb_gemm){count, all, pairs(s->e), query, t->row, 1, t->keys, s->long_width, score,
                                   s->long_width, false});
    for (int64_t i = 0; i < count; i++) {
        float most, sum = soften(score + i * s->long_width, seen(s, first + i), all, 1.0f / sqrtf((float)s->e), &most);
        part[i] = 1.0f / sum;
        if (lse) lse[first + i] = most + logf(sum);
    }
    sb_gemm_pairs(
        (struct sb_gemm){count, s->e, pairs(all), score, s->long_width, 1, t->values, t->wide, out, t->wide, false});
    for (int64_t i = 0; i < count; i++) store(y, first + i, 1, s->e, part[i], out + i * t->wide, t->wide);
}

void sb_cpu_attention_bf16(struct sb_dev *d, sb_in qkv, bool causal, sb_out lse, sb_out y)
{
    struct shape s = shape_of(qkv, causal, 0, SCORES, MOST_ROWS);
    struct scratch size = scratch_of(&s);
    int64_t heads = qkv->shape[0] * s.heads, block = s.block * (size.row + size.wide + s.long_width);
    int64_t loading = (s.keys + 1 + SB_LANES) * size.row;
    sb_cpu_reserve(d, size.keys_size + size.values_size + (block > loading ? block : loading));
#pragma omp parallel for schedule(dynamic) num_threads(sb_cpu_threads(d, heads * s.tokens * s.keys * 4))
    for (int64_t i = 0; i < heads; i++) {
        int64_t b = i / s.heads, h = i % s.heads;
        struct scratch t = size;
        t.keys = sb_cpu_mine(d);
        t.values = t.keys + t.keys_size;
        t.rest = t.values + t.values_size;
        take_transposed(part_of(qkv, &s, b, 1, h), s.keys, s.e, t.keys, s.long_width, t.rest, t.row);
        take(part_of(qkv, &s, b, 2, h), 0, s.keys, s.e, t.rest, t.row);
        interleave(t.rest, t.row, s.keys, s.e, t.values, t.wide);
        for (int64_t first = 0; first < s.tokens; first += s.block) {
            int64_t count = s.tokens - first < s.block ? s.tokens - first : s.block;
            forward_block(&s, &t, part_of(qkv, &s, b, 0, h), first, count,
                          lse ? (float *)lse->data + i * s.tokens : NULL, head_of(y, &s, b, h));
        }
    }
}

/* A head's tensors and scratch in backward: keys and values transposed, keys interleaved, the sums of their gradients.
 */
struct head {
    struct scratch size;
    float *keys, *values, *key_pairs, *dk, *dv, *rest;
    struct rows q, y, dy, dq;
    const float *lse;
};

/* What a block of queries needs: rows of q and dy, both interleaved, dq; scores and their slopes, both interleaved. */
static int64_t block_size(const struct shape *s, const struct scratch *size)
{
    return s->block * (2 * size->row + 2 * size->wide + 3 * s->long_width);
}

/* sum of dy y: what softmax's slope takes off. */
static float own_slope(const struct head *t, int64_t i, int64_t e)
{
    float dy[SB_CPU_BLOCK], y[SB_CPU_BLOCK], sum = 0;
    for (int64_t at = 0; at < e; at += SB_CPU_BLOCK) {
        int64_t n = e - at < SB_CPU_BLOCK ? e - at : SB_CPU_BLOCK;
        sum += sb_dot(sb_cpu_read(t->dy.in, t->dy.first + i * t->dy.stride + at, n, dy),
                      sb_cpu_read(t->y.in, t->y.first + i * t->y.stride + at, n, y), n);
    }
    return sum;
}

/* p = exp(scale score - lse) and ds = p (dp - own), in place of score and dp, 0 from n to all. */
static void slopes(float *score, float *dp, int64_t n, int64_t all, float scale, float lse, float own)
{
    for (int64_t j = 0; j < padded(n); j += SB_LANES) {
        sb_vector p = exp_lanes(sb_load_vector(score + j) * scale - lse);
        *(sb_vector_at *)(score + j) = p;
        *(sb_vector_at *)(dp + j) = p * (sb_load_vector(dp + j) - own);
    }
    for (int64_t j = n; j < padded(all); j++) score[j] = dp[j] = 0.0f;
}

/* The block's p and ds: both as words of neighbouring queries, ds as rows too, in place of dp. */
static void block_slopes(const struct shape *s, const struct head *t, int64_t first, int64_t count, float *score,
                         float *dp, float *p_pairs, float *ds_pairs)
{
    int64_t all = seen(s, first + count - 1), width = s->long_width;
    float scale = 1.0f / sqrtf((float)s->e);
    for (int64_t i = 0; i < count; i += 2, score += 2 * width, dp += 2 * width) {
        for (int64_t r = 0; r < 2; r++) {
            bool there = i + r < count;
            int64_t at = first + i + r;
            slopes(score + r * width, dp + r * width, there ? seen(s, at) : 0, all, scale, there ? t->lse[at] : 0.0f,
                   there ? own_slope(t, at, s->e) : 0.0f);
        }
        narrow_pair(score, score + width, padded(all), p_pairs + i / 2 * width);
        narrow_pair(dp, dp + width, padded(all), ds_pairs + i / 2 * width);
        narrow(dp, padded(all));
        narrow(dp + width, padded(all));
    }
}

/* dv += p^T dy, dq = ds k, dk += ds^T q; the last two are scaled when they are stored. */
static void backward_block(const struct shape *s, const struct head *t, int64_t first, int64_t count)
{
    int64_t row = t->size.row, wide = t->size.wide, width = s->long_width, all = seen(s, first + count - 1);
    float *q = t->rest, *dy = q + s->block * row, *q_pairs = dy + s->block * row,
          *dy_pairs = q_pairs + s->block / 2 * wide;
    float *dq = dy_pairs + s->block / 2 * wide, *score = dq + s->block * wide, *dp = score + s->block * width;
    float *p_pairs = dp + s->block * width, *ds_pairs = p_pairs + s->block / 2 * width;
    take(t->q, first, count, s->e, q, row);
    take(t->dy, first, count, s->e, dy, row);
    interleave(q, row, count, s->e, q_pairs, wide);
    interleave(dy, row, count, s->e, dy_pairs, wide);
    sb_gemm_pairs((struct sb_gemm){count, all, pairs(s->e), q, row, 1, t->keys, width, score, width, false});
    sb_gemm_pairs((struct sb_gemm){count, all, pairs(s->e), dy, row, 1, t->values, width, dp, width, false});
    block_slopes(s, t, first, count, score, dp, p_pairs, ds_pairs);
    sb_gemm_pairs((struct sb_gemm){all, s->e, pairs(count), p_pairs, 1, width, dy_pairs, wide, t->dv, wide, true});
    sb_gemm_pairs((struct sb_gemm){all, s->e, pairs(count), ds_pairs, 1, width, q_pairs, wide, t->dk, wide, true});
    sb_gemm_pairs((struct sb_gemm){count, s->e, pairs(all), dp, width, 1, t->key_pairs, wide, dq, wide, false});
    store(t->dq, first, count, s->e, 1.0f / sqrtf((float)s->e), dq, wide);
}

/* Brings a head's keys and values into scratch and clears the sums. */
static void begin_head(const struct shape *s, struct head *t, struct rows k, struct rows v)
{
    int64_t row = t->size.row;
    t->values = t->keys + t->size.keys_size;
    t->key_pairs = t->values + t->size.keys_size;
    t->dk = t->key_pairs + t->size.values_size;
    t->dv = t->dk + s->keys * t->size.wide;
    t->rest = t->dv + s->keys * t->size.wide;
    take_transposed(v, s->keys, s->e, t->values, s->long_width, t->rest, row);
    take_transposed(k, s->keys, s->e, t->keys, s->long_width, t->rest, row);
    take(k, 0, s->keys, s->e, t->rest, row);
    interleave(t->rest, row, s->keys, s->e, t->key_pairs, t->size.wide);
    memset(t->dk, 0, 2 * (size_t)(s->keys * t->size.wide) * sizeof(float));
}

void sb_cpu_attention_bf16_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv)
{
    struct shape s = shape_of(qkv, causal, 0, SCORES, MOST_ROWS);
    struct scratch size = scratch_of(&s);
    int64_t heads = qkv->shape[0] * s.heads, shared = 2 * size.keys_size + size.values_size + 2 * s.keys * size.wide;
    int64_t loading = (s.keys + 1 + SB_LANES) * size.row, block = block_size(&s, &size);
    sb_cpu_reserve(d, shared + (block > loading ? block : loading));
#pragma omp parallel for schedule(dynamic) num_threads(sb_cpu_threads(d, heads * s.tokens * s.keys * 8))
    for (int64_t i = 0; i < heads; i++) {
        int64_t b = i / s.heads, h = i % s.heads;
        struct head t = {.size = size,
                         .keys = sb_cpu_mine(d),
                         .q = part_of(qkv, &s, b, 0, h),
                         .y = head_of(y, &s, b, h),
                         .dy = head_of(dy, &s, b, h),
                         .dq = part_of(dqkv, &s, b, 0, h),
                         .lse = (const float *)lse->data + i * s.tokens};
        begin_head(&s, &t, part_of(qkv, &s, b, 1, h), part_of(qkv, &s, b, 2, h));
        for (int64_t first = 0; first < s.tokens; first += s.block) {
            backward_block(&s, &t, first, s.tokens - first < s.block ? s.tokens - first : s.block);
        }
        store(part_of(dqkv, &s, b, 1, h), 0, s.keys, s.e, 1.0f / sqrtf((float)s.e), t.dk, size.wide);
        store(part_of(dqkv, &s, b, 2, h), 0, s.keys, s.e, 1.0f, t.dv, size.wide);
    }
}

#endif
