#include "annotation/cut.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "media/image.h"
#include "media/resize.h"

/* ---- where ---- */

/* Pixels of this picture for one of the picture that the box was drawn in. -1 with a message if they are not the same
 * but for their size, or it is not said that this is meant. */
static int scale_of(const struct sb_cuts *cuts, const struct sb_cut_style *style, const struct sb_picture *p,
                    double scale[2])
{
    scale[0] = scale[1] = 1;
    if (!cuts->width || (cuts->width == p->width && cuts->height == p->height)) return 0;
    scale[0] = (double)p->width / cuts->width;
    scale[1] = (double)p->height / cuts->height;
    /* A side that was rounded to whole pixels is off by less than one. */
    bool same = fabs(scale[0] * cuts->height - p->height) < 1 || fabs(scale[1] * cuts->width - p->width) < 1;
    if (style->scale && same) return 0;
    return sb_error("its box was drawn in a picture of %d x %d pixels, and its image has %d x %d: %s", cuts->width,
                    cuts->height, p->width, p->height,
                    same ? "with --scale that is followed" : "a part of it, or another one");
}

/* 1 with the pixels to cut out, and whether those are more than the box's; 0: it lies outside. */
static int region_of(const struct sb_cuts *cuts, const struct sb_cut *c, const struct sb_cut_style *style,
                     const struct sb_picture *p, struct sb_region *r, double scale[2])
{
    double box[4], wide[4];
    if (scale_of(cuts, style, p, scale) < 0) return -1;
    for (int i = 0; i < 4; i++) box[i] = c->box[i] * scale[i % 2];
    if (c->point) {
        if (!(box[0] >= 0 && box[1] >= 0 && box[0] <= p->width && box[1] <= p->height)) return 0;
        box[0] -= style->points / 2;
        box[1] -= style->points / 2;
        box[2] = box[3] = style->points;
    }
    if (!sb_region_of_box(box, p->width, p->height, NULL, r)) return 0;
    sb_margin_add(&style->margin, box, wide);
    sb_region_of_box(wide, p->width, p->height, NULL, r);
    if (style->square) sb_region_square(r, p->width, p->height);
    return 1;
}

/* ---- the record ---- */

/* What was computed from all of the picture does not hold for a part of it. */
static const char *const of_all[] = {"tensor", "embedding", "phash", "duplicate_of", "cluster", "distance", "region"};
/* What is said of the picture, not of the box. */
static const char *const of_picture[] = {"boxes", "scores", "labels", "label", "predicted", "confidence", "aphia_id"};
static const char *const of_label[] = {"label_status", "labelled_by"};

#define REMOVE(out, list)                                                                                              \
    for (size_t i_ = 0; i_ < sizeof(list) / sizeof *(list); i_++) sb_record_remove(out, (list)[i_])

/* An annotation keeps the id that it has; a box of a picture gets one, and of two boxes that are alike the second one's
 * hashes its number, too. */
static int set_id(const struct sb_cuts *cuts, size_t index, struct sb_record *rec, struct sb_record *out)
{
    char id[SB_HEX];
    const char *source = "", *own;
    size_t size;
    double pts = 0;
    const struct sb_cut *c = &cuts->cut[index];
    int known = sb_get_text(rec, "id", &own, &size), named = sb_get_cstr(rec, "source", &source);
    if (named == 0) named = sb_get_cstr(rec, "id", &source); /* the picture's tells it apart, too */
    if (known < 0 || named < 0 || sb_get_real(rec, "pts", &pts) < 0) return -1;
    if (cuts->own && sb_record_find(rec, "parent")) return 0;
    sb_hash_id(source, fabs(pts) < 9e9 ? llround(pts * 1e9) : 0, c->box, id);
    for (size_t i = 0; i < index; i++) {
        if (memcmp(cuts->cut[i].box, c->box, sizeof c->box) != 0) continue;
        char *more = sb_format("%s %zu", id, index);
        sb_hash_hex(sb_hash_bytes(more, strlen(more)), id);
        free(more);
        break;
    }
    if (known) sb_set_text(out, "parent", own, size);
    sb_set_cstr(out, "id", id);
    return 0;
}

static void set_annotation(const struct sb_cuts *cuts, const struct sb_cut *c, struct sb_record *out)
{
    REMOVE(out, of_all);
    if (cuts->own) return;
    REMOVE(out, of_picture);
    if (c->label_size)
        sb_set_text(out, "label", c->label, c->label_size);
    else
        REMOVE(out, of_label);
    if (!isnan(c->score)) sb_set_real(out, "confidence", c->score);
    if (!c->point) sb_set_tensor(out, "box", &(struct sb_tensor){SB_F32, 1, {4}, (void *)c->box});
}

/* What was cut out, in the pixels that the box is given in. */
static void set_region(struct sb_record *out, const struct sb_region *r, const double scale[2])
{
    float region[4] = {(float)(r->x / scale[0]), (float)(r->y / scale[1]), (float)(r->width / scale[0]),
                       (float)(r->height / scale[1])};
    sb_set_tensor(out, "region", &(struct sb_tensor){SB_F32, 1, {4}, region});
}

int sb_cut_record(const struct sb_cuts *cuts, size_t index, const struct sb_cut_style *style, struct sb_record *rec,
                  const struct sb_picture *p, struct sb_cut_memory *m, struct sb_record *out)
{
    struct sb_region r;
    double scale[2];
    const struct sb_cut *c = &cuts->cut[index];
    int rc = region_of(cuts, c, style, p, &r, scale);
    if (rc < 1) return rc;
    sb_record_borrow(out, rec);
    if (set_id(cuts, index, rec, out) < 0) return -1;
    set_annotation(cuts, c, out);
    if (!cuts->width) sb_set_parent_size(out, p->width, p->height);
    if (style->margin.size > 0 || style->square || c->point) set_region(out, &r, scale);
    if (sb_crop(p, &m->crop, r.x, r.y, r.width, r.height) < 0) return -1;
    return sb_image_set(out, "image", &m->crop, style->encoding, &m->scratch) < 0 ? -1 : 1;
}

void sb_cut_memory_free(struct sb_cut_memory *m)
{
    sb_picture_free(&m->crop);
    free(m->scratch.data);
    memset(m, 0, sizeof *m);
}
