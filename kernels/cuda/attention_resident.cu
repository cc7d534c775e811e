/* Attention for as many tokens as a picture has patches: a head's keys and values lie whole in shared memory, and a
 * warp holds the scores of 16 queries to half of them in registers, so that nothing but y and the log-sum-exp is
 * written. Backward makes two passes in one kernel, a tile of queries against all keys for dq, then a
 * tile of keys against all queries for dk and dv: 7 products instead of 5, but no sums across warps.
 *
 * ViT-B, batch 256 (3,072 heads of 197 x 64): forward moves 310 MB for 31 GFLOP, backward 620 MB for 107, both below
 * what would keep the matrix units waited for (300 FLOP a byte on an H100): 0.10 and 0.21 ms at 3 TB/s are the floor.
 * Where there are few heads, several blocks share one, each with its own tiles and all of the rows. */
#include "kernels/cuda/attention_tile.h"

#define MOST_TOKENS 272
#define CHUNK 7 /* tiles of keys whose scores a warp holds: three blocks' registers still fit a multiprocessor */

struct share { /* the tiles of a block */
    int head;
    int begin, end;
};

static __device__ inline struct share share_of(const struct sb_attention *a, int parts)
{
    int tiles = sb_tiles(a->tokens), part = (int)(blockIdx.x % parts);
    return {(int)(blockIdx.x / parts), tiles * part / parts, tiles * (part + 1) / parts};
}

