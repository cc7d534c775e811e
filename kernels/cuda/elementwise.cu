/* Element by element: activations, SwiGLU, residual with LayerScale and drop path, dropout. All are bound by memory:
 * one pass, 16 bytes a thread. */
#include "kernels/chance.h"
#include "kernels/cuda/activation.h"
#include "kernels/cuda/column_sum.h"
#include "kernels/cuda/map.h"

/* ---- activations ------------------------------------------------------------------------------------------------- */

template <enum sb_act a, typename T> struct activation {
    const T *x;
    T *y;
};

template <int n, enum sb_act a, typename T>
static __device__ inline void sb_map_at(const activation<a, T> &p, int64_t, int64_t at, sb_lanes<n>)
{
    float v[n];
    sb_read<n>(v, p.x + at);
#pragma unroll
    for (int i = 0; i < n; i++) v[i] = sb_activate<a>(v[i]);
    sb_write<n>(p.y + at, v);
}

/* dx = dy a'(x). relu is given its y instead, which is above 0 where x is. */
template <enum sb_act a, typename T> struct activation_bwd {
    const T *x, *dy;
    T *dx;
};

template <int n, enum sb_act a, typename T>
static __device__ inline void sb_map_at(const activation_bwd<a, T> &p, int64_t, int64_t at, sb_lanes<n>)
{
    float x[n], g[n];
    sb_read<n>(x, p.x + at);
    sb_read<n>(g, p.dy + at);
#pragma unroll
    for (int i = 0; i < n; i++) {
        if (a == SB_ACT_RELU) g[i] = x[i] > 0 ? g[i] : 0.0f;
        else g[i] *= sb_slope<a>(x[i]);
    }
    sb_write<n>(p.dx + at, g);
}

template <enum sb_act a, typename T> static void activate(struct sb_dev *d, sb_in x, sb_out y)
{
    activation<a, T> p = {(const T *)x->data, (T *)y->data};
    sb_map<SB_LANES<T>>(d, p, 1, sb_tensor_count(x), sb_wide(p.x, 0) && sb_wide(p.y, 0));
}

template <enum sb_act a, typename T> static void activate_bwd(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx)
{
    activation_bwd<a, T> p = {(const T *)x->data, (const T *)dy->data, (T *)dx->data};
    sb_map<SB_LANES<T>>(d, p, 1, sb_tensor_count(x), sb_wide(p.x, 0) && sb_wide(p.dy, 0) && sb_wide(p.dx, 0));
}

void sb_cuda_gelu(struct sb_dev *d, enum sb_act a, sb_in x, sb_out y)
{
    if (a == SB_ACT_GELU) SB_BY_DTYPE(x->dtype, T, activate<SB_ACT_GELU, T>(d, x, y));
    else SB_BY_DTYPE(x->dtype, T, activate<SB_ACT_GELU_TANH, T>(d, x, y));
}

void sb_cuda_gelu_bwd(struct sb_dev *d, enum sb_act a, sb_in x, sb_in dy, sb_out dx)
{
    if (a == SB_ACT_GELU) SB_BY_DTYPE(x->dtype, T, activate_bwd<SB_ACT_GELU, T>(d, x, dy, dx));
    else SB_BY_DTYPE(x->dtype, T, activate_bwd<SB_ACT_GELU_TANH, T>(d, x, dy, dx));
}

void sb_cuda_relu(struct sb_dev *d, sb_in x, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T, activate<SB_ACT_RELU, T>(d, x, y));
}

void sb_cuda_relu_bwd(struct sb_dev *d, sb_in y, sb_in dy, sb_out dx)
{
    SB_BY_DTYPE(y->dtype, T, activate_bwd<SB_ACT_RELU, T>(d, y, dy, dx));
}

/* ---- SwiGLU ------------------------------------------------------------------------------------------------------ */

static __device__ inline float sigmoid(float x) { return 1.0f / (1.0f + sb_exp2(-SB_LOG2_E * x)); }

template <typename T> struct silu_mul {
    const T *x;
    T *y;
    int64_t width;
};

