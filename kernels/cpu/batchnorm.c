/* Each thread sums its rows per channel, in double: a channel may have a million values. The threads' sums are then
 * added in order. */
#include <math.h>

#include "kernels/cpu/cpu.h"

/* A thread's part of the scratch: two sums in double, then room for six rows. */
#define SUMS(part) ((double *)(part))
#define ROWS(part, channels) ((part) + 4 * (channels))
#define PART(channels) (10 * (channels))

/* Adds up what the threads summed, into the first thread's sums, and clears nothing. */
static const double *total(struct sb_dev *d, int threads, int64_t n)
{
    double *sum = SUMS(sb_cpu_part(d, 0));
    for (int t = 1; t < threads; t++) {
        const double *part = SUMS(sb_cpu_part(d, t));
        for (int64_t i = 0; i < n; i++) sum[i] += part[i];
    }
    return sum;
}

/* mean[channels] = the mean of (x - centre), or of its square. */
static void moment(struct sb_dev *d, sb_in x, int64_t rows, int64_t channels, const double *centre, double *mean)
{
    int threads = sb_cpu_threads(d, rows * channels);
#pragma omp parallel num_threads(threads)
    {
        float *mine = sb_cpu_mine(d);
        double *sum = SUMS(mine);
        int64_t from, to;
        sb_cpu_share(rows, &from, &to);
        memset(sum, 0, (size_t)channels * sizeof *sum);
        for (int64_t row = from; row < to; row++) {
            const float *a = sb_cpu_read(x, row * channels, channels, ROWS(mine, channels));
            if (centre) {
#pragma omp simd
                for (int64_t i = 0; i < channels; i++) sum[i] += (a[i] - centre[i]) * (a[i] - centre[i]);
            } else {
#pragma omp simd
                for (int64_t i = 0; i < channels; i++) sum[i] += a[i];
            }
        }
    }
    const double *sum = total(d, threads, channels);
    for (int64_t i = 0; i < channels; i++) mean[i] = sum[i] / (double)rows;
}

void sb_cpu_batchnorm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, sb_in residual, float eps, float momentum,
                      bool train, bool relu, sb_out running, sb_out stats, sb_out y)
{
    int64_t channels = sb_cpu_last(x), rows = sb_tensor_count(x) / channels;
    int threads = sb_cpu_threads(d, rows * channels);
    float *moving = running->data;
    sb_cpu_reserve(d, PART(channels) + 6 * channels);
    double *mean = (double *)(sb_cpu_part(d, 0) + PART(channels)), *variance = mean + channels;
    float *scale = (float *)(variance + channels), *centre = scale + channels;
    const float *shift = bias->data;
    if (train) {
        moment(d, x, rows, channels, NULL, mean);
        moment(d, x, rows, channels, mean, variance);
    }
    for (int64_t i = 0; i < channels; i++) {
        double spread = train ? variance[i] : moving[channels + i], rstd = 1.0 / sqrt(spread + eps);
        centre[i] = train ? (float)mean[i] : moving[i];
        scale[i] = (float)rstd * ((const float *)gain->data)[i];
        ((float *)stats->data)[i] = centre[i];
        ((float *)stats->data)[channels + i] = (float)rstd;
        if (!train) continue;
        double unbiased = spread * (double)rows / (double)(rows > 1 ? rows - 1 : 1);
        moving[i] += momentum * (centre[i] - moving[i]);
        moving[channels + i] += momentum * ((float)unbiased - moving[channels + i]);
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        float *wide = ROWS(sb_cpu_mine(d), channels);
        const float *a = sb_cpu_read(x, row * channels, channels, wide);
        const float *more = residual ? sb_cpu_read(residual, row * channels, channels, wide + channels) : NULL;
        float *out = sb_cpu_write(y, row * channels, wide + 2 * channels);
#pragma omp simd
        for (int64_t i = 0; i < channels; i++) {
            float v = (a[i] - centre[i]) * scale[i] + shift[i] + (more ? more[i] : 0.0f);
            out[i] = relu && v < 0.0f ? 0.0f : v;
        }
        sb_cpu_written(y, row * channels, channels, out);
    }
}

