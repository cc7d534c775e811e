#include "kernels/ref/ref.h"

void sb_ref_normalize(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y)
{
    (void)d;
    int64_t n = sb_tensor_count(x), plane = x->shape[2] * x->shape[3];
    for (int64_t i = 0; i < n; i++) {
        int64_t c = i / plane % 3;
        sb_store(y, i, (sb_load(x, i) / 255 - sb_load(mean_std, c)) / sb_load(mean_std, 3 + c));
    }
}

/* The plane [H,W] that begins at element `plane`, between its pixels; edge pixels go on outside. */
static double bilinear(sb_in x, int64_t plane, double sx, double sy)
{
    int64_t h = x->shape[2], w = x->shape[3];
    sx = fmin(fmax(sx, 0), (double)(w - 1));
    sy = fmin(fmax(sy, 0), (double)(h - 1));
    int64_t x0 = (int64_t)sx, y0 = (int64_t)sy, x1 = x0 + 1 < w ? x0 + 1 : x0, y1 = y0 + 1 < h ? y0 + 1 : y0;
    double fx = sx - (double)x0, fy = sy - (double)y0;
    double top = sb_load(x, plane + y0 * w + x0) * (1 - fx) + sb_load(x, plane + y0 * w + x1) * fx;
    double bottom = sb_load(x, plane + y1 * w + x0) * (1 - fx) + sb_load(x, plane + y1 * w + x1) * fx;
    return top * (1 - fy) + bottom * fy;
}

void sb_ref_warp(struct sb_dev *d, sb_in x, sb_in matrix, sb_in colour, sb_out y)
{
    (void)d;
    int64_t batch = y->shape[0], s = y->shape[2];
    for (int64_t i = 0; i < batch * 3 * s * s; i++) {
        int64_t b = i / (3 * s * s), plane = i / (s * s) * x->shape[2] * x->shape[3];
        double m[6], px = (double)(i % s), py = (double)(i / s % s);
        sb_load_run(m, matrix, b * 6, 6);
        double v = bilinear(x, plane, m[0] * px + m[1] * py + m[2], m[3] * px + m[4] * py + m[5]);
        if (colour) v = (v - 128) * sb_load(colour, b * 2) + 128 + sb_load(colour, b * 2 + 1);
        sb_store(y, i, v);
    }
}

void sb_ref_mix(struct sb_dev *d, sb_in x, sb_in partner, sb_in weight, sb_in box, sb_out y)
{
    (void)d;
    int64_t s = x->shape[2], picture = 3 * s * s, n = x->shape[0] * picture;
    for (int64_t i = 0; i < n; i++) {
        int64_t b = i / picture, px = i % s, py = i / s % s;
        const int32_t *edge = (const int32_t *)box->data + 4 * b;
        bool inside = px >= edge[0] && py >= edge[1] && px < edge[2] && py < edge[3];
        double own = inside ? 0 : sb_load(weight, b);
        int64_t other = ((const int32_t *)partner->data)[b] * picture + i % picture;
        sb_store(y, i, own * sb_load(x, i) + (1 - own) * sb_load(x, other));
    }
}
