/* Attention on the matrix units: a warp takes a tile of 16 rows of its own (queries; in backward's second half keys)
 * against rows that lie in shared memory, 16 at a time. The bf16 kernels of attention are written with this.
 *
 * E here is the width that is computed, a multiple of 16; the tensors' own e is at most that and a multiple of 8, and
 * what lies between is zeros. A lane's registers are those of sb_mma_bf16: rows g and g + 8 of the tile with
 * g = lane / 4, columns 2t, 2t + 1 of each eight with t = lane % 4. */
#ifndef SB_KERNELS_CUDA_ATTENTION_TILE_H
#define SB_KERNELS_CUDA_ATTENTION_TILE_H

#include "kernels/cuda/attention.h"

#define SB_TILE 16
#define SB_TILE_WARPS 4
#define SB_TILE_THREADS (SB_TILE_WARPS * SB_WARP)

/* Elements from a row in shared memory to the next. A row is an odd number of 16 bytes, so that ldmatrix, which takes
 * 16 bytes of each of eight rows, finds them in different banks. */
template <int E> constexpr int SB_PITCH = E + 8;

static __host__ __device__ inline int sb_tiles(int rows) { return (rows + SB_TILE - 1) / SB_TILE; }

/* Begins to copy rows to shared memory by threads 0 .. threads-1: `count` of them, then zeros up to `all`. */
template <int E>
static __device__ inline void sb_rows_load(sb_bf16 *to, const sb_bf16 *from, int token, int count, int all, int e,
                                           int thread, int threads)
{
#pragma unroll 1
    for (unsigned i = (unsigned)thread; i < (unsigned)all * (E / 8); i += (unsigned)threads) {
        int row = (int)(i / (E / 8)), at = (int)(i % (E / 8)) * 8;
        bool valid = row < count && at < e;
        sb_cp_async16(to + row * SB_PITCH<E> + at, from + (valid ? (int64_t)row * token + at : 0), valid);
    }
}

/* A warp brings its own tile into registers, as the left side of products, by way of its stage [16, SB_PITCH]. It waits
 * for all copies that its threads have begun. */
template <int E>
static __device__ inline void sb_tile_load(uint32_t (*own)[4], sb_bf16 *stage, const sb_bf16 *from, int token,
                                           int count, int e)
{
    int lane = (int)threadIdx.x % SB_WARP;
    sb_rows_load<E>(stage, from, token, count, SB_TILE, e, lane, SB_WARP);
    sb_cp_async_commit();
    sb_cp_async_wait<0>();
    __syncwarp();
#pragma unroll
    for (int k = 0; k < E / 16; k++) {
        sb_ldmatrix_x4(own[k], stage + lane % 16 * SB_PITCH<E> + k * 16 + lane / 16 * 8);
    }
    __syncwarp();
}

/* A warp stores its tile's sums, those of row g times factor[0], of row g + 8 times factor[1]: `count` rows of it. */
template <int E>
static __device__ inline void sb_tile_store(sb_bf16 *to, int token, int count, int e, sb_bf16 *stage,
                                            const float (*sum)[4], const float factor[2])
{
    int lane = (int)threadIdx.x % SB_WARP;
    uint32_t *word = (uint32_t *)(stage + lane / 4 * SB_PITCH<E> + lane % 4 * 2);
#pragma unroll
    for (int n = 0; n < E / 8; n++) {
        word[n * 4] = sb_pack_bf16(sum[n][0] * factor[0], sum[n][1] * factor[0]);
        word[n * 4 + 8 * SB_PITCH<E> / 2] = sb_pack_bf16(sum[n][2] * factor[1], sum[n][3] * factor[1]);
    }
    __syncwarp();
#pragma unroll 1
    for (int i = lane; i < SB_TILE * (E / 8); i += SB_WARP) {
        int row = i / (E / 8), at = i % (E / 8) * 8;
        if (row < count && at < e) *(uint4 *)(to + (int64_t)row * token + at) = *(uint4 *)(stage + row * SB_PITCH<E> + at);
    }
    __syncwarp();
}

