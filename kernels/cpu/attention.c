/* Attention a head at a time: a thread takes one head of one sample, brings its keys and values into its own scratch as
 * f32, and goes through the queries block by block, so that the scores of a block stay in its cache. Softmax is exact
 * and f32; only the log-sum-exp is kept. Where the processor has bf16 products, attention_bf16.c takes its place for bf16
 * with an even E and no cache. */
#include <math.h>

#include "kernels/cpu/attention.h"

#define SCORES 65536
#define MOST_ROWS 96

/* exp(score - largest) in place, 0 from n to all; returns the sum. */
static float soften(float *score, int64_t n, int64_t all, float *largest)
{
    float most = sb_max(score, n);
    for (int64_t j = n; j < padded(n); j++) score[j] = -INFINITY;
    sb_vector sum = {0};
    for (int64_t j = 0; j < padded(n); j += SB_LANES) {
        sb_vector p = exp_lanes(sb_load_vector(score + j) - most);
        *(sb_vector_at *)(score + j) = p;
        sum += p;
    }
    for (int64_t j = padded(n); j < all; j++) score[j] = 0.0f;
    *largest = most;
    return sb_lanes_sum(sum);
}

/* Puts a head's new keys or values behind the cached ones; returns where all of them are. */
static struct rows append(sb_in qkv, sb_out cache, const struct shape *s, int64_t b, int which, int64_t h)
{
    int64_t length = cache->shape[3], first = (((which - 1) * qkv->shape[0] + b) * s->heads + h) * length * s->e;
    struct rows from = part_of(qkv, s, b, which, h);
    size_t bytes = (size_t)s->e * sb_dtype_size(qkv->dtype);
    for (int64_t i = 0; i < s->tokens; i++) {
        memcpy(sb_cpu_at(cache, first + (s->past + i) * s->e), sb_cpu_at(qkv, from.first + i * from.stride), bytes);
    }
    return (struct rows){cache, first, s->e};
}

/* Queries first .. first+count-1 of a head, whose keys are transposed and whose values are rows in scratch. */
static void forward_block(const struct shape *s, const float *keys, const float *values, struct rows q, int64_t first,
                          int64_t count, float *mine, float *lse, struct rows y)
{
    float *query = mine, *out = query + s->block * s->width, *score = out + s->block * s->width;
    int64_t all = seen(s, first + count - 1);
    load(q, first, count, s->e, 1.0f / sqrtf((float)s->e), query, s->width);
    sb_gemm((struct sb_gemm){count, all, s->e, query, s->width, 1, keys, s->long_width, score, s->long_width, false});
    float part[MOST_ROWS + SB_TILE_ROWS];
    for (int64_t i = 0; i < count; i++) {
        float most, sum = soften(score + i * s->long_width, seen(s, first + i), all, &most);
        part[i] = 1.0f / sum;
        if (lse) lse[first + i] = most + logf(sum);
    }
    sb_gemm((struct sb_gemm){count, s->e, all, score, s->long_width, 1, values, s->width, out, s->width, false});
    for (int64_t i = 0; i < count; i++) store(y, first + i, 1, s->e, part[i], out + i * s->width, s->width);
}

void sb_cpu_attention(struct sb_dev *d, sb_in qkv, bool causal, sb_out cache, const int32_t *length, sb_out lse,
                      sb_out y)
{
#ifdef __AVX512BF16__
    if (!cache && sb_cpu_in_pairs(qkv)) {
        sb_cpu_attention_bf16(d, qkv, causal, lse, y);
        return;
    }
#endif
    struct shape s = shape_of(qkv, causal || cache, cache ? *length : 0, SCORES, MOST_ROWS);
    int64_t heads = qkv->shape[0] * s.heads, keys_size = padded(s.e) * s.long_width, values_size = s.keys * s.width;
    sb_cpu_reserve(d, keys_size + values_size + s.block * (2 * s.width + s.long_width) + 16 * s.width);
#pragma omp parallel for schedule(dynamic) num_threads(sb_cpu_threads(d, heads * s.tokens * s.keys * 4))
    for (int64_t i = 0; i < heads; i++) {
        int64_t b = i / s.heads, h = i % s.heads;
        float *keys = sb_cpu_mine(d), *values = keys + keys_size, *rest = values + values_size;
        struct rows k = cache ? append(qkv, cache, &s, b, 1, h) : part_of(qkv, &s, b, 1, h);
        struct rows v = cache ? append(qkv, cache, &s, b, 2, h) : part_of(qkv, &s, b, 2, h);
        load_transposed(k, s.keys, s.e, keys, s.long_width, rest, s.width);
        load(v, 0, s.keys, s.e, 1.0f, values, s.width);
        for (int64_t first = 0; first < s.tokens; first += s.block) {
            int64_t count = s.tokens - first < s.block ? s.tokens - first : s.block;
            forward_block(&s, keys, values, part_of(qkv, &s, b, 0, h), first, count, rest,
                          lse ? (float *)lse->data + i * s.tokens : NULL, head_of(y, &s, b, h));
        }
    }
}