struct batchnorm_bwd {
    sb_in x, y, dy;
    const float *mean, *rstd;
    bool relu;
};

/* The gradient of one row after relu, into out. */
static void through_relu(const struct batchnorm_bwd *q, int64_t row, int64_t channels, float *wide, float *out)
{
    const float *g = sb_cpu_read(q->dy, row * channels, channels, wide);
    const float *on = q->relu ? sb_cpu_read(q->y, row * channels, channels, wide + channels) : NULL;
#pragma omp simd
    for (int64_t i = 0; i < channels; i++) out[i] = !on || on[i] > 0.0f ? g[i] : 0.0f;
}

static void sums_bwd(struct sb_dev *d, const struct batchnorm_bwd *q, int64_t rows, int64_t channels, int threads)
{
#pragma omp parallel num_threads(threads)
    {
        float *mine = sb_cpu_mine(d), *wide = ROWS(mine, channels), *g = wide + 3 * channels;
        double *sum = SUMS(mine), *sum_h = sum + channels;
        int64_t from, to;
        sb_cpu_share(rows, &from, &to);
        memset(sum, 0, 2 * (size_t)channels * sizeof *sum);
        for (int64_t row = from; row < to; row++) {
            through_relu(q, row, channels, wide, g);
            const float *a = sb_cpu_read(q->x, row * channels, channels, wide + 2 * channels), *mean = q->mean,
                        *rstd = q->rstd;
#pragma omp simd
            for (int64_t i = 0; i < channels; i++) {
                sum[i] += g[i];
                sum_h[i] += g[i] * (a[i] - mean[i]) * rstd[i];
            }
        }
    }
}

void sb_cpu_batchnorm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, bool relu, sb_in y, sb_in dy, sb_out dx,
                          sb_out dresidual, sb_out dgain, sb_out dbias)
{
    int64_t channels = sb_cpu_last(x), rows = sb_tensor_count(x) / channels;
    int threads = sb_cpu_threads(d, rows * channels);
    const float *mean = stats->data, *rstd = mean + channels, *scale = gain->data;
    struct batchnorm_bwd q = {x, y, dy, mean, rstd, relu};
    sb_cpu_reserve(d, PART(channels));
    sums_bwd(d, &q, rows, channels, threads);
    const double *sum = total(d, threads, 2 * channels), *sum_h = sum + channels;
    for (int64_t i = 0; dgain && i < channels; i++) ((float *)dgain->data)[i] += (float)sum_h[i];
    for (int64_t i = 0; dbias && i < channels; i++) ((float *)dbias->data)[i] += (float)sum[i];
    if (!dx && !dresidual) return;
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t row = 0; row < rows; row++) {
        float *wide = ROWS(sb_cpu_mine(d), channels), *g = wide + 3 * channels, share = 1.0f / (float)rows;
        const float *a = sb_cpu_read(x, row * channels, channels, wide + 2 * channels);
        through_relu(&q, row, channels, wide, g);
        if (dresidual) {
            memcpy(sb_cpu_write(dresidual, row * channels, wide), g, (size_t)channels * sizeof *g);
            sb_cpu_written(dresidual, row * channels, channels, wide);
        }
        if (!dx) continue;
        float *out = sb_cpu_write(dx, row * channels, wide + 4 * channels);
#pragma omp simd
        for (int64_t i = 0; i < channels; i++) {
            float h = (a[i] - mean[i]) * rstd[i];
            out[i] = scale[i] * rstd[i] * (g[i] - (float)sum[i] * share - h * (float)sum_h[i] * share);
        }
        sb_cpu_written(dx, row * channels, channels, out);
    }
}
