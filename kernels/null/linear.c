#include "kernels/null/check.h"

void sb_null_linear(struct sb_dev *d, sb_in x, sb_in w, const void *packed, sb_in b, enum sb_act a, sb_in residual,
                    sb_out pre, sb_out y)
{
    (void)d, (void)packed;
    enum sb_dtype act = ACT(x, 2);
    RANK(w, 2);
    int64_t m = x->shape[0], k = x->shape[1], n = w->shape[0];
    NEED(w, act, n, k);
    MAY(b, act, n);
    MAY(residual, act, m, n);
    WANT(a >= SB_ACT_NONE && a <= SB_ACT_RELU, "no such activation: %d", (int)a);
    WANT(a != SB_ACT_NONE || !pre, "pre is given, but there is no activation");
    MAY(pre, act, m, n);
    NEED(y, act, m, n);
}

void sb_null_linear_bwd(struct sb_dev *d, sb_in x, sb_in w, const void *packed, enum sb_act a, sb_in pre, sb_out dy,
                        sb_out dx, sb_out dw, sb_out db)
{
    (void)d, (void)packed;
    enum sb_dtype act = ACT(x, 2);
    RANK(w, 2);
    int64_t m = x->shape[0], k = x->shape[1], n = w->shape[0];
    NEED(w, act, n, k);
    WANT(a >= SB_ACT_NONE && a <= SB_ACT_RELU, "no such activation: %d", (int)a);
    WANT(a != SB_ACT_NONE || !pre, "pre is given, but there is no activation");
    if (a != SB_ACT_NONE) NEED(pre, act, m, n);
    NEED(dy, act, m, n);
    MAY(dx, act, m, k);
    MAY(dw, SB_F32, n, k);
    MAY(db, SB_F32, n);
}

size_t sb_null_linear_pack_size(struct sb_dev *d, int64_t n, int64_t k, enum sb_dtype dtype, bool backward)
{
    (void)d, (void)backward;
    WANT(n > 0 && k > 0, "w would be empty: [%lld,%lld]", (long long)n, (long long)k);
    WANT(dtype == SB_F32 || dtype == SB_BF16, "w would be %s, wanted f32 or bf16", sb_dtype_name(dtype));
    return 0;
}

void sb_null_linear_pack(struct sb_dev *d, sb_in w, bool backward, void *packed)
{
    (void)d, (void)backward;
    ACT(w, 2);
    sb_null_pointer(OP, "packed", packed);
}
