#include "kernels/chance.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vecmath.h"

void sb_cpu_map(struct sb_dev *d, sb_in a, sb_in b, sb_out y, sb_cpu_body body, const void *what)
{
    int64_t n = sb_tensor_count(y);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, n))
    for (int64_t at = 0; at < n; at += SB_CPU_BLOCK) {
        float wide_a[SB_CPU_BLOCK], wide_b[SB_CPU_BLOCK], wide_y[SB_CPU_BLOCK];
        int64_t count = n - at < SB_CPU_BLOCK ? n - at : SB_CPU_BLOCK;
        const float *from = sb_cpu_read(a, at, count, wide_a), *with = b ? sb_cpu_read(b, at, count, wide_b) : NULL;
        body(from, with, sb_cpu_write(y, at, wide_y), count, what);
        sb_cpu_written(y, at, count, wide_y);
    }
}

/* ---- activations ------------------------------------------------------------------------------------------------- */

/* y = act(x) + residual (b); at most a block. */
static void activate(const float *x, const float *b, float *y, int64_t n, const void *what)
{
    static const float nothing[SB_CPU_BLOCK];
    enum sb_act a = *(const enum sb_act *)what;
    const float *more = b ? b : nothing;
    if (a == SB_ACT_GELU) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) y[i] = sb_gelu_erf(x[i]) + more[i];
    } else if (a == SB_ACT_GELU_TANH) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) y[i] = sb_gelu_tanh(x[i]) + more[i];
    } else if (a == SB_ACT_RELU) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) y[i] = (x[i] > 0.0f ? x[i] : 0.0f) + more[i];
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) y[i] = x[i] + more[i];
    }
}

static void slope(const float *x, const float *dy, float *dx, int64_t n, const void *what)
{
    if (*(const enum sb_act *)what == SB_ACT_GELU) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * sb_gelu_erf_slope(x[i]);
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) dx[i] = dy[i] * sb_gelu_tanh_slope(x[i]);
    }
}

static void relu_slope(const float *y, const float *dy, float *dx, int64_t n, const void *what)
{
    (void)what;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

void sb_cpu_activate(struct sb_dev *d, enum sb_act a, sb_in x, sb_in residual, sb_out y)
{
    sb_cpu_map(d, x, residual, y, activate, &a);
}

void sb_cpu_gelu(struct sb_dev *d, enum sb_act a, sb_in x, sb_out y)
{
    sb_cpu_map(d, x, NULL, y, activate, &a);
}

void sb_cpu_gelu_bwd(struct sb_dev *d, enum sb_act a, sb_in x, sb_in dy, sb_out dx)
{
    sb_cpu_map(d, x, dy, dx, slope, &a);
}

void sb_cpu_relu(struct sb_dev *d, sb_in x, sb_out y)
{
    enum sb_act a = SB_ACT_RELU;
    sb_cpu_map(d, x, NULL, y, activate, &a);
}

void sb_cpu_relu_bwd(struct sb_dev *d, sb_in y, sb_in dy, sb_out dx)
{
    sb_cpu_map(d, y, dy, dx, relu_slope, NULL);
}

/* ---- SwiGLU ------------------------------------------------------------------------------------------------------ */

void sb_cpu_silu_mul(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t width = sb_cpu_last(y), rows = sb_tensor_count(y) / width;
    sb_cpu_reserve(d, 3 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t row = 0; row < rows; row++) {
        float *mine = sb_cpu_mine(d);
        const float *a = sb_cpu_read(x, row * 2 * width, 2 * width, mine), *b = a + width;
        float *out = sb_cpu_write(y, row * width, mine + 2 * width);
#pragma omp simd
        for (int64_t i = 0; i < width; i++) out[i] = a[i] * sb_sigmoid(a[i]) * b[i];
        sb_cpu_written(y, row * width, width, out);
    }
}

void sb_cpu_silu_mul_bwd(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx)
{
    int64_t width = sb_cpu_last(dy), rows = sb_tensor_count(dy) / width;
    sb_cpu_reserve(d, 5 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t row = 0; row < rows; row++) {
        float *mine = sb_cpu_mine(d);
        const float *a = sb_cpu_read(x, row * 2 * width, 2 * width, mine), *b = a + width;
        const float *g = sb_cpu_read(dy, row * width, width, mine + 2 * width);
        float *da = sb_cpu_write(dx, row * 2 * width, mine + 3 * width), *db = da + width;
#pragma omp simd
        for (int64_t i = 0; i < width; i++) {
            float s = sb_sigmoid(a[i]), silu = a[i] * s;
            float ga = g[i] * b[i] * (s + silu * (1.0f - s)), gb = g[i] * silu;
            da[i] = ga;
            db[i] = gb;
        }
        sb_cpu_written(dx, row * 2 * width, 2 * width, da);
    }
}

/* ---- residual, LayerScale, drop path, dropout -------------------------------------------------------------------- */

void sb_cpu_scale_add(struct sb_dev *d, sb_in r, sb_in x, sb_in gain, struct sb_chance c, sb_out y)
{
    int64_t width = sb_cpu_last(x), rows = sb_tensor_count(x) / width, each = rows / x->shape[0];
    sb_cpu_reserve(d, 4 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t row = 0; row < rows; row++) {
        float *mine = sb_cpu_mine(d), keep = sb_chance_keep(c, (uint32_t)(row / each), 0);
        const float *a = sb_cpu_read(x, row * width, width, mine);
        const float *from = r ? sb_cpu_read(r, row * width, width, mine + width) : NULL;
        const float *g = gain ? sb_cpu_read(gain, 0, width, mine + 2 * width) : NULL;
        float *out = sb_cpu_write(y, row * width, mine + 3 * width);
#pragma omp simd
        for (int64_t i = 0; i < width; i++) out[i] = (from ? from[i] : 0.0f) + keep * a[i] * (g ? g[i] : 1.0f);
        sb_cpu_written(y, row * width, width, out);
    }
}

void sb_cpu_scale_add_bwd(struct sb_dev *d, sb_in x, sb_in gain, struct sb_chance c, sb_in dy, sb_out dx, sb_out dgain)
{
    int64_t width = sb_cpu_last(dy), rows = sb_tensor_count(dy) / width, each = rows / dy->shape[0];
    int threads = sb_cpu_threads(d, rows * width);
    sb_cpu_reserve(d, 5 * width);
#pragma omp parallel num_threads(threads)
    {
        float *mine = sb_cpu_mine(d), *sum = mine + 4 * width;
        const float *g = gain ? sb_cpu_read(gain, 0, width, mine + 2 * width) : NULL;
        int64_t from, to;
        sb_cpu_share(rows, &from, &to);
        memset(sum, 0, (size_t)width * sizeof *sum);
        for (int64_t row = from; row < to; row++) {
            float keep = sb_chance_keep(c, (uint32_t)(row / each), 0);
            const float *slope_y = sb_cpu_read(dy, row * width, width, mine);
            const float *a = dgain ? sb_cpu_read(x, row * width, width, mine + width) : NULL;
            float *out = sb_cpu_write(dx, row * width, mine + 3 * width);
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
                float kept = keep * slope_y[i];
                if (a) sum[i] += kept * a[i];
                out[i] = kept * (g ? g[i] : 1.0f);
            }
            sb_cpu_written(dx, row * width, width, out);
        }
    }
    for (int t = 0; dgain && t < threads; t++) {
        for (int64_t i = 0; i < width; i++) ((float *)dgain->data)[i] += sb_cpu_part(d, t)[4 * width + i];
    }
}

