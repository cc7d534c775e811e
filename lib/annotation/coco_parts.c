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
    fprintf(out, ",\"area\":%s,\"segmentation\":[", sb_text_f64(area, text));
    if (outline) numbers(out, one->points, 2 * one->point_count);
    putc(']', out);
}

static void put_attribute(FILE *out, const char **before, const char *key, size_t size)
{
    fputs(*before, out);
    *before = ",";
    sb_json_text(out, key, size);
    putc(':', out);
}

static int put_map(FILE *out, const char **before, struct sb_record *rec)
{
    msgpack_object o;
    int rc = sb_get_object(rec, "attributes", &o);
    if (rc < 1) return rc;
    if (o.type != MSGPACK_OBJECT_MAP) return sb_error("field 'attributes' is not a map");
    for (uint32_t i = 0; i < o.via.map.size; i++) {
        const msgpack_object *key = &o.via.map.ptr[i].key, *value = &o.via.map.ptr[i].val;
        if (key->type != MSGPACK_OBJECT_STR || value->type != MSGPACK_OBJECT_STR) continue;
        put_attribute(out, before, key->via.str.ptr, key->via.str.size);
        sb_json_text(out, value->via.str.ptr, value->via.str.size);
    }
    return 0;
}

int sb_coco_attributes(FILE *out, struct sb_record *rec)
{
    bool crowd = false, occluded = false;
    const char *track, *before = ",\"attributes\":{";
    size_t size;
    if (sb_get_bool(rec, "crowd", &crowd) < 0) return -1;
    int hidden = sb_get_bool(rec, "occluded", &occluded), tracked = sb_get_text(rec, "track", &track, &size);
    if (hidden < 0 || tracked < 0) return -1;
    fprintf(out, ",\"iscrowd\":%d", crowd);
    if (hidden) {
        put_attribute(out, &before, "occluded", 8);
        fputs(occluded ? "true" : "false", out);
    }
    if (tracked) {
        put_attribute(out, &before, "track_id", 8);
        sb_json_text(out, track, size);
    }
    if (put_map(out, &before, rec) < 0) return -1;
    if (*before == ',' && !before[1]) putc('}', out);
    return 0;
}

void sb_coco_score(FILE *out, double score)
{
    char text[SB_NUMBER];
    if (isfinite(score)) fprintf(out, ",\"score\":%s", sb_text_real(score, text));
}
