/* Attention for what the matrix units do not take: f32, and bf16 of odd sizes. A warp has one row of its own, a query
 * (in backward's second half a key), and goes through the other side's rows 32 at a time: first a lane has the score of
 * one of them, then its share of the columns of their weighted sum. The own row and the sums lie in shared memory. */
#include "kernels/cuda/attention.h"

#define WARPS 4
#define THREADS (WARPS * SB_WARP)
#define BLOCKS 8 /* on a multiprocessor: 64 registers a thread */

/* Row i of head `head` of all. */
template <typename T> static __device__ inline T *row_of(struct sb_rows r, const struct sb_attention *a, int head, int i)
{
    return sb_head<T>(r, a, head) + (int64_t)i * r.token;
}

/* A warp brings a row to shared memory. */
template <typename T> static __device__ inline void load(float *to, const T *from, int e)
{
    for (int at = (int)threadIdx.x % SB_WARP; at < e; at += SB_WARP) to[at] = sb_get(from[at]);
}

template <typename T> static __device__ inline void store(T *to, const float *from, float factor, int e)
{
    for (int at = (int)threadIdx.x % SB_WARP; at < e; at += SB_WARP) sb_put(&to[at], from[at] * factor);
}

template <int width, typename T> static __device__ inline float dot(const float *own, const T *other, int e)
{
    float sum = 0, v[width];
#pragma unroll 2
    for (int at = 0; at < e; at += width) {
        sb_read<width>(v, other + at);
#pragma unroll
        for (int i = 0; i < width; i++) sum = fmaf(own[at + i], v[i], sum);
    }
    return sum;
}

