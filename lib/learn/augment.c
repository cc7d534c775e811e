#include "learn/augment.h"

#include <math.h>

#include "base/rng.h"

bool sb_augment_any(const struct sb_augment *a)
{
    return a->flip || a->flip_vertical || a->rotate > 0 || a->scale > 0 || a->shift > 0 || a->colour > 0;
}

void sb_augment_draw(const struct sb_augment *a, uint64_t seed, uint64_t epoch, uint64_t record, int side,
                     float matrix[6], float colour[2])
{
    struct sb_rng r;
    sb_rng_init(&r, seed ^ 0x6175676d656e74u, epoch << 40 ^ record);
    double centre = (side - 1) / 2.0;
    double angle = sb_rng_range(&r, -a->rotate, a->rotate) * M_PI / 180;
    double zoom = exp(sb_rng_range(&r, -1, 1) * log1p(a->scale));
    double dx = sb_rng_range(&r, -a->shift, a->shift) * side, dy = sb_rng_range(&r, -a->shift, a->shift) * side;
    double across = a->flip && sb_rng_below(&r, 2) ? -1 : 1, down = a->flip_vertical && sb_rng_below(&r, 2) ? -1 : 1;
    double c = cos(angle) / zoom, s = sin(angle) / zoom;
    matrix[0] = (float)(across * c);
    matrix[1] = (float)(across * s);
    matrix[2] = (float)(centre - across * (c * (centre + dx) + s * (centre + dy)));
    matrix[3] = (float)(-down * s);
    matrix[4] = (float)(down * c);
    matrix[5] = (float)(centre - down * (-s * (centre + dx) + c * (centre + dy)));
    colour[0] = (float)sb_rng_range(&r, 1 - a->colour, 1 + a->colour);
    colour[1] = (float)(sb_rng_range(&r, -a->colour, a->colour) * 127.5);
}
