/* Batch normalisation, NHWC: the rows of x [B*H*W,C] are pixels. Training reads x twice (statistics, then y), backward
 * reads x, dy and y twice (the two sums, then dx). Sums over rows are column_sum.h's, in f32; those of the statistics
 * are taken of x - x[0], so that a mean far from 0 costs no digits. */
#include "kernels/cuda/column_sum.h"

#define THREADS 256

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* x - first and its square */
template <typename T> struct moments {
    const T *x;
    int64_t channels;
};

template <int width, typename T>
static __device__ inline void sb_column_values(const moments<T> &m, int64_t row, int64_t column, float (&to)[2][width])
{
    float first[width];
    sb_read<width>(first, m.x + column);
    sb_read<width>(to[0], m.x + row * m.channels + column);
#pragma unroll
    for (int i = 0; i < width; i++) {
        to[0][i] -= first[i];
        to[1][i] = to[0][i] * to[0][i];
    }
}

/* dy where relu was on; y NULL: no relu */
template <int width, typename T>
static __device__ inline void read_gradient(float *g, const T *dy, const T *y, int64_t at)
{
    sb_read<width>(g, dy + at);
    if (!y) return;
    float on[width];
    sb_read<width>(on, y + at);
#pragma unroll
    for (int i = 0; i < width; i++) g[i] = on[i] > 0 ? g[i] : 0;
}

/* g and g h, with h = (x - mean) rstd */
template <typename T> struct gradients {
    const T *x, *y, *dy;
    const float *mean, *rstd;
    int64_t channels;
};

template <int width, typename T>
static __device__ inline void sb_column_values(const gradients<T> &s, int64_t row, int64_t column,
                                               float (&to)[2][width])
{
    float x[width], mean[width], rstd[width];
    sb_read<width>(x, s.x + row * s.channels + column);
    sb_read<width>(mean, s.mean + column);
    sb_read<width>(rstd, s.rstd + column);
    read_gradient<width>(to[0], s.dy, s.y, row * s.channels + column);
#pragma unroll
    for (int i = 0; i < width; i++) to[1][i] = to[0][i] * ((x[i] - mean[i]) * rstd[i]);
}

/* ---- a channel --------------------------------------------------------------------------------------------------- */

/* stats [2,C]: in training the two sums become mean and rstd, and running moves; else they are taken from running. */
template <typename T>
static __global__ void settle(const T *x, int64_t rows, int64_t channels, float eps, float momentum, bool train,
                              float *running, float *stats)
{
    int64_t c = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    float mean = running[c], variance = running[channels + c];
    if (train) {
        float off = stats[c] / (float)rows, old_mean = mean, old_variance = variance;
        mean = sb_get(x[c]) + off;
        variance = fmaxf(stats[channels + c] / (float)rows - off * off, 0);
        float unbiased = variance * ((float)rows / (float)(rows > 1 ? rows - 1 : 1));
        running[c] = old_mean + momentum * (mean - old_mean);
        running[channels + c] = old_variance + momentum * (unbiased - old_variance);
    }
    stats[c] = mean;
    stats[channels + c] = 1 / sqrtf(variance + eps);
}

/* dgain += sum of g h, dbias += sum of g */
static __global__ void add_sums(const float *sum, int64_t channels, float *dgain, float *dbias)
{
    int64_t c = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= channels) return;
    if (dbias) dbias[c] += sum[c];
    if (dgain) dgain[c] += sum[channels + c];
}

/* ---- pixels ------------------------------------------------------------------------------------------------------
 * A thread has the same channels, `width` of them, of ROWS_EACH pixels that lie `stride` apart: what belongs to the
 * channels is read once. */
#define ROWS_EACH 4

template <typename T, int width>
static __global__ void normalise(const T *x, const T *residual, const float *gain, const float *bias,
                                 const float *stats, bool relu, T *y, int64_t rows, int64_t channels, int64_t stride)
{
    int64_t n = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, parts = channels / width, first = n / parts,
            c = n % parts * width;
    if (first >= stride) return;
    float mean[width], rstd[width], scale[width], shift[width];
    sb_read<width>(mean, stats + c);
    sb_read<width>(rstd, stats + channels + c);
    sb_read<width>(scale, gain + c);
    sb_read<width>(shift, bias + c);
#pragma unroll 2
    for (int64_t row = first; row < rows; row += stride) {
        float v[width], add[width] = {};
        sb_read<width>(v, x + row * channels + c);
        if (residual) sb_read<width>(add, residual + row * channels + c);
#pragma unroll
        for (int i = 0; i < width; i++) {
            v[i] = (v[i] - mean[i]) * rstd[i] * scale[i] + shift[i] + add[i];
            v[i] = relu && v[i] < 0 ? 0 : v[i];
        }
        sb_write<width>(y + row * channels + c, v);
    }
}

/* dresidual = g; dx = gain rstd (g - (sum of g + h sum of g h) / rows). Either may be NULL. */
template <typename T, int width>
static __global__ void normalise_bwd(struct gradients<T> s, const float *gain, const float *sum, T *dx, T *dresidual,
                                     int64_t rows, int64_t stride)
{
    int64_t n = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, parts = s.channels / width, first = n / parts,
            c = n % parts * width;
    if (first >= stride) return;
    float mean[width], rstd[width], scale[width], mean_g[width] = {}, mean_gh[width] = {};
    sb_read<width>(mean, s.mean + c);
    sb_read<width>(rstd, s.rstd + c);
    sb_read<width>(scale, gain + c);
    if (dx) {
        sb_read<width>(mean_g, sum + c);
        sb_read<width>(mean_gh, sum + s.channels + c);
    }
#pragma unroll
    for (int i = 0; i < width; i++) mean_g[i] /= (float)rows, mean_gh[i] /= (float)rows;
#pragma unroll 2
    for (int64_t row = first; row < rows; row += stride) {
        int64_t at = row * s.channels + c;
        float g[width], x[width];
        read_gradient<width>(g, s.dy, s.y, at);
        if (dresidual) sb_write<width>(dresidual + at, g);
        if (!dx) continue;
        sb_read<width>(x, s.x + at);
#pragma unroll
        for (int i = 0; i < width; i++) {
            float h = (x[i] - mean[i]) * rstd[i];
            x[i] = scale[i] * rstd[i] * (g[i] - mean_g[i] - h * mean_gh[i]);
        }
        sb_write<width>(dx + at, x);
    }
}

