#include "annotation/biigle_cells.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "formats/csv.h"
#include "formats/text.h"

/* As BIIGLE's database has them. */
static const struct {
    int number;
    const char *name;
    size_t least, most; /* points; most 0: any number of them */
} shapes[SB_SHAPES] = {
    [SB_SHAPE_POINT] = {1, "Point", 1, 1},      [SB_SHAPE_CIRCLE] = {4, "Circle", 1, 1},
    [SB_SHAPE_POLYGON] = {3, "Polygon", 3, 0},  [SB_SHAPE_LINE] = {2, "LineString", 2, 0},
    [SB_SHAPE_ELLIPSE] = {6, "Ellipse", 4, 4},  [SB_SHAPE_RECTANGLE] = {5, "Rectangle", 4, 4},
    [SB_SHAPE_WHOLE] = {7, "WholeFrame", 0, 0},
};

/* ---- shapes ---- */

int sb_biigle_shape(const struct sb_viewed *one)
{
    if (!one->points) return one->boxed ? SB_SHAPE_RECTANGLE : SB_SHAPE_WHOLE;
    char *name = sb_strndup(one->shape.text, one->shape.size);
    int shape = sb_shape_named(name);
    free(name);
    if (shape < 0 || shape == SB_SHAPE_WHOLE) return -1;
    bool right =
        one->point_count >= shapes[shape].least && (!shapes[shape].most || one->point_count <= shapes[shape].most);
    for (size_t i = 0; right && i < 2 * one->point_count; i++) right = isfinite(one->points[i]);
    if (shape == SB_SHAPE_CIRCLE) right = right && isfinite(one->radius) && one->radius > 0;
    return right ? shape : -1;
}

static void put_upright(FILE *out, const float box[4])
{
    char left[SB_NUMBER], top[SB_NUMBER], right[SB_NUMBER], bottom[SB_NUMBER];
    sb_text_f32(box[0], left);
    sb_text_f32(box[1], top);
    sb_text_end(box[0], box[2], right);
    sb_text_end(box[1], box[3], bottom);
    fprintf(out, "[%s,%s,%s,%s,%s,%s,%s,%s]", left, top, right, top, right, bottom, left, bottom);
}

void sb_biigle_points(FILE *out, int shape, const struct sb_viewed *one)
{
    char text[SB_NUMBER];
    if (shape == SB_SHAPE_RECTANGLE && !one->points) {
        put_upright(out, one->box);
        return;
    }
    putc('[', out);
    for (size_t i = 0; shape != SB_SHAPE_WHOLE && i < 2 * one->point_count; i++)
        fprintf(out, "%s%s", i ? "," : "", sb_text_f32(one->points[i], text));
    if (shape == SB_SHAPE_CIRCLE) fprintf(out, ",%s", sb_text_real(one->radius, text));
    putc(']', out);
}

void sb_biigle_shape_cells(FILE *out, int shape) { fprintf(out, ",%d,%s", shapes[shape].number, shapes[shape].name); }

/* ---- cells ---- */

static void put(FILE *out, struct sb_span text)
{
    sb_csv_text(out, text.text, text.size);
    putc(',', out);
}

static int put_field(FILE *out, const struct sb_view *v, const char *field, struct sb_span otherwise)
{
    struct sb_span text = otherwise;
    if (sb_get_text(v->rec, field, &text.text, &text.size) < 0) return -1;
    put(out, text);
    return 0;
}

/* What BIIGLE's own numbers were, of which the record keeps a map. */
static struct sb_span number_of(const msgpack_object *numbers, const char *title)
{
    const msgpack_object *o = sb_object_value(numbers, title, strlen(title));
    return o && o->type == MSGPACK_OBJECT_STR ? (struct sb_span){o->via.str.ptr, o->via.str.size}
                                              : (struct sb_span){"", 0};
}

/* "Ada van Dyke" is Ada van, Dyke: the two are joined again. Of whom the number alone was known has no name. */
static void put_names(FILE *out, struct sb_span by, struct sb_span user)
{
    if (by.size == user.size && !memcmp(by.text, user.text, by.size)) by.size = 0;
    const char *blank = memrchr(by.text, ' ', by.size);
    size_t first = blank ? (size_t)(blank - by.text) : by.size, last = blank ? first + 1 : by.size;
    put(out, (struct sb_span){by.text, first});
    put(out, (struct sb_span){by.text + last, by.size - last});
}

int sb_biigle_label(FILE *out, const struct sb_view *v, const struct sb_viewed *one, const char *first,
                    const char *number)
{
    msgpack_object o;
    int rc = sb_get_object(v->rec, "biigle", &o);
    if (rc < 0) return -1;
    const msgpack_object *numbers = rc ? &o : NULL;
    put(out, number_of(numbers, first));
    put(out, number_of(numbers, "label_id"));
    put(out, one->name);
    if (put_field(out, v, "label_path", one->name)) return -1;
    struct sb_span user = number_of(numbers, "user_id");
    put(out, user);
    put_names(out, one->by, user);
    put(out, number_of(numbers, number));
    sb_csv_text(out, v->source.text, v->source.size);
    return 0;
}

void sb_biigle_id(FILE *out, const struct sb_view *v)
{
    struct sb_span id = v->annotation_id.size ? v->annotation_id : v->track;
    putc(',', out);
    sb_csv_text(out, id.text, id.size);
}

/* "2023-06-05 16:21:15", UTC, as BIIGLE's servers write it. */
int sb_biigle_created(FILE *out, const struct sb_view *v)
{
    double time;
    char text[SB_CLOCK_TEXT];
    int rc = sb_get_real(v->rec, "labelled_at", &time);
    putc(',', out);
    if (rc < 1) return rc;
    sb_clock_text(time, -1, text);
    char *t = strchr(text, 'T'), *z = strchr(text, 'Z');
    if (t && z) *t = ' ', *z = 0;
    fputs(text, out);
    return 0;
}

int sb_biigle_attributes(FILE *out, const struct sb_view *v)
{
    struct sb_buffer json = {0};
    struct sb_span text;
    char number[SB_NUMBER];
    int rc = sb_get_text(v->rec, "picture_attributes", &text.text, &text.size);
    if (rc < 0) return -1;
    putc(',', out);
    if (rc == 0 && (v->width || !isnan(v->depth))) {
        FILE *f = sb_buffer_stdio(&json);
        putc('{', f);
        if (v->width) fprintf(f, "\"width\":%" PRId64 ",\"height\":%" PRId64, v->width, v->height);
        if (!isnan(v->depth)) {
            fprintf(f, "%s\"metadata\":{\"gps_altitude\":%s}", v->width ? "," : "", sb_text_real(0 - v->depth, number));
        }
        putc('}', f);
        fclose(f);
        text = (struct sb_span){(const char *)json.data, json.size};
    }
    if (rc || json.size) sb_csv_text(out, text.text, text.size);
    free(json.data);
    return 0;
}
