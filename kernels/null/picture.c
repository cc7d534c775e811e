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
