#include "annotation/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/annotated.h"
#include "base/utf8.h"
#include "formats/names.h"
#include "formats/url.h"
#include "media/image.h"

static bool is(struct sb_span s, const char *word) { return s.size == strlen(word) && !memcmp(s.text, word, s.size); }

static bool same(struct sb_span a, struct sb_span b) { return a.size == b.size && !memcmp(a.text, b.text, a.size); }

/* ---- fields ---- */

/* Text as it is, but for a NUL, at which names would end: it becomes U+FFFD. */
static struct sb_span name_of(struct sb_record *rec, const char *text, size_t size)
{
    if (!size || !memchr(text, 0, size)) return (struct sb_span){text, size};
    struct sb_span clean = {sb_record_alloc(rec, 3 * size), 0};
    char *to = (char *)clean.text;
    for (size_t i = 0; i < size; i++) {
        size_t n = text[i] ? 1 : sizeof SB_UTF8_REPLACEMENT - 1;
        memcpy(to + clean.size, text[i] ? text + i : SB_UTF8_REPLACEMENT, n);
        clean.size += n;
    }
    return clean;
}

static int texts(struct sb_view *v)
{
    const struct {
        const char *key;
        struct sb_span *to;
    } field[] = {
        {"id", &v->id},       {"parent", &v->picture}, {"source", &v->source}, {"url", &v->url},
        {"group", &v->group}, {"split", &v->split},    {"track", &v->track},   {"annotation_id", &v->annotation_id}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        *field[i].to = (struct sb_span){"", 0};
        if (sb_get_text(v->rec, field[i].key, &field[i].to->text, &field[i].to->size) < 0) return -1;
        *field[i].to = name_of(v->rec, field[i].to->text, field[i].to->size);
    }
    if (!v->picture.size) v->picture = v->id;
    return 0;
}

static int reals(struct sb_view *v)
{
    const struct {
        const char *key;
        double *to;
    } field[] = {{"pts", &v->pts}, {"time", &v->time}, {"lat", &v->lat}, {"lon", &v->lon}, {"depth", &v->depth}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        *field[i].to = NAN;
        if (sb_get_real(v->rec, field[i].key, field[i].to) < 0) return -1;
        if (!isfinite(*field[i].to)) *field[i].to = NAN;
    }
    return 0;
}