/* score[16,16] = own rows^T: of each own row with each of 16 rows in shared memory. */
template <int E>
static __device__ inline void sb_tile_scores(float (*score)[4], const uint32_t (*own)[4], const sb_bf16 *rows)
{
    int lane = (int)threadIdx.x % SB_WARP;
    const sb_bf16 *mine = rows + (lane / 16 * 8 + lane % 8) * SB_PITCH<E> + lane / 8 % 2 * 8;
#pragma unroll
    for (int i = 0; i < 4; i++) score[0][i] = score[1][i] = 0;
#pragma unroll
    for (int k = 0; k < E / 16; k++) {
        uint32_t b[4];
        sb_ldmatrix_x4(b, mine + k * 16);
        sb_mma_bf16(score[0], own[k], b);
        sb_mma_bf16(score[1], own[k], b + 2);
    }
}

/* sum[16,E] += weight[16,16] rows: of 16 rows in shared memory. */
template <int E>
static __device__ inline void sb_tile_weigh(float (*sum)[4], const float (*weight)[4], const sb_bf16 *rows)
{
    int lane = (int)threadIdx.x % SB_WARP;
    const sb_bf16 *mine = rows + lane % 16 * SB_PITCH<E> + lane / 16 * 8;
    const uint32_t a[4] = {sb_pack_bf16(weight[0][0], weight[0][1]), sb_pack_bf16(weight[0][2], weight[0][3]),
                           sb_pack_bf16(weight[1][0], weight[1][1]), sb_pack_bf16(weight[1][2], weight[1][3])};
#pragma unroll
    for (int n = 0; n < E / 16; n++) {
        uint32_t b[4];
        sb_ldmatrix_x4_trans(b, mine + n * 16);
        sb_mma_bf16(sum[2 * n], a, b);
        sb_mma_bf16(sum[2 * n + 1], a, b + 2);
    }
}

/* The sum, or the largest, over the four lanes that hold a row. */
static __device__ inline float sb_row_sum(float x)
{
    x += __shfl_xor_sync(SB_ALL_LANES, x, 1);
    return x + __shfl_xor_sync(SB_ALL_LANES, x, 2);
}

static __device__ inline float sb_row_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(SB_ALL_LANES, x, 1));
    return fmaxf(x, __shfl_xor_sync(SB_ALL_LANES, x, 2));
}

/* Which keys a tile of queries sees, counted from some key on: every query those before `clear`, none from `all` on,
 * this lane's two those before seen. */
struct sb_sight {
    int clear, all, seen[2];
};

static __device__ inline struct sb_sight sb_tile_sight(const struct sb_attention *a, int past, int query)
{
    int row = query + (int)threadIdx.x % SB_WARP / 4;
    struct sb_sight s = {0, 0, {sb_sees(a, past, row), sb_sees(a, past, row + 8)}};
    if (query < a->tokens) {
        s.clear = sb_sees(a, past, query);
        s.all = sb_sees(a, past, query + SB_TILE - 1);
    }
    return s;
}

/* Forward's state of a tile of queries: sum[16,E] of p v, the row's largest score, and this lane's part of the sum of
 * p, where p = exp(score - largest) of the keys that came by so far. */
template <int E> struct sb_attended {
    float sum[E / 8][4], most[2], all[2];
};

template <int E> static __device__ inline void sb_attend_begin(struct sb_attended<E> *y)
{
#pragma unroll
    for (int n = 0; n < E / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) y->sum[n][i] = 0;
    }
    y->most[0] = y->most[1] = -INFINITY;
    y->all[0] = y->all[1] = 0;
}

/* The largest scores are now those in most, which is given in units of log2. */
template <int E>
static __device__ inline void sb_attend_rescale(struct sb_attended<E> *y, const float most[2], float scale)
{
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float factor = sb_exp2((y->most[half] - most[half]) * scale);
        y->most[half] = most[half];
        y->all[half] *= factor;
#pragma unroll
        for (int n = 0; n < E / 8; n++) y->sum[n][2 * half] *= factor, y->sum[n][2 * half + 1] *= factor;
    }
}

/* Takes in the keys from `from` on, at most 16 TILES, whose rows k, v lie in shared memory: all their scores are in
 * registers before the first exp. */
