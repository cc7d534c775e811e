#include "media/transform.h"

#include <math.h>
#include <string.h>

/* Where the middle of `full` begins; halves go to the even neighbour, as Python rounds, or down. */
static int middle(int full, const struct sb_transform *t)
{
    double at = (full - t->size) / 2.0;
    return (int)(t->down ? floor(at) : nearbyint(at));
}

/* The sizes that the picture is resized to. */
static int full_size(const struct sb_transform *t, const struct sb_picture *in, int *width, int *height)
{
    int shorter = in->width < in->height ? in->width : in->height;
    double side = floor(t->size / t->crop), wide = side, high = side;
    if (t->fit == SB_FIT_SHORT) {
        wide = (double)((int64_t)side * in->width / shorter);
        high = (double)((int64_t)side * in->height / shorter);
    } else if (t->fit == SB_FIT_LETTERBOX) {
        double ratio = fmax(in->width / side, in->height / side);
        wide = fmax(1, nearbyint(in->width / ratio));
        high = fmax(1, nearbyint(in->height / ratio));
    }
    if (wide > INT32_MAX || high > INT32_MAX)
        return sb_error("a picture of %d x %d is too long for its width to be resized to %.0f", in->width, in->height,
                        side);
    *width = (int)wide;
    *height = (int)high;
    return 0;
}

/* What of `full` pixels is kept: from *at on, the returned number. */
static int kept(int full, const struct sb_transform *t, int *at)
{
    *at = full > t->size ? middle(full, t) : 0;
    return full > t->size ? t->size : full;
}

/* Pixels to planes, in the middle of the square. */
static void spread(const struct sb_transform *t, const struct sb_picture *p, uint8_t *out)
{
    size_t side = (size_t)t->size, plane = side * side, left = (side - (size_t)p->width) / 2,
           top = (side - (size_t)p->height) / 2;
    if ((size_t)p->width * (size_t)p->height < plane)
        for (int c = 0; c < 3; c++) memset(out + (size_t)c * plane, t->pad[c], plane);
    for (int y = 0; y < p->height; y++) {
        const uint8_t *rgb = p->rgb + (size_t)y * (size_t)p->width * 3;
        uint8_t *row = out + (top + (size_t)y) * side + left;
        uint8_t *first = row + (t->bgr ? 2 * plane : 0), *second = row + plane, *third = row + (t->bgr ? 0 : 2 * plane);
        for (int x = 0; x < p->width; x++, rgb += 3) {
            first[x] = rgb[0];
            second[x] = rgb[1];
            third[x] = rgb[2];
        }
    }
}

int sb_transform(const struct sb_transform *t, const struct sb_picture *in, struct sb_picture *scratch, uint8_t *out)
{
    struct sb_window w;
    if (full_size(t, in, &w.full_width, &w.full_height) < 0) return -1;
    w.width = kept(w.full_width, t, &w.x);
    w.height = kept(w.full_height, t, &w.y);
    if (sb_resize_window(in, scratch, &w, t->filter) < 0) return -1;
    spread(t, scratch, out);
    return 0;
}

void sb_transform_normalize(const uint8_t *in, float *out, size_t plane, const float mean[3], const float std[3])
{
    for (int c = 0; c < 3; c++, in += plane, out += plane) {
        float table[256];
        for (int v = 0; v < 256; v++) table[v] = ((float)v / 255.0f - mean[c]) / std[c];
        for (size_t i = 0; i < plane; i++) out[i] = table[in[i]];
    }
}
