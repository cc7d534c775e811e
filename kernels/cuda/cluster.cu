/* Clustering: the nearest centroid of each vector, the sums of each centroid's vectors, the centroids that they make.
 *
 * Nearest: a product in TF32 finds who may be nearest, and those are measured again in f32, term by term. With m, the
 * first centroid of a tile, and s = c - m,
 *
 *     |x - c|^2 = |x - m|^2 + (|s|^2 + 2 m s) - 2 x s
 *
 * of which the first term is the same for all centroids. m is taken off because where all vectors are alike, as
 * embeddings and thumbnails are, s is much shorter than c, and so is what TF32 may be wrong by.
 *
 * Centroids are taken in tiles and vectors in pieces, so that a piece's scores stay in the L2 cache between the product
 * and the kernel that reads them. 200,000 x 768, k = 1,000 (H100): 307 GFLOP, 0.77 ms at the TF32 peak; scores 1.6 GB
 * through L2. */
#include "kernels/cuda/map.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/row_sum.h"

#define THREADS 256
#define WARPS (THREADS / SB_WARP)
#define FEW 8                    /* so many centroids are all measured: x is then read once, by one kernel */
#define TILE_MOST 4096           /* centroids */
#define SHIFTED_MOST (16L << 20) /* bytes of a tile's s */
#define SCORES_MOST (32L << 20)  /* bytes of a piece's scores: 8,192 vectors for 1,000 centroids */
#define PITCH 64                 /* a tile's centroids are filled up to a multiple of this: all rows are aligned */
#define STEP (4 * SB_WARP)       /* scores that a warp reads at once */

/* Of 2 x s computed in TF32, over |x| |s|: both factors may lose 2^-10 of themselves, and sums in f32 a little. */
#define TF32_ERROR 0.0045f

/* What is kept of a tile's centroids. s and the scores have `pitch` of them, a multiple of PITCH; those beyond `count`
 * are never nearest. */
struct tile {
    const float *c; /* [count, width], the first of them is m */
    float *s;       /* [pitch, width] */
    float *bias;    /* [pitch]: |s|^2 + 2 m s */
    float *error;   /* [pitch]: times |x| + |m|, what bias - 2 x s may be off by */
    int64_t count, pitch, width;
};

static __device__ inline int lane_of_warp(void) { return (int)threadIdx.x % SB_WARP; }

/* A warp makes one s. */
template <int n> static __global__ void __launch_bounds__(THREADS) shift_kernel(tile t)
{
    int64_t j = (int64_t)blockIdx.x * WARPS + threadIdx.x / SB_WARP;
    float square = 0, product = 0;
    if (j >= t.pitch) return;
    for (int64_t at = lane_of_warp() * n; at < t.width; at += SB_WARP * n) {
        float c[n] = {}, m[n] = {};
        if (j < t.count) {
            sb_read<n>(c, t.c + j * t.width + at);
            sb_read<n>(m, t.c + at);
        }
#pragma unroll
        for (int i = 0; i < n; i++) {
            c[i] -= m[i];
            square = fmaf(c[i], c[i], square);
            product = fmaf(c[i], m[i], product);
        }
        sb_write<n>(t.s + j * t.width + at, c);
    }
    square = sb_warp_sum(square), product = sb_warp_sum(product);
    if (lane_of_warp()) return;
    t.bias[j] = j < t.count ? square + 2 * product : INFINITY;
    t.error[j] = j < t.count ? TF32_ERROR * sqrtf(square) : 0;
}

/* ---- picking ----------------------------------------------------------------------------------------------------- */

struct pick {
    tile t;
    const float *x;     /* [rows, width] */
    const float *score; /* [rows, pitch]: x s; NULL: all centroids are measured */
    int64_t rows;
    int32_t first; /* the number of the tile's first centroid */
    int32_t *index;
    float *distance; /* where first is not 0, both hold the nearest of those before it */
};

/* A warp's vector: the nearest so far. */
struct best {
    float distance;
    int32_t index;
};

