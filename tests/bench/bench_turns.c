/* Times a piece of work in turns with others on the same device, which each have a process:
 *
 *     bench_turns DEVICE NAME SIZE BATCH f32|bf16 infer|train     calls of a ViT or ResNet (vit.h)
 *     bench_turns DEVICE kmeans N D K                             iterations of k-means
 *
 * What the host can prepare it prepares at once, and waits for a line of standard input before it uses the device. Once
 * it is warm it says in a line of JSON what it is. Then, for each further line, which holds a number of seconds, it
 * measures for about so long and says {"calls": n, "seconds": s}. peer_gpu.py does the same. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "base/rng.h"
#include "select/kmeans.h"
#include "vit.h"

#define WARM 4    /* calls: the second is captured, the third is the first replay */
#define MOVES 20  /* iterations of k-means a turn */
#define ROWS 2000 /* that ref, which is slow, takes of the vectors */

static bool next_line(double *seconds)
{
    char line[100];
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return false;
    *seconds = atof(line);
    return true;
}

static void await(void)
{
    double ignored;
    if (!next_line(&ignored)) exit(0);
}

/* ---- models ------------------------------------------------------------------------------------------------------ */

static int64_t weights(const struct sb_model *m)
{
    int64_t n = 0;
    for (size_t i = 0; i < m->params; i++) n += m->param[i].statistic ? 0 : m->param[i].count;
    return n;
}

static void model(const char *device, char **argument)
{
    struct bench_vit v;
    double seconds;
    bench_vit_model(&v, device, argument);
    await();
    bench_vit_net(&v, argument);
    bench_vit_calls(&v, WARM);
    double call = bench_vit_calls(&v, WARM / 2) / (WARM / 2);
    printf("{\"weights\": %" PRId64 ", \"bytes\": %zu}\n", weights(&v.model), sb_net_bytes(v.net));
    while (next_line(&seconds)) {
        int calls = (int)(seconds / call) + 1;
        printf("{\"calls\": %d, \"seconds\": %.9f}\n", calls, bench_vit_calls(&v, calls));
    }
    struct sb_backend backend = v.backend;
    bench_vit_free(&v);
    sb_backend_close(&backend);
}

/* ---- k-means ----------------------------------------------------------------------------------------------------- */

struct kmeans_turns {
    struct sb_backend backend, host;
    int64_t n, d, k;
    float *x;
    double first, last; /* when inertia was told */
};

static void note_time(void *arg, int move, double inertia)
{
    struct kmeans_turns *t = arg;
    (void)inertia;
    t->last = sb_seconds();
    if (!move) t->first = t->last;
}

/* The inertia of the first rows about these centroids, as a backend finds it. */
static double inertia_of(const struct sb_backend *b, const struct sb_kmeans *m, const float *x, int64_t rows)
{
    struct sb_tensor t[] = {{.dtype = SB_F32, .ndim = 2, .shape = {rows, m->d}},
                            {.dtype = SB_F32, .ndim = 2, .shape = {m->k, m->d}},
                            {.dtype = SB_I32, .ndim = 1, .shape = {rows}},
                            {.dtype = SB_F32, .ndim = 1, .shape = {rows}}};
    float *distance = sb_malloc(sb_tensor_bytes(t + 3));
    double sum = 0;
    for (int i = 0; i < 4; i++)
        if (!(t[i].data = b->ops->alloc(b->dev, sb_tensor_bytes(t + i)))) sb_die("not enough memory");
    b->ops->upload(b->dev, t[0].data, x, sb_tensor_bytes(t));
    b->ops->upload(b->dev, t[1].data, m->centroid, sb_tensor_bytes(t + 1));
    b->ops->nearest(b->dev, t, t + 1, t + 2, t + 3);
    b->ops->download(b->dev, distance, t[3].data, sb_tensor_bytes(t + 3));
    for (int64_t i = 0; i < rows; i++) sum += (double)distance[i];
    for (int i = 0; i < 4; i++) b->ops->release(b->dev, t[i].data);
    free(distance);
    return sum;
}

static void kmeans_turn(struct kmeans_turns *t)
{
    struct sb_kmeans m = {.ops = t->backend.ops,
                          .dev = t->backend.dev,
                          .n = t->n,
                          .d = t->d,
                          .k = t->k,
                          .iterations = MOVES,
                          .each = note_time,
                          .arg = t};
    double began = sb_seconds();
    if (sb_kmeans(&m, t->x)) sb_die_error();
    int64_t rows = t->host.ops == &sb_ops_ref && t->n > ROWS ? ROWS : t->n;
    double here = inertia_of(&t->backend, &m, t->x, rows), there = inertia_of(&t->host, &m, t->x, rows);
    printf("{\"calls\": %d, \"seconds\": %.9f, \"all\": %.3f, \"inertia\": %.9g, \"rows\": %" PRId64
           ", \"inertia of rows\": %.9g, \"by %s\": %.9g}\n",
           m.passes ? m.passes : 1, t->last - t->first, t->last - began, m.inertia, rows, here, t->host.ops->name, there);
    sb_kmeans_free(&m);
}

/* Noise, so that it takes long to come to rest. */
static void invent_vectors(struct kmeans_turns *t)
{
    struct sb_rng rng;
    t->x = sb_malloc((size_t)(t->n * t->d) * sizeof *t->x);
    sb_rng_init(&rng, 1, 0);
    for (int64_t i = 0; i < t->n * t->d; i++) t->x[i] = (float)sb_rng_range(&rng, -1, 1);
}

static void kmeans(const char *device, char **argument)
{
    struct kmeans_turns t = {.n = atoll(argument[0]), .d = atoll(argument[1]), .k = atoll(argument[2])};
    double seconds;
    if (sb_backend_open(&t.backend, device, 0)) sb_die_error();
    if (sb_backend_open(&t.host, "cpu", 0) && sb_backend_open(&t.host, "ref", 0)) sb_die_error();
    invent_vectors(&t);
    await();
    printf("{\"weights\": %" PRId64 "}\n", t.n * t.d);
    while (next_line(&seconds)) kmeans_turn(&t);
    sb_backend_close(&t.backend);
    sb_backend_close(&t.host);
    free(t.x);
}

int main(int argc, char **argv)
{
    sb_program = "bench_turns";
    if (argc == 6 && !strcmp(argv[2], "kmeans"))
        kmeans(argv[1], argv + 3);
    else if (argc == 2 + BENCH_VIT_ARGUMENTS)
        model(argv[1], argv + 2);
    else
        sb_die("wanted: bench_turns DEVICE NAME SIZE BATCH f32|bf16 infer|train, or DEVICE kmeans N D K");
    return 0;
}
