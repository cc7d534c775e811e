#include "media/crop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

bool sb_region_of_box(const double box[4], int width, int height, float clipped[4], struct sb_region *region)
{
    double left = fmax(box[0], 0), top = fmax(box[1], 0);
    double right = fmin(box[0] + box[2], width), bottom = fmin(box[1] + box[3], height);
    for (int i = 0; i < 4; i++)
        if (!isfinite(box[i])) return false;
    if (!(right > left && bottom > top)) return false;
    region->x = (int)floor(left);
    region->y = (int)floor(top);
    region->width = (int)ceil(right) - region->x;
    region->height = (int)ceil(bottom) - region->y;
    if (!clipped) return true;
    clipped[0] = (float)left;
    clipped[1] = (float)top;
    clipped[2] = (float)(right - left);
    clipped[3] = (float)(bottom - top);
    return true;
}

int sb_margin_parse(const char *text, struct sb_margin *margin)
{
    char *end;
    margin->size = strtod(text, &end);
    margin->pixels = strcmp(end, "px") == 0;
    if (end != text && (!*end || margin->pixels) && margin->size >= 0 && margin->size <= (margin->pixels ? 1e6 : 100))
        return 0;
    return sb_error("'%s' is no margin: 0.1 is a tenth of the box on each side, 20px are 20 pixels", text);
}

void sb_margin_add(const struct sb_margin *margin, const double box[4], double wide[4])
{
    for (int i = 0; i < 2; i++) {
        double more = margin->pixels ? margin->size : margin->size * box[i + 2];
        wide[i] = box[i] - more;
        wide[i + 2] = box[i + 2] + 2 * more;
    }
}

/* One direction of a square: `side` pixels about the middle of the old ones. */
static void stretch(int *at, int *length, int side, int most)
{
    int wanted = side < most ? side : most, from = *at - (wanted - *length) / 2;
    *at = from < 0 ? 0 : from > most - wanted ? most - wanted : from;
    *length = wanted;
}

void sb_region_square(struct sb_region *region, int width, int height)
{
    if (region->width < region->height)
        stretch(&region->x, &region->width, region->height, width);
    else
        stretch(&region->y, &region->height, region->width, height);
}

static void tile(int all, int count, double overlap, int index, int *at, int *length)
{
    if (overlap == 0 || count == 1) {
        *at = (int)((int64_t)all * index / count);
        *length = (int)((int64_t)all * (index + 1) / count) - *at;
        return;
    }
    *length = (int)ceil(all / (count - (count - 1) * overlap));
    *at = (int)((int64_t)(all - *length) * index / (count - 1));
}

void sb_region_tile(int width, int height, int columns, int rows, double overlap, int index, struct sb_region *region)
{
    tile(width, columns, overlap, index % columns, &region->x, &region->width);
    tile(height, rows, overlap, index / columns, &region->y, &region->height);
}
