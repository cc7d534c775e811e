#include "media/scene.h"

#include <math.h>

static float mean_of(const struct sb_picture *p, int x0, int x1, int y0, int y1)
{
    uint64_t sum = 0;
    for (int y = y0; y < y1; y++) {
        const uint8_t *rgb = p->rgb + ((size_t)y * (size_t)p->width + (size_t)x0) * 3;
        for (int x = x0; x < x1; x++, rgb += 3) sum += 299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2];
    }
    return (float)((double)sum / ((double)(x1 - x0) * (y1 - y0) * 255000));
}

/* Where part i of SIDE begins and ends; of a picture with fewer pixels than parts, one pixel. */
static void part(int i, int size, int *from, int *to)
{
    *from = (int)((int64_t)i * size / SB_SCENE_SIDE);
    *to = (int)((int64_t)(i + 1) * size / SB_SCENE_SIDE);
    if (*to == *from) *to = *from + 1;
}

void sb_scene_measure(struct sb_scene *s, const struct sb_picture *p)
{
    for (int j = 0; j < SB_SCENE_SIDE; j++)
        for (int i = 0; i < SB_SCENE_SIDE; i++) {
            int x0, x1, y0, y1;
            part(i, p->width, &x0, &x1);
            part(j, p->height, &y0, &y1);
            s->grey[j * SB_SCENE_SIDE + i] = mean_of(p, x0, x1, y0, y1);
        }
}

double sb_scene_difference(const struct sb_scene *a, const struct sb_scene *b)
{
    double sum = 0;
    for (int i = 0; i < SB_SCENE_SIDE * SB_SCENE_SIDE; i++) sum += fabs((double)a->grey[i] - b->grey[i]);
    return sum / (SB_SCENE_SIDE * SB_SCENE_SIDE);
}