template <int E, int TILES>
static __device__ inline void sb_attend(struct sb_attended<E> *y, const uint32_t (*q)[4], const sb_bf16 *k,
                                        const sb_bf16 *v, struct sb_sight s, int from, float scale)
{
    int t = (int)threadIdx.x % 4 * 2, left[2] = {s.seen[0] - from - t, s.seen[1] - from - t};
    float score[TILES][2][4], most[2] = {y->most[0], y->most[1]};
#pragma unroll
    for (int j = 0; j < TILES; j++) {
        if (from + j * SB_TILE < s.all) sb_tile_scores<E>(score[j], q, k + j * SB_TILE * SB_PITCH<E>);
    }
#pragma unroll
    for (int j = 0; j < TILES; j++) {
        if (from + j * SB_TILE >= s.all) continue;
        bool edge = from + (j + 1) * SB_TILE > s.clear;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float *x = &score[j][i / 4][i % 4];
            if (edge && j * SB_TILE + i / 4 * 8 + i % 2 >= left[i / 2 % 2]) *x = -INFINITY;
            most[i / 2 % 2] = fmaxf(most[i / 2 % 2], *x);
        }
    }
    most[0] = sb_row_max(most[0]), most[1] = sb_row_max(most[1]);
    sb_attend_rescale<E>(y, most, scale);
    float shift[2] = {most[0] * scale, most[1] * scale};
#pragma unroll
    for (int j = 0; j < TILES; j++) {
        if (from + j * SB_TILE >= s.all) continue;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float *x = &score[j][i / 4][i % 4];
            y->all[i / 2 % 2] += *x = sb_exp2(fmaf(*x, scale, -shift[i / 2 % 2]));
        }
        sb_tile_weigh<E>(y->sum, score[j], v + j * SB_TILE * SB_PITCH<E>);
    }
}

/* Stores what the tile of queries from `first` on has attended to. */
template <int E>
static __device__ inline void sb_attend_end(struct sb_attended<E> *y, const struct sb_attention *a, int head,
                                            int first, sb_bf16 *stage)
{
    int row = first + (int)threadIdx.x % SB_WARP / 4, count = a->tokens - first;
    float factor[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float all = sb_row_sum(y->all[half]);
        factor[half] = 1 / all;
        if (a->lse && threadIdx.x % 4 == 0 && row + 8 * half < a->tokens) {
            a->lse[(int64_t)head * a->tokens + row + 8 * half] = y->most[half] * a->scale + logf(all);
        }
    }
    sb_tile_store<E>(sb_head<sb_bf16>(a->y, a, head) + (int64_t)first * a->y.token, a->y.token, count, a->e, stage, y->sum,
                     factor);
}

/* What a backward pass over a tile of own rows holds. Queries are the own rows, a = q, b = dy, and keys the others, or
 * keys are (KEYS), a = k, b = v, and queries the others. */
template <int E, bool KEYS> struct sb_slopes {
    uint32_t own_a[E / 16][4], own_b[E / 16][4];
    float da[E / 8][4];             /* ds times the others' a: dq or dk, before 1 / sqrt(E) */
    float db[KEYS ? E / 8 : 1][4];  /* keys: p times the others' b: dv */
    float lse[2], delta[2];         /* queries: of this lane's rows; lse in units of log2 */
    int from, to;                   /* the others that count */
    int clear, bound[2];            /* queries: see sb_sight; keys: the first query that sees all, and each, of them */
};

/* The rows that are the pass's own, and the others. */
template <bool KEYS> static __device__ inline struct sb_rows sb_own_a(const struct sb_attention *a)
{
    return KEYS ? a->k : a->q;
}

template <bool KEYS> static __device__ inline struct sb_rows sb_own_b(const struct sb_attention *a)
{
    return KEYS ? a->v : a->dy;
}

/* Begins to copy the other side's rows from .. from+all-1 to shared memory, zeros past the tokens. */
template <int E, bool KEYS>
static __device__ inline void sb_others_load(sb_bf16 *to_a, sb_bf16 *to_b, const struct sb_attention *a, int head,
                                             int from, int all)
{
    struct sb_rows ra = sb_own_a<!KEYS>(a), rb = sb_own_b<!KEYS>(a);
    sb_rows_load<E>(to_a, sb_head<sb_bf16>(ra, a, head) + (int64_t)from * ra.token, ra.token, a->tokens - from, all, a->e,
                    (int)threadIdx.x, SB_TILE_THREADS);
    sb_rows_load<E>(to_b, sb_head<sb_bf16>(rb, a, head) + (int64_t)from * rb.token, rb.token, a->tokens - from, all, a->e,
                    (int)threadIdx.x, SB_TILE_THREADS);
}

