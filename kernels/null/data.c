#include "kernels/null/check.h"

void sb_null_lerp(struct sb_dev *d, sb_in a, sb_in b, sb_in t, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(a, ANY);
    LIKE(b, act, a);
    RANK(t, 1);
    NEED(t, SB_F32, t->shape[0] == 1 ? 1 : a->shape[0]);
    LIKE(y, act, a);
}

static void check_castable(const char *op, const char *name, sb_in t)
{
    sb_null_rank(op, name, t, ANY);
    if (t->dtype != SB_F32 && t->dtype != SB_BF16 && t->dtype != SB_U8 && t->dtype != SB_I32) {
        sb_null_fail(op, "%s is %s, wanted f32, bf16, u8 or i32", name, sb_dtype_name(t->dtype));
    }
}

void sb_null_cast(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    check_castable(OP, "x", x);
    check_castable(OP, "y", y);
    LIKE(y, y->dtype, x);
}

void sb_null_fill(struct sb_dev *d, float value, sb_out y)
{
    (void)d, (void)value;
    check_castable(OP, "y", y);
}

void sb_null_copy(struct sb_dev *d, sb_in x, int64_t x_stride, int64_t y_stride, sb_out y)
{
    (void)d;
    RANK(x, 2);
    LIKE(y, x->dtype, x);
    WANT(x_stride >= x->shape[1] && y_stride >= x->shape[1], "strides are %lld and %lld for rows of %lld",
         (long long)x_stride, (long long)y_stride, (long long)x->shape[1]);
}
