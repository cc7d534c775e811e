#include "kernels/null/check.h"

void sb_null_nearest(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance)
{
    (void)d;
    NEED(x, SB_F32, ANY, ANY);
    NEED(c, SB_F32, ANY, x->shape[1]);
    NEED(index, SB_I32, x->shape[0]);
    NEED(distance, SB_F32, x->shape[0]);
}

void sb_null_nearest_sum(struct sb_dev *d, sb_in x, sb_in index, sb_out sum, sb_out count)
{
    (void)d;
    NEED(x, SB_F32, ANY, ANY);
    NEED(index, SB_I32, x->shape[0]);
    NEED(sum, SB_F32, ANY, x->shape[1]);
    NEED(count, SB_F32, sum->shape[0]);
}

void sb_null_centroids(struct sb_dev *d, sb_in sum, sb_in count, sb_in c, sb_out y)
{
    (void)d;
    NEED(sum, SB_F32, ANY, ANY);
    NEED(count, SB_F32, sum->shape[0]);
    NEED(c, SB_F32, sum->shape[0], sum->shape[1]);
    NEED(y, SB_F32, sum->shape[0], sum->shape[1]);
}
