/* A view of an n-dimensional array in C order. It owns nothing. C and C++. */
#ifndef SB_BASE_TENSOR_H
#define SB_BASE_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#define SB_DIMS 8

enum sb_dtype {
    SB_U8, SB_I8, SB_BOOL, SB_U16, SB_I16, SB_BF16, SB_F16, SB_U32, SB_I32, SB_F32, SB_U64, SB_I64, SB_F64,
    SB_NDTYPES
};

struct sb_tensor {
    enum sb_dtype dtype;
    int ndim;
    int64_t shape[SB_DIMS];
    void *data;
};

#ifdef __cplusplus
extern "C" {
#endif

size_t sb_dtype_size(enum sb_dtype dtype);       /* bytes an element */
const char *sb_dtype_name(enum sb_dtype dtype);  /* "u8" "f32" "bf16" ... */
const char *sb_dtype_numpy(enum sb_dtype dtype); /* numpy's code: "|u1" "<f4"; bf16 travels as "<u2" */
/* Elements; 1 for 0-d. Shapes are trusted: they were checked where they came in. */
int64_t sb_tensor_count(const struct sb_tensor *t);
size_t sb_tensor_bytes(const struct sb_tensor *t);
/* Element i of the data; a bool is 0 or 1. */
double sb_tensor_real(const struct sb_tensor *t, int64_t i);
/* "f32 [3,224,224]" into buf; returns buf. */
const char *sb_tensor_text(const struct sb_tensor *t, char *buf, size_t size);

static inline float sb_bf16_to_f32(uint16_t h)
{
    union { uint32_t u; float f; } v;
    v.u = (uint32_t)h << 16;
    return v.f;
}

static inline float sb_f16_to_f32(uint16_t h)
{
    union { uint32_t u; float f; } v;
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = h & 0x7fffu;
    if (rest >= 0x7c00u) { /* infinity, NaN */
        v.u = sign | 0x7f800000u | (rest & 0x3ffu) << 13;
    } else if (rest >= 0x400u) {
        v.u = sign | ((rest << 13) + 0x38000000u);
    } else { /* zero and denormal: rest * 2^-24 */
        v.f = (float)rest * (1.0f / 16777216.0f);
        v.u |= sign;
    }
    return v.f;
}

/* Round to nearest even; NaN stays NaN. */
static inline uint16_t sb_f32_to_bf16(float f)
{
    union { float f; uint32_t u; } v;
    v.f = f;
    if ((v.u & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((v.u >> 16) | 0x40u);
    return (uint16_t)((v.u + 0x7fffu + ((v.u >> 16) & 1u)) >> 16);
}

#ifdef __cplusplus
}
#endif
#endif