/* The words of GROUPS counters at once: sb_philox, each step for all of them, so that it becomes vector code. */
#define GROUPS 16

static void draw(struct sb_chance c, uint32_t sample, uint32_t group, uint32_t w[4][GROUPS])
{
    uint32_t k0 = c.state[0], k1 = c.state[1];
    for (uint32_t i = 0; i < GROUPS; i++) {
        w[0][i] = c.state[2];
        w[1][i] = c.site;
        w[2][i] = c.state[3] + sample;
        w[3][i] = group + i;
    }
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int i = 0; i < GROUPS; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * w[0][i], p1 = (uint64_t)0xCD9E8D57u * w[2][i];
            w[0][i] = (uint32_t)(p1 >> 32) ^ w[1][i] ^ k0;
            w[2][i] = (uint32_t)(p0 >> 32) ^ w[3][i] ^ k1;
            w[1][i] = (uint32_t)p1;
            w[3][i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* sb_chance_keep for elements first .. first+count-1, rounded up to whole draws; first is a multiple of 4. */
static void keep_block(struct sb_chance c, uint32_t sample, uint32_t first, int64_t count, float *keep)
{
    float p = c.p, scale = 1.0f / (1.0f - p);
    for (int64_t at = 0; at < count; at += 4 * GROUPS, keep += 4 * GROUPS) {
        uint32_t w[4][GROUPS];
        draw(c, sample, first / 4 + (uint32_t)(at / 4), w);
        for (int i = 0; i < GROUPS; i++) {
            for (int j = 0; j < 4; j++) keep[4 * i + j] = sb_philox_uniform(w[j][i]) < p ? 0.0f : scale;
        }
    }
}

void sb_cpu_dropout(struct sb_dev *d, sb_in x, struct sb_chance c, sb_out y)
{
    if (c.p <= 0.0f) {
        if (x->data != y->data) memcpy(y->data, x->data, sb_tensor_bytes(x));
        return;
    }
    int64_t samples = x->shape[0], width = sb_tensor_count(x) / (samples ? samples : 1),
            blocks = (width + SB_CPU_BLOCK - 1) / SB_CPU_BLOCK;
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, samples * width * 4))
    for (int64_t block = 0; block < samples * blocks; block++) {
        float keep[SB_CPU_BLOCK], wide_x[SB_CPU_BLOCK], wide_y[SB_CPU_BLOCK];
        int64_t sample = block / blocks, first = block % blocks * SB_CPU_BLOCK, at = sample * width + first;
        int64_t count = width - first < SB_CPU_BLOCK ? width - first : SB_CPU_BLOCK;
        const float *from = sb_cpu_read(x, at, count, wide_x);
        float *to = sb_cpu_write(y, at, wide_y);
        keep_block(c, (uint32_t)sample, (uint32_t)first, count, keep);
#pragma omp simd
        for (int64_t i = 0; i < count; i++) to[i] = from[i] * keep[i];
        sb_cpu_written(y, at, count, to);
    }
}

void sb_cpu_columns(struct sb_dev *d, sb_in x, int64_t rows, int64_t cols, float *sum)
{
    int threads = sb_cpu_threads(d, rows * cols);
    sb_cpu_reserve(d, 2 * cols);
#pragma omp parallel num_threads(threads)
    {
        float *mine = sb_cpu_mine(d);
        int64_t from, to;
        sb_cpu_share(rows, &from, &to);
        memset(mine, 0, (size_t)cols * sizeof *mine);
        for (int64_t row = from; row < to; row++) {
            const float *a = sb_cpu_read(x, row * cols, cols, mine + cols);
#pragma omp simd
            for (int64_t i = 0; i < cols; i++) mine[i] += a[i];
        }
    }
    for (int t = 0; t < threads; t++) {
        for (int64_t i = 0; i < cols; i++) sum[i] += sb_cpu_part(d, t)[i];
    }
}
