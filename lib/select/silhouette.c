#include "select/silhouette.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/pipeline.h"
#include "base/rng.h"
#include "select/distance.h"

/* Selection sampling (Knuth, The Art of Computer Programming 3.4.2, S): each row with the chance that it needs. */
static void draw_rows(struct sb_sample *s, int64_t n, uint64_t seed)
{
    struct sb_rng rng;
    int64_t taken = 0;
    sb_rng_init(&rng, seed, 2);
    for (int64_t i = 0; taken < s->n; i++)
        if ((double)(n - i) * sb_rng_uniform(&rng) < (double)(s->n - taken)) s->row[taken++] = i;
}

struct pairs {
    struct sb_sample *s;
    bool cosine;
    int64_t next;
};

static bool next_row(void *arg, void *item)
{
    struct pairs *p = arg;
    return (*(int64_t *)item = p->next++) < p->s->n;
}

static void measure_row(void *arg, void *item)
{
    const struct pairs *p = arg;
    const struct sb_sample *s = p->s;
    int64_t i = *(int64_t *)item;
    for (int64_t j = 0; j < i; j++) {
        float square = sb_distance2(s->x + i * s->d, s->x + j * s->d, s->d);
        s->apart[i * s->n + j] = p->cosine ? square / 2 : sqrtf(square);
    }
}

static void mirror_row(void *arg, void *item)
{
    const struct sb_sample *s = ((struct pairs *)arg)->s;
    int64_t i = *(int64_t *)item;
    for (int64_t j = 0; j < i; j++) s->apart[j * s->n + i] = s->apart[i * s->n + j];
}

void sb_sample_draw(struct sb_sample *s, const float *x, int64_t n, int64_t d, bool cosine, uint64_t seed, int jobs)
{
    *s = (struct sb_sample){.n = n < SB_SILHOUETTE_SAMPLE ? n : SB_SILHOUETTE_SAMPLE, .d = d};
    struct pairs pairs = {s, cosine, 0};
    struct sb_pipeline pipeline = {.jobs = jobs, .item_size = sizeof(int64_t), .produce = next_row,
                                   .work = measure_row, .consume = mirror_row, .arg = &pairs};
    s->row = sb_malloc((size_t)s->n * sizeof *s->row);
    s->x = sb_malloc((size_t)(s->n * d) * sizeof *s->x);
    s->apart = sb_calloc((size_t)(s->n * s->n), sizeof *s->apart);
    draw_rows(s, n, seed);
    for (int64_t i = 0; i < s->n; i++) memcpy(s->x + i * d, x + s->row[i] * d, (size_t)d * sizeof *x);
    sb_pipeline_run(&pipeline);
}

void sb_sample_free(struct sb_sample *s)
{
    free(s->row);
    free(s->x);
    free(s->apart);
}

/* Vector i's, with sum[k] to work in. */
static double one(const struct sb_sample *s, int64_t i, const int32_t *cluster, const int64_t *size, int64_t k,
                  double *sum)
{
    double own = 0, other = INFINITY;
    if (size[cluster[i]] < 2) return 0;
    memset(sum, 0, (size_t)k * sizeof *sum);
    for (int64_t j = 0; j < s->n; j++) sum[cluster[j]] += s->apart[i * s->n + j];
    for (int64_t c = 0; c < k; c++) {
        if (c == cluster[i]) own = sum[c] / (double)(size[c] - 1);
        else if (size[c] && sum[c] / (double)size[c] < other) other = sum[c] / (double)size[c];
    }
    double larger = own > other ? own : other;
    return larger > 0 && isfinite(other) ? (other - own) / larger : 0;
}

double sb_silhouette(const struct sb_sample *s, const int32_t *cluster, int64_t k)
{
    int64_t *size = sb_calloc((size_t)k, sizeof *size);
    double *sum = sb_malloc((size_t)k * sizeof *sum), all = 0;
    for (int64_t i = 0; i < s->n; i++) size[cluster[i]]++;
    for (int64_t i = 0; i < s->n; i++) all += one(s, i, cluster, size, k, sum);
    free(size);
    free(sum);
    return s->n ? all / (double)s->n : 0;
}
