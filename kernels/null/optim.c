#include "kernels/null/check.h"

/* Segments are host memory, so they are checked too. */
static void check_segments(const char *op, const struct sb_segment *s, int64_t count, int64_t total)
{
    if (count < 0) sb_null_fail(op, "%lld segments", (long long)count);
    if (count > 0) sb_null_pointer(op, "segment", s);
    int64_t end = 0;
    for (int64_t i = 0; i < count; i++) {
        if (s[i].offset < 0 || s[i].count < 0 || s[i].count > total - s[i].offset) {
            sb_null_fail(op, "segment %lld is [%lld,+%lld] of %lld", (long long)i, (long long)s[i].offset,
                         (long long)s[i].count, (long long)total);
        }
        if (s[i].offset < end)
            sb_null_fail(op, "segment %lld overlaps the one before it, or they are out of order", (long long)i);
        end = s[i].offset + s[i].count;
    }
}

void sb_null_adamw(struct sb_dev *d, const struct sb_segment *segment, int64_t segments,
                   const struct sb_adamw_step *step, sb_in norm2, sb_out master, sb_out grad, sb_out m, sb_out v,
                   sb_out average, sb_out copy)
{
    (void)d;
    RANK(master, 1);
    int64_t n = master->shape[0];
    check_segments(OP, segment, segments, n);
    sb_null_pointer(OP, "step", step);
    MAY(norm2, SB_F32, 1);
    NEED(master, SB_F32, n);
    NEED(grad, SB_F32, n);
    NEED(m, SB_F32, n);
    NEED(v, SB_F32, n);
    MAY(average, SB_F32, n);
    MAY(copy, SB_BF16, n);
}

void sb_null_sumsq(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    NEED(x, SB_F32, ANY);
    NEED(y, SB_F32, 1);
}
