#include "kernels/cpu/cpu.h"

static struct sb_convolution shape_of(sb_in x, sb_in w, sb_in y, struct sb_conv c)
{
    return (struct sb_convolution){.b = x->shape[0],
                                   .h = x->shape[1],
                                   .w = x->shape[2],
                                   .i = x->shape[3],
                                   .oh = y->shape[1],
                                   .ow = y->shape[2],
                                   .o = y->shape[3],
                                   .kh = w->shape[2],
                                   .kw = w->shape[3],
                                   .stride = c.stride,
                                   .pad = c.pad,
                                   .dtype = x->dtype};
}

void sb_cpu_conv2d(struct sb_dev *d, sb_in x, sb_in w, sb_in b, struct sb_conv c, sb_out y)
{
    struct sb_convolution shape = shape_of(x, w, y, c);
    sb_cpu_convolve(d, SB_CONVOLVE, &shape, x->data, w->data, b ? b->data : NULL, y->data);
}

void sb_cpu_conv2d_bwd(struct sb_dev *d, sb_in x, sb_in w, struct sb_conv c, sb_in dy, sb_out dx, sb_out dw, sb_out db)
{
    struct sb_convolution shape = shape_of(x, w, dy, c);
    int64_t channels = dy->shape[3];
    if (dx) sb_cpu_convolve(d, SB_CONVOLVE_DATA, &shape, dy->data, w->data, NULL, dx->data);
    if (dw) sb_cpu_convolve(d, SB_CONVOLVE_WEIGHTS, &shape, dy->data, x->data, NULL, dw->data);
    if (db) sb_cpu_columns(d, dy, sb_tensor_count(dy) / channels, channels, db->data);
}

/* One output pixel: its window is met pixel by pixel, all channels at a time. */
static void compete(sb_in x, int64_t b, int64_t top, int64_t left, int64_t size, float *wide, float *best,
                    int32_t *winner)
{
    int64_t h = x->shape[1], w = x->shape[2], channels = x->shape[3];
    bool first = true;
    for (int64_t y = top < 0 ? 0 : top; y < top + size && y < h; y++) {
        for (int64_t i = left < 0 ? 0 : left; i < left + size && i < w; i++) {
            const float *a = sb_cpu_read(x, ((b * h + y) * w + i) * channels, channels, wide);
            int32_t here = (int32_t)(y * w + i);
#pragma omp simd
            for (int64_t j = 0; j < channels; j++) {
                bool wins = first || a[j] > best[j];
                best[j] = wins ? a[j] : best[j];
                winner[j] = wins ? here : winner[j];
            }
            first = false;
        }
    }
}

void sb_cpu_maxpool(struct sb_dev *d, sb_in x, int64_t size, struct sb_conv c, sb_out index, sb_out y)
{
    int64_t oh = y->shape[1], ow = y->shape[2], channels = y->shape[3], outs = y->shape[0] * oh * ow;
    sb_cpu_reserve(d, 2 * channels);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, outs * channels * size))
    for (int64_t o = 0; o < outs; o++) {
        float *mine = sb_cpu_mine(d), *best = sb_cpu_write(y, o * channels, mine + channels);
        int64_t top = o / ow % oh * c.stride - c.pad, left = o % ow * c.stride - c.pad;
        compete(x, o / (oh * ow), top, left, size, mine, best, (int32_t *)index->data + o * channels);
        sb_cpu_written(y, o * channels, channels, best);
    }
}

/* A pixel may win several windows, so gradients are summed in f32, a sample at a time. */
void sb_cpu_maxpool_bwd(struct sb_dev *d, sb_in index, int64_t size, struct sb_conv c, sb_in dy, sb_out dx)
{
    (void)size, (void)c;
    int64_t batch = dx->shape[0], channels = dx->shape[3], n = dx->shape[1] * dx->shape[2] * channels,
            outs = dy->shape[1] * dy->shape[2];
    sb_cpu_reserve(d, n + channels);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, batch * n))
    for (int64_t b = 0; b < batch; b++) {
        float *mine = sb_cpu_mine(d), *sum = sb_cpu_write(dx, b * n, mine + channels);
        memset(sum, 0, (size_t)n * sizeof *sum);
        for (int64_t o = b * outs; o < (b + 1) * outs; o++) {
            const float *g = sb_cpu_read(dy, o * channels, channels, mine);
            const int32_t *winner = (const int32_t *)index->data + o * channels;
            for (int64_t j = 0; j < channels; j++) sum[winner[j] * channels + j] += g[j];
        }
        sb_cpu_written(dx, b * n, n, sum);
    }
}