/* An array of f32 or f64 with rows of `width`, or one row, as f32. 1, 0 absent, -1 with a message. */
static int floats(struct sb_record *rec, const char *key, int64_t width, const float **out, size_t *rows)
{
    struct sb_tensor t;
    char text[128];
    int rc = sb_get_tensor(rec, key, &t);
    if (rc < 1) return rc;
    bool flat = t.ndim == 1 && (t.shape[0] == width || width == 1),
         table = t.ndim == 2 && (t.shape[1] == width || !t.shape[0]);
    if ((t.dtype != SB_F32 && t.dtype != SB_F64) || (!flat && !table))
        return sb_error("field '%s' is %s, not f32 [n,%d]", key, sb_tensor_text(&t, text, sizeof text), (int)width);
    *rows = flat && width > 1 ? 1 : (size_t)t.shape[0];
    if (t.dtype == SB_F32) {
        *out = t.data;
        return 1;
    }
    size_t count = *rows * (size_t)width;
    float *copy = sb_record_alloc(rec, (count ? count : 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) copy[i] = (float)((const double *)t.data)[i];
    *out = copy;
    return 1;
}

static bool is_number(const msgpack_object *o, double *v)
{
    bool real = o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64;
    *v = real ? o->via.f64 : (double)o->via.u64;
    return real || o->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
}

static int predictions(struct sb_record *rec, struct sb_viewed *one)
{
    msgpack_object o;
    int rc = sb_get_object(rec, "predicted", &o);
    if (rc < 1) return rc;
    if (o.type != MSGPACK_OBJECT_ARRAY) return sb_error("field 'predicted' is not a list of [label, probability]");
    struct sb_prediction *p = sb_record_alloc(rec, (o.via.array.size + 1) * sizeof *p);
    for (uint32_t i = 0; i < o.via.array.size; i++) {
        const msgpack_object *pair = &o.via.array.ptr[i];
        bool two = pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2;
        if (!two || pair->via.array.ptr[0].type != MSGPACK_OBJECT_STR ||
            !is_number(&pair->via.array.ptr[1], &p[i].probability))
            return sb_error("field 'predicted' is not a list of [label, probability]");
        p[i].label = name_of(rec, pair->via.array.ptr[0].via.str.ptr, pair->via.array.ptr[0].via.str.size);
    }
    one->predicted = p;
    one->predictions = o.via.array.size;
    return 0;
}

/* ---- the picture ---- */

static int parent_size(struct sb_view *v)
{
    int width, height, rc = sb_get_parent_size(v->rec, &width, &height);
    if (rc < 1) return rc;
    v->width = width;
    v->height = height;
    return 0;
}

/* A picture of the size that its parent has is all of it; what has no place in another picture is a picture itself. */
static int picture(struct sb_view *v)
{
    int width = 0, height = 0;
    v->width = v->height = 0;
    if (texts(v) || reals(v) || parent_size(v)) return -1;
    bool part = sb_record_find(v->rec, "box") || sb_record_find(v->rec, "region");
    v->has_image = sb_record_find(v->rec, "image") != NULL;
    v->whole = v->has_image && !part;
    if (!v->has_image || sb_image_size(v->rec, "image", &width, &height) < 1)
        return 0; /* its reader's to complain of */
    if (v->width) {
        v->whole = v->width == width && v->height == height;
    } else if (v->whole) {
        v->width = width;
        v->height = height;
    }
    return 0;
}

/* ---- annotations ---- */

static void add(struct sb_view *v, const struct sb_viewed *one)
{
    double box[4] = {one->box[0], one->box[1], one->box[2], one->box[3]};
    if (one->boxed && !sb_annotated_box_is_one(box)) {
        v->unboxed++;
        return;
    }
    if (one->named_by == SB_NAMED_BY_MACHINE && one->probability < v->least) {
        v->unlikely++;
        return;
    }
    SB_GROW(v->item, v->cap, v->count + 1);
    v->item[v->count++] = *one;
}

/* Who gave the record's names, if it has any. */
static int names_given_by(struct sb_record *rec, struct sb_viewed *one)
{
    struct sb_span status = {"", 0};
    if (sb_get_text(rec, "label_status", &status.text, &status.size) < 0) return -1;
    if (sb_get_text(rec, "labelled_by", &one->by.text, &one->by.size) < 0) return -1;
    one->named_by = is(status, "machine")    ? SB_NAMED_BY_MACHINE
                    : is(status, "verified") ? SB_NAMED_BY_REVIEW
                                             : SB_NAMED_BY_SOMEBODY;
    return 0;
}

static void find_probability(struct sb_viewed *one)
{
    one->probability = one->named_by == SB_NAMED_BY_MACHINE ? one->confidence : NAN;
    for (size_t i = one->predictions; one->named_by == SB_NAMED_BY_MACHINE && i-- > 0;) {
        if (same(one->predicted[i].label, one->name)) one->probability = one->predicted[i].probability;
    }
}

/* A record's own label, or else the best of what is predicted. */
static int name(struct sb_record *rec, struct sb_viewed *one)
{
    int rc = sb_get_text(rec, "label", &one->name.text, &one->name.size);
    if (rc < 0 || predictions(rec, one)) return -1;
    one->name = name_of(rec, one->name.text, one->name.size);
    if (!one->name.size && one->predictions) {
        one->name = one->predicted[0].label;
        one->named_by = SB_NAMED_BY_MACHINE;
    } else if (!one->name.size) {
        one->named_by = SB_NAMED_BY_NOBODY;
    }
    find_probability(one);
    return sb_get_int(rec, "aphia_id", &one->aphia_id) < 0 ? -1 : 0;
}

static int place(struct sb_record *rec, struct sb_viewed *one)
{
    const float *box;
    size_t rows = 0;
    int boxed = floats(rec, "box", 4, &box, &rows);
    if (boxed < 0 || (boxed && rows != 1)) return boxed < 0 ? -1 : sb_error("field 'box' does not hold 4 numbers");
    if (boxed) memcpy(one->box, box, sizeof one->box);
    one->boxed = boxed;
    if (floats(rec, "points", 2, &one->points, &one->point_count) < 0) return -1;
    if (sb_get_text(rec, "shape", &one->shape.text, &one->shape.size) < 0) return -1;
    if (sb_get_real(rec, "radius", &one->radius) < 0) return -1;
    if (!one->point_count) one->points = NULL;
    if (one->points && !one->shape.size)
        one->shape = one->point_count > 1 ? (struct sb_span){"Polygon", 7} : (struct sb_span){"Point", 5};
    return 0;
}

/* The list `labels`: one text each, "" where a box has no name. */
static int label_list(struct sb_record *rec, msgpack_object *list)
{
    int rc = sb_get_object(rec, "labels", list);
    if (rc < 1) list->via.array.size = 0;
    if (rc < 1) return rc;
    bool right = list->type == MSGPACK_OBJECT_ARRAY;
    for (uint32_t i = 0; right && i < list->via.array.size; i++)
        right = list->via.array.ptr[i].type == MSGPACK_OBJECT_STR;
    return right ? 1 : sb_error("field 'labels' is not a list of str");
}

/* `box` NULL: the annotation is where `like` is. */
static void add_listed(struct sb_view *v, const struct sb_viewed *like, const msgpack_object *list, uint32_t index,
                       const float *box, double score)
{
    struct sb_viewed one = *like;
    const msgpack_object *o = index < list->via.array.size ? &list->via.array.ptr[index] : NULL;
    one.name = o ? name_of(v->rec, o->via.str.ptr, o->via.str.size) : (struct sb_span){"", 0};
    if (!one.name.size) one.named_by = SB_NAMED_BY_NOBODY;
    if (box) memcpy(one.box, box, sizeof one.box);
    one.boxed = one.boxed || box;
    if (box) one.confidence = score;
    find_probability(&one);
    add(v, &one);
}

static int read_boxes(struct sb_view *v, const struct sb_viewed *like, const msgpack_object *list, size_t *count)
{
    const float *boxes, *scores = NULL;
    size_t scored = 0;
    *count = 0;
    int rc = floats(v->rec, "boxes", 4, &boxes, count);
    if (rc < 1) return rc;
    if (floats(v->rec, "scores", 1, &scores, &scored) < 0) return -1;
    if (scored && scored != *count) return sb_error("%zu 'scores' for %zu 'boxes'", scored, *count);
    for (size_t i = 0; i < *count; i++)
        add_listed(v, like, list, (uint32_t)i, boxes + 4 * i, scores ? (double)scores[i] : NAN);
    return 1;
}

/* Adds the names of `labels` from `first` on; whether `own` is in the list. */
static bool add_names(struct sb_view *v, const struct sb_viewed *like, const msgpack_object *list, size_t first,
                      struct sb_span own)
{
    bool found = false;
    for (size_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object_str *name = &list->via.array.ptr[i].via.str;
        if (!name->size) continue;
        if (i >= first) add_listed(v, like, list, (uint32_t)i, NULL, NAN);
        found = found || same(own, name_of(v->rec, name->ptr, name->size));
    }
    return found;
}

int sb_view_read(struct sb_view *v, struct sb_record *rec)
{
    struct sb_viewed nowhere = {.name = {"", 0}, .by = {"", 0}, .shape = {"", 0}, .radius = NAN, .confidence = NAN};
    msgpack_object list;
    size_t boxes;
    v->rec = rec;
    v->count = v->unlikely = v->unboxed = 0;
    if (picture(v) || names_given_by(rec, &nowhere)) return -1;
    struct sb_viewed own = nowhere;
    if (sb_get_real(rec, "confidence", &own.confidence) < 0 || place(rec, &own)) return -1;
    struct sb_viewed unnamed = own;
    if (name(rec, &own) || label_list(rec, &list) < 0) return -1;
    int many = read_boxes(v, &nowhere, &list, &boxes);
    if (many < 0) return -1;
    size_t before = v->count + v->unlikely + v->unboxed;
    bool found = add_names(v, many ? &nowhere : &unnamed, &list, boxes, own.name);
    bool listed =
        v->count + v->unlikely + v->unboxed > before; /* then what a machine thinks of the whole is not asked for */
    if (found || (listed && own.named_by == SB_NAMED_BY_MACHINE)) return 0;
    bool placed = !many && !listed && (own.boxed || own.points);
    if (many) own.boxed = false, own.points = NULL;
    if (own.name.size || placed) add(v, &own);
    return 0;
}

void sb_view_count(const struct sb_view *v, struct sb_counts *counts)
{
    for (size_t i = 0; i < v->unlikely; i++) sb_counts_skip(counts, "less probable than --min-prob");
    for (size_t i = 0; i < v->unboxed; i++) sb_counts_skip(counts, "a box without an area");
}

char *sb_view_name(const struct sb_view *v)
{
    if (isnan(v->pts)) return sb_strndup(v->source.text, v->source.size);
    char *stem = sb_name_stem(v->source.text, v->source.size);
    char *name = sb_format("%s_%010.3f.png", stem, v->pts);
    free(stem);
    return name;
}

char *sb_view_url(const struct sb_view *v, const char *prefix)
{
    if (v->url.size) return sb_strndup(v->url.text, v->url.size);
    if (!prefix || !v->source.size) return NULL;
    char *name = sb_view_name(v), *url = sb_url_join(prefix, name, strlen(name));
    free(name);
    return url;
}

void sb_view_free(struct sb_view *v)
{
    free(v->item);
    memset(v, 0, sizeof *v);
}
