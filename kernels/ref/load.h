/* One element of a tensor as a double, whatever its dtype: f32, bf16, u8 or i32; also f64, in which the tests check
 * gradients, though null and the contract have none. Integers are rounded half to even and clamped when they are
 * written; a NaN becomes 0 there. */
#ifndef SB_KERNELS_REF_LOAD_H
#define SB_KERNELS_REF_LOAD_H

#include <math.h>

#include "base/tensor.h"

static inline double sb_load(const struct sb_tensor *t, int64_t i)
{
    switch (t->dtype) {
    case SB_F32: return ((const float *)t->data)[i];
    case SB_F64: return ((const double *)t->data)[i];
    case SB_BF16: return sb_bf16_to_f32(((const uint16_t *)t->data)[i]);
    case SB_U8: return ((const uint8_t *)t->data)[i];
    case SB_I32: return ((const int32_t *)t->data)[i];
    default: return NAN; /* null refuses it */
    }
}

static inline void sb_store(const struct sb_tensor *t, int64_t i, double v)
{
    switch (t->dtype) {
    case SB_F32: ((float *)t->data)[i] = (float)v; break;
    case SB_F64: ((double *)t->data)[i] = v; break;
    case SB_BF16: ((uint16_t *)t->data)[i] = sb_f32_to_bf16((float)v); break;
    case SB_U8: ((uint8_t *)t->data)[i] = v > 0 ? (uint8_t)rint(fmin(v, 255)) : 0; break;
    case SB_I32: ((int32_t *)t->data)[i] = v == v ? (int32_t)rint(fmax(fmin(v, INT32_MAX), INT32_MIN)) : 0; break;
    default: break;
    }
}

/* += */
static inline void sb_add(const struct sb_tensor *t, int64_t i, double v)
{
    sb_store(t, i, sb_load(t, i) + v);
}

/* n elements from the i-th on, as doubles. */
static inline void sb_load_run(double *to, const struct sb_tensor *t, int64_t i, int64_t n)
{
    for (int64_t j = 0; j < n; j++) to[j] = sb_load(t, i + j);
}

static inline void sb_store_run(const struct sb_tensor *t, int64_t i, const double *from, int64_t n)
{
    for (int64_t j = 0; j < n; j++) sb_store(t, i + j, from[j]);
}

#endif
