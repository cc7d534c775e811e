#include <math.h>

#include "kernels/cpu/cpu.h"

void sb_cpu_lerp(struct sb_dev *d, sb_in a, sb_in b, sb_in t, sb_out y)
{
    int64_t samples = a->shape[0], width = sb_tensor_count(a) / (samples ? samples : 1),
            blocks = (width + SB_CPU_BLOCK - 1) / SB_CPU_BLOCK;
    const float *parts = t->data;
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, samples * width))
    for (int64_t block = 0; block < samples * blocks; block++) {
        float wide_a[SB_CPU_BLOCK], wide_b[SB_CPU_BLOCK], wide_y[SB_CPU_BLOCK];
        int64_t sample = block / blocks, first = block % blocks * SB_CPU_BLOCK, at = sample * width + first;
        int64_t count = width - first < SB_CPU_BLOCK ? width - first : SB_CPU_BLOCK;
        const float *from = sb_cpu_read(a, at, count, wide_a), *with = sb_cpu_read(b, at, count, wide_b);
        float *to = sb_cpu_write(y, at, wide_y), part = parts[t->shape[0] == 1 ? 0 : sample];
#pragma omp simd
        for (int64_t i = 0; i < count; i++) to[i] = from[i] + part * (with[i] - from[i]);
        sb_cpu_written(y, at, count, to);
    }
}

/* Integers are rounded half to even and clamped; a NaN becomes 0. Through double, which holds every i32. */
static void widen(sb_in x, int64_t at, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++) {
        switch (x->dtype) {
        case SB_F32: to[i] = ((const float *)x->data)[at + i]; break;
        case SB_BF16: to[i] = sb_bf16_to_f32(((const uint16_t *)x->data)[at + i]); break;
        case SB_U8: to[i] = ((const uint8_t *)x->data)[at + i]; break;
        default: to[i] = ((const int32_t *)x->data)[at + i]; break;
        }
    }
}

static void narrow(const double *from, sb_out y, int64_t at, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double v = from[i];
        switch (y->dtype) {
        case SB_F32: ((float *)y->data)[at + i] = (float)v; break;
        case SB_BF16: ((uint16_t *)y->data)[at + i] = sb_f32_to_bf16((float)v); break;
        case SB_U8: ((uint8_t *)y->data)[at + i] = v > 0 ? (uint8_t)rint(fmin(v, 255)) : 0; break;
        default: ((int32_t *)y->data)[at + i] = v == v ? (int32_t)rint(fmax(fmin(v, INT32_MAX), INT32_MIN)) : 0; break;
        }
    }
}

static bool is_act(sb_in x)
{
    return x->dtype == SB_F32 || x->dtype == SB_BF16;
}

void sb_cpu_cast(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t n = sb_tensor_count(x);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, n))
    for (int64_t at = 0; at < n; at += SB_CPU_BLOCK) {
        int64_t count = n - at < SB_CPU_BLOCK ? n - at : SB_CPU_BLOCK;
        if (x->dtype == y->dtype) {
            memcpy(sb_cpu_at(y, at), sb_cpu_at(x, at), (size_t)count * sb_dtype_size(x->dtype));
        } else if (is_act(x) && is_act(y)) {
            float wide[SB_CPU_BLOCK];
            const float *from = sb_cpu_read(x, at, count, wide);
            float *to = sb_cpu_write(y, at, wide);
            if (y->dtype == SB_F32) memcpy(to, from, (size_t)count * sizeof *to);
            else sb_cpu_written(y, at, count, from);
        } else {
            double wide[SB_CPU_BLOCK];
            widen(x, at, count, wide);
            narrow(wide, y, at, count);
        }
    }
}

void sb_cpu_fill(struct sb_dev *d, float value, sb_out y)
{
    int64_t n = sb_tensor_count(y);
    double wide[1] = {value};
    float block[SB_CPU_BLOCK]; /* no dtype that is cast is wider */
    struct sb_tensor same = {.dtype = y->dtype, .ndim = 1, .shape = {SB_CPU_BLOCK}, .data = block};
    for (int64_t i = 0; i < SB_CPU_BLOCK; i++) narrow(wide, &same, i, 1);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, n))
    for (int64_t at = 0; at < n; at += SB_CPU_BLOCK) {
        int64_t count = n - at < SB_CPU_BLOCK ? n - at : SB_CPU_BLOCK;
        memcpy(sb_cpu_at(y, at), block, (size_t)count * sb_dtype_size(y->dtype));
    }
}

void sb_cpu_copy(struct sb_dev *d, sb_in x, int64_t x_stride, int64_t y_stride, sb_out y)
{
    int64_t rows = x->shape[0], width = x->shape[1];
    size_t bytes = (size_t)width * sb_dtype_size(x->dtype);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t i = 0; i < rows; i++) memcpy(sb_cpu_at(y, i * y_stride), sb_cpu_at(x, i * x_stride), bytes);
}