template <int n> static __device__ inline float distance2(const float *x, const float *c, int64_t width)
{
    float sum = 0;
    for (int64_t at = lane_of_warp() * n; at < width; at += SB_WARP * n) {
        float a[n], b[n];
        sb_read<n>(a, x + at);
        sb_read<n>(b, c + at);
#pragma unroll
        for (int i = 0; i < n; i++) sum = fmaf(a[i] - b[i], a[i] - b[i], sum);
    }
    return sb_warp_sum(sum);
}

/* Centroid j of the tile. Of equals the first one is nearest, in whichever order they come. */
template <int n> static __device__ inline void measure(const pick &p, const float *x, int64_t j, best *b)
{
    float distance = distance2<n>(x, p.t.c + j * p.t.width, p.t.width);
    int32_t index = p.first + (int32_t)j;
    if (distance < b->distance || (distance == b->distance && index < b->index)) *b = {distance, index};
}

/* Four scores from `at` on without what is the same for all centroids, and how far off each may be. */
static __device__ inline void read_scores(const pick &p, const float *score, int64_t at, float length, float *value,
                                          float *error)
{
    float bias[4];
    sb_read<4>(value, score + at);
    sb_read<4>(bias, p.t.bias + at);
    sb_read<4>(error, p.t.error + at);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        value[i] = bias[i] - 2 * value[i];
        error[i] *= length;
    }
}

/* |x| + |m| */
template <int n> static __device__ inline float lengths(const float *x, const float *m, int64_t width)
{
    float own = 0, other = 0;
    for (int64_t at = lane_of_warp() * n; at < width; at += SB_WARP * n) {
        float a[n], b[n];
        sb_read<n>(a, x + at);
        sb_read<n>(b, m + at);
#pragma unroll
        for (int i = 0; i < n; i++) own = fmaf(a[i], a[i], own), other = fmaf(b[i], b[i], other);
    }
    return sqrtf(sb_warp_sum(own)) + sqrtf(sb_warp_sum(other));
}

/* Measures all that may be nearer than the one which is nearest at the worst. */
template <int n>
static __device__ inline void measure_candidates(const pick &p, const float *x, const float *score, best *b)
{
    float value[4], error[4], least = INFINITY, length = lengths<n>(x, p.t.c, p.t.width);
    for (int64_t at = lane_of_warp() * 4; at < p.t.pitch; at += STEP) {
        read_scores(p, score, at, length, value, error);
#pragma unroll
        for (int i = 0; i < 4; i++) least = fminf(least, value[i] + error[i]);
    }
    least = -sb_warp_max(-least);
    for (int64_t base = 0; base < p.t.pitch; base += STEP) {
        int64_t at = base + lane_of_warp() * 4;
        bool inside = at < p.t.pitch;
        if (inside) read_scores(p, score, at, length, value, error);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            uint32_t lanes = __ballot_sync(SB_ALL_LANES, inside && value[i] - error[i] <= least);
            while (lanes) {
                int lane = 31 - __clz((int)lanes);
                lanes ^= 1u << lane;
                measure<n>(p, x, base + lane * 4 + i, b);
            }
        }
    }
}

/* A warp a vector. */
template <int n> static __global__ void __launch_bounds__(THREADS) pick_kernel(pick p)
{
    int64_t row = (int64_t)blockIdx.x * WARPS + threadIdx.x / SB_WARP;
    best b = {INFINITY, 0};
    if (row >= p.rows) return;
    const float *x = p.x + row * p.t.width;
    if (p.first) b = {p.distance[row], p.index[row]};
    if (p.score) measure_candidates<n>(p, x, p.score + row * p.t.pitch, &b);
    else {
        for (int64_t j = 0; j < p.t.count; j++) measure<n>(p, x, j, &b);
    }
    if (lane_of_warp()) return;
    p.index[row] = b.index;
    p.distance[row] = b.distance;
}

/* ---- launching --------------------------------------------------------------------------------------------------- */

static void launch_pick(struct sb_dev *d, const pick &p)
{
    unsigned blocks = (unsigned)sb_ceil_div(p.rows, WARPS);
    if (sb_wide(p.x, p.t.width) && sb_wide(p.t.c, p.t.width)) SB_LAUNCH(d, (pick_kernel<4>), blocks, THREADS, 0, p);
    else SB_LAUNCH(d, (pick_kernel<1>), blocks, THREADS, 0, p);
}

