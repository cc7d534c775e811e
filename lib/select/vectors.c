#include "select/vectors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pipeline.h"
#include "media/image.h"
#include "media/resize.h"
#include "stream/spool.h"

#define THUMBNAIL 16 /* pixels a side */

struct reading {
    struct sb_vectors *v;
    struct sb_filter *filter;
    const struct sb_group_by *per; /* NULL: no groups */
    uint64_t next;                 /* record to be read */
};

/* One record on its way to being a vector. */
struct item {
    uint64_t index;
    struct sb_record rec;
    struct sb_picture picture, small;
    struct sb_buffer group;
    float *vector;
    size_t cap;
    int64_t d;
    char error[300]; /* empty: the vector is there */
};

static bool take(void *arg, void *p)
{
    struct reading *r = arg;
    struct item *item = p;
    item->index = r->next++;
    return item->index < sb_spool_count(r->filter->whole);
}

static int read_embedding(struct item *item)
{
    struct sb_tensor t;
    int found = sb_get_tensor(&item->rec, "embedding", &t);
    if (found < 0) return -1;
    if (!found) return sb_error("no field 'embedding', which the first record has");
    item->d = sb_tensor_count(&t);
    if ((t.dtype != SB_F32 && t.dtype != SB_F64) || t.ndim != 1 || item->d < 1) {
        char text[100];
        return sb_error("field 'embedding' is %s, not f32 [D]", sb_tensor_text(&t, text, sizeof text));
    }
    SB_GROW(item->vector, item->cap, item->d);
    for (int64_t i = 0; i < item->d; i++) {
        item->vector[i] = t.dtype == SB_F32 ? ((const float *)t.data)[i] : (float)((const double *)t.data)[i];
        if (!(fabsf(item->vector[i]) <= SB_VECTOR_MOST))
            return sb_error("field 'embedding' holds a number that is not finite, or beyond 1e15");
    }
    return 0;
}

static int read_thumbnail(struct item *item)
{
    int found = sb_image_get(&item->rec, "image", &item->picture);
    if (found < 0) return -1;
    if (!found) return sb_error("neither field 'embedding' nor 'image' to compare");
    if (sb_resize(&item->picture, &item->small, THUMBNAIL, THUMBNAIL, SB_BILINEAR)) return -1;
    item->d = 3 * THUMBNAIL * THUMBNAIL;
    SB_GROW(item->vector, item->cap, item->d);
    for (int64_t i = 0; i < item->d; i++) item->vector[i] = (float)item->small.rgb[i] / 255.0f;
    return 0;
}

static int read_group(const struct sb_group_by *per, struct item *item)
{
    int found = sb_group_key(per, &item->rec, &item->group);
    if (found) return found < 0 ? -1 : 0;
    return sb_error("it lacks what --per would balance over: the field 'group', or what was named instead");
}

static void make(void *arg, void *p)
{
    struct reading *r = arg;
    struct item *item = p;
    item->error[0] = 0;
    int rc = sb_spool_get(r->filter->whole, item->index, &item->rec);
    if (!rc) rc = r->v->embedded ? read_embedding(item) : read_thumbnail(item);
    if (!rc && r->per) rc = read_group(r->per, item);
    if (rc) snprintf(item->error, sizeof item->error, "%s", sb_error_message());
}

static void gather(void *arg, void *p)
{
    struct reading *r = arg;
    struct sb_vectors *v = r->v;
    struct item *item = p;
    if (!v->x && !*item->error) {
        size_t bytes = 0;
        v->d = item->d;
        if (!sb_mul((size_t)v->n, (size_t)v->d * sizeof *v->x, &bytes)) sb_die("the vectors do not fit into memory");
        v->x = sb_malloc(bytes);
        if (r->per) v->group = sb_calloc((size_t)v->n, sizeof *v->group);
    }
    r->filter->at = item->index + 1;
    if (*item->error) sb_filter_die(r->filter, &item->rec, "%s", item->error);
    if (item->d != v->d)
        sb_filter_die(r->filter, &item->rec, "field 'embedding' has %" PRId64 " numbers, the first record's %" PRId64,
                      item->d, v->d);
    memcpy(v->x + (int64_t)item->index * v->d, item->vector, (size_t)v->d * sizeof *v->x);
    if (r->per)
        v->group[item->index] =
            (int32_t)sb_dictionary_add(&v->groups, (const char *)item->group.data, item->group.size);
}

static void free_item(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_record_free(&item->rec);
    sb_picture_free(&item->picture);
    sb_picture_free(&item->small);
    free(item->group.data);
    free(item->vector);
}

void sb_vectors_read(struct sb_vectors *v, struct sb_filter *filter, const struct sb_group_by *per, int jobs)
{
    struct sb_record first = {0};
    struct reading r = {v, filter, per, 0};
    struct sb_pipeline pipeline = {
        .jobs = jobs, .item_size = sizeof(struct item), .produce = take, .work = make, .consume = gather,
        .release = free_item, .arg = &r,
    };
    *v = (struct sb_vectors){.n = (int64_t)sb_spool_count(filter->whole)};
    if (!v->n) return;
    if (v->n > INT32_MAX) sb_die("more than 2,147,483,647 records can't be clustered at once");
    if (sb_spool_get(filter->whole, 0, &first)) sb_die_error();
    v->embedded = sb_record_find(&first, "embedding");
    sb_record_free(&first);
    if (!v->embedded) sb_warn("no embeddings: comparing thumbnails of %d x %d pixels", THUMBNAIL, THUMBNAIL);
    sb_pipeline_run(&pipeline);
    sb_filter_rewind(filter);
}

void sb_vectors_free(struct sb_vectors *v)
{
    free(v->x);
    free(v->group);
    sb_dictionary_free(&v->groups);
}

const char *sb_vectors_kind(const struct sb_vectors *v) { return v->embedded ? "embedding" : "thumbnail"; }

void sb_rows_normalise(float *x, int64_t n, int64_t d)
{
    for (int64_t i = 0; i < n; i++, x += d) {
        double square = 0;
        for (int64_t j = 0; j < d; j++) square += (double)x[j] * x[j];
        if (!(square > 0)) continue;
        double scale = 1 / sqrt(square);
        for (int64_t j = 0; j < d; j++) x[j] = (float)(x[j] * scale);
    }
}
