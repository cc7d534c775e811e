/* The weights of an axis. The operations and their order are Pillow's, since the last bit of a weight shows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/resize_inner.h"

static double filter_value(enum sb_filter_kind kind, double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (kind == SB_BILINEAR) return x < 1.0 ? 1.0 - x : 0.0;
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static int32_t fixed(double w) { return (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << SB_RESIZE_BITS)); }

/* The weights of one position, in `w` on the way; returns how many there are. */
static int position(int32_t *weight, double *w, int *start, int in, double centre, double wide,
                    enum sb_filter_kind kind)
{
    double support = (kind == SB_BICUBIC ? 2.0 : 1.0) * wide, narrow = 1.0 / wide, sum = 0;
    int lo = (int)(centre - support + 0.5), hi = (int)(centre + support + 0.5);
    if (lo < 0) lo = 0;
    if (hi > in) hi = in;
    for (int k = 0; k < hi - lo; k++) {
        w[k] = filter_value(kind, (k + lo - centre + 0.5) * narrow);
        sum += w[k];
    }
    for (int k = 0; k < hi - lo; k++) weight[k] = fixed(sum != 0 ? w[k] / sum : w[k]);
    *start = lo;
    return hi - lo;
}

void sb_axis_init(struct sb_axis *a, int in, int out, int at, int count, enum sb_filter_kind kind)
{
    double scale = (double)in / out, wide = scale < 1.0 ? 1.0 : scale;
    size_t room = (size_t)ceil((kind == SB_BICUBIC ? 2.0 : 1.0) * wide) * 2 + 1;
    *a = (struct sb_axis){.count = count, .room = (int)room, .first = in};
    a->start = sb_malloc((size_t)count * sizeof *a->start);
    a->weight = sb_calloc((size_t)count * room, sizeof *a->weight);
    double *w = sb_malloc(room * sizeof *w);
    for (int i = 0; i < count; i++) {
        int n = position(a->weight + (size_t)i * room, w, &a->start[i], in, (at + i + 0.5) * scale, wide, kind);
        if (n > a->taps) a->taps = n;
        if (a->start[i] < a->first) a->first = a->start[i];
        if (a->start[i] + n > a->last) a->last = a->start[i] + n;
    }
    free(w);
}

/* `taps` weights a position, tightly: those that would go on past `end` begin earlier, with zeros. */
static void widen(struct sb_axis *a, int taps, int origin, int end)
{
    int32_t *weight = sb_calloc((size_t)a->count * (size_t)taps, sizeof *weight);
    for (int i = 0; i < a->count; i++) {
        int start = a->start[i] < end - taps ? a->start[i] : end - taps, lead = a->start[i] - start;
        int n = a->taps < taps - lead ? a->taps : taps - lead; /* what lies past `end` is 0 */
        memcpy(weight + (size_t)i * (size_t)taps + lead, a->weight + (size_t)i * (size_t)a->room,
               (size_t)n * sizeof *weight);
        a->start[i] = start - origin;
    }
    free(a->weight);
    a->weight = weight;
    a->taps = a->room = taps;
}

void sb_axis_settle(struct sb_axis *a, int origin, int end, const struct sb_resize_way *way)
{
    int fours = (a->taps + 3) & ~3, readable = end - origin;
    bool packs = way->pack && fours + 2 * SB_RESIZE_SPARE <= readable;
    widen(a, packs ? fours : a->taps, origin, end);
    a->readable = readable;
    if (!packs) return;
    size_t groups = (size_t)a->count * (size_t)fours / 4;
    a->packed = sb_malloc(groups * SB_RESIZE_PACK);
    for (size_t i = 0; i < groups; i++) way->pack(a->packed + i * SB_RESIZE_PACK, a->weight + i * 4);
}

void sb_axis_free(struct sb_axis *a)
{
    free(a->start);
    free(a->weight);
    free(a->packed);
}
