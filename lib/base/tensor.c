#include "base/tensor.h"

#include <stdio.h>

static const struct {
    const char *name, *numpy;
    size_t size;
} dtypes[SB_NDTYPES] = {
    [SB_U8] = {"u8", "|u1", 1},   [SB_I8] = {"i8", "|i1", 1},   [SB_BOOL] = {"bool", "|b1", 1},
    [SB_U16] = {"u16", "<u2", 2}, [SB_I16] = {"i16", "<i2", 2}, [SB_BF16] = {"bf16", "<u2", 2},
    [SB_F16] = {"f16", "<f2", 2}, [SB_U32] = {"u32", "<u4", 4}, [SB_I32] = {"i32", "<i4", 4},
    [SB_F32] = {"f32", "<f4", 4}, [SB_U64] = {"u64", "<u8", 8}, [SB_I64] = {"i64", "<i8", 8},
    [SB_F64] = {"f64", "<f8", 8},
};

size_t sb_dtype_size(enum sb_dtype dtype)
{
    return dtypes[dtype].size;
}

const char *sb_dtype_name(enum sb_dtype dtype)
{
    return dtypes[dtype].name;
}

const char *sb_dtype_numpy(enum sb_dtype dtype)
{
    return dtypes[dtype].numpy;
}

int64_t sb_tensor_count(const struct sb_tensor *t)
{
    int64_t count = 1;
    for (int i = 0; i < t->ndim; i++) count *= t->shape[i];
    return count;
}

size_t sb_tensor_bytes(const struct sb_tensor *t)
{
    return (size_t)sb_tensor_count(t) * sb_dtype_size(t->dtype);
}

const char *sb_tensor_text(const struct sb_tensor *t, char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "%s [", sb_dtype_name(t->dtype));
    for (int i = 0; i < t->ndim && n < size; i++) {
        n += (size_t)snprintf(buf + n, size - n, i ? ",%lld" : "%lld", (long long)t->shape[i]);
    }
    if (n < size) snprintf(buf + n, size - n, "]");
    return buf;
}

double sb_tensor_real(const struct sb_tensor *t, int64_t i)
{
    const void *data = t->data;
    switch (t->dtype) {
    case SB_U8: return ((const uint8_t *)data)[i];
    case SB_I8: return ((const int8_t *)data)[i];
    case SB_BOOL: return ((const uint8_t *)data)[i] != 0;
    case SB_U16: return ((const uint16_t *)data)[i];
    case SB_I16: return ((const int16_t *)data)[i];
    case SB_BF16: return sb_bf16_to_f32(((const uint16_t *)data)[i]);
    case SB_F16: return sb_f16_to_f32(((const uint16_t *)data)[i]);
    case SB_U32: return ((const uint32_t *)data)[i];
    case SB_I32: return ((const int32_t *)data)[i];
    case SB_F32: return ((const float *)data)[i];
    case SB_U64: return (double)((const uint64_t *)data)[i];
    case SB_I64: return (double)((const int64_t *)data)[i];
    default: return ((const double *)data)[i];
    }
}
