#include "kernels/null/check.h"

void sb_null_xent(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, float smooth, sb_in scale, sb_out loss,
                  sb_out dlogits)
{
    (void)d;
    enum sb_dtype act = ACT(logits, 2);
    int64_t m = logits->shape[0], c = logits->shape[1];
    RANK(target, target && target->ndim == 1 ? 1 : 2);
    if (target->ndim == 1) NEED(target, SB_I32, m);
    else NEED(target, SB_F32, m, c);
    MAY(weight, SB_F32, c);
    WANT(smooth >= 0 && smooth <= 1, "smooth is %g, wanted 0 to 1", (double)smooth);
    NEED(loss, SB_F32, m);
    if (!dlogits) return;
    NEED(scale, SB_F32, 1);
    NEED(dlogits, act, m, c);
}

void sb_null_bce(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dlogits)
{
    (void)d;
    enum sb_dtype act = ACT(logits, 2);
    int64_t m = logits->shape[0], c = logits->shape[1];
    NEED(target, SB_F32, m, c);
    MAY(weight, SB_F32, c);
    NEED(loss, SB_F32, m);
    if (!dlogits) return;
    NEED(scale, SB_F32, 1);
    NEED(dlogits, act, m, c);
}

void sb_null_mse(struct sb_dev *d, sb_in x, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dx)
{
    (void)d;
    enum sb_dtype act = ACT(x, 2);
    LIKE(target, act, x);
    MAY(weight, SB_F32, x->shape[0]);
    NEED(loss, SB_F32, x->shape[0]);
    if (!dx) return;
    NEED(scale, SB_F32, 1);
    LIKE(dx, act, x);
}

void sb_null_softmax(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    ACT(x, 2);
    LIKE(y, SB_F32, x);
}

void sb_null_argmax(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    ACT(x, 2);
    WANT(x->shape[1] <= INT32_MAX, "x has more columns than y can count");
    NEED(y, SB_I32, x->shape[0]);
}
