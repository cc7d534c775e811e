#include "select/kmeans_auto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define STARTS 3 /* seedings of each number: the one of the least inertia counts */
#define STEPS_MOST 40
#define SHARE_OF_HIGHEST 0.5 /* a peak that is lower is a ripple */

struct search {
    const struct sb_kmeans *like;
    const struct sb_sample *s;
    void (*tried)(void *arg, int64_t k, double silhouette);
    void *arg;
};

/* The silhouette of k clusters; -2 with a message where the device has not enough memory. */
static double try(const struct search *a, int64_t k)
{
    double least = INFINITY, silhouette = 0;
    for (uint64_t start = 0; start < STARTS; start++) {
        struct sb_kmeans m = {.ops = a->like->ops, .dev = a->like->dev, .n = a->s->n, .d = a->s->d, .k = k,
                              .iterations = a->like->iterations, .spherical = a->like->spherical,
                              .seed = a->like->seed + start};
        int rc = sb_kmeans(&m, a->s->x);
        if (!rc && m.inertia < least) {
            least = m.inertia;
            silhouette = sb_silhouette(a->s, m.index, m.k);
        }
        sb_kmeans_free(&m);
        if (rc) return -2;
    }
    if (a->tried) a->tried(a->arg, k, silhouette);
    return silhouette;
}

static int64_t grid(int step) { return (int64_t)(pow(2, 0.5 * (step + 2)) + 0.5); } /* 2, 3, 4, 6, 8, 11, 16, ... */

/* The highest peak that is high enough, else the highest of all. */
static int peak_of(const double *silhouette, int steps)
{
    int highest = 0, peak = -1;
    for (int i = 1; i < steps; i++)
        if (silhouette[i] > silhouette[highest]) highest = i;
    for (int i = 1; i + 1 < steps; i++)
        if (silhouette[i] > silhouette[i - 1] && silhouette[i] > silhouette[i + 1] &&
            silhouette[i] >= SHARE_OF_HIGHEST * silhouette[highest] && (peak < 0 || silhouette[i] > silhouette[peak]))
            peak = i;
    return peak < 0 ? highest : peak;
}

int64_t sb_kmeans_auto(const struct sb_kmeans *like, const struct sb_sample *s,
                       void (*tried)(void *arg, int64_t k, double silhouette), void *arg, double *silhouette)
{
    struct search a = {like, s, tried, arg};
    int64_t most = s->n / 10 > 10 ? s->n / 10 : s->n / 2 < 10 ? s->n / 2 : 10;
    double found[STEPS_MOST];
    int steps = 0;
    *silhouette = 0;
    for (; steps < STEPS_MOST && grid(steps) <= most; steps++)
        if ((found[steps] = try(&a, grid(steps))) < -1) return -1;
    if (!steps) return 1; /* fewer than four vectors */
    int peak = peak_of(found, steps);
    int64_t best = grid(peak);
    *silhouette = found[peak];
    for (int64_t gap = (grid(peak + 1) - best) / 2; gap > 0; gap /= 2) {
        int64_t sides[] = {best - gap, best + gap};
        for (int i = 0; i < 2; i++) {
            double other = sides[i] < 2 || sides[i] > most ? -1 : try(&a, sides[i]);
            if (other < -1) return -1;
            if (other > *silhouette) best = sides[i], *silhouette = other;
        }
    }
    return best;
}