static void shift(struct sb_dev *d, const tile &t)
{
    unsigned blocks = (unsigned)sb_ceil_div(t.pitch, WARPS);
    if (sb_wide(t.c, t.width)) SB_LAUNCH(d, (shift_kernel<4>), blocks, THREADS, 0, t);
    else SB_LAUNCH(d, (shift_kernel<1>), blocks, THREADS, 0, t);
}

/* All vectors against one tile, a piece at a time; scores: SCORES_MOST bytes. */
static void search(struct sb_dev *d, const pick &all, float *scores)
{
    int64_t most = SCORES_MOST / (int64_t)sizeof(float) / all.t.pitch, width = all.t.width;
    struct sb_matmul q = {};
    q.n = all.t.pitch, q.k = width;
    q.in = q.out = SB_F32;
    q.b_transposed = q.tf32 = true;
    shift(d, all.t);
    for (int64_t row = 0; row < all.rows; row += most) {
        pick p = all;
        struct sb_matmul_data data = {};
        p.rows = q.m = all.rows - row < most ? all.rows - row : most;
        data.a = p.x = all.x + row * width;
        data.b = all.t.s;
        data.y = scores;
        sb_cuda_matmul(d, &q, &data);
        p.score = scores;
        p.index += row, p.distance += row;
        launch_pick(d, p);
    }
}

void sb_cuda_nearest(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance)
{
    int64_t count = c->shape[0], width = c->shape[1];
    int64_t most = SHIFTED_MOST / (int64_t)sizeof(float) / (width + 2) / PITCH * PITCH; /* s, bias and error of a tile */
    float *scratch = (float *)d->scratch, *shifted = scratch + SCORES_MOST / (int64_t)sizeof(float);
    pick p = {};
    p.x = (const float *)x->data;
    p.rows = x->shape[0];
    p.index = (int32_t *)index->data, p.distance = (float *)distance->data;
    p.t.c = (const float *)c->data;
    p.t.count = count, p.t.width = width;
    if (!p.rows) return;
    if (count <= FEW || !most) {
        launch_pick(d, p);
        return;
    }
    if (most > TILE_MOST) most = TILE_MOST;
    for (int64_t first = 0; first < count; first += most) {
        p.first = (int32_t)first;
        p.t.c = (const float *)c->data + first * width;
        p.t.count = count - first < most ? count - first : most;
        p.t.pitch = sb_ceil_div(p.t.count, PITCH) * PITCH;
        p.t.s = shifted;
        p.t.bias = shifted + p.t.pitch * width;
        p.t.error = p.t.bias + p.t.pitch;
        search(d, p, scratch);
    }
}

void sb_cuda_nearest_sum(struct sb_dev *d, sb_in x, sb_in index, sb_out sum, sb_out count)
{
    struct sb_row_sum r = {};
    r.key = (const int32_t *)index->data;
    r.rows = x->shape[0], r.keys = sum->shape[0];
    r.x = x->data;
    r.dtype = SB_F32;
    r.columns = x->shape[1];
    r.sum = (float *)sum->data, r.count = (float *)count->data;
    sb_cuda_row_sum(d, &r);
}

/* ---- moving ------------------------------------------------------------------------------------------------------ */

struct mean {
    const float *sum, *count, *c;
    float *y;
    int64_t width;
};

template <int n> static __device__ inline void sb_map_at(const mean &m, int64_t row, int64_t at, sb_lanes<n>)
{
    int64_t i = row * m.width + at;
    float members = m.count[row], v[n];
    sb_read<n>(v, (members > 0 ? m.sum : m.c) + i);
    if (members > 0) {
#pragma unroll
        for (int j = 0; j < n; j++) v[j] /= members;
    }
    sb_write<n>(m.y + i, v);
}

void sb_cuda_centroids(struct sb_dev *d, sb_in sum, sb_in count, sb_in c, sb_out y)
{
    int64_t width = sum->shape[1];
    mean m = {(const float *)sum->data, (const float *)count->data, (const float *)c->data, (float *)y->data, width};
    bool wide = sb_wide(m.sum, width) && sb_wide(m.c, width) && sb_wide(m.y, width);
    sb_map<SB_LANES<float>>(d, m, sum->shape[0], width, wide);
}
