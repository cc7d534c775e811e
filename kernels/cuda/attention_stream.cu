/* Attention for any number of tokens, with a cache too: a warp has a tile of 16 rows, and what these are weighed
 * against streams through shared memory in pieces of 64 rows, the next one on its way while one is worked on. Forward
 * keeps the largest score so far and scales back what came before a larger one (Milakov and Gimelshein 2018; Dao 2023).
 * Backward is two launches, a block of queries against all keys for dq and a block of keys against all queries for dk
 * and dv, so that no sum crosses blocks. Causal blocks leave out what they do not see. */
#include "kernels/cuda/attention_tile.h"

#define PIECE 64                             /* rows that are on their way together */
#define OWN_ROWS (SB_TILE_WARPS * SB_TILE) /* of a block */

static int blocks_of(const struct sb_attention *a) { return (int)sb_ceil_div(a->tokens, OWN_ROWS); }

/* ---- forward ----------------------------------------------------------------------------------------------------- */

template <int E> static size_t forward_bytes(void)
{
    return (size_t)(4 * PIECE + OWN_ROWS) * SB_PITCH<E> * sizeof(sb_bf16);
}

template <int E>
static __device__ inline void load_keys(sb_bf16 *to, const struct sb_attention *a, int head, int from, int keys)
{
    const sb_bf16 *k = sb_head<sb_bf16>(a->k, a, head) + (int64_t)from * a->k.token;
    const sb_bf16 *v = sb_head<sb_bf16>(a->v, a, head) + (int64_t)from * a->v.token;
    sb_rows_load<E>(to, k, a->k.token, keys - from, PIECE, a->e, (int)threadIdx.x, SB_TILE_THREADS);
    sb_rows_load<E>(to + PIECE * SB_PITCH<E>, v, a->v.token, keys - from, PIECE, a->e, (int)threadIdx.x,
                    SB_TILE_THREADS);
    sb_cp_async_commit();
}

template <int E>
__global__ void __launch_bounds__(SB_TILE_THREADS) attend_stream(const struct sb_attention a, int blocks)
{
    SB_SHARED_DYNAMIC(sb_bf16, piece);
    constexpr int next = 2 * PIECE * SB_PITCH<E>; /* from one buffer to the other */
    int warp = (int)threadIdx.x / SB_WARP, head = (int)(blockIdx.x / blocks);
    int begin = (int)(blockIdx.x % blocks) * OWN_ROWS, first = begin + warp * SB_TILE;
    int past = a.past ? *a.past : 0, keys = past + a.tokens, all = sb_sees(&a, past, begin + OWN_ROWS - 1);
    sb_bf16 *stage = piece + 2 * next + warp * SB_TILE * SB_PITCH<E>;
    struct sb_sight sight = sb_tile_sight(&a, past, first);
    struct sb_attended<E> y;
    uint32_t own[E / 16][4];
    load_keys<E>(piece, &a, head, 0, keys);
    sb_tile_load<E>(own, stage, sb_head<sb_bf16>(a.q, &a, head) + (int64_t)first * a.q.token, a.q.token,
                    a.tokens - first, a.e);
    sb_attend_begin<E>(&y);
#pragma unroll 1
    for (int from = 0, turn = 0; from < all; from += PIECE, turn = next - turn) {
        sb_cp_async_wait<0>();
        __syncthreads();
        if (from + PIECE < all) load_keys<E>(piece + next - turn, &a, head, from + PIECE, keys);
        sb_attend<E, PIECE / SB_TILE>(&y, own, piece + turn, piece + turn + PIECE * SB_PITCH<E>, sight, from,
                                      a.scale * SB_LOG2_E);
    }
    if (first < a.tokens) sb_attend_end<E>(&y, &a, head, first, stage);
}

template <int E> static void forward(struct sb_dev *d, const struct sb_attention *a)
{
    int blocks = blocks_of(a);
    SB_LAUNCH(d, (attend_stream<E>), (unsigned)(a->all * blocks), SB_TILE_THREADS, forward_bytes<E>(), *a, blocks);
}

