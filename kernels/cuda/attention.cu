/* Attention: where its rows lie, and which kernels take it. What comes with a cache is stored there first. */
#include "kernels/cuda/attention.h"
#include "kernels/cuda/map.h"

#define THREADS 256
#define WARPS (THREADS / SB_WARP)

/* ---- where rows lie ---------------------------------------------------------------------------------------------- */

/* Part `part` of [B,T,parts,H,E]. */
static struct sb_rows rows_of(const void *data, enum sb_dtype dtype, const int64_t *shape, int64_t parts, int64_t part)
{
    int64_t tokens = shape[1], heads = shape[parts == 1 ? 2 : 3], e = shape[parts == 1 ? 3 : 4], token = parts * heads * e;
    return {(char *)data + (size_t)(part * heads * e) * sb_dtype_size(dtype), tokens * token, e, (int)token};
}

/* Keys or values of cache [2,B,H,L,E]. */
static struct sb_rows cached(sb_in cache, int64_t part)
{
    const int64_t *n = cache->shape;
    int64_t head = n[3] * n[4];
    size_t first = (size_t)(part * n[1] * n[2] * head) * sb_dtype_size(cache->dtype);
    return {(char *)cache->data + first, n[2] * head, head, (int)n[4]};
}

static struct sb_attention describe(sb_in qkv, bool causal, sb_in lse, sb_in y)
{
    const int64_t *n = qkv->shape;
    struct sb_attention a = {};
    a.q = rows_of(qkv->data, qkv->dtype, n, 3, 0);
    a.k = rows_of(qkv->data, qkv->dtype, n, 3, 1);
    a.v = rows_of(qkv->data, qkv->dtype, n, 3, 2);
    a.y = rows_of(y->data, y->dtype, y->shape, 1, 0);
    a.lse = lse ? (float *)lse->data : NULL;
    a.tokens = (int)n[1], a.heads = (int)n[3], a.e = (int)n[4];
    a.all = (int)(n[0] * n[3]);
    a.causal = causal;
    a.scale = 1 / sqrtf((float)n[4]);
    return a;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* Keys and values [B,T,2,H,E] of each token go to their places in the cache, a unit U at a time. */
template <typename U> struct remembering {
    struct sb_attention a; /* its k, v: the call's; strides in units */
    struct sb_rows to_k, to_v;
    const int32_t *length;
};

template <typename U>
static __device__ inline void sb_map_at(const remembering<U> &m, int64_t row, int64_t at, sb_lanes<1>)
{
    int head = (int)(row / m.a.tokens), i = (int)(row % m.a.tokens);
    int64_t to = *m.length + i;
    sb_head<U>(m.to_k, &m.a, head)[to * m.to_k.token + at] = sb_head<U>(m.a.k, &m.a, head)[(int64_t)i * m.a.k.token + at];
    sb_head<U>(m.to_v, &m.a, head)[to * m.to_v.token + at] = sb_head<U>(m.a.v, &m.a, head)[(int64_t)i * m.a.v.token + at];
}

static struct sb_rows in_units(struct sb_rows r, size_t dtype_size, size_t unit)
{
    int64_t each = (int64_t)(unit / dtype_size);
    return {r.first, r.sample / each, r.head / each, (int)(r.token / each)};
}

/* Rows of E elements lie at multiples of E in both, so E alone and the addresses say how wide a unit may be. */
static void remember(struct sb_dev *d, struct sb_attention *a, sb_out cache, const int32_t *length)
{
    struct sb_rows k = cached(cache, 0), v = cached(cache, 1);
    size_t size = sb_dtype_size(cache->dtype), row = (size_t)a->e * size;
    SB_BY_UNIT((uintptr_t)a->k.first | (uintptr_t)a->v.first | (uintptr_t)k.first | (uintptr_t)v.first | row, U, {
        remembering<U> m = {*a, in_units(k, size, sizeof(U)), in_units(v, size, sizeof(U)), length};
        m.a.k = in_units(a->k, size, sizeof(U)), m.a.v = in_units(a->v, size, sizeof(U));
        sb_map<1>(d, m, (int64_t)a->all * a->tokens, (int64_t)(row / sizeof(U)), true);
    });
    a->k = k, a->v = v;
    a->past = length;
    a->causal = true;
}

/* Whether the matrix units can take it. */
static bool fits_units(const struct sb_attention *a, enum sb_dtype act)
{
    return act == SB_BF16 && a->e <= SB_ATTENTION_WIDEST && sb_attention_wide(a, sizeof(sb_bf16));
}

void sb_cuda_attention(struct sb_dev *d, sb_in qkv, bool causal, sb_out cache, const int32_t *length, sb_out lse,
                       sb_out y)
{
    if (!sb_tensor_count(qkv)) return;
    struct sb_attention a = describe(qkv, causal, lse, y);
    if (cache) remember(d, &a, cache, length);
    if (!fits_units(&a, qkv->dtype)) sb_cuda_attention_plain(d, &a, qkv->dtype);
    else if (cache || !sb_cuda_attention_resident(d, &a)) sb_cuda_attention_stream(d, &a);
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* delta = y dy, a warp a row. */
template <typename T> static __global__ void __launch_bounds__(THREADS) dot_rows(const struct sb_attention a)
{
    int64_t row = (int64_t)blockIdx.x * WARPS + threadIdx.x / SB_WARP;
    if (row >= (int64_t)a.all * a.tokens) return;
    int head = (int)(row / a.tokens);
    int64_t i = row % a.tokens;
    const T *y = sb_head<T>(a.y, &a, head) + i * a.y.token, *dy = sb_head<T>(a.dy, &a, head) + i * a.dy.token;
    float sum = 0;
    for (int at = (int)threadIdx.x % SB_WARP; at < a.e; at += SB_WARP) sum = fmaf(sb_get(y[at]), sb_get(dy[at]), sum);
    sum = sb_warp_sum(sum);
    if (threadIdx.x % SB_WARP == 0) a.delta[row] = sum;
}

/* Some samples further on. */
static void go_on(struct sb_rows *r, int64_t samples, size_t size)
{
    r->first = (char *)r->first + (size_t)(samples * r->sample) * size;
}

/* With delta in scratch: as many samples at once as it has room for. */
static void in_pieces(struct sb_dev *d, struct sb_attention a, enum sb_dtype act)
{
    int64_t samples = a.all / a.heads, rows = (int64_t)a.heads * a.tokens;
    int64_t most = (int64_t)(SB_CUDA_SCRATCH / sizeof(float)) / rows;
    if (!most) sb_cuda_check(d, cudaErrorInvalidValue, "attention over more than 16 million rows of a sample");
    bool units = fits_units(&a, act);
    a.delta = (float *)d->scratch;
    for (int64_t n; samples; samples -= n) {
        n = samples < most ? samples : most;
        a.all = (int)(n * a.heads);
        SB_BY_DTYPE(act, T, SB_LAUNCH(d, (dot_rows<T>), (unsigned)sb_ceil_div(n * rows, WARPS), THREADS, 0, a));
        if (units) sb_cuda_attention_stream_bwd(d, &a);
        else sb_cuda_attention_plain_bwd(d, &a, act);
        struct sb_rows *all[] = {&a.q, &a.k, &a.v, &a.y, &a.dy, &a.dq, &a.dk, &a.dv};
        for (struct sb_rows *r : all) go_on(r, n, sb_dtype_size(act));
        a.lse += n * rows;
    }
}

void sb_cuda_attention_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv)
{
    if (!sb_tensor_count(qkv)) return;
    struct sb_attention a = describe(qkv, causal, lse, y);
    a.dy = rows_of(dy->data, dy->dtype, dy->shape, 1, 0);
    a.dq = rows_of(dqkv->data, dqkv->dtype, dqkv->shape, 3, 0);
    a.dk = rows_of(dqkv->data, dqkv->dtype, dqkv->shape, 3, 1);
    a.dv = rows_of(dqkv->data, dqkv->dtype, dqkv->shape, 3, 2);
    if (!fits_units(&a, qkv->dtype) || !sb_cuda_attention_resident_bwd(d, &a)) in_pieces(d, a, qkv->dtype);
}
