#include "kernels/null/check.h"

void sb_null_normalize(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(y, 4);
    int64_t s = y->shape[2];
    NEED(y, act, ANY, 3, s, s);
    LIKE(x, SB_U8, y);
    NEED(mean_std, SB_F32, 2, 3);
}

void sb_null_warp(struct sb_dev *d, sb_in x, sb_in matrix, sb_in colour, sb_out y)
{
    (void)d;
    NEED(x, SB_U8, ANY, 3, ANY, ANY);
    NEED(matrix, SB_F32, x->shape[0], 6);
    MAY(colour, SB_F32, x->shape[0], 2);
    RANK(y, 4);
    NEED(y, SB_U8, x->shape[0], 3, y->shape[2], y->shape[2]);
}

void sb_null_mix(struct sb_dev *d, sb_in x, sb_in partner, sb_in weight, sb_in box, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 4);
    int64_t b = x->shape[0], s = x->shape[2];
    NEED(x, act, b, 3, s, s);
    NEED(partner, SB_I32, b);
    NEED(weight, SB_F32, b);
    NEED(box, SB_I32, b, 4);
    LIKE(y, act, x);
    WANT(y->data != x->data, "y is x");
}
