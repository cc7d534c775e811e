#include <string.h>

#include "kernels/ref/ref.h"

void sb_ref_lerp(struct sb_dev *d, sb_in a, sb_in b, sb_in t, sb_out y)
{
    (void)d;
    int64_t n = sb_tensor_count(a), sample = n / a->shape[0];
    for (int64_t i = 0; i < n; i++) {
        double from = sb_load(a, i), part = sb_load(t, t->shape[0] == 1 ? 0 : i / sample);
        sb_store(y, i, from + part * (sb_load(b, i) - from));
    }
}

void sb_ref_cast(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    int64_t n = sb_tensor_count(x);
    for (int64_t i = 0; i < n; i++) sb_store(y, i, sb_load(x, i));
}

void sb_ref_fill(struct sb_dev *d, float value, sb_out y)
{
    (void)d;
    int64_t n = sb_tensor_count(y);
    for (int64_t i = 0; i < n; i++) sb_store(y, i, value);
}

void sb_ref_copy(struct sb_dev *d, sb_in x, int64_t x_stride, int64_t y_stride, sb_out y)
{
    (void)d;
    size_t size = sb_dtype_size(x->dtype), row = (size_t)x->shape[1] * size;
    for (int64_t i = 0; i < x->shape[0]; i++) {
        memcpy((char *)y->data + (size_t)(i * y_stride) * size, (const char *)x->data + (size_t)(i * x_stride) * size,
               row);
    }
}