/* sum = factor sum + weight of `count` rows; all but the rows in shared memory. */
template <typename T>
static __device__ inline void weigh(float *sum, float factor, const float *weight, const T *rows, int token, int count,
                                    int e)
{
    for (int at = (int)threadIdx.x % SB_WARP; at < e; at += SB_WARP) {
        float total = sum[at] * factor;
#pragma unroll 4
        for (int j = 0; j < count; j++) total = fmaf(weight[j], sb_get(rows[(int64_t)j * token + at]), total);
        sum[at] = total;
    }
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

template <int width, typename T> static __global__ void __launch_bounds__(THREADS, BLOCKS) attend(const struct sb_attention a)
{
    SB_SHARED_DYNAMIC(float, shared);
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP;
    int64_t row = (int64_t)blockIdx.x * WARPS + warp;
    if (row >= (int64_t)a.all * a.tokens) return;
    int head = (int)(row / a.tokens), i = (int)(row % a.tokens), keys = sb_sees(&a, a.past ? *a.past : 0, i);
    float *q = shared + warp * (2 * a.e + SB_WARP), *sum = q + a.e, *weight = sum + a.e;
    float most = -INFINITY, all = 0;
    load(q, row_of<T>(a.q, &a, head, i), a.e);
    for (int at = lane; at < a.e; at += SB_WARP) sum[at] = 0;
    __syncwarp();
    for (int from = 0; from < keys; from += SB_WARP) {
        int count = keys - from < SB_WARP ? keys - from : SB_WARP;
        float score = -INFINITY;
        if (lane < count) score = dot<width>(q, row_of<T>(a.k, &a, head, from + lane), a.e) * a.scale;
        float largest = fmaxf(most, sb_warp_max(score)), factor = expf(most - largest);
        weight[lane] = expf(score - largest);
        all = all * factor + weight[lane];
        most = largest;
        __syncwarp();
        weigh(sum, factor, weight, row_of<T>(a.v, &a, head, from), a.v.token, count, a.e);
        __syncwarp();
    }
    all = sb_warp_sum(all);
    store(row_of<T>(a.y, &a, head, i), sum, 1 / all, a.e);
    if (a.lse && !lane) a.lse[row] = most + logf(all);
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* One own row against all others that count. Queries are the own rows, a = q, b = dy, or (KEYS) keys are, a = k, b = v;
 * weight [2,32]: ds and p of the others. */
template <int width, bool KEYS, typename T>
static __device__ inline void slopes(const struct sb_attention *a, int head, int i, float *own_a, float *own_b,
                                     float *da, float *db, float *weight)
{
    struct sb_rows other_a = KEYS ? a->q : a->k, other_b = KEYS ? a->dy : a->v;
    int lane = (int)threadIdx.x % SB_WARP, end = KEYS ? a->tokens : sb_sees(a, 0, i);
    const float *lse = a->lse + (int64_t)head * a->tokens, *delta = a->delta + (int64_t)head * a->tokens;
    for (int from = KEYS && a->causal ? i : 0; from < end; from += SB_WARP) {
        int count = end - from < SB_WARP ? end - from : SB_WARP;
        if (lane < count) {
            int query = KEYS ? from + lane : i;
            float score = dot<width>(own_a, row_of<T>(other_a, a, head, from + lane), a->e) * a->scale;
            float dp = dot<width>(own_b, row_of<T>(other_b, a, head, from + lane), a->e), p = expf(score - lse[query]);
            weight[lane] = p * (dp - delta[query]);
            weight[SB_WARP + lane] = p;
        }
        __syncwarp();
        weigh(da, 1, weight, row_of<T>(other_a, a, head, from), other_a.token, count, a->e);
        if (KEYS) weigh(db, 1, weight + SB_WARP, row_of<T>(other_b, a, head, from), other_b.token, count, a->e);
        __syncwarp();
    }
}

template <int width, bool KEYS, typename T>
static __global__ void __launch_bounds__(THREADS, BLOCKS) attend_bwd(const struct sb_attention a)
{
    SB_SHARED_DYNAMIC(float, shared);
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP;
    int64_t row = (int64_t)blockIdx.x * WARPS + warp;
    if (row >= (int64_t)a.all * a.tokens) return;
    int head = (int)(row / a.tokens), i = (int)(row % a.tokens);
    float *own_a = shared + warp * (4 * a.e + 2 * SB_WARP), *own_b = own_a + a.e, *da = own_b + a.e, *db = da + a.e;
    load(own_a, row_of<T>(KEYS ? a.k : a.q, &a, head, i), a.e);
    load(own_b, row_of<T>(KEYS ? a.v : a.dy, &a, head, i), a.e);
    for (int at = lane; at < a.e; at += SB_WARP) da[at] = db[at] = 0;
    __syncwarp();
    slopes<width, KEYS, T>(&a, head, i, own_a, own_b, da, db, db + a.e);
    store(row_of<T>(KEYS ? a.dk : a.dq, &a, head, i), da, a.scale, a.e);
    if (KEYS) store(row_of<T>(a.dv, &a, head, i), db, 1, a.e);
}

/* ---- launching --------------------------------------------------------------------------------------------------- */

static unsigned blocks_of(const struct sb_attention *a)
{
    return (unsigned)sb_ceil_div((int64_t)a->all * a->tokens, WARPS);
}

template <int width, typename T> static void forward(struct sb_dev *d, const struct sb_attention *a)
{
    size_t shared = (size_t)WARPS * (2 * (size_t)a->e + SB_WARP) * sizeof(float);
    SB_LAUNCH(d, (attend<width, T>), blocks_of(a), THREADS, shared, *a);
}

template <int width, typename T> static void backward(struct sb_dev *d, const struct sb_attention *a)
{
    size_t shared = (size_t)WARPS * (4 * (size_t)a->e + 2 * SB_WARP) * sizeof(float);
    SB_LAUNCH(d, (attend_bwd<width, false, T>), blocks_of(a), THREADS, shared, *a);
    SB_LAUNCH(d, (attend_bwd<width, true, T>), blocks_of(a), THREADS, shared, *a);
}

void sb_cuda_attention_plain(struct sb_dev *d, const struct sb_attention *a, enum sb_dtype act)
{
    SB_BY_DTYPE(act, T, {
        if (sb_attention_wide(a, sizeof(T))) forward<SB_LANES<T>, T>(d, a);
        else forward<1, T>(d, a);
    });
}

void sb_cuda_attention_plain_bwd(struct sb_dev *d, const struct sb_attention *a, enum sb_dtype act)
{
    SB_BY_DTYPE(act, T, {
        if (sb_attention_wide(a, sizeof(T))) backward<SB_LANES<T>, T>(d, a);
        else backward<1, T>(d, a);
    });
}
