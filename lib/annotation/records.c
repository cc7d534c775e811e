#include "annotation/records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "media/crop.h"
#include "media/resize.h"

/* One picture's records being made. */
struct making {
    const struct sb_annotated_list *list;
    const struct sb_annotated *a;
    const struct sb_annotation_style *style;
    struct sb_annotation_work *work;
    char id[SB_HEX]; /* of the whole picture */
};

static struct sb_record *next_record(struct sb_annotation_work *work)
{
    if (work->count == work->cap) {
        size_t old = work->cap;
        SB_GROW(work->record, work->cap, work->count + 1);
        memset(work->record + old, 0, (work->cap - old) * sizeof *work->record);
    }
    struct sb_record *r = &work->record[work->count++];
    sb_record_reset(r);
    return r;
}

static void add_fields(struct sb_record *r, const struct sb_record *from)
{
    for (size_t i = 0; i < from->count; i++) {
        char key[256];
        const struct sb_field *f = &from->field[i];
        snprintf(key, sizeof key, "%.*s", (int)f->key_size, f->key);
        sb_set_packed(r, key, f->value, f->size);
    }
}

/* What its id has beside the source, ns. */
static int64_t when(const struct sb_annotated *a)
{
    double seconds = isnan(a->pts) ? a->time : a->pts;
    return isnan(seconds) ? 0 : llround(seconds * 1e9);
}

/* Of records of one picture that would have the same id, each later one's hashes its fields besides; where these are
 * the same too, its number. */
static void set_id(const struct making *m, struct sb_record *r, const float box[4])
{
    struct sb_annotation_work *work = m->work;
    char id[SB_HEX];
    bool again = false;
    sb_hash_id(m->a->source, when(m->a), box, id);
    for (size_t before = work->ids.count; sb_dictionary_add(&work->ids, id, SB_HEX - 1) < before;) {
        struct sb_buffer b = {0};
        sb_buffer_add(&b, id, SB_HEX - 1);
        for (size_t k = 0; k < work->fields.count; k++)
            sb_buffer_add(&b, work->fields.field[k].value, work->fields.field[k].size);
        if (again) sb_buffer_add(&b, &work->count, sizeof work->count);
        again = true;
        sb_hash_hex(sb_hash_bytes(b.data, b.size), id);
        free(b.data);
    }
    sb_set_cstr(r, "id", id);
    if (box || strcmp(id, m->id)) sb_set_cstr(r, "parent", m->id);
}

/* A new record with all that is no box and no picture; its annotation's fields are in work->fields. */
static struct sb_record *begin_record(const struct making *m, const float box[4])
{
    struct sb_record *r = next_record(m->work);
    set_id(m, r, box);
    sb_set_cstr(r, "source", m->a->source);
    if (!isnan(m->a->pts)) sb_set_real(r, "pts", m->a->pts);
    if (!isnan(m->a->time)) sb_set_real(r, "time", m->a->time);
    if (m->a->url) sb_set_cstr(r, "url", m->a->url);
    add_fields(r, &m->work->about);
    add_fields(r, &m->work->fields);
    if (m->a->group) sb_set_cstr(r, "group", m->a->group);
    return r;
}

static int set_whole_image(const struct making *m, struct sb_record *r)
{
    if (m->style->no_images) return 0;
    if (m->style->encoding) return sb_image_set(r, "image", &m->work->picture, *m->style->encoding, &m->work->scratch);
    sb_set_bin(r, "image", m->work->file.data, m->work->file.size);
    return 0;
}

/* ---- a record an annotation ---- */

/* The part of a box that lies in the picture, as f32, and the pixels that this touches. false: none. */
static bool inside(const struct sb_picture *p, const double box[4], float part[4], struct sb_region *region)
{
    if (!sb_region_of_box(box, p->width, p->height, part, region)) return false;
    return sb_region_of_box((double[]){part[0], part[1], part[2], part[3]}, p->width, p->height, NULL, region);
}