template <int n, typename T>
static __device__ inline void sb_map_at(const silu_mul<T> &p, int64_t row, int64_t at, sb_lanes<n>)
{
    const T *x = p.x + row * 2 * p.width + at;
    float a[n], b[n];
    sb_read<n>(a, x);
    sb_read<n>(b, x + p.width);
#pragma unroll
    for (int i = 0; i < n; i++) a[i] *= sigmoid(a[i]) * b[i];
    sb_write<n>(p.y + row * p.width + at, a);
}

template <typename T> struct silu_mul_bwd {
    const T *x, *dy;
    T *dx;
    int64_t width;
};

template <int n, typename T>
static __device__ inline void sb_map_at(const silu_mul_bwd<T> &p, int64_t row, int64_t at, sb_lanes<n>)
{
    int64_t first = row * 2 * p.width + at;
    float a[n], b[n], g[n];
    sb_read<n>(a, p.x + first);
    sb_read<n>(b, p.x + first + p.width);
    sb_read<n>(g, p.dy + row * p.width + at);
#pragma unroll
    for (int i = 0; i < n; i++) {
        float s = sigmoid(a[i]), silu = a[i] * s;
        a[i] = g[i] * b[i] * (s + silu * (1.0f - s));
        b[i] = g[i] * silu;
    }
    sb_write<n>(p.dx + first, a);
    sb_write<n>(p.dx + first + p.width, b);
}

template <typename T> static void swiglu(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t width = y->shape[1];
    silu_mul<T> p = {(const T *)x->data, (T *)y->data, width};
    sb_map<SB_LANES<T>>(d, p, y->shape[0], width, sb_wide(p.x, width) && sb_wide(p.y, width));
}

template <typename T> static void swiglu_bwd(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx)
{
    int64_t width = dy->shape[1];
    silu_mul_bwd<T> p = {(const T *)x->data, (const T *)dy->data, (T *)dx->data, width};
    sb_map<SB_LANES<T>>(d, p, dy->shape[0], width,
                        sb_wide(p.x, width) && sb_wide(p.dy, width) && sb_wide(p.dx, width));
}

void sb_cuda_silu_mul(struct sb_dev *d, sb_in x, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T, swiglu<T>(d, x, y));
}

void sb_cuda_silu_mul_bwd(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx)
{
    SB_BY_DTYPE(x->dtype, T, swiglu_bwd<T>(d, x, dy, dx));
}

/* ---- residual, LayerScale, drop path ----------------------------------------------------------------------------- */

template <typename T> struct scale_add {
    const T *r, *x, *gain; /* r, gain may be NULL */
    T *y;
    struct sb_chance chance;
    int64_t count, channels; /* count: elements of a sample */
};

/* A row is a sample. */
template <int n, typename T>
static __device__ inline void sb_map_at(const scale_add<T> &p, int64_t sample, int64_t at, sb_lanes<n>)
{
    int64_t first = sample * p.count + at;
    float x[n], r[n] = {}, gain[n], keep = sb_chance_keep(p.chance, (uint32_t)sample, 0);
    sb_read<n>(x, p.x + first);
    if (p.r) sb_read<n>(r, p.r + first);
#pragma unroll
    for (int i = 0; i < n; i++) gain[i] = 1.0f;
    if (p.gain) sb_read<n>(gain, p.gain + at % p.channels);
#pragma unroll
    for (int i = 0; i < n; i++) r[i] += keep * x[i] * gain[i];
    sb_write<n>(p.y + first, r);
}

template <typename T>
static void scale(struct sb_dev *d, sb_in r, sb_in x, sb_in gain, struct sb_chance c, sb_out y)
{
    int64_t samples = x->shape[0], count = sb_sample_count(x), channels = x->shape[x->ndim - 1];
    scale_add<T> p = {r ? (const T *)r->data : NULL, (const T *)x->data, gain ? (const T *)gain->data : NULL,
                      (T *)y->data, c, count, channels};
    sb_map<SB_LANES<T>>(d, p, samples, count,
                        sb_wide(p.r, channels) && sb_wide(p.x, channels) && sb_wide(p.gain, channels) &&
                            sb_wide(p.y, channels));
}

