#include <math.h>

#include "kernels/cpu/cpu.h"

void sb_cpu_normalize(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y)
{
    int64_t planes = x->shape[0] * 3, width = x->shape[2] * x->shape[3];
    const float *mean = mean_std->data, *std = mean + 3;
    float table[3][256]; /* a byte has 256 values */
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 256; i++) table[c][i] = (float)(((double)i / 255.0 - mean[c]) / std[c]);
    }
    sb_cpu_reserve(d, width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, planes * width))
    for (int64_t plane = 0; plane < planes; plane++) {
        const uint8_t *from = (const uint8_t *)x->data + plane * width;
        const float *value = table[plane % 3];
        float *to = sb_cpu_write(y, plane * width, sb_cpu_mine(d));
        for (int64_t i = 0; i < width; i++) to[i] = value[from[i]];
        sb_cpu_written(y, plane * width, width, to);
    }
}

/* One row of output: which four pixels each of its pixels lies between, and how near. */
struct taps {
    int32_t *at, *right, *below; /* offset of the upper left one, and of its neighbours from it: 0 at the edge */
    float *fx, *fy;
};

static void place(const struct taps *t, const float *m, int64_t row, int64_t n, int64_t h, int64_t w)
{
    float last_x = (float)(w - 1), last_y = (float)(h - 1);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float sx = m[0] * (float)i + m[1] * (float)row + m[2], sy = m[3] * (float)i + m[4] * (float)row + m[5];
        sx = sx > 0.0f ? sx : 0.0f;
        sy = sy > 0.0f ? sy : 0.0f;
        sx = sx < last_x ? sx : last_x;
        sy = sy < last_y ? sy : last_y;
        int32_t x0 = (int32_t)sx, y0 = (int32_t)sy;
        t->at[i] = y0 * (int32_t)w + x0;
        t->right[i] = x0 + 1 < w ? 1 : 0;
        t->below[i] = y0 + 1 < h ? (int32_t)w : 0;
        t->fx[i] = sx - (float)x0;
        t->fy[i] = sy - (float)y0;
    }
}

void sb_cpu_warp(struct sb_dev *d, sb_in x, sb_in matrix, sb_in colour, sb_out y)
{
    int64_t batch = y->shape[0], size = y->shape[2], h = x->shape[2], w = x->shape[3];
    sb_cpu_reserve(d, 5 * size);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, batch * 3 * size * size))
    for (int64_t i = 0; i < batch * size; i++) {
        int64_t b = i / size, row = i % size;
        float *mine = sb_cpu_mine(d), contrast = 1.0f, shift = 0.0f;
        int32_t *whole = (int32_t *)(mine + 2 * size);
        struct taps t = {whole, whole + size, whole + 2 * size, mine, mine + size};
        place(&t, (const float *)matrix->data + b * 6, row, size, h, w);
        if (colour) {
            contrast = ((const float *)colour->data)[2 * b];
            shift = 128.0f - 128.0f * contrast + ((const float *)colour->data)[2 * b + 1];
        }
        for (int64_t c = 0; c < 3; c++) {
            const uint8_t *from = (const uint8_t *)x->data + (b * 3 + c) * h * w;
            uint8_t *to = (uint8_t *)y->data + ((b * 3 + c) * size + row) * size;
            for (int64_t j = 0; j < size; j++) {
                const uint8_t *p = from + t.at[j];
                float top = (float)p[0] + t.fx[j] * (float)(p[t.right[j]] - p[0]);
                float bottom = (float)p[t.below[j]] + t.fx[j] * (float)(p[t.below[j] + t.right[j]] - p[t.below[j]]);
                float v = (top + t.fy[j] * (bottom - top)) * contrast + shift;
                v = v > 0.0f ? v : 0.0f;
                to[j] = (uint8_t)nearbyintf(v < 255.0f ? v : 255.0f);
            }
        }
    }
}

/* A row of the picture at a time. */
void sb_cpu_mix(struct sb_dev *d, sb_in x, sb_in partner, sb_in weight, sb_in box, sb_out y)
{
    int64_t s = x->shape[2], rows = x->shape[0] * 3 * s;
    sb_cpu_reserve(d, 3 * s);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * s))
    for (int64_t row = 0; row < rows; row++) {
        int64_t b = row / (3 * s), other = row + (((const int32_t *)partner->data)[b] - b) * 3 * s;
        const int32_t *edge = (const int32_t *)box->data + 4 * b;
        bool cut = row % s >= edge[1] && row % s < edge[3];
        float *mine = sb_cpu_mine(d), *to = sb_cpu_write(y, row * s, mine), own = ((const float *)weight->data)[b];
        const float *a = sb_cpu_read(x, row * s, s, mine + s), *p = sb_cpu_read(x, other * s, s, mine + 2 * s);
        for (int32_t i = 0; i < s; i++) {
            float w = cut && i >= edge[0] && i < edge[2] ? 0.0f : own;
            to[i] = w * a[i] + (1.0f - w) * p[i];
        }
        sb_cpu_written(y, row * s, s, to);
    }
}