static int set_crop(const struct making *m, struct sb_record *r, const struct sb_region *region)
{
    struct sb_annotation_work *work = m->work;
    if (sb_crop(&work->picture, &work->crop, region->x, region->y, region->width, region->height)) return -1;
    return sb_image_set(r, "image", &work->crop, m->style->encoding ? *m->style->encoding : SB_IMAGE_PNG,
                        &work->scratch);
}

static int box_record(const struct making *m, const struct sb_annotation *one)
{
    float box[4] = {(float)one->box[0], (float)one->box[1], (float)one->box[2], (float)one->box[3]};
    struct sb_region pixels;
    bool cut = !m->style->no_images;
    if (cut && !inside(&m->work->picture, one->box, box, &pixels)) {
        m->work->outside++;
        return 0;
    }
    struct sb_record *r = begin_record(m, box);
    sb_set_tensor(r, "box", &(struct sb_tensor){SB_F32, 1, {4}, box});
    if (!cut) return 0;
    sb_set_parent_size(r, m->work->picture.width, m->work->picture.height);
    return set_crop(m, r, &pixels);
}

/* 1: it is a point, and this is where; 0: it is none. */
static int point_of(struct sb_record *fields, float at[4])
{
    struct sb_tensor t;
    int rc = sb_get_tensor(fields, "points", &t);
    if (rc < 1 || t.dtype != SB_F32 || t.ndim != 2 || t.shape[0] != 1 || t.shape[1] != 2) return rc < 0 ? -1 : 0;
    memcpy(at, t.data, 2 * sizeof *at);
    at[2] = at[3] = 0;
    return 1;
}

static int point_record(const struct making *m, const float at[4])
{
    double side = (double)m->style->points, square[4] = {at[0] - side / 2, at[1] - side / 2, side, side};
    float part[4];
    struct sb_region pixels;
    bool cut = !m->style->no_images;
    if (cut && !m->style->points) {
        m->work->points++;
        return 0;
    }
    if (cut && !inside(&m->work->picture, square, part, &pixels)) {
        m->work->outside++;
        return 0;
    }
    struct sb_record *r = begin_record(m, at);
    if (!cut) return 0;
    float region[4] = {(float)pixels.x, (float)pixels.y, (float)pixels.width, (float)pixels.height};
    sb_set_tensor(r, "region", &(struct sb_tensor){SB_F32, 1, {4}, region});
    sb_set_parent_size(r, m->work->picture.width, m->work->picture.height);
    return set_crop(m, r, &pixels);
}

static int annotation_record(const struct making *m, const struct sb_annotation *one)
{
    float at[4];
    sb_annotated_fields(m->list, one->at, one->size, &m->work->fields);
    if (one->boxed) return box_record(m, one);
    int rc = m->style->single ? 0 : point_of(&m->work->fields, at);
    if (rc) return rc < 0 ? -1 : point_record(m, at);
    return set_whole_image(m, begin_record(m, NULL));
}

/* ---- a record a picture ---- */

/* What an annotation is called: its label, or else what was thought likeliest. */
static void name_of(struct sb_record *fields, const char **name, size_t *size)
{
    msgpack_object o;
    *name = "";
    *size = 0;
    if (sb_get_text(fields, "label", name, size) == 1) return;
    if (sb_get_object(fields, "predicted", &o) != 1 || o.type != MSGPACK_OBJECT_ARRAY || !o.via.array.size) return;
    o = o.via.array.ptr[0];
    if (o.type != MSGPACK_OBJECT_ARRAY || !o.via.array.size || o.via.array.ptr[0].type != MSGPACK_OBJECT_STR) return;
    *name = o.via.array.ptr[0].via.str.ptr;
    *size = o.via.array.ptr[0].via.str.size;
}

/* All of the annotations, those with boxes first: names, and of boxes what their scores are. */
struct gathered {
    struct sb_buffer labels, boxes, scores;
    msgpack_packer pk;
    size_t count, boxed;
    bool named, scored;
};