void sb_cuda_scale_add(struct sb_dev *d, sb_in r, sb_in x, sb_in gain, struct sb_chance c, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T, scale<T>(d, r, x, gain, c, y));
}

/* dgain's terms, keep dy x. */
template <typename T> struct gain_terms {
    const T *x, *dy;
    struct sb_chance chance;
    int64_t rows, channels; /* rows: of a sample */
};

template <int width, typename T>
static __device__ inline void sb_column_values(const gain_terms<T> &p, int64_t row, int64_t column,
                                               float (&to)[1][width])
{
    float x[width], keep = p.chance.p > 0 ? sb_chance_keep(p.chance, (uint32_t)(row / p.rows), 0) : 1.0f;
    sb_read<width>(x, p.x + row * p.channels + column);
    sb_read<width>(to[0], p.dy + row * p.channels + column);
#pragma unroll
    for (int i = 0; i < width; i++) to[0][i] *= keep * x[i];
}

template <typename T> static void sum_gain(struct sb_dev *d, sb_in x, struct sb_chance c, sb_in dy, sb_out dgain)
{
    int64_t channels = dy->shape[dy->ndim - 1], rows = sb_tensor_count(dy) / channels;
    gain_terms<T> p = {(const T *)x->data, (const T *)dy->data, c, rows / dy->shape[0], channels};
    struct sb_column_to<1> to = {{(float *)dgain->data}, true};
    if (sb_wide(p.x, channels) && sb_wide(p.dy, channels)) sb_column_sum<SB_LANES<T>>(d, p, rows, channels, to);
    else sb_column_sum<1>(d, p, rows, channels, to);
}

/* dx may be dy: the sums come first. */
void sb_cuda_scale_add_bwd(struct sb_dev *d, sb_in x, sb_in gain, struct sb_chance c, sb_in dy, sb_out dx, sb_out dgain)
{
    if (!sb_tensor_count(dy)) return;
    if (dgain) SB_BY_DTYPE(dy->dtype, T, sum_gain<T>(d, x, c, dy, dgain));
    if (dx) SB_BY_DTYPE(dy->dtype, T, scale<T>(d, NULL, dy, gain, c, dx));
}

/* ---- dropout ----------------------------------------------------------------------------------------------------- */

template <typename T> struct dropout {
    const T *x;
    T *y;
    struct sb_chance chance;
    int64_t count; /* elements of a sample, which is a row */
};

template <int n, typename T>
static __device__ inline void sb_map_at(const dropout<T> &p, int64_t sample, int64_t at, sb_lanes<n>)
{
    float v[n], keep[n];
    sb_read<n>(v, p.x + sample * p.count + at);
    if constexpr (n == 1) {
        keep[0] = sb_chance_keep(p.chance, (uint32_t)sample, (uint32_t)at);
    } else {
#pragma unroll
        for (int i = 0; i < n; i += 4) sb_chance_keep4(p.chance, (uint32_t)sample, (uint32_t)(at + i), keep + i);
    }
#pragma unroll
    for (int i = 0; i < n; i++) v[i] *= keep[i];
    sb_write<n>(p.y + sample * p.count + at, v);
}

template <typename T> static void drop(struct sb_dev *d, sb_in x, struct sb_chance c, sb_out y)
{
    int64_t samples = x->shape[0], count = sb_sample_count(x);
    dropout<T> p = {(const T *)x->data, (T *)y->data, c, count};
    sb_map<SB_LANES<T>>(d, p, samples, count, sb_wide(p.x, count) && sb_wide(p.y, count));
}

void sb_cuda_dropout(struct sb_dev *d, sb_in x, struct sb_chance c, sb_out y)
{
    if (c.p > 0) SB_BY_DTYPE(x->dtype, T, drop<T>(d, x, c, y));
    else if (x->data != y->data) sb_cuda_cast(d, x, y);
}
