/* A linear layer whole in one kernel, bf16, for a few hundred rows: one picture's tokens. 64 x 64 tiles give enough
 * blocks there, and bias, activation and residual are done on the way out; erf GELU, for which cuBLASLt has no
 * epilogue, then costs no launch.
 *
 * A block has four warps, each a 32 x 32 quarter of the tile. Slices of x and w, 64 wide, come to shared memory in the
 * background, three ahead of the one that is multiplied. In a row of 128 bytes the 16-byte pieces are mixed (piece XOR
 * row), so that neither the copies nor ldmatrix meet in a bank. */
#include "kernels/cuda/activation.h"
#include "kernels/cuda/linear.h"

#define TILE 64
#define DEPTH 64  /* of a slice, 128 bytes */
#define PIECES 8  /* of 16 bytes, in a row of a slice */
#define STAGES 4
#define THREADS 128
#define MOST_ROWS 1024 /* beyond, cuBLASLt's larger tiles win */

struct tiles {
    const sb_bf16 *x, *w, *b, *residual;
    sb_bf16 *pre, *y;
    int64_t m, n, k;
    uint32_t down; /* tiles over m */
};

/* Where a piece of a row of a slice lies. */
static __device__ inline sb_bf16 *place(sb_bf16 *slice, int row, int piece)
{
    return slice + row * DEPTH + (piece ^ (row % PIECES)) * SB_LANES<sb_bf16>;
}

/* Rows first .. first+63 of from[rows,k], elements at .. at+63; zeros outside. */
static __device__ inline void load_slice(sb_bf16 *to, const sb_bf16 *from, int64_t first, int64_t rows, int64_t at,
                                         int64_t k)
{
    int row = (int)threadIdx.x / PIECES, piece = (int)threadIdx.x % PIECES;
    int64_t column = at + piece * SB_LANES<sb_bf16>, start = (first + row) * k + column;
    sb_bf16 *own = place(to, row, piece);
#pragma unroll
    for (int i = 0; i < TILE; i += THREADS / PIECES) { /* a multiple of PIECES: the piece lies alike in each row */
        bool inside = first + row + i < rows && column < k;
        sb_cp_async16(own + i * DEPTH, from + (inside ? start + i * k : 0), inside);
    }
}

/* sum[i][j]: rows 16 i .. and columns 8 j .. of the warp's quarter. */
static __device__ inline void multiply_slice(float (&sum)[2][4][4], sb_bf16 *x, sb_bf16 *w, int row, int column)
{
    int lane = (int)threadIdx.x % SB_WARP, matrix = lane / 8, line = lane % 8;
#pragma unroll
    for (int step = 0; step < DEPTH / 16; step++) {
        uint32_t a[2][4], b[2][4];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            sb_ldmatrix_x4(a[i], place(x, row + 16 * i + matrix % 2 * 8 + line, 2 * step + matrix / 2));
            sb_ldmatrix_x4(b[i], place(w, column + 16 * i + matrix / 2 * 8 + line, 2 * step + matrix % 2));
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) sb_mma_bf16(sum[i][j], a[i], b[j / 2] + j % 2 * 2);
        }
    }
}

/* Two neighbours of y. */
template <enum sb_act a>
static __device__ inline void finish(const tiles &t, int64_t row, int64_t column, const float *sum)
{
    if (row >= t.m || column >= t.n) return;
    int64_t at = row * t.n + column;
    float v[2] = {sum[0], sum[1]}, more[2];
    if (t.b) {
        sb_read<2>(more, t.b + column);
        v[0] += more[0], v[1] += more[1];
    }
    if (t.pre) sb_write<2>(t.pre + at, v);
    v[0] = sb_activate<a>(v[0]), v[1] = sb_activate<a>(v[1]);
    if (t.residual) {
        sb_read<2>(more, t.residual + at);
        v[0] += more[0], v[1] += more[1];
    }
    sb_write<2>(t.y + at, v);
}

template <enum sb_act a> static __global__ void __launch_bounds__(THREADS) multiply(tiles t)
{
    SB_SHARED_DYNAMIC(sb_bf16, shared);
    int64_t first = (int64_t)(blockIdx.x % t.down) * TILE, first_column = (int64_t)(blockIdx.x / t.down) * TILE;
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP;
    int row = warp / 2 * 32, column = warp % 2 * 32;
    int64_t slices = (t.k + DEPTH - 1) / DEPTH;
    float sum[2][4][4] = {};
    for (int64_t ahead = 0; ahead < slices + STAGES - 1; ahead++) {
        int64_t now = ahead - (STAGES - 1); /* is multiplied, while slice `ahead` sets out */
        if (now >= 0) {
            sb_cp_async_wait<STAGES - 2>();
            __syncthreads(); /* slice `now` is there, and all have done with the one whose place is filled next */
        }
        if (ahead < slices) {
            sb_bf16 *to = shared + ahead % STAGES * (2 * TILE * DEPTH);
            load_slice(to, t.x, first, t.m, ahead * DEPTH, t.k);
            load_slice(to + TILE * DEPTH, t.w, first_column, t.n, ahead * DEPTH, t.k);
        }
        sb_cp_async_commit();
        if (now >= 0) {
            sb_bf16 *x = shared + now % STAGES * (2 * TILE * DEPTH);
            multiply_slice(sum, x, x + TILE * DEPTH, row, column);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            int64_t r = first + row + 16 * i + lane / 4, c = first_column + column + 8 * j + lane % 4 * 2;
            finish<a>(t, r, c, sum[i][j]);
            finish<a>(t, r + 8, c, sum[i][j] + 2);
        }
    }
}

bool sb_cuda_tiles_can(const struct sb_linear_call *l)
{
    uintptr_t address = (uintptr_t)l->x | (uintptr_t)l->w | (uintptr_t)l->b | (uintptr_t)l->residual |
                        (uintptr_t)l->pre | (uintptr_t)l->y;
    return l->dtype == SB_BF16 && l->m <= MOST_ROWS && l->n % 8 == 0 && l->k % 8 == 0 && address % 16 == 0;
}

void sb_cuda_tiles(struct sb_dev *d, const struct sb_linear_call *l)
{
    uint32_t down = (uint32_t)sb_ceil_div(l->m, TILE);
    tiles t = {(const sb_bf16 *)l->x, (const sb_bf16 *)l->w, (const sb_bf16 *)l->b, (const sb_bf16 *)l->residual,
               (sb_bf16 *)l->pre, (sb_bf16 *)l->y, l->m, l->n, l->k, down};
    unsigned blocks = (unsigned)(sb_ceil_div(l->n, TILE) * down);
    SB_BY_ACT(l->act, A, SB_LAUNCH(d, (multiply<A>), blocks, THREADS, STAGES * 2 * TILE * DEPTH * sizeof(sb_bf16), t));
}
