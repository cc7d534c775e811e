/* exp, erf and their relatives for f32, written so that the compiler turns them into vector code in a loop.
 * Largest errors against double, over every 997th float there is:
 *   sb_exp              0.7 units in the last place; 0 below -86.6, inf above 88.72
 *   sb_erf              3.2e-7 absolute
 *   sb_sigmoid          9e-8 absolute
 *   sb_gelu_erf         1.5e-7 of 1 + |x|, its slope 2.2e-7 absolute
 *   sb_gelu_tanh        1e-7 of 1 + |x|, its slope 2e-7 absolute */
#ifndef SB_KERNELS_CPU_VECMATH_H
#define SB_KERNELS_CPU_VECMATH_H

#include <stdint.h>

/* Always inline: a call in a loop keeps it from becoming vector code. */
#define SB_VECMATH static inline __attribute__((always_inline))

/* e^r for |r| <= ln 2 / 2: Cephes's expf. r: a float, or a vector of them. */
#define SB_EXP_POLYNOMIAL(r)                                                                                           \
    ((((((1.9875691500e-4f * (r) + 1.3981999507e-3f) * (r) + 8.3334519073e-3f) * (r) + 4.1665795894e-2f) * (r) +       \
       1.6666665459e-1f) * (r) + 5.0000001201e-1f) * ((r) * (r)) + (r) + 1.0f)

/* 2^n e^r with |r| <= ln 2 / 2. 2^n is made as 2 * 2^(n-1), since 2^128 is no float.
 */
SB_VECMATH float sb_exp(float x)
{
    float c = x < -86.6f ? -86.6f : x > 88.72f ? 88.72f : x;
    float n = (c * 1.44269504f + 12582912.0f) - 12582912.0f; /* adding 1.5 * 2^23 rounds to the nearest whole number */
    float r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = SB_EXP_POLYNOMIAL(r);
    union { uint32_t i; float f; } scale = {(uint32_t)((int32_t)n + 126) << 23};
    p = x < -86.6f ? 0.0f : 2.0f * p * scale.f;
    return x > 88.72f ? __builtin_inff() : p;
}

/* x P(x^2) / Q(x^2), Eigen's coefficients; beyond 4 it is 1 in f32. */
SB_VECMATH float sb_erf(float x)
{
    float c = x < -4.0f ? -4.0f : x > 4.0f ? 4.0f : x;
    float s = c * c;
    float p = -2.72614225801306e-10f;
    p = p * s + 2.77068142495902e-08f;
    p = p * s - 2.10102402082508e-06f;
    p = p * s - 5.69250639462346e-05f;
    p = p * s - 7.34990630326855e-04f;
    p = p * s - 2.95459980854025e-03f;
    p = p * s - 1.60960333262415e-02f;
    float q = -1.45660718464996e-05f;
    q = q * s - 2.13374055278905e-04f;
    q = q * s - 1.68282697438203e-03f;
    q = q * s - 7.37332916720468e-03f;
    q = q * s - 1.42647390514189e-02f;
    return c * p / q;
}

SB_VECMATH float sb_sigmoid(float x)
{
    return 1.0f / (1.0f + sb_exp(-x));
}

SB_VECMATH float sb_gelu_erf(float x)
{
    return 0.5f * x * (1.0f + sb_erf(x * 0.70710678f));
}

SB_VECMATH float sb_gelu_erf_slope(float x)
{
    return 0.5f * (1.0f + sb_erf(x * 0.70710678f)) + x * 0.39894228f * sb_exp(-0.5f * x * x);
}

/* (1 + tanh z) / 2 is the sigmoid of 2 z. */
SB_VECMATH float sb_gelu_tanh(float x)
{
    return x * sb_sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
}

/* With s that sigmoid, its own slope is s (1 - s) = s s e^(-2z), which loses no digits where s is near 1. Beyond 10 all
 * is constant. */
SB_VECMATH float sb_gelu_tanh_slope(float x)
{
    float c = x < -10.0f ? -10.0f : x > 10.0f ? 10.0f : x;
    float e = sb_exp(-1.59576912f * (c + 0.044715f * c * c * c)), s = 1.0f / (1.0f + e);
    return s + c * (s * (s * e)) * (1.59576912f * (1.0f + 0.134145f * c * c));
}

#endif