/* A head's scratch in backward: keys both ways, values transposed, and the sums of their gradients. */
struct head {
    float *k, *k_transposed, *v_transposed, *dk, *dv, *rest;
    struct rows q, y, dy, dq;
    const float *lse;
};

static int64_t head_size(const struct shape *s)
{
    return 3 * s->keys * s->width + 2 * padded(s->e) * s->long_width + s->block * (4 * s->width + 2 * s->long_width) +
           16 * s->width;
}

/* p = exp(score - lse) and ds = p (dp - dy y), in place of score and dp. */
static void slopes(const struct shape *s, const struct head *t, int64_t first, int64_t count, int64_t all,
                   const float *dy, const float *y, float *score, float *dp)
{
    for (int64_t i = 0; i < count; i++, score += s->long_width, dp += s->long_width, dy += s->width, y += s->width) {
        int64_t n = seen(s, first + i);
        float own = sb_dot(dy, y, s->e), lse = t->lse[first + i];
        for (int64_t j = 0; j < padded(n); j += SB_LANES) {
            sb_vector p = exp_lanes(sb_load_vector(score + j) - lse);
            *(sb_vector_at *)(score + j) = p;
            *(sb_vector_at *)(dp + j) = p * (sb_load_vector(dp + j) - own);
        }
        for (int64_t j = n; j < all; j++) score[j] = dp[j] = 0.0f;
    }
}

/* With ds as above: dv += p^T dy, dq = ds k, dk += ds^T q, the last two over sqrt(E). */
static void backward_block(const struct shape *s, const struct head *t, int64_t first, int64_t count)
{
    float *q = t->rest, *dy = q + s->block * s->width, *y = dy + s->block * s->width, *dq = y + s->block * s->width;
    float *score = dq + s->block * s->width, *dp = score + s->block * s->long_width, scale = 1.0f / sqrtf((float)s->e);
    int64_t all = seen(s, first + count - 1);
    load(t->q, first, count, s->e, scale, q, s->width);
    load(t->dy, first, count, s->e, 1.0f, dy, s->width);
    load(t->y, first, count, s->e, 1.0f, y, s->width);
    sb_gemm((struct sb_gemm){count, all, s->e, q, s->width, 1, t->k_transposed, s->long_width, score, s->long_width,
                             false});
    sb_gemm(
        (struct sb_gemm){count, all, s->e, dy, s->width, 1, t->v_transposed, s->long_width, dp, s->long_width, false});
    slopes(s, t, first, count, all, dy, y, score, dp);
    sb_gemm((struct sb_gemm){all, s->e, count, score, 1, s->long_width, dy, s->width, t->dv, s->width, true});
    sb_gemm((struct sb_gemm){all, s->e, count, dp, 1, s->long_width, q, s->width, t->dk, s->width, true});
    sb_gemm((struct sb_gemm){count, s->e, all, dp, s->long_width, 1, t->k, s->width, dq, s->width, false});
    store(t->dq, first, count, s->e, scale, dq, s->width);
}

void sb_cpu_attention_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv)
{
#ifdef __AVX512BF16__
    if (sb_cpu_in_pairs(qkv)) {
        sb_cpu_attention_bf16_bwd(d, qkv, causal, lse, y, dy, dqkv);
        return;
    }
#endif
    struct shape s = shape_of(qkv, causal, 0, SCORES, MOST_ROWS);
    int64_t heads = qkv->shape[0] * s.heads, size = s.keys * s.width;
    sb_cpu_reserve(d, head_size(&s));
#pragma omp parallel for schedule(dynamic) num_threads(sb_cpu_threads(d, heads * s.tokens * s.keys * 8))
    for (int64_t i = 0; i < heads; i++) {
        int64_t b = i / s.heads, h = i % s.heads;
        struct head t = {.k = sb_cpu_mine(d),
                         .q = part_of(qkv, &s, b, 0, h),
                         .y = head_of(y, &s, b, h),
                         .dy = head_of(dy, &s, b, h),
                         .dq = part_of(dqkv, &s, b, 0, h),
                         .lse = (const float *)lse->data + i * s.tokens};
        t.dk = t.k + size;
        t.dv = t.dk + size;
        t.k_transposed = t.dv + size;
        t.v_transposed = t.k_transposed + padded(s.e) * s.long_width;
        t.rest = t.v_transposed + padded(s.e) * s.long_width;
        struct rows k = part_of(qkv, &s, b, 1, h);
        load(k, 0, s.keys, s.e, 1.0f, t.k, s.width);
        load_transposed(k, s.keys, s.e, t.k_transposed, s.long_width, t.rest, s.width);
        load_transposed(part_of(qkv, &s, b, 2, h), s.keys, s.e, t.v_transposed, s.long_width, t.rest, s.width);
        memset(t.dk, 0, 2 * (size_t)size * sizeof(float));
        for (int64_t first = 0; first < s.tokens; first += s.block) {
            backward_block(&s, &t, first, s.tokens - first < s.block ? s.tokens - first : s.block);
        }
        store(part_of(dqkv, &s, b, 1, h), 0, s.keys, s.e, 1.0f, t.dk, s.width);
        store(part_of(dqkv, &s, b, 2, h), 0, s.keys, s.e, 1.0f, t.dv, s.width);
    }
}
