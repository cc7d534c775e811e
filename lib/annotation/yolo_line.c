#include "annotation/yolo_line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "formats/text.h"

enum { DECIMALS = 6, DECIMALS_MOST = 17 };

#define ROUNDED 1e-3 /* pixels: boxes that reach the picture's edge were rounded */

/* Writes the part whose pixels, less `half`, are `wanted` again; gives those pixels. */
static double put_part(FILE *out, float wanted, double half, double side)
{
    char text[DECIMALS_MOST + 8];
    double part = ((double)wanted + half) / side, pixels = 0;
    for (int decimals = DECIMALS; decimals <= DECIMALS_MOST; decimals++) {
        snprintf(text, sizeof text, "%.*f", decimals, fmin(fmax(part, 0), 1));
        pixels = strtod(text, NULL) * side;
        if ((float)(pixels - half) == wanted) break;
    }
    fprintf(out, " %s", text);
    return pixels;
}

/* What a number is written as depends on how large the box is: that is found first, and comes last. */
static bool put_box(FILE *out, const struct sb_view *v, const float box[4])
{
    double side[2] = {(double)v->width, (double)v->height}, size[2];
    float begin[2], length[2];
    struct sb_buffer sizes = {0};
    for (int i = 0; i < 2; i++) {
        double left = (double)box[i], right = left + (double)box[i + 2];
        bool inside = left >= -ROUNDED && right <= side[i] + ROUNDED;
        begin[i] = inside || left > 0 ? box[i] : 0;
        length[i] = inside ? box[i + 2] : (float)(fmin(right, side[i]) - (double)begin[i]);
        if (!(length[i] > 0)) return false;
    }
    FILE *f = sb_buffer_stdio(&sizes);
    for (int i = 0; i < 2; i++) size[i] = put_part(f, length[i], 0, side[i]);
    fclose(f);
    for (int i = 0; i < 2; i++) put_part(out, begin[i], size[i] / 2, side[i]);
    fwrite(sizes.data, 1, sizes.size, out);
    free(sizes.data);
    return true;
}

static bool has_outline(const struct sb_viewed *one)
{
    return one->point_count >= 3 && ((one->shape.size == 7 && !memcmp(one->shape.text, "Polygon", 7)) ||
                                     (one->shape.size == 9 && !memcmp(one->shape.text, "Rectangle", 9)));
}

static void put_points(FILE *out, const struct sb_view *v, const float *points, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        double side = (double)(i % 2 ? v->height : v->width);
        put_part(out, fminf(fmaxf(points[i], 0), (float)side), 0, side);
    }
}

static bool put_outline(FILE *out, const struct sb_view *v, const struct sb_viewed *one)
{
    const float *b = one->box;
    bool inside = b[0] < (float)v->width && b[1] < (float)v->height && b[0] + b[2] > 0 && b[1] + b[3] > 0;
    float corner[8] = {b[0], b[1], b[0] + b[2], b[1], b[0] + b[2], b[1] + b[3], b[0], b[1] + b[3]};
    if (!inside) return false;
    if (has_outline(one)) {
        put_points(out, v, one->points, one->point_count);
    } else {
        put_points(out, v, corner, 4);
    }
    return true;
}

bool sb_yolo_line(FILE *out, const struct sb_view *v, const struct sb_viewed *one, bool outline, bool confidence)
{
    if (!(outline ? put_outline(out, v, one) : put_box(out, v, one->box))) return false;
    double score = isnan(one->confidence) ? one->probability : one->confidence;
    char text[SB_NUMBER];
    if (confidence && score >= 0 && score <= 1) fprintf(out, " %s", sb_text_real(score, text));
    return true;
}
