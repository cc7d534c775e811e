/* sb-cluster: groups a stream's records by what they look like, and keeps a few of them where asked to.
 *
 * The whole stream is needed: its records stay on disk, their vectors are held in memory (4 bytes a number). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "nn/backend.h"
#include "select/centroids.h"
#include "select/diverse.h"
#include "select/kmeans.h"
#include "select/kmeans_auto.h"
#include "select/kmeans_report.h"
#include "select/vectors.h"

static const char *output, *drop, *device, *clusters_text, *metric_text, *pick_text, *per_text, *init_path, *save_path;
static int64_t keep_count, iterations = 100, batch, seed, jobs;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {'k', "clusters", "auto|N", SB_TEXT, &clusters_text, 0, "so many clusters; auto: as many as fit best", 0, 0},
    {0, "metric", "euclidean|cosine", SB_TEXT, &metric_text, 0, "how far apart records are (default euclidean)", 0, 0},
    {0, "iterations", "N", SB_INT, &iterations, 0,
     "go through the records at most N times to move centroids (default 100); 0: they stay", 0, 1000000},
    {0, "mini-batch", "N", SB_INT, &batch, 0, "move the centroids after every N records", 1, 1 << 24},
    {0, "init", "FILE", SB_TEXT, &init_path, SB_OPT_FILE, "begin with the centroids that --save wrote", 0, 0},
    {0, "save", "FILE", SB_TEXT, &save_path, SB_OPT_UNRECORDED, "write the centroids to FILE", 0, 0},
    {0, "select", "N", SB_INT, &keep_count, 0, "keep only N records", 1, 9007199254740991.0},
    {0, "pick", "mix|medoids|k-centre|density", SB_TEXT, &pick_text, 0,
     "which (default mix: as different as they come, from all clusters)", 0, 0},
    {0, "per", "group|source|id|time:SECONDS", SB_TEXT, &per_text, 0, "as many from each of these", 0, 0},
    SB_OPT_SEED(&seed),
    SB_OPT_DEVICE(&device),
    SB_OPT_DROP(&drop),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-cluster", "-k N|auto [FILE]",
    "Clusters records by their embeddings or, without them, by small thumbnails.", options, true,
};

struct run {
    struct sb_filter filter;
    struct sb_vectors v;
    struct sb_centroids init;
    struct sb_group_by per;
    struct sb_backend backend;
    struct sb_sample sample;
    struct sb_kmeans m;
    int64_t wanted; /* clusters; 0: auto */
    enum sb_pick pick;
    bool *keep; /* NULL: all */
};

static void parse_clusters(struct run *r)
{
    char *end;
    if (init_path) {
        if (clusters_text) sb_usage("--init says how many clusters: leave -k out");
        return;
    }
    if (!clusters_text) sb_usage("how many clusters? Say -k N, or -k auto");
    if (!strcmp(clusters_text, "auto")) return;
    r->wanted = strtoll(clusters_text, &end, 10);
    if (end == clusters_text || *end || r->wanted < 1 || r->wanted > 1 << 24)
        sb_usage("-k is a number from 1 to %d, or auto, not '%s'", 1 << 24, clusters_text);
}

static void parse(struct run *r)
{
    static const char *const metrics[] = {"euclidean", "cosine", NULL};
    static const char *const picks[] = {"mix", "medoids", "k-centre", "density", NULL};
    parse_clusters(r);
    if (metric_text) r->m.spherical = sb_opt_choose("metric", metric_text, metrics) == 1;
    if (pick_text) r->pick = (enum sb_pick)sb_opt_choose("pick", pick_text, picks);
    if ((pick_text || per_text) && !keep_count) sb_usage("--%s is for --select", pick_text ? "pick" : "per");
    if (per_text && sb_group_by_parse(&r->per, per_text)) sb_usage("--per %s", sb_error_message());
    if (save_path) sb_output_try(save_path);
    if (!jobs) jobs = sb_cores();
}

static void read_init(struct run *r)
{
    bool cosine = r->m.spherical;
    if (!init_path) return;
    if (sb_centroids_read(&r->init, init_path)) sb_die_error();
    if (metric_text && cosine != r->init.spherical)
        sb_die("%s: its metric is %s", init_path, r->init.spherical ? "cosine" : "euclidean");
    r->m.spherical = r->init.spherical;
    r->wanted = r->init.k;
    r->m.init = r->init.c;
    r->m.empty_stay = true;
}

