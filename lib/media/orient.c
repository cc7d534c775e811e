/* Orientation. See orient.h. */
#include "media/orient.h"

#include <stdbool.h>
#include <string.h>

int sb_picture_upright(struct sb_picture *p, int orientation, struct sb_picture *scratch)
{
    if (orientation < 2 || orientation > 8) return 0;
    bool turned = orientation >= 5; /* rows become columns */
    int w = turned ? p->height : p->width, h = turned ? p->width : p->height;
    /* Of the stored picture: */
    bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    if (sb_picture_size(scratch, w, h) < 0) return -1;
    uint8_t *to = scratch->rgb;
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++, to += 3) {
            int sx = turned ? y : x, sy = turned ? x : y;
            if (flip_x) sx = p->width - 1 - sx;
            if (flip_y) sy = p->height - 1 - sy;
            memcpy(to, p->rgb + ((size_t)sy * p->width + sx) * 3, 3);
        }
    }
    struct sb_picture old = *p;
    *p = *scratch;
    *scratch = old;
    return 0;
}