/* Begins with the own tile from row `first` on. It waits for all copies that its threads have begun. Queries: lse and
 * delta are the caller's to fill in. */
template <int E, bool KEYS>
static __device__ inline void sb_slopes_begin(struct sb_slopes<E, KEYS> *s, const struct sb_attention *a, int head,
                                              int first, sb_bf16 *stage)
{
    struct sb_rows ra = sb_own_a<KEYS>(a), rb = sb_own_b<KEYS>(a);
    sb_tile_load<E>(s->own_a, stage, sb_head<sb_bf16>(ra, a, head) + (int64_t)first * ra.token, ra.token, a->tokens - first,
                    a->e);
    sb_tile_load<E>(s->own_b, stage, sb_head<sb_bf16>(rb, a, head) + (int64_t)first * rb.token, rb.token, a->tokens - first,
                    a->e);
#pragma unroll
    for (int n = 0; n < E / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            s->da[n][i] = 0;
            if constexpr (KEYS) s->db[n][i] = 0;
        }
    }
    if (KEYS) {
        int row = first + (int)threadIdx.x % SB_WARP / 4;
        s->from = a->causal ? first : 0, s->to = a->tokens;
        s->clear = a->causal ? first + SB_TILE : 0;
        s->bound[0] = row, s->bound[1] = row + 8;
    } else {
        struct sb_sight sight = sb_tile_sight(a, 0, first);
        s->from = 0, s->to = sight.all;
        s->clear = sight.clear, s->bound[0] = sight.seen[0], s->bound[1] = sight.seen[1];
    }
}

/* Takes in the other rows of base .. end-1 (multiples of 16) that count; they lie in shared memory. Keys: lse and delta
 * likewise; both are 0 for rows past the tokens, where a and b are 0 too, so that nothing is added. */
template <int E, bool KEYS>
static __device__ inline void sb_slopes_add(struct sb_slopes<E, KEYS> *s, const sb_bf16 *a, const sb_bf16 *b,
                                            const float *lse, const float *delta, int base, int end, float scale)
{
    int t = (int)threadIdx.x % 4 * 2, to = s->to < end ? s->to : end;
#pragma unroll 1
    for (int first = s->from > base ? s->from : base; first < to; first += SB_TILE) {
        int row = first - base;
        bool edge = KEYS ? first < s->clear : first + SB_TILE > s->clear;
        float p[2][4], ds[2][4];
        sb_tile_scores<E>(p, s->own_a, a + row * SB_PITCH<E>);
        sb_tile_scores<E>(ds, s->own_b, b + row * SB_PITCH<E>);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            int column = t + i / 4 * 8 + i % 2, half = i / 2 % 2;
            float l = KEYS ? lse[row + column] : s->lse[half], own = KEYS ? delta[row + column] : s->delta[half];
            float x = sb_exp2(fmaf(p[i / 4][i % 4], scale, -l));
            if (edge && (KEYS ? first + column < s->bound[half] : first + column >= s->bound[half])) x = 0;
            p[i / 4][i % 4] = x;
            ds[i / 4][i % 4] = x * (ds[i / 4][i % 4] - own);
        }
        sb_tile_weigh<E>(s->da, ds, a + row * SB_PITCH<E>);
        if constexpr (KEYS) sb_tile_weigh<E>(s->db, p, b + row * SB_PITCH<E>);
    }
}

template <int E, bool KEYS>
static __device__ inline void sb_slopes_end(const struct sb_slopes<E, KEYS> *s, const struct sb_attention *a,
                                            int head, int first, sb_bf16 *stage)
{
    const float scale[2] = {a->scale, a->scale}, one[2] = {1, 1};
    struct sb_rows da = KEYS ? a->dk : a->dq;
    sb_tile_store<E>(sb_head<sb_bf16>(da, a, head) + (int64_t)first * da.token, da.token, a->tokens - first, a->e, stage, s->da,
                     scale);
    if constexpr (KEYS) {
        sb_tile_store<E>(sb_head<sb_bf16>(a->dv, a, head) + (int64_t)first * a->dv.token, a->dv.token, a->tokens - first, a->e,
                         stage, s->db, one);
    }
}

#endif
