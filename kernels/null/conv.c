#include "kernels/null/check.h"

static int64_t windows(const char *op, int64_t size, int64_t window, struct sb_conv c)
{
    if (c.stride <= 0 || c.pad < 0 || window <= 0 || size + 2 * c.pad < window) {
        sb_null_fail(op, "no window of %lld fits into %lld with stride %lld and padding %lld", (long long)window,
                     (long long)size, (long long)c.stride, (long long)c.pad);
    }
    return (size + 2 * c.pad - window) / c.stride + 1;
}

void sb_null_conv2d(struct sb_dev *d, sb_in x, sb_in w, sb_in b, struct sb_conv c, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 4);
    RANK(w, 4);
    NEED(w, act, ANY, x->shape[3], ANY, ANY);
    MAY(b, act, w->shape[0]);
    NEED(y, act, x->shape[0], windows(OP, x->shape[1], w->shape[2], c), windows(OP, x->shape[2], w->shape[3], c),
         w->shape[0]);
}

void sb_null_conv2d_bwd(struct sb_dev *d, sb_in x, sb_in w, struct sb_conv c, sb_in dy, sb_out dx, sb_out dw, sb_out db)
{
    (void)d;
    enum sb_dtype act = ACT(x, 4);
    RANK(w, 4);
    NEED(w, act, ANY, x->shape[3], ANY, ANY);
    NEED(dy, act, x->shape[0], windows(OP, x->shape[1], w->shape[2], c), windows(OP, x->shape[2], w->shape[3], c),
         w->shape[0]);
    MAY_LIKE(dx, act, x);
    MAY_LIKE(dw, SB_F32, w);
    MAY(db, SB_F32, w->shape[0]);
}

/* Padding is less than a window: each window holds a pixel, which can win. */
void sb_null_maxpool(struct sb_dev *d, sb_in x, int64_t size, struct sb_conv c, sb_out index, sb_out y)
{
    (void)d;
    enum sb_dtype act = ACT(x, 4);
    WANT(c.pad < size, "padding %lld is not less than the window's %lld", (long long)c.pad, (long long)size);
    WANT(x->shape[1] * x->shape[2] <= INT32_MAX, "x has more pixels than index can count");
    NEED(y, act, x->shape[0], windows(OP, x->shape[1], size, c), windows(OP, x->shape[2], size, c), x->shape[3]);
    LIKE(index, SB_I32, y);
}

void sb_null_maxpool_bwd(struct sb_dev *d, sb_in index, int64_t size, struct sb_conv c, sb_in dy, sb_out dx)
{
    (void)d;
    enum sb_dtype act = ACT(dx, 4);
    NEED(dy, act, dx->shape[0], windows(OP, dx->shape[1], size, c), windows(OP, dx->shape[2], size, c), dx->shape[3]);
    LIKE(index, SB_I32, dy);
}
