#include "nn/weight_read.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static int64_t file_dim(const struct sb_param *p, int i) { return p->shape[p->transposed ? p->ndim - 1 - i : i]; }

/* "[3,24]" into buf. */
static void file_shape(const struct sb_param *p, char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "[");
    for (int i = 0; i < p->ndim && n < size; i++) {
        n += (size_t)snprintf(buf + n, size - n, i ? ",%lld" : "%lld", (long long)file_dim(p, i));
    }
    if (n < size) snprintf(buf + n, size - n, "]");
}

bool sb_weight_readable(enum sb_dtype dtype)
{
    return dtype == SB_F32 || dtype == SB_BF16 || dtype == SB_F16 || dtype == SB_F64;
}

bool sb_weight_fits(const struct sb_tensor *t, const struct sb_param *p)
{
    if (!sb_weight_readable(t->dtype) || t->ndim != p->ndim) return false;
    for (int i = 0; i < p->ndim; i++) {
        if (t->shape[i] != file_dim(p, i)) return false;
    }
    return true;
}

int sb_weight_misfit(const char *path, const struct sb_tensor *t, const struct sb_param *p)
{
    char wanted[120], is[120];
    file_shape(p, wanted, sizeof wanted);
    if (!t) return sb_error("%s: it has no tensor '%s', wanted %s", path, p->name, wanted);
    return sb_error("%s: tensor '%s' is %s, wanted %s", path, p->name, sb_tensor_text(t, is, sizeof is), wanted);
}

float sb_weight_at(const struct sb_tensor *t, int64_t i)
{
    union {
        uint16_t u;
        float f;
        double d;
    } v = {0};
    size_t size = sb_dtype_size(t->dtype);
    memcpy(&v, (const char *)t->data + (size_t)i * size, size);
    switch (t->dtype) {
    case SB_F32: return v.f;
    case SB_F64: return (float)v.d;
    case SB_BF16: return sb_bf16_to_f32(v.u);
    default: return sb_f16_to_f32(v.u);
    }
}

void sb_weight_transpose(const float *from, int64_t rows, int64_t columns, float *to)
{
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
    }
}

void sb_weight_read(const struct sb_tensor *t, const struct sb_param *p, float *to)
{
    if (!p->transposed) {
        if (t->dtype == SB_F32)
            memcpy(to, t->data, (size_t)p->count * sizeof *to);
        else {
            for (int64_t i = 0; i < p->count; i++) to[i] = sb_weight_at(t, i);
        }
        return;
    }
    int64_t out = p->shape[0], in = p->shape[1];
    for (int64_t i = 0; i < in; i++) {
        for (int64_t o = 0; o < out; o++) to[o * in + i] = sb_weight_at(t, i * out + o);
    }
}
