#include "select/diverse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* The vectors of a cluster lie together in `member`, in the order in which they came. */
struct cluster {
    int64_t number, first, size, given;
};

static int largest_first(const void *a, const void *b)
{
    const struct cluster *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Eight sums side by side, which compilers turn into vector instructions. */
static float squared_distance(const float *a, const float *b, int64_t d)
{
    float part[8] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + 8 <= d; i += 8)
        for (int j = 0; j < 8; j++) part[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
    for (; i < d; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    for (int j = 0; j < 8; j++) sum += part[j];
    return sum;
}

/* far[i] is the squared distance of vector i from the nearest that its cluster gave; -1 once it was given itself. */
static int64_t give(const struct cluster *c, const int64_t *member, const float *x, int64_t d, const float *distance,
                    float *far)
{
    int64_t best = -1;
    for (int64_t i = c->first; i < c->first + c->size; i++) {
        int64_t v = member[i];
        bool better = c->given ? far[v] > (best < 0 ? -1 : far[best]) : best < 0 || distance[v] < distance[best];
        if (better) best = v;
    }
    for (int64_t i = c->first; i < c->first + c->size; i++) {
        int64_t v = member[i];
        if (far[v] < 0) continue;
        float from = squared_distance(x + v * d, x + best * d, d);
        if (from < far[v]) far[v] = from;
    }
    far[best] = -1;
    return best;
}

static struct cluster *gather(const int32_t *cluster, int64_t n, int64_t k, int64_t *member)
{
    struct cluster *c = sb_calloc((size_t)k, sizeof *c);
    for (int64_t i = 0; i < n; i++) c[cluster[i]].size++;
    for (int64_t j = 0; j < k; j++) {
        c[j].number = j;
        c[j].first = j ? c[j - 1].first + c[j - 1].size : 0;
    }
    for (int64_t i = 0; i < n; i++) {
        struct cluster *of = &c[cluster[i]];
        member[of->first + of->given++] = i;
    }
    for (int64_t j = 0; j < k; j++) c[j].given = 0;
    qsort(c, (size_t)k, sizeof *c, largest_first);
    return c;
}

void sb_diverse(const float *x, int64_t n, int64_t d, const int32_t *cluster, const float *distance, int64_t k,
                int64_t want, bool *keep)
{
    int64_t *member = sb_malloc((size_t)n * sizeof *member + 1);
    float *far = sb_malloc((size_t)n * sizeof *far + 1);
    struct cluster *c = gather(cluster, n, k, member);
    for (int64_t i = 0; i < n; i++) {
        far[i] = INFINITY;
        keep[i] = false;
    }
    if (want > n) want = n;
    for (int64_t turn = 0, kept = 0; kept < want; turn = (turn + 1) % k) {
        if (c[turn].given == c[turn].size) continue;
        keep[give(&c[turn], member, x, d, distance, far)] = true;
        c[turn].given++;
        kept++;
    }
    free(c);
    free(far);
    free(member);
}
