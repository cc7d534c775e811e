/* Which boxes a record's picture has. See cut.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/cut.h"
#include "media/image.h"

/* Rows of `width` numbers, f32 or f64; one row may lie flat. 1, 0 absent, -1 with a message. */
static int numbers(struct sb_record *rec, const char *key, int64_t width, struct sb_tensor *t, size_t *rows)
{
    char text[128];
    *rows = 0;
    int rc = sb_get_tensor(rec, key, t);
    if (rc < 1) return rc;
    bool flat = t->ndim == 1 && (width == 1 || t->shape[0] == width), table = t->ndim == 2 && t->shape[1] == width;
    bool empty = t->ndim > 0 && t->shape[0] == 0;
    if ((t->dtype != SB_F32 && t->dtype != SB_F64) || !(flat || table || empty))
        return sb_error("field '%s' is %s, not f32 [n,%d]", key, sb_tensor_text(t, text, sizeof text), (int)width);
    *rows = flat && width > 1 ? 1 : (size_t)t->shape[0];
    return 1;
}

static double at(const struct sb_tensor *t, size_t i)
{
    return t->dtype == SB_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

static struct sb_cut *add(struct sb_cuts *cuts)
{
    SB_GROW(cuts->cut, cuts->cap, cuts->count + 1);
    struct sb_cut *c = &cuts->cut[cuts->count++];
    *c = (struct sb_cut){.score = NAN};
    return c;
}

static int read_size(struct sb_cuts *cuts, struct sb_record *rec)
{
    cuts->width = cuts->height = 0;
    return sb_get_parent_size(rec, &cuts->width, &cuts->height) < 0 ? -1 : 0;
}

/* Names beyond the boxes are the whole picture's. */
static int read_labels(struct sb_cuts *cuts, struct sb_record *rec)
{
    msgpack_object o;
    int rc = sb_get_object(rec, "labels", &o);
    if (rc < 1) return rc;
    if (o.type != MSGPACK_OBJECT_ARRAY) return sb_error("field 'labels' is not a list of str");
    for (size_t i = 0; i < cuts->count && i < o.via.array.size; i++) {
        const msgpack_object *label = &o.via.array.ptr[i];
        if (label->type != MSGPACK_OBJECT_STR) return sb_error("field 'labels' is not a list of str");
        cuts->cut[i].label = label->via.str.ptr;
        cuts->cut[i].label_size = label->via.str.size;
    }
    return 0;
}

static int read_boxes(struct sb_cuts *cuts, struct sb_record *rec, const char *key)
{
    struct sb_tensor t;
    size_t rows;
    int rc = numbers(rec, key, 4, &t, &rows);
    for (size_t i = 0; i < rows; i++) {
        struct sb_cut *c = add(cuts);
        for (size_t k = 0; k < 4; k++) c->box[k] = (float)at(&t, 4 * i + k);
    }
    return rc;
}

static int read_scores(struct sb_cuts *cuts, struct sb_record *rec)
{
    struct sb_tensor t;
    size_t rows;
    int rc = numbers(rec, "scores", 1, &t, &rows);
    if (rc < 1) return rc;
    if (rows != cuts->count) return sb_error("%zu 'scores' for %zu 'boxes'", rows, cuts->count);
    for (size_t i = 0; i < rows; i++) cuts->cut[i].score = at(&t, i);
    return 0;
}

/* Points, and the middles of circles, which stand alone; those of other shapes are an outline. */
static int read_points(struct sb_cuts *cuts, bool wanted, struct sb_record *rec)
{
    struct sb_tensor t;
    size_t rows, size = 5;
    const char *shape = "Point";
    if (sb_get_text(rec, "shape", &shape, &size) < 0) return -1;
    if (size != 5 || memcmp(shape, "Point", 5) != 0) return 0;
    int rc = numbers(rec, "points", 2, &t, &rows);
    if (rc < 1) return rc;
    cuts->points = !wanted && rows;
    for (size_t i = 0; wanted && i < rows; i++) {
        struct sb_cut *c = add(cuts);
        c->point = true;
        for (size_t k = 0; k < 2; k++) c->box[k] = (float)at(&t, 2 * i + k);
    }
    cuts->own = rows == 1;
    return 0;
}

int sb_cuts_list(struct sb_cuts *cuts, const struct sb_cut_style *style, struct sb_record *rec)
{
    cuts->count = 0;
    cuts->points = cuts->own = false;
    if (read_size(cuts, rec) < 0) return -1;
    int rc = read_boxes(cuts, rec, "box");
    if (rc < 0) return -1;
    if (rc && cuts->count != 1) return sb_error("field 'box' does not hold 4 numbers");
    cuts->own = rc > 0;
    if (cuts->own) return 0;
    rc = read_boxes(cuts, rec, "boxes");
    if (rc < 0) return -1;
    if (rc) return read_labels(cuts, rec) < 0 || read_scores(cuts, rec) < 0 ? -1 : 0;
    return read_points(cuts, style->points > 0, rec);
}

int sb_cuts_tile(struct sb_cuts *cuts, const struct sb_cut_style *style, const struct sb_picture *p)
{
    cuts->count = 0;
    cuts->points = cuts->own = false;
    cuts->width = cuts->height = 0;
    if (style->columns > p->width || style->rows > p->height)
        return sb_error("a picture of %d x %d pixels can't be cut into %d x %d tiles", p->width, p->height,
                        style->columns, style->rows);
    for (int i = 0; i < style->columns * style->rows; i++) {
        struct sb_region r;
        sb_region_tile(p->width, p->height, style->columns, style->rows, style->overlap, i, &r);
        struct sb_cut *c = add(cuts);
        const float box[4] = {(float)r.x, (float)r.y, (float)r.width, (float)r.height};
        memcpy(c->box, box, sizeof box);
    }
    return 0;
}

void sb_cuts_free(struct sb_cuts *cuts)
{
    free(cuts->cut);
    memset(cuts, 0, sizeof *cuts);
}
