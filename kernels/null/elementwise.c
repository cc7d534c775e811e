#include "kernels/null/check.h"

void sb_null_gelu(struct sb_dev *d, enum sb_act a, sb_in x, sb_out y)
{
    (void)d;
    WANT(a == SB_ACT_GELU || a == SB_ACT_GELU_TANH, "activation %d is no GELU", (int)a);
    LIKE(y, ACT(x, ANY), x);
}

void sb_null_gelu_bwd(struct sb_dev *d, enum sb_act a, sb_in x, sb_in dy, sb_out dx)
{
    (void)d;
    WANT(a == SB_ACT_GELU || a == SB_ACT_GELU_TANH, "activation %d is no GELU", (int)a);
    enum sb_dtype act = ACT(x, ANY);
    LIKE(dy, act, x);
    LIKE(dx, act, x);
}

void sb_null_relu(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    LIKE(y, ACT(x, ANY), x);
}

void sb_null_relu_bwd(struct sb_dev *d, sb_in y, sb_in dy, sb_out dx)
{
    (void)d;
    enum sb_dtype act = ACT(y, ANY);
    LIKE(dy, act, y);
    LIKE(dx, act, y);
}

void sb_null_silu_mul(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(y, 2);
    NEED(x, act, y->shape[0], 2 * y->shape[1]);
}

void sb_null_silu_mul_bwd(struct sb_dev *d, sb_in x, sb_in dy, sb_out dx)
{
    (void)d;
    enum sb_dtype act = ACT(dy, 2);
    NEED(x, act, dy->shape[0], 2 * dy->shape[1]);
    LIKE(dx, act, x);
}

/* dim 0 is the sample, the last the channel. */
void sb_null_scale_add(struct sb_dev *d, sb_in r, sb_in x, sb_in gain, struct sb_chance c, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, ANY);
    WANT(x->ndim >= 2, "x has one dimension, wanted samples and channels");
    MAY_LIKE(r, act, x);
    MAY(gain, act, x->shape[x->ndim - 1]);
    sb_null_chance(OP, c);
    LIKE(y, act, x);
}

void sb_null_scale_add_bwd(struct sb_dev *d, sb_in x, sb_in gain, struct sb_chance c, sb_in dy, sb_out dx, sb_out dgain)
{
    (void)d;
    enum sb_dtype act = ACT(dy, ANY);
    WANT(dy->ndim >= 2, "dy has one dimension, wanted samples and channels");
    int64_t channels = dy->shape[dy->ndim - 1];
    if (dgain) LIKE(x, act, dy);
    MAY(gain, act, channels);
    sb_null_chance(OP, c);
    MAY_LIKE(dx, act, dy);
    MAY(dgain, SB_F32, channels);
}

void sb_null_dropout(struct sb_dev *d, sb_in x, struct sb_chance c, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, ANY);
    sb_null_chance(OP, c);
    WANT(sb_tensor_count(x) / x->shape[0] <= UINT32_MAX, "a sample has more elements than can be counted in 32 bits");
    LIKE(y, act, x);
}
