/* Sums of the rows that share a key, in two parts: a radix sort of (key, row), 8 bits a pass, that keeps the order of
 * equal keys (each pass: digits counted a tile, the counts summed over tiles, pairs moved to their places); then one
 * block for each key and 512 bytes of columns adds up the rows. */
#include "kernels/cuda/row_sum.h"

#include "kernels/cuda/column_sum.h"

#define THREADS 256
#define WARPS (THREADS / SB_WARP)
#define DIGITS 256 /* a thread each */
#define ROUNDS 8   /* pairs of a thread */
#define TILE (THREADS * ROUNDS)
#define PIECE ((int64_t)1 << 21) /* rows that are sorted at once: 33 MiB of scratch */

struct pass {
    const int32_t *key, *row; /* row NULL: 0, 1, 2, ... */
    int32_t *to_key, *to_row;
    int32_t *count; /* [tiles, DIGITS]: how many; after the scan: where they begin */
    int32_t pairs, tiles, shift;
};

/* ---- sorting ----------------------------------------------------------------------------------------------------- */

/* Lanes whose digit is this lane's; `valid` lanes only. */
static __device__ inline uint32_t same_digit(int digit, bool valid)
{
    uint32_t same = __ballot_sync(SB_ALL_LANES, valid);
#pragma unroll
    for (int bit = 0; bit < 8; bit++) {
        bool set = digit >> bit & 1;
        uint32_t lanes = __ballot_sync(SB_ALL_LANES, set);
        same &= set ? lanes : ~lanes;
    }
    return same;
}

/* A warp has 256 neighbouring pairs of the tile, 32 a round. */
static __device__ inline int pair_of(int round)
{
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP;
    return (int)blockIdx.x * TILE + (warp * ROUNDS + round) * SB_WARP + lane;
}

/* The thread's keys, and count (shared, [WARPS, DIGITS]): how many of each digit a warp has. */
static __device__ inline void count_digits(const pass &p, int32_t key[ROUNDS], int *count)
{
    int *own = count + (int)threadIdx.x / SB_WARP * DIGITS;
    uint32_t before = (1u << threadIdx.x % SB_WARP) - 1;
#pragma unroll
    for (int i = 0; i < ROUNDS; i++) key[i] = pair_of(i) < p.pairs ? p.key[pair_of(i)] : 0;
    for (int i = (int)threadIdx.x; i < WARPS * DIGITS; i += THREADS) count[i] = 0;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < ROUNDS; i++) {
        bool valid = pair_of(i) < p.pairs;
        int digit = key[i] >> p.shift & (DIGITS - 1);
        uint32_t same = same_digit(digit, valid);
        if (valid && !(same & before)) own[digit] += __popc(same);
        __syncwarp();
    }
    __syncthreads();
}

static __global__ void __launch_bounds__(THREADS) count_kernel(pass p)
{
    SB_SHARED(int, count, WARPS * DIGITS);
    int32_t key[ROUNDS], total = 0;
    count_digits(p, key, count);
    for (int warp = 0; warp < WARPS; warp++) total += count[warp * DIGITS + threadIdx.x];
    p.count[(int64_t)blockIdx.x * DIGITS + threadIdx.x] = total;
}

/* One block: counts become places, digit by digit, within a digit tile by tile. */
static __global__ void __launch_bounds__(DIGITS) scan_kernel(pass p)
{
    SB_SHARED(int, sum, DIGITS);
    int digit = (int)threadIdx.x, total = 0;
#pragma unroll 8
    for (int tile = 0; tile < p.tiles; tile++) total += p.count[tile * DIGITS + digit];
    sum[digit] = total;
    __syncthreads();
    for (int step = 1; step < DIGITS; step *= 2) {
        int more = digit >= step ? sum[digit - step] : 0;
        __syncthreads();
        sum[digit] += more;
        __syncthreads();
    }
    int place = sum[digit] - total;
    for (int tile = 0; tile < p.tiles; tile++) {
        int here = p.count[tile * DIGITS + digit];
        p.count[tile * DIGITS + digit] = place;
        place += here;
    }
}

static __global__ void __launch_bounds__(THREADS) move_kernel(pass p)
{
    SB_SHARED(int, place, WARPS * DIGITS);
    int32_t key[ROUNDS];
    count_digits(p, key, place);
    int next = p.count[(int64_t)blockIdx.x * DIGITS + threadIdx.x];
    for (int warp = 0; warp < WARPS; warp++) {
        int here = place[warp * DIGITS + threadIdx.x];
        place[warp * DIGITS + threadIdx.x] = next;
        next += here;
    }
    __syncthreads();
    int *own = place + (int)threadIdx.x / SB_WARP * DIGITS;
    uint32_t before = (1u << threadIdx.x % SB_WARP) - 1;
#pragma unroll
    for (int i = 0; i < ROUNDS; i++) {
        int pair = pair_of(i), digit = key[i] >> p.shift & (DIGITS - 1);
        uint32_t same = same_digit(digit, pair < p.pairs);
        int to = own[digit] + __popc(same & before);
        if (pair < p.pairs) {
            p.to_key[to] = key[i];
            p.to_row[to] = p.row ? p.row[pair] : pair;
        }
        __syncwarp();
        if (pair < p.pairs && !(same & before)) own[digit] += __popc(same);
        __syncwarp();
    }
}

