#include "media/transform.h"

#include <math.h>

/* Where the middle of `full` begins; halves go to the even neighbour, as Python rounds, or down. */
static int middle(int full, const struct sb_transform *t)
{
    double at = (full - t->size) / 2.0;
    return (int)(t->down ? floor(at) : nearbyint(at));
}

static int window_of(const struct sb_transform *t, const struct sb_picture *in, struct sb_window *w)
{
    int shorter = in->width < in->height ? in->width : in->height;
    int64_t side = (int64_t)floor(t->size / t->crop), wide = t->stretch ? side : side * in->width / shorter,
            high = t->stretch ? side : side * in->height / shorter;
    if (wide > INT32_MAX || high > INT32_MAX)
        return sb_error("a picture of %d x %d is too long for its width to be resized to %lld", in->width, in->height,
                        (long long)side);
    *w = (struct sb_window){(int)wide, (int)high, middle((int)wide, t), middle((int)high, t), t->size, t->size};
    return 0;
}

int sb_transform(const struct sb_transform *t, const struct sb_picture *in, struct sb_picture *scratch, uint8_t *out)
{
    struct sb_window w;
    if (window_of(t, in, &w) < 0 || sb_resize_window(in, scratch, &w, t->filter) < 0) return -1;
    size_t plane = (size_t)t->size * (size_t)t->size;
    uint8_t *first = out + (t->bgr ? 2 * plane : 0), *second = out + plane, *third = out + (t->bgr ? 0 : 2 * plane);
    const uint8_t *rgb = scratch->rgb;
    for (size_t i = 0; i < plane; i++, rgb += 3) {
        first[i] = rgb[0];
        second[i] = rgb[1];
        third[i] = rgb[2];
    }
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
