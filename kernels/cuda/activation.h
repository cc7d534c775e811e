/* The activations of enum sb_act and their derivatives, for .cu files. Sums of bf16 matrix products go through these
 * hundreds of millions of times a step, so they are made of a few instructions: 2^x, 1 / x, a polynomial. */
#ifndef SB_KERNELS_CUDA_ACTIVATION_H
#define SB_KERNELS_CUDA_ACTIVATION_H

#include "kernels/cuda/kernel.h"

/* The normal distribution's function at x, with *bell = exp(-x^2 / 2), to 8e-8: 1 - erf by Abramowitz and Stegun 1964,
 * 7.1.26, which shares its exponential with the density. */
static __device__ inline float sb_normal(float x, float *bell)
{
    float t = sb_reciprocal(1.0f + 0.231641888f * fabsf(x)); /* 0.3275911 / sqrt(2) */
    *bell = sb_exp2(-0.5f * SB_LOG2_E * x * x);
    float tail = 1.061405429f;
    tail = tail * t - 1.453152027f;
    tail = tail * t + 1.421413741f;
    tail = tail * t - 0.284496736f;
    tail = tail * t + 0.254829592f;
    tail *= 0.5f * t * *bell;
    return x < 0 ? tail : 1.0f - tail;
}

/* (1 + tanh(u)) / 2 for gelu's u = sqrt(2 / pi) (x + 0.044715 x^3) */
static __device__ inline float sb_gelu_gate(float x)
{
    float u = 0.797884561f * x * (1.0f + 0.044715f * x * x);
    return sb_reciprocal(1.0f + sb_exp2(-2.0f * SB_LOG2_E * u));
}

template <enum sb_act a> static __device__ inline float sb_activate(float x)
{
    float bell;
    if (a == SB_ACT_GELU) return x * sb_normal(x, &bell);
    if (a == SB_ACT_GELU_TANH) return x * sb_gelu_gate(x);
    if (a == SB_ACT_RELU) return fmaxf(x, 0.0f);
    return x;
}

/* The derivative at x. */
template <enum sb_act a> static __device__ inline float sb_slope(float x)
{
    if (a == SB_ACT_GELU) {
        float bell, below = sb_normal(x, &bell);
        return below + 0.398942280f * x * bell; /* 1 / sqrt(2 pi) */
    }
    if (a == SB_ACT_GELU_TANH) {
        float gate = sb_gelu_gate(x);
        return gate + 2.0f * 0.797884561f * x * (1.0f + 3.0f * 0.044715f * x * x) * gate * (1.0f - gate);
    }
    if (a == SB_ACT_RELU) return x > 0 ? 1.0f : 0.0f;
    return 1.0f;
}

/* SB_BY_ACT(a, A, launch<A>(...)): A is the constant that a is. */
#define SB_BY_ACT(a, A, ...)                                                                                           \
    do {                                                                                                               \
        switch (a) {                                                                                                   \
        case SB_ACT_GELU: { constexpr enum sb_act A = SB_ACT_GELU; __VA_ARGS__; break; }                               \
        case SB_ACT_GELU_TANH: { constexpr enum sb_act A = SB_ACT_GELU_TANH; __VA_ARGS__; break; }                     \
        case SB_ACT_RELU: { constexpr enum sb_act A = SB_ACT_RELU; __VA_ARGS__; break; }                               \
        default: { constexpr enum sb_act A = SB_ACT_NONE; __VA_ARGS__; break; }                                        \
        }                                                                                                              \
    } while (0)

#endif
