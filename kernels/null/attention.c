#include "kernels/null/check.h"

void sb_null_attention(struct sb_dev *d, sb_in qkv, bool causal, sb_out cache, const int32_t *length, sb_out lse,
                       sb_out y)
{
    (void)d, (void)causal;
    enum sb_dtype act = ACT(qkv, 5);
    int64_t b = qkv->shape[0], t = qkv->shape[1], h = qkv->shape[3], e = qkv->shape[4];
    NEED(qkv, act, b, t, 3, h, e);
    WANT(!cache == !length, "cache and length go together");
    MAY(cache, act, 2, b, h, ANY, e);
    WANT(!cache || cache->shape[3] >= t, "cache has %lld positions for %lld tokens", (long long)cache->shape[3],
         (long long)t);
    MAY(lse, SB_F32, b, h, t);
    NEED(y, act, b, t, h, e);
}

void sb_null_attention_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv)
{
    (void)d, (void)causal;
    enum sb_dtype act = ACT(qkv, 5);
    int64_t b = qkv->shape[0], t = qkv->shape[1], h = qkv->shape[3], e = qkv->shape[4];
    NEED(qkv, act, b, t, 3, h, e);
    NEED(lse, SB_F32, b, h, t);
    NEED(y, act, b, t, h, e);
    NEED(dy, act, b, t, h, e);
    LIKE(dqkv, act, qkv);
}
