#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/lanes.h"

static float variance_of(const float *x, float mean, int64_t n)
{
    sb_vector sums = {0};
    int64_t i = 0;
    for (; i + SB_LANES <= n; i += SB_LANES) {
        sb_vector away = sb_load_vector(x + i) - mean;
        sums += away * away;
    }
    float sum = sb_lanes_sum(sums);
    for (; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sum / (float)n;
}

void sb_cpu_norm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, float eps, sb_out stats, sb_out y)
{
    int64_t width = sb_cpu_last(x), rows = sb_tensor_count(x) / width;
    sb_cpu_reserve(d, 4 * width);
#pragma omp parallel num_threads(sb_cpu_threads(d, rows * width))
    {
        float *mine = sb_cpu_mine(d);
        const float *g = sb_cpu_read(gain, 0, width, mine + 2 * width),
                    *b = sb_cpu_read(bias, 0, width, mine + 3 * width);
        int64_t from, to;
        sb_cpu_share(rows, &from, &to);
        for (int64_t row = from; row < to; row++) {
            const float *a = sb_cpu_read(x, row * width, width, mine);
            float *out = sb_cpu_write(y, row * width, mine + width);
            float mean = sb_sum(a, width) / (float)width, rstd = 1.0f / sqrtf(variance_of(a, mean, width) + eps);
#pragma omp simd
            for (int64_t i = 0; i < width; i++) out[i] = (a[i] - mean) * rstd * g[i] + b[i];
            sb_cpu_written(y, row * width, width, out);
            if (stats) {
                ((float *)stats->data)[2 * row] = mean;
                ((float *)stats->data)[2 * row + 1] = rstd;
            }
        }
    }
}

struct row {
    const float *x, *gain, *dy, *add;
    float *dx, *dgain, *dbias;
    float mean, rstd;
};

/* With h = (x - mean) rstd and g = dy gain: dgain += dy h, dbias += dy; the means of g and of g h over the row. */
static void row_sums(const struct row *r, int64_t width, float *mean_g, float *mean_gh)
{
    sb_vector sums = {0}, sums_h = {0};
    int64_t i = 0;
    for (; i + SB_LANES <= width; i += SB_LANES) {
        sb_vector h = (sb_load_vector(r->x + i) - r->mean) * r->rstd, dy = sb_load_vector(r->dy + i),
                  g = dy * sb_load_vector(r->gain + i);
        sums += g;
        sums_h += g * h;
        *(sb_vector_at *)(r->dgain + i) += dy * h;
        *(sb_vector_at *)(r->dbias + i) += dy;
    }
    float sum = sb_lanes_sum(sums), sum_h = sb_lanes_sum(sums_h);
    for (; i < width; i++) {
        float h = (r->x[i] - r->mean) * r->rstd, g = r->dy[i] * r->gain[i];
        sum += g;
        sum_h += g * h;
        r->dgain[i] += r->dy[i] * h;
        r->dbias[i] += r->dy[i];
    }
    *mean_g = sum / (float)width;
    *mean_gh = sum_h / (float)width;
}

/* dx = rstd (g - mean of g - h mean of g h). */
static void row_bwd(const struct row *r, int64_t width)
{
    const float *x = r->x, *gain = r->gain, *dy = r->dy, *add = r->add;
    float *dx = r->dx, mean = r->mean, rstd = r->rstd, mean_g, mean_gh;
    row_sums(r, width, &mean_g, &mean_gh);
    if (!dx) return;
#pragma omp simd
    for (int64_t i = 0; i < width; i++) {
        float h = (x[i] - mean) * rstd;
        dx[i] = (add ? add[i] : 0.0f) + rstd * (dy[i] * gain[i] - mean_g - h * mean_gh);
    }
}

void sb_cpu_norm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, sb_in dy, sb_in add, sb_out dx, sb_out dgain,
                     sb_out dbias)
{
    int64_t width = sb_cpu_last(x), rows = sb_tensor_count(x) / width;
    int threads = sb_cpu_threads(d, rows * width);
    sb_cpu_reserve(d, 7 * width);
#pragma omp parallel num_threads(threads)
    {
        float *mine = sb_cpu_mine(d), *wide = mine + 2 * width;
        struct row r = {.gain = sb_cpu_read(gain, 0, width, wide), .dgain = mine, .dbias = mine + width};
        const float *stat = stats->data;
        int64_t from, to;
        sb_cpu_share(rows, &from, &to);
        memset(mine, 0, 2 * (size_t)width * sizeof *mine);
        for (int64_t row = from; row < to; row++) {
            r.x = sb_cpu_read(x, row * width, width, wide + width);
            r.dy = sb_cpu_read(dy, row * width, width, wide + 2 * width);
            r.add = add ? sb_cpu_read(add, row * width, width, wide + 3 * width) : NULL;
            r.dx = dx ? sb_cpu_write(dx, row * width, wide + 4 * width) : NULL;
            r.mean = stat[2 * row];
            r.rstd = stat[2 * row + 1];
            row_bwd(&r, width);
            if (dx) sb_cpu_written(dx, row * width, width, r.dx);
        }
    }
    for (int t = 0; t < threads; t++) {
        const float *part = sb_cpu_part(d, t);
        for (int64_t i = 0; dgain && i < width; i++) ((float *)dgain->data)[i] += part[i];
        for (int64_t i = 0; dbias && i < width; i++) ((float *)dbias->data)[i] += part[width + i];
    }
}