/* ---- the ops ----------------------------------------------------------------------------------------------------- */

struct batchnorm {
    struct sb_dev *d;
    sb_in x, residual, gain, bias, running, stats, y;
    int64_t rows, channels;
    float eps, momentum;
    bool train, relu;
};

template <typename T, int width> static void forward(const struct batchnorm &b)
{
    const T *x = (const T *)b.x->data, *residual = b.residual ? (const T *)b.residual->data : NULL;
    float *stats = (float *)b.stats->data;
    if (b.train) {
        struct moments<T> source = {x, b.channels};
        struct sb_column_to<2> to = {{stats, stats + b.channels}, false};
        sb_column_sum<width>(b.d, source, b.rows, b.channels, to);
    }
    SB_LAUNCH(b.d, (settle<T>), sb_ceil_div(b.channels, THREADS), THREADS, 0, x, b.rows, b.channels, b.eps, b.momentum,
              b.train, (float *)b.running->data, stats);
    int64_t stride = sb_ceil_div(b.rows, ROWS_EACH);
    SB_LAUNCH(b.d, (normalise<T, width>), sb_ceil_div(stride * (b.channels / width), THREADS), THREADS, 0, x, residual,
              (const float *)b.gain->data, (const float *)b.bias->data, (const float *)stats, b.relu, (T *)b.y->data,
              b.rows, b.channels, stride);
}

/* Whether all of these can be read and written 16 bytes at a time; NULL can. */
template <typename T> static bool wide(int64_t channels, const sb_in *act, int acts, const sb_in *floats, int count)
{
    bool all = true;
    for (int i = 0; i < acts; i++) all = all && (!act[i] || sb_wide((const T *)act[i]->data, channels));
    for (int i = 0; i < count; i++) all = all && (uintptr_t)floats[i]->data % 16 == 0;
    return all;
}

void sb_cuda_batchnorm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, sb_in residual, float eps, float momentum,
                       bool train, bool relu, sb_out running, sb_out stats, sb_out y)
{
    int64_t channels = x->shape[3], n = sb_tensor_count(x);
    if (!n) return;
    struct batchnorm b = {d,        x,   residual, gain,  bias, running, stats, y, n / channels,
                          channels, eps, momentum, train, relu};
    const sb_in act[] = {x, residual, y}, floats[] = {gain, bias, stats};
    SB_BY_DTYPE(x->dtype, T, {
        if (wide<T>(channels, act, 3, floats, 3)) forward<T, SB_LANES<T>>(b);
        else forward<T, 1>(b);
    });
}

struct batchnorm_bwd {
    struct sb_dev *d;
    sb_in x, gain, stats, y, dy, dx, dresidual, dgain, dbias; /* y NULL: no relu */
    int64_t rows, channels;
};

template <typename T> static T *data_of(sb_in t) { return t ? (T *)t->data : NULL; }

template <typename T, int width> static void backward(const struct batchnorm_bwd &b)
{
    const float *stats = (const float *)b.stats->data;
    struct gradients<T> source = {data_of<T>(b.x), data_of<T>(b.y), data_of<T>(b.dy), stats, stats + b.channels,
                                  b.channels};
    int64_t stride = sb_ceil_div(b.rows, ROWS_EACH), tail = sb_ceil_div(2 * b.channels * (int64_t)sizeof(float), 256) * 256;
    float *sum = (float *)((char *)b.d->scratch + SB_CUDA_SCRATCH - tail); /* column_sum.h has its own in front */
    if (b.dx || b.dgain || b.dbias) {
        struct sb_column_to<2> to = {{sum, sum + b.channels}, false};
        sb_column_sum<width>(b.d, source, b.rows, b.channels, to);
    }
    if (b.dgain || b.dbias) {
        SB_LAUNCH(b.d, (add_sums), sb_ceil_div(b.channels, THREADS), THREADS, 0, (const float *)sum, b.channels,
                  data_of<float>(b.dgain), data_of<float>(b.dbias));
    }
    if (!b.dx && !b.dresidual) return;
    SB_LAUNCH(b.d, (normalise_bwd<T, width>), sb_ceil_div(stride * (b.channels / width), THREADS), THREADS, 0, source,
              (const float *)b.gain->data, (const float *)sum, data_of<T>(b.dx), data_of<T>(b.dresidual), b.rows,
              stride);
}

void sb_cuda_batchnorm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, bool relu, sb_in y, sb_in dy, sb_out dx,
                           sb_out dresidual, sb_out dgain, sb_out dbias)
{
    int64_t channels = x->shape[3], n = sb_tensor_count(x);
    if (!n) return;
    struct batchnorm_bwd b = {d,         x,     gain,  stats,        relu ? y : NULL, dy, dx,
                              dresidual, dgain, dbias, n / channels, channels};
    const sb_in act[] = {x, b.y, dy, dx, dresidual}, floats[] = {gain, stats};
    SB_BY_DTYPE(x->dtype, T, {
        if (wide<T>(channels, act, 5, floats, 2)) backward<T, SB_LANES<T>>(b);
        else backward<T, 1>(b);
    });
}