/* ---- summing ----------------------------------------------------------------------------------------------------- */

/* The rows of x in the order of the sorted pairs. */
template <typename T> struct chosen_rows {
    const T *x;
    const int32_t *row;
    int64_t columns;
};

template <int width, typename T>
static __device__ inline void sb_column_values(const chosen_rows<T> &c, int64_t pair, int64_t column,
                                               float (&to)[1][width])
{
    sb_read<width>(to[0], c.x + c.row[pair] * c.columns + column);
}

/* How many of the ascending keys are below `key`. */
static __device__ inline int64_t below(const int32_t *sorted, int64_t pairs, int32_t key)
{
    int64_t first = 0, last = pairs;
    while (first < last) {
        int64_t middle = (first + last) / 2;
        if (sorted[middle] < key) first = middle + 1;
        else last = middle;
    }
    return first;
}

/* Of block x the tile of columns is x % tiles; x / tiles is the key, or where there are more keys than pairs a pair: if
 * it is the first one of its key, the block is that key's. */
template <int width, typename T>
static __global__ void __launch_bounds__(SB_COLUMN_THREADS)
    sum_kernel(chosen_rows<T> rows, const int32_t *sorted, int64_t pairs, bool by_key, int tiles, int across,
               float *sum, float *count, bool add)
{
    SB_SHARED(float, part, SB_COLUMN_THREADS * width);
    int64_t which = blockIdx.x / tiles, tile = blockIdx.x % tiles, column = tile * across * width;
    int32_t key = by_key ? (int32_t)which : sorted[which];
    if (!by_key && which && sorted[which - 1] == key) return;
    int64_t first = by_key ? below(sorted, pairs, key) : which, last = below(sorted, pairs, key + 1);
    if (add && first == last) return;
    sb_column_walk<1, width>(rows, first, last, column, rows.columns, across, part);
    for (int at = (int)threadIdx.x; at < across * width && column + at < rows.columns; at += SB_COLUMN_THREADS) {
        float *p = sum + key * rows.columns + column + at, total = sb_column_total<width>(part, 0, at, across);
        *p = add ? *p + total : total;
    }
    if (count && !tile && !threadIdx.x) count[key] = (float)(last - first) + (add ? count[key] : 0);
}

/* ---- launching --------------------------------------------------------------------------------------------------- */

/* Sorts `pairs` keys; returns the last pass. */
static struct pass sort(struct sb_dev *d, const int32_t *key, int64_t pairs, int64_t keys)
{
    int32_t *scratch = (int32_t *)d->scratch;
    struct pass p = {key,           NULL,           scratch, scratch + PIECE, scratch + 4 * PIECE,
                     (int32_t)pairs, (int32_t)sb_ceil_div(pairs, TILE), 0};
    for (;;) {
        SB_LAUNCH(d, count_kernel, p.tiles, THREADS, 0, p);
        SB_LAUNCH(d, scan_kernel, 1, DIGITS, 0, p);
        SB_LAUNCH(d, move_kernel, p.tiles, THREADS, 0, p);
        if ((keys - 1) >> (p.shift + 8) == 0) return p;
        p.shift += 8;
        p.key = p.to_key, p.row = p.to_row;
        p.to_key = scratch + (p.to_key == scratch ? 2 : 0) * PIECE;
        p.to_row = p.to_key + PIECE;
    }
}

template <int width, typename T>
static void sum_sorted(struct sb_dev *d, const struct sb_row_sum *r, const struct pass &p, const T *x, bool add)
{
    int across = sb_column_across(r->columns, width), tiles = (int)sb_ceil_div(r->columns, across * width);
    bool by_key = !add || r->keys <= p.pairs;
    chosen_rows<T> rows = {x, p.to_row, r->columns};
    SB_LAUNCH(d, (sum_kernel<width, T>), (unsigned)((by_key ? r->keys : p.pairs) * tiles), SB_COLUMN_THREADS, 0, rows,
              (const int32_t *)p.to_key, (int64_t)p.pairs, by_key, tiles, across, r->sum, r->count, add);
}

template <typename T> static void sum_rows(struct sb_dev *d, const struct sb_row_sum *r)
{
    for (int64_t first = 0; first < r->rows; first += PIECE) {
        int64_t pairs = r->rows - first < PIECE ? r->rows - first : PIECE;
        const T *x = (const T *)r->x + first * r->columns;
        struct pass p = sort(d, r->key + first, pairs, r->keys);
        bool add = r->add || first;
        if (sb_wide(x, r->columns)) sum_sorted<SB_LANES<T>>(d, r, p, x, add);
        else sum_sorted<1>(d, r, p, x, add);
    }
}

void sb_cuda_row_sum(struct sb_dev *d, const struct sb_row_sum *r)
{
    if (!r->keys || !r->columns) return;
    SB_BY_DTYPE(r->dtype, T, sum_rows<T>(d, r));
}
