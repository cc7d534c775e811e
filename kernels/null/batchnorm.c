#include "kernels/null/check.h"

void sb_null_batchnorm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, sb_in residual, float eps, float momentum,
                       bool train, bool relu, sb_out running, sb_out stats, sb_out y)
{
    (void)d, (void)relu;
    enum sb_dtype act = ACT(x, 4);
    int64_t c = x->shape[3];
    NEED(gain, SB_F32, c);
    NEED(bias, SB_F32, c);
    MAY_LIKE(residual, act, x);
    WANT(eps > 0, "eps is %g, wanted more than 0", (double)eps);
    WANT(momentum >= 0 && momentum <= 1, "momentum is %g, wanted 0 to 1", (double)momentum);
    WANT(!train || x->shape[0] * x->shape[1] * x->shape[2] > 1, "x has one value a channel, which has no variance");
    NEED(running, SB_F32, 2, c);
    NEED(stats, SB_F32, 2, c);
    LIKE(y, act, x);
}

void sb_null_batchnorm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, bool relu, sb_in y, sb_in dy, sb_out dx,
                           sb_out dresidual, sb_out dgain, sb_out dbias)
{
    (void)d;
    enum sb_dtype act = ACT(x, 4);
    int64_t c = x->shape[3];
    NEED(gain, SB_F32, c);
    NEED(stats, SB_F32, 2, c);
    if (relu) LIKE(y, act, x);
    LIKE(dy, act, x);
    MAY_LIKE(dx, act, x);
    MAY_LIKE(dresidual, act, x);
    MAY(dgain, SB_F32, c);
    MAY(dbias, SB_F32, c);
}
