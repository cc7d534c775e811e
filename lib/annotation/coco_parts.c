#include "annotation/coco_parts.h"

#include <math.h>
#include <string.h>

#include "formats/text.h"

static void numbers(FILE *out, const float *v, size_t count)
{
    char text[SB_NUMBER];
    putc('[', out);
    for (size_t i = 0; i < count; i++) fprintf(out, "%s%s", i ? "," : "", sb_text_f32(v[i], text));
    putc(']', out);
}

static bool is_outline(const struct sb_viewed *one)
{
    bool named = (one->shape.size == 7 && !memcmp(one->shape.text, "Polygon", 7)) ||
                 (one->shape.size == 9 && !memcmp(one->shape.text, "Rectangle", 9));
    for (size_t i = 0; i < 2 * one->point_count; i++) named = named && isfinite(one->points[i]);
    return named && one->point_count >= 3;
}

/* The shoelace formula. */
static double area_of(const float *p, size_t count)
{
    double twice = 0;
    for (size_t i = 0, j = count - 1; i < count; j = i++)
        twice += (double)p[2 * j] * p[2 * i + 1] - (double)p[2 * i] * p[2 * j + 1];
    return fabs(twice) / 2;
}

void sb_coco_box(FILE *out, const struct sb_viewed *one)
{
    fputs(",\"bbox\":", out);
    numbers(out, one->box, 4);
}

void sb_coco_outline(FILE *out, const struct sb_viewed *one)
{
    char text[SB_NUMBER];
    bool outline = is_outline(one);
    double area = outline ? area_of(one->points, one->point_count) : (double)one->box[2] * one->box[3];
    fprintf(out, ",\"area\":%s,\"iscrowd\":0,\"segmentation\":[", sb_text_f64(area, text));
    if (outline) numbers(out, one->points, 2 * one->point_count);
    putc(']', out);
}

void sb_coco_score(FILE *out, double score)
{
    char text[SB_NUMBER];
    if (isfinite(score)) fprintf(out, ",\"score\":%s", sb_text_real(score, text));
}