/* ---- what the run says ------------------------------------------------------------------------------------------- */

static void show_pass(void *arg, int pass, double inertia)
{
    (void)arg;
    sb_progress(pass, (double)iterations, "iteration %d, inertia %.6g", pass, inertia);
}

static void say_tried(void *arg, int64_t k, double silhouette)
{
    (void)arg;
    sb_warn("tried %" PRId64 " clusters: silhouette %.4f", k, silhouette);
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

static void choose_k(struct run *r)
{
    double silhouette;
    r->wanted = sb_kmeans_auto(&r->m, &r->sample, say_tried, NULL, &silhouette);
    if (r->wanted < 0) sb_die_error();
    sb_warn("%" PRId64 " clusters fit best: silhouette %.4f on %" PRId64 " records", r->wanted, silhouette,
            r->sample.n);
}

static void cluster(struct run *r)
{
    struct sb_kmeans *m = &r->m;
    struct sb_vectors *v = &r->v;
    m->ops = r->backend.ops;
    m->dev = r->backend.dev;
    m->n = v->n;
    m->d = v->d;
    m->iterations = (int)iterations;
    m->batch = batch;
    m->seed = (uint64_t)seed;
    m->each = show_pass;
    if (m->spherical) sb_rows_normalise(v->x, v->n, v->d);
    sb_sample_draw(&r->sample, v->x, v->n, v->d, m->spherical, (uint64_t)seed, (int)jobs);
    if (!r->wanted) choose_k(r);
    m->k = init_path || r->wanted < v->n ? r->wanted : v->n;
    if (sb_kmeans(m, v->x)) sb_die_error();
    sb_progress_end();
}

static void choose_records(struct run *r)
{
    const struct sb_vectors *v = &r->v;
    struct sb_diverse s = {.ops = r->backend.ops, .dev = r->backend.dev, .x = v->x, .n = v->n, .d = v->d, .k = r->m.k,
                           .cluster = r->m.index, .distance = r->m.distance, .group = v->group,
                           .groups = (int64_t)v->groups.count, .pick = r->pick};
    r->keep = sb_calloc((size_t)v->n, sizeof *r->keep);
    if (sb_diverse(&s, keep_count, r->keep)) sb_die_error();
}

static void save(const struct run *r, const struct sb_args *args)
{
    struct sb_writer *out = sb_writer_open(save_path);
    sb_centroids_write(out, &r->m, &r->v, &r->filter.header, &tool, args);
    sb_writer_close(out);
}

static void write_records(struct run *r)
{
    const struct sb_kmeans *m = &r->m;
    struct sb_record rec = {0};
    while (sb_filter_next(&r->filter, &rec)) {
        uint64_t i = r->filter.at - 1;
        if (r->keep && !r->keep[i]) {
            sb_counts_skip(&r->filter.counts, "not selected");
            continue;
        }
        sb_set_int(&rec, "cluster", m->index[i]);
        sb_set_f32(&rec, "distance", m->spherical ? m->distance[i] / 2 : sqrtf(m->distance[i]));
        sb_filter_put(&r->filter, &rec);
    }
    sb_record_free(&rec);
}

static void work(struct run *r, const struct sb_args *args)
{
    if (init_path && sb_centroids_suit(&r->init, &r->v, &r->filter.header))
        sb_die("%s: %s", init_path, sb_error_message());
    if (sb_backend_open(&r->backend, device, (int)jobs)) sb_die_error();
    cluster(r);
    if (keep_count) choose_records(r);
    sb_backend_close(&r->backend);
    if (save_path) save(r, args);
}

int main(int argc, char **argv)
{
    static struct run r;
    struct sb_args args;
    sb_opt_parse(&tool, argc, argv, &args);
    parse(&r);
    read_init(&r);
    sb_filter_open_whole(&r.filter, &args, output, drop, NULL, NULL);
    sb_filter_start(&r.filter, &tool, &args);
    sb_vectors_read(&r.v, &r.filter, per_text ? &r.per : NULL, (int)jobs);
    if (r.v.n) work(&r, &args);
    else if (save_path) sb_warn("no records: no centroids are saved");
    write_records(&r);
    sb_filter_close(&r.filter);
    if (r.v.n) sb_kmeans_report(&r.m, &r.sample, r.wanted);

    free(r.keep);
    sb_sample_free(&r.sample);
    sb_kmeans_free(&r.m);
    sb_centroids_free(&r.init);
    sb_vectors_free(&r.v);
    return 0;
}
