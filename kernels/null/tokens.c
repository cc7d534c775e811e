#include "kernels/null/check.h"

void sb_null_tokens(struct sb_dev *d, sb_in x, sb_in prefix, sb_in pos, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 3);
    int64_t n = x->shape[1], dim = x->shape[2], p = 0;
    if (prefix) {
        NEED(prefix, act, ANY, dim);
        p = prefix->shape[0];
    }
    if (pos) NEED(pos, act, pos->shape[0] == n ? n : p + n, dim);
    NEED(y, act, x->shape[0], p + n, dim);
}

void sb_null_tokens_bwd(struct sb_dev *d, sb_in dy, sb_out dx, sb_out dprefix, sb_out dpos)
{
    (void)d;
    enum sb_dtype act = ACT(dy, 3);
    int64_t t = dy->shape[1], dim = dy->shape[2];
    MAY(dx, act, dy->shape[0], ANY, dim);
    MAY(dprefix, SB_F32, ANY, dim);
    MAY(dpos, SB_F32, ANY, dim);
    int64_t n = dx ? dx->shape[1] : dprefix ? t - dprefix->shape[0] : t;
    if (dx) NEED(dx, act, dy->shape[0], n <= t ? n : t, dim);
    if (dprefix) NEED(dprefix, SB_F32, t - n, dim);
    WANT(!dpos || dpos->shape[0] == t || (dx || dprefix ? dpos->shape[0] == n : dpos->shape[0] < t),
         "dpos has %lld rows, wanted %lld or %lld", (long long)dpos->shape[0], (long long)t, (long long)n);
}

void sb_null_embed(struct sb_dev *d, sb_in id, sb_in table, sb_in pos, const int32_t *start, sb_out y)
{
    (void)d, (void)start;
    RANK(id, 2);
    NEED(id, SB_I32, ANY, ANY);
    enum sb_dtype act = ACT(table, 2);
    MAY(pos, act, ANY, table->shape[1]);
    WANT(!pos || pos->shape[0] >= id->shape[1], "pos has %lld rows for %lld tokens", (long long)pos->shape[0],
         (long long)id->shape[1]);
    NEED(y, act, id->shape[0], id->shape[1], table->shape[1]);
}

void sb_null_embed_bwd(struct sb_dev *d, sb_in id, sb_in dy, sb_out dtable, sb_out dpos)
{
    (void)d;
    enum sb_dtype act = ACT(dy, 3);
    int64_t dim = dy->shape[2];
    NEED(dy, act, ANY, ANY, dim);
    NEED(id, SB_I32, dy->shape[0], dy->shape[1]);
    MAY(dtable, SB_F32, ANY, dim);
    MAY(dpos, SB_F32, ANY, dim);
    WANT(!dpos || dpos->shape[0] >= dy->shape[1], "dpos has %lld rows for %lld tokens", (long long)dpos->shape[0],
         (long long)dy->shape[1]);
}

void sb_null_gather(struct sb_dev *d, sb_in x, sb_in index, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 3);
    NEED(index, SB_I32, x->shape[0], ANY);
    WANT(index->shape[1] <= x->shape[1], "index takes %lld of %lld rows", (long long)index->shape[1],
         (long long)x->shape[1]);
    NEED(y, act, x->shape[0], index->shape[1], x->shape[2]);
}

void sb_null_gather_bwd(struct sb_dev *d, sb_in index, sb_in dy, sb_out dx)
{
    (void)d;
    enum sb_dtype act = ACT(dy, 3);
    NEED(index, SB_I32, dy->shape[0], dy->shape[1]);
    NEED(dx, act, dy->shape[0], ANY, dy->shape[2]);
    WANT(dy->shape[1] <= dx->shape[1], "index takes %lld of %lld rows", (long long)dy->shape[1],
         (long long)dx->shape[1]);
}

void sb_null_patchify(struct sb_dev *d, sb_in x, int64_t patch, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 4);
    int64_t s = x->shape[2];
    NEED(x, act, ANY, 3, s, s);
    WANT(patch > 0 && s % patch == 0, "pictures of %lld pixels can't be cut into patches of %lld", (long long)s,
         (long long)patch);
    NEED(y, act, x->shape[0], (s / patch) * (s / patch), 3 * patch * patch);
}

void sb_null_pool(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in x, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 3);
    WANT(kind == SB_POOL_FIRST || kind == SB_POOL_MEAN, "no such kind: %d", (int)kind);
    WANT(first >= 0 && first < x->shape[1], "token %lld of %lld", (long long)first, (long long)x->shape[1]);
    NEED(y, act, x->shape[0], x->shape[2]);
}

void sb_null_pool_bwd(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in dy, sb_out dx)
{
    (void)d;
    enum sb_dtype act = ACT(dx, 3);
    WANT(kind == SB_POOL_FIRST || kind == SB_POOL_MEAN, "no such kind: %d", (int)kind);
    WANT(first >= 0 && first < dx->shape[1], "token %lld of %lld", (long long)first, (long long)dx->shape[1]);
    NEED(dy, act, dx->shape[0], dx->shape[2]);
}