void sb_cuda_attention_stream(struct sb_dev *d, const struct sb_attention *a)
{
    if (a->e <= 32) forward<32>(d, a);
    else if (a->e <= 64) forward<64>(d, a);
    else if (a->e <= 80) forward<80>(d, a);
    else forward<128>(d, a);
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

template <int E> static size_t backward_bytes(void) { return forward_bytes<E>() + 4 * PIECE * sizeof(float); }

/* The other side's rows from `from` on, and of queries lse, in units of log2, and delta. */
template <int E, bool KEYS>
static __device__ inline void load_others(sb_bf16 *to, float *lse, const struct sb_attention *a, int head, int from)
{
    sb_others_load<E, KEYS>(to, to + PIECE * SB_PITCH<E>, a, head, from, PIECE);
    sb_cp_async_commit();
    if (KEYS && threadIdx.x < PIECE) {
        int row = from + (int)threadIdx.x;
        bool there = row < a->tokens;
        lse[threadIdx.x] = there ? a->lse[(int64_t)head * a->tokens + row] * SB_LOG2_E : 0;
        lse[PIECE + threadIdx.x] = there ? a->delta[(int64_t)head * a->tokens + row] : 0;
    }
}

template <int E, bool KEYS>
__global__ void __launch_bounds__(SB_TILE_THREADS) backward_stream(const struct sb_attention a, int blocks)
{
    SB_SHARED_DYNAMIC(sb_bf16, piece);
    constexpr int next = 2 * PIECE * SB_PITCH<E>;
    float *lse = (float *)(piece + 2 * next + OWN_ROWS * SB_PITCH<E>);
    int warp = (int)threadIdx.x / SB_WARP, head = (int)(blockIdx.x / blocks), half;
    int begin = (int)(blockIdx.x % blocks) * OWN_ROWS, first = begin + warp * SB_TILE;
    int start = KEYS && a.causal ? begin : 0, end = KEYS ? a.tokens : sb_sees(&a, 0, begin + OWN_ROWS - 1);
    sb_bf16 *stage = piece + 2 * next + warp * SB_TILE * SB_PITCH<E>;
    struct sb_slopes<E, KEYS> s;
    load_others<E, KEYS>(piece, lse, &a, head, start);
    sb_slopes_begin<E, KEYS>(&s, &a, head, first, stage);
#pragma unroll
    for (half = 0; half < 2; half++) {
        int row = first + (int)threadIdx.x % SB_WARP / 4 + 8 * half;
        s.lse[half] = row < a.tokens ? a.lse[(int64_t)head * a.tokens + row] * SB_LOG2_E : 0;
        s.delta[half] = row < a.tokens ? a.delta[(int64_t)head * a.tokens + row] : 0;
    }
#pragma unroll 1
    for (int from = start, turn = 0; from < end; from += PIECE, turn = 1 - turn) {
        const sb_bf16 *others = piece + turn * next;
        float *statistics = lse + turn * 2 * PIECE;
        sb_cp_async_wait<0>();
        __syncthreads();
        if (from + PIECE < end) {
            load_others<E, KEYS>(piece + (1 - turn) * next, lse + (1 - turn) * 2 * PIECE, &a, head, from + PIECE);
        }
        sb_slopes_add<E, KEYS>(&s, others, others + PIECE * SB_PITCH<E>, statistics, statistics + PIECE, from,
                               from + PIECE, a.scale * SB_LOG2_E);
    }
    if (first < a.tokens) sb_slopes_end<E, KEYS>(&s, &a, head, first, stage);
}

template <int E> static void backward(struct sb_dev *d, const struct sb_attention *a)
{
    int blocks = blocks_of(a);
    unsigned grid = (unsigned)(a->all * blocks);
    SB_LAUNCH(d, (backward_stream<E, false>), grid, SB_TILE_THREADS, backward_bytes<E>(), *a, blocks);
    SB_LAUNCH(d, (backward_stream<E, true>), grid, SB_TILE_THREADS, backward_bytes<E>(), *a, blocks);
}

void sb_cuda_attention_stream_bwd(struct sb_dev *d, const struct sb_attention *a)
{
    if (a->e <= 32) backward<32>(d, a);
    else if (a->e <= 64) backward<64>(d, a);
    else if (a->e <= 80) backward<80>(d, a);
    else backward<128>(d, a);
}