static void gather(const struct making *m, struct gathered *g, bool boxed)
{
    for (size_t i = m->a->first; i; i = m->list->annotation[i - 1].next) {
        const struct sb_annotation *one = &m->list->annotation[i - 1];
        const char *name;
        size_t size;
        double score = NAN;
        if (one->boxed != boxed) continue;
        sb_annotated_fields(m->list, one->at, one->size, &m->work->fields);
        name_of(&m->work->fields, &name, &size);
        if (!boxed && !size) continue;
        msgpack_pack_str(&g->pk, size);
        msgpack_pack_str_body(&g->pk, name, size);
        g->count++;
        g->named = g->named || size;
        if (!boxed) continue;
        float box[5] = {(float)one->box[0], (float)one->box[1], (float)one->box[2], (float)one->box[3]};
        g->scored = sb_get_real(&m->work->fields, "confidence", &score) == 1 || g->scored;
        box[4] = (float)score;
        sb_buffer_add(&g->boxes, box, 4 * sizeof *box);
        sb_buffer_add(&g->scores, box + 4, sizeof *box);
        g->boxed++;
    }
}

static void set_labels(struct sb_record *r, const struct gathered *g)
{
    sb_set_list(r, "labels", g->count, g->labels.data, g->labels.size);
}

static int whole_record(const struct making *m)
{
    struct gathered g = {0};
    msgpack_packer_init(&g.pk, &g.labels, sb_buffer_write);
    gather(m, &g, true);
    gather(m, &g, false);
    sb_record_reset(&m->work->fields);
    struct sb_record *r = begin_record(m, NULL);
    struct sb_tensor boxes = {SB_F32, 2, {(int64_t)g.boxed, 4}, g.boxes.data},
                     scores = {SB_F32, 1, {(int64_t)g.boxed}, g.scores.data};
    if (g.boxed) sb_set_tensor(r, "boxes", &boxes);
    if (g.named) set_labels(r, &g);
    if (g.scored) sb_set_tensor(r, "scores", &scores);
    free(g.labels.data);
    free(g.boxes.data);
    free(g.scores.data);
    return set_whole_image(m, r);
}

/* ---- all of them ---- */

/* Boxes that were drawn on another size would cut out something else. */
static int check_size(const struct making *m)
{
    const struct sb_picture *p = &m->work->picture;
    int width, height, rc = sb_get_parent_size(&m->work->about, &width, &height);
    if (rc < 1 || (width == p->width && height == p->height)) return rc < 0 ? -1 : 0;
    return sb_error("%s: is %dx%d, its annotations are for %dx%d", m->a->path, p->width, p->height, width, height);
}

int sb_annotation_records(const struct sb_annotated_list *list, size_t picture, const struct sb_annotation_style *style,
                          struct sb_annotation_work *work)
{
    struct making m = {.list = list, .a = &list->item[picture], .style = style, .work = work};
    work->count = work->outside = work->points = 0;
    sb_dictionary_free(&work->ids);
    sb_hash_id(m.a->source, when(m.a), NULL, m.id);
    sb_annotated_fields(list, m.a->at, m.a->size, &work->about);
    if (!style->no_images && (sb_picture_load_bytes(&work->picture, m.a->path, &work->file) || check_size(&m)))
        return -1;
    if (style->whole) return whole_record(&m);
    for (size_t i = m.a->first; i; i = list->annotation[i - 1].next) {
        if (annotation_record(&m, &list->annotation[i - 1])) return -1;
    }
    return 0;
}

void sb_annotation_work_free(struct sb_annotation_work *work)
{
    for (size_t i = 0; i < work->cap; i++) sb_record_free(&work->record[i]);
    free(work->record);
    sb_picture_free(&work->picture);
    sb_picture_free(&work->crop);
    free(work->file.data);
    free(work->scratch.data);
    sb_record_free(&work->fields);
    sb_record_free(&work->about);
    sb_dictionary_free(&work->ids);
    memset(work, 0, sizeof *work);
}