/* Blocks a head: so many that two are there for each multiprocessor, and each warp has a tile. */
static int parts_of(const struct sb_dev *d, const struct sb_attention *a)
{
    int64_t wanted = sb_ceil_div(2 * d->processors, a->all), most = sb_ceil_div(sb_tiles(a->tokens), SB_TILE_WARPS);
    return (int)(wanted < most ? wanted : most);
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

template <int E> static size_t forward_bytes(int tokens)
{
    return (size_t)(2 * sb_tiles(tokens) + SB_TILE_WARPS) * SB_TILE * SB_PITCH<E> * sizeof(sb_bf16);
}

template <int E>
__global__ void __launch_bounds__(SB_TILE_THREADS, E <= 64 ? 3 : 2)
    attend_resident(const struct sb_attention a, int parts)
{
    SB_SHARED_DYNAMIC(sb_bf16, k);
    int warp = (int)threadIdx.x / SB_WARP, rows = sb_tiles(a.tokens) * SB_TILE;
    sb_bf16 *v = k + rows * SB_PITCH<E>, *stage = v + (rows + warp * SB_TILE) * SB_PITCH<E>;
    struct share s = share_of(&a, parts);
    const sb_bf16 *q = sb_head<sb_bf16>(a.q, &a, s.head);
    int tile = s.begin + warp, first = tile * SB_TILE;
    sb_rows_load<E>(k, sb_head<sb_bf16>(a.k, &a, s.head), a.k.token, a.tokens, rows, a.e, (int)threadIdx.x,
                    SB_TILE_THREADS);
    sb_rows_load<E>(v, sb_head<sb_bf16>(a.v, &a, s.head), a.v.token, a.tokens, rows, a.e, (int)threadIdx.x,
                    SB_TILE_THREADS);
    uint32_t own[E / 16][4];
    sb_tile_load<E>(own, stage, q + (int64_t)first * a.q.token, a.q.token, tile < s.end ? a.tokens - first : 0, a.e);
    __syncthreads();
    while (tile < s.end) {
        struct sb_attended<E> y;
        sb_attend_begin<E>(&y);
        struct sb_sight sight = sb_tile_sight(&a, 0, first);
#pragma unroll 1
        for (int from = 0; from < sight.all; from += CHUNK * SB_TILE) {
            sb_attend<E, CHUNK>(&y, own, k + from * SB_PITCH<E>, v + from * SB_PITCH<E>, sight, from,
                                a.scale * SB_LOG2_E);
        }
        sb_attend_end<E>(&y, &a, s.head, first, stage);
        tile += SB_TILE_WARPS, first = tile * SB_TILE;
        if (tile < s.end) sb_tile_load<E>(own, stage, q + (int64_t)first * a.q.token, a.q.token, a.tokens - first, a.e);
    }
}

template <int E> static bool forward(struct sb_dev *d, const struct sb_attention *a)
{
    size_t bytes = forward_bytes<E>(a->tokens);
    if (bytes > d->shared_most) return false;
    int parts = parts_of(d, a);
    SB_LAUNCH(d, (attend_resident<E>), (unsigned)(a->all * parts), SB_TILE_THREADS, bytes, *a, parts);
    return true;
}

bool sb_cuda_attention_resident(struct sb_dev *d, const struct sb_attention *a)
{
    if (a->tokens > MOST_TOKENS || a->e > 80) return false;
    return a->e <= 32 ? forward<32>(d, a) : a->e <= 64 ? forward<64>(d, a) : forward<80>(d, a);
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* lse, in units of log2, and delta of every row; zeros past the tokens. Four lanes take a row. */
static __device__ inline void load_statistics(const struct sb_attention *a, int head, int rows, float *lse,
                                              float *delta)
{
    const sb_bf16 *y = sb_head<sb_bf16>(a->y, a, head), *dy = sb_head<sb_bf16>(a->dy, a, head);
    int lane = (int)threadIdx.x % 4;
    for (int row = (int)threadIdx.x / 4; row < rows; row += SB_TILE_THREADS / 4) {
        float sum = 0;
        for (int at = lane * 8; at < a->e && row < a->tokens; at += 32) {
            float left[8], right[8];
            sb_load16(left, y + (int64_t)row * a->y.token + at);
            sb_load16(right, dy + (int64_t)row * a->dy.token + at);
#pragma unroll
            for (int i = 0; i < 8; i++) sum = fmaf(left[i], right[i], sum);
        }
        sum = sb_row_sum(sum);
        if (lane == 0) {
            delta[row] = sum;
            lse[row] = row < a->tokens ? a->lse[(int64_t)head * a->tokens + row] * SB_LOG2_E : 0;
        }
    }
}

/* The block's tiles of queries against all keys, or of keys against all queries. */
template <int E, bool KEYS>
static __device__ inline void pass(const struct sb_attention *a, struct share s, sb_bf16 *stage, const sb_bf16 *all_a,
                                   const sb_bf16 *all_b, const float *lse, const float *delta)
{
    int rows = sb_tiles(a->tokens) * SB_TILE, g = (int)threadIdx.x % SB_WARP / 4;
    for (int tile = s.begin + (int)threadIdx.x / SB_WARP; tile < s.end; tile += SB_TILE_WARPS) {
        struct sb_slopes<E, KEYS> slopes;
        int first = tile * SB_TILE;
        sb_slopes_begin<E, KEYS>(&slopes, a, s.head, first, stage);
        slopes.lse[0] = lse[first + g], slopes.lse[1] = lse[first + g + 8];
        slopes.delta[0] = delta[first + g], slopes.delta[1] = delta[first + g + 8];
        sb_slopes_add<E, KEYS>(&slopes, all_a, all_b, lse, delta, 0, rows, a->scale * SB_LOG2_E);
        sb_slopes_end<E, KEYS>(&slopes, a, s.head, first, stage);
    }
}

template <int E> static size_t backward_bytes(int tokens)
{
    return forward_bytes<E>(tokens) + (size_t)(2 * sb_tiles(tokens)) * SB_TILE * sizeof(float);
}

template <int E>
__global__ void __launch_bounds__(SB_TILE_THREADS, E <= 64 ? 3 : 2)
    backward_resident(const struct sb_attention a, int parts)
{
    SB_SHARED_DYNAMIC(sb_bf16, all_a);
    int warp = (int)threadIdx.x / SB_WARP, rows = sb_tiles(a.tokens) * SB_TILE;
    sb_bf16 *all_b = all_a + rows * SB_PITCH<E>, *stage = all_b + (rows + warp * SB_TILE) * SB_PITCH<E>;
    float *lse = (float *)(all_b + (rows + SB_TILE_WARPS * SB_TILE) * SB_PITCH<E>), *delta = lse + rows;
    struct share s = share_of(&a, parts);
    sb_others_load<E, false>(all_a, all_b, &a, s.head, 0, rows);
    sb_cp_async_commit();
    load_statistics(&a, s.head, rows, lse, delta);
    sb_cp_async_wait<0>();
    __syncthreads();
    pass<E, false>(&a, s, stage, all_a, all_b, lse, delta);
    __syncthreads();
    sb_others_load<E, true>(all_a, all_b, &a, s.head, 0, rows);
    sb_cp_async_commit();
    sb_cp_async_wait<0>();
    __syncthreads();
    pass<E, true>(&a, s, stage, all_a, all_b, lse, delta);
}

template <int E> static bool backward(struct sb_dev *d, const struct sb_attention *a)
{
    size_t bytes = backward_bytes<E>(a->tokens);
    if (bytes > d->shared_most) return false;
    int parts = parts_of(d, a);
    SB_LAUNCH(d, (backward_resident<E>), (unsigned)(a->all * parts), SB_TILE_THREADS, bytes, *a, parts);
    return true;
}

bool sb_cuda_attention_resident_bwd(struct sb_dev *d, const struct sb_attention *a)
{
    if (a->tokens > MOST_TOKENS || a->e > 80) return false;
    return a->e <= 32 ? backward<32>(d, a) : a->e <= 64 ? backward<64>(d, a) : backward<80>(d, a);
}
