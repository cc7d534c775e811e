#include "kernels/chance.h"
#include "kernels/ref/ref.h"

#define SQRT_HALF 0.70710678118654752440
#define SQRT_2_PI 0.79788456080286535588   /* sqrt(2 / pi) */
#define INV_SQRT_2PI 0.39894228040143267794 /* 1 / sqrt(2 pi) */

double sb_ref_activate(enum sb_act a, double x)
{
    switch (a) {
    case SB_ACT_GELU: return 0.5 * x * (1 + erf(x * SQRT_HALF));
    case SB_ACT_GELU_TANH: return 0.5 * x * (1 + tanh(SQRT_2_PI * (x + 0.044715 * x * x * x)));
    case SB_ACT_RELU: return x > 0 ? x : 0;
    case SB_ACT_NONE: break;
    }
    return x;
}

double sb_ref_slope(enum sb_act a, double x)
{
    switch (a) {
    case SB_ACT_GELU: return 0.5 * (1 + erf(x * SQRT_HALF)) + x * INV_SQRT_2PI * exp(-0.5 * x * x);
    case SB_ACT_GELU_TANH: {
        double t = tanh(SQRT_2_PI * (x + 0.044715 * x * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_PI * (1 + 3 * 0.044715 * x * x);
    }
    case SB_ACT_RELU: return x > 0;
    case SB_ACT_NONE: break;
    }
    return 1;
}

void sb_ref_gelu(struct sb_dev *d, enum sb_act a, sb_in x, sb_out y)
{
    (void)d;
    int64_t n = sb_tensor_count(x);
    for (int64_t i = 0; i < n; i++) sb_store(y, i, sb_ref_activate(a, sb_load(x, i)));
}

void sb_ref_gelu_bwd(struct sb_dev *d, enum sb_act a, sb_in x, sb_in dy, sb_out dx)
{
    (void)d;
    int64_t n = sb_tensor_count(x);
    for (int64_t i = 0; i < n; i++) sb_store(dx, i, sb_load(dy, i) * sb_ref_slope(a, sb_load(x, i)));
}

void sb_ref_relu(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    int64_t n = sb_tensor_count(x);
    for (int64_t i = 0; i < n; i++) sb_store(y, i, sb_ref_activate(SB_ACT_RELU, sb_load(x, i)));
}

void sb_ref_relu_bwd(struct sb_dev *d, sb_in y, sb_in dy, sb_out dx)
{
    (void)d;
    int64_t n = sb_tensor_count(y);
    for (int64_t i = 0; i < n; i++) sb_store(dx, i, sb_load(y, i) > 0 ? sb_load(dy, i) : 0);
}

void sb_ref_silu_mul(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    int64_t m = y->shape[0], n = y->shape[1];
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double a = sb_load(x, i * 2 * n + j), b = sb_load(x, i * 2 * n + n + j);
            sb_store(y, i * n + j, a / (1 + exp(-a)) * b);
        }
    }
}

void sb_ref_silu_mul_bwd(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx)
{
    (void)d;
    int64_t m = dy->shape[0], n = dy->shape[1];
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double a = sb_load(x, i * 2 * n + j), b = sb_load(x, i * 2 * n + n + j), g = sb_load(dy, i * n + j),
                   s = 1 / (1 + exp(-a));
            sb_store(dx, i * 2 * n + j, g * b * s * (1 + a * (1 - s)));
            sb_store(dx, i * 2 * n + n + j, g * a * s);
        }
    }
}

void sb_ref_scale_add(struct sb_dev *d, sb_in r, sb_in x, sb_in gain, struct sb_chance c, sb_out y)
{
    (void)d;
    int64_t samples = x->shape[0], n = sb_tensor_count(x) / samples, channels = x->shape[x->ndim - 1];
    for (int64_t s = 0; s < samples; s++) {
        double keep = sb_chance_keep(c, (uint32_t)s, 0);
        for (int64_t i = 0; i < n; i++) {
            double v = keep * sb_load(x, s * n + i) * (gain ? sb_load(gain, i % channels) : 1);
            sb_store(y, s * n + i, (r ? sb_load(r, s * n + i) : 0) + v);
        }
    }
}

void sb_ref_scale_add_bwd(struct sb_dev *d, sb_in x, sb_in gain, struct sb_chance c, sb_in dy, sb_out dx, sb_out dgain)
{
    int64_t samples = dy->shape[0], n = sb_tensor_count(dy) / samples, channels = dy->shape[dy->ndim - 1];
    double *sum = sb_ref_scratch(d, channels);
    for (int64_t j = 0; j < channels; j++) sum[j] = 0;
    for (int64_t s = 0; s < samples; s++) {
        double keep = sb_chance_keep(c, (uint32_t)s, 0);
        for (int64_t i = 0; i < n; i++) {
            double g = keep * sb_load(dy, s * n + i);
            if (dgain) sum[i % channels] += g * sb_load(x, s * n + i);
            if (dx) sb_store(dx, s * n + i, g * (gain ? sb_load(gain, i % channels) : 1));
        }
    }
    for (int64_t j = 0; dgain && j < channels; j++) sb_add(dgain, j, sum[j]);
}

void sb_ref_dropout(struct sb_dev *d, sb_in x, struct sb_chance c, sb_out y)
{
    (void)d;
    int64_t samples = x->shape[0], n = sb_tensor_count(x) / samples;
    for (int64_t s = 0; s < samples; s++) {
        for (int64_t i = 0; i < n; i++)
            sb_store(y, s * n + i, sb_load(x, s * n + i) * sb_chance_keep(c, (uint32_t)s, (uint32_t)i));
    }
}
