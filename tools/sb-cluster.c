/* sb-cluster: groups a stream's records by what they look like, and keeps a diverse few of them where asked to.
 *
 * The whole stream is needed: its records stay on disk, their vectors are held in memory (4 bytes a number). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pipeline.h"
#include "media/image.h"
#include "media/resize.h"
#include "nn/backend.h"
#include "select/diverse.h"
#include "select/kmeans.h"
#include "stream/spool.h"
#include "stream/stream.h"

#define THUMBNAIL 16 /* pixels a side */

static const char *output, *drop, *device;
static int64_t clusters, keep_count, iterations = 100, seed, jobs;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {'k', "clusters", "N", SB_INT, &clusters, 0, "so many clusters (needed)", 1, 1 << 24},
    {0, "iterations", "N", SB_INT, &iterations, 0, "move the centroids at most N times (default 100)", 1, 1000000},
    {0, "select", "N", SB_INT, &keep_count, 0,
     "keep only N records, as different as they come, from all clusters", 1, 9007199254740991.0},
    SB_OPT_SEED(&seed),
    SB_OPT_DEVICE(&device),
    SB_OPT_DROP(&drop),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-cluster", "-k N [FILE]", "Clusters records by their embeddings or, without them, by small thumbnails.", options,
    true,
};

struct vectors {
    struct sb_filter *filter;
    bool embedded; /* vectors are the field `embedding`, else thumbnails */
    float *x;      /* [n,d] */
    int64_t n, d;
    uint64_t next; /* record to be read */
};

/* One record on its way to being a vector. */
struct item {
    uint64_t index;
    struct sb_record rec;
    struct sb_picture picture, small;
    float *vector;
    size_t cap;
    int64_t d;
    char error[300]; /* empty: the vector is there */
};

static bool take(void *arg, void *p)
{
    struct vectors *v = arg;
    struct item *item = p;
    item->index = v->next++;
    return item->index < sb_spool_count(v->filter->whole);
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
        if (!isfinite(item->vector[i])) return sb_error("field 'embedding' holds a number that is not finite");
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

static void make(void *arg, void *p)
{
    struct vectors *v = arg;
    struct item *item = p;
    item->error[0] = 0;
    int rc = sb_spool_get(v->filter->whole, item->index, &item->rec);
    if (!rc) rc = v->embedded ? read_embedding(item) : read_thumbnail(item);
    if (rc) snprintf(item->error, sizeof item->error, "%s", sb_error_message());
}

static void gather(void *arg, void *p)
{
    struct vectors *v = arg;
    struct item *item = p;
    if (!v->x && !*item->error) {
        size_t bytes = 0;
        v->d = item->d;
        if (!sb_mul((size_t)v->n, (size_t)v->d * sizeof *v->x, &bytes)) sb_die("the vectors do not fit into memory");
        v->x = sb_malloc(bytes);
    }
    v->filter->at = item->index + 1;
    if (*item->error) sb_filter_die(v->filter, &item->rec, "%s", item->error);
    if (item->d != v->d)
        sb_filter_die(v->filter, &item->rec, "field 'embedding' has %" PRId64 " numbers, the first record's %" PRId64,
                      item->d, v->d);
    memcpy(v->x + (int64_t)item->index * v->d, item->vector, (size_t)v->d * sizeof *v->x);
}

static void free_item(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_record_free(&item->rec);
    sb_picture_free(&item->picture);
    sb_picture_free(&item->small);
    free(item->vector);
}

static void read_vectors(struct vectors *v)
{
    struct sb_record first = {0};
    struct sb_pipeline pipeline = {
        .jobs = (int)jobs, .item_size = sizeof(struct item), .produce = take, .work = make, .consume = gather,
        .release = free_item, .arg = v,
    };
    v->n = (int64_t)sb_spool_count(v->filter->whole);
    if (!v->n) return;
    if (sb_spool_get(v->filter->whole, 0, &first)) sb_die_error();
    v->embedded = sb_record_find(&first, "embedding");
    sb_record_free(&first);
    if (!v->embedded) sb_warn("no embeddings: comparing thumbnails of %d x %d pixels", THUMBNAIL, THUMBNAIL);
    sb_pipeline_run(&pipeline);
    sb_filter_rewind(v->filter);
}

static void show(void *arg, int move, double inertia)
{
    (void)arg;
    sb_progress(move, (double)iterations, "iteration %d, inertia %.6g", move, inertia);
}

static void cluster(struct sb_kmeans *m, const float *x)
{
    struct sb_backend backend;
    if (sb_backend_open(&backend, device, (int)jobs)) sb_die_error();
    m->ops = backend.ops;
    m->dev = backend.dev;
    if (sb_kmeans(m, x)) sb_die_error();
    sb_progress_end();
    sb_backend_close(&backend);
}

/* "8 clusters of 12 to 110 records, inertia 1234.5 after 17 iterations" */
static void report(const struct sb_kmeans *m)
{
    int64_t least = m->size[0], most = m->size[0];
    for (int64_t j = 1; j < m->k; j++) {
        if (m->size[j] < least) least = m->size[j];
        if (m->size[j] > most) most = m->size[j];
    }
    if (m->k < clusters) sb_warn("only %" PRId64 " different records: so many clusters", m->k);
    sb_warn("%" PRId64 " clusters of %" PRId64 " to %" PRId64 " records, inertia %.6g after %d iterations%s", m->k,
            least, most, m->inertia, m->moves, m->converged ? "" : ", not yet at rest");
}

static void write_records(struct sb_filter *filter, const struct sb_kmeans *m, const bool *keep)
{
    struct sb_record rec = {0};
    while (sb_filter_next(filter, &rec)) {
        uint64_t i = filter->at - 1;
        if (keep && !keep[i]) {
            sb_counts_skip(&filter->counts, "not selected");
            continue;
        }
        sb_set_int(&rec, "cluster", m->index[i]);
        sb_set_f32(&rec, "distance", sqrtf(m->distance[i]));
        sb_filter_put(filter, &rec);
    }
    sb_record_free(&rec);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_filter filter;
    bool *keep = NULL;
    sb_opt_parse(&tool, argc, argv, &args);
    if (!clusters) sb_usage("how many clusters? Say -k N");
    if (!jobs) jobs = sb_cores();

    sb_filter_open_whole(&filter, &args, output, drop, NULL, NULL);
    sb_filter_start(&filter, &tool, &args);
    struct vectors v = {.filter = &filter};
    read_vectors(&v);
    struct sb_kmeans m = {.n = v.n, .d = v.d, .k = clusters < v.n ? clusters : v.n, .iterations = (int)iterations,
                          .seed = (uint64_t)seed, .each = show};
    if (v.n) cluster(&m, v.x);
    if (v.n && keep_count) {
        keep = sb_calloc((size_t)v.n, sizeof *keep);
        sb_diverse(v.x, v.n, v.d, m.index, m.distance, m.k, keep_count, keep);
    }
    write_records(&filter, &m, keep);
    sb_filter_close(&filter);
    if (v.n) report(&m);

    free(keep);
    free(v.x);
    sb_kmeans_free(&m);
    return 0;
}
