#include "kernels/null/check.h"

void sb_null_norm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, float eps, sb_out stats, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 2);
    NEED(gain, act, x->shape[1]);
    NEED(bias, act, x->shape[1]);
    WANT(eps > 0, "eps is %g, wanted more than 0", (double)eps);
    MAY(stats, SB_F32, x->shape[0], 2);
    LIKE(y, act, x);
}

void sb_null_norm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, sb_in dy, sb_in add, sb_out dx, sb_out dgain,
                      sb_out dbias)
{
    (void)d;
    enum sb_dtype act = ACT(x, 2);
    NEED(gain, act, x->shape[1]);
    NEED(stats, SB_F32, x->shape[0], 2);
    LIKE(dy, act, x);
    WANT(dx || !add, "add is given, but dx is not");
    MAY_LIKE(add, act, x);
    MAY_LIKE(dx, act, x);
    MAY(dgain, SB_F32, x->shape[1]);
    MAY(dbias, SB_F32, x->shape[1]);
}
