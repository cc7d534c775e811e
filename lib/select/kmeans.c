#include "select/kmeans.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"

/* Device memory of one run. An iteration's centroids lie in one buffer, the next one's in the other. */
struct device {
    struct sb_tensor x, centroid[2], sum, count, index, distance;
};

enum { INDEX, DISTANCE }; /* slots that results are fetched to */

static struct sb_tensor vector(enum sb_dtype dtype, int64_t n)
{
    return (struct sb_tensor){.dtype = dtype, .ndim = 1, .shape = {n}};
}

static struct sb_tensor matrix(int64_t rows, int64_t columns)
{
    return (struct sb_tensor){.dtype = SB_F32, .ndim = 2, .shape = {rows, columns}};
}

static int device_open(struct device *g, const struct sb_kmeans *m, const float *x)
{
    struct sb_tensor centroid = matrix(m->k, m->d);
    struct sb_tensor *all[] = {&g->x, &g->centroid[0], &g->centroid[1], &g->sum, &g->count, &g->index, &g->distance};
    *g = (struct device){matrix(m->n, m->d), {centroid, centroid}, centroid, vector(SB_F32, m->k), vector(SB_I32, m->n),
                         vector(SB_F32, m->n)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!(all[i]->data = m->ops->alloc(m->dev, sb_tensor_bytes(all[i]))))
            return sb_error("not enough memory for %lld vectors of %lld numbers", (long long)m->n, (long long)m->d);
    m->ops->upload(m->dev, g->x.data, x, sb_tensor_bytes(&g->x));
    return 0;
}

static void device_close(struct device *g, const struct sb_kmeans *m)
{
    struct sb_tensor *all[] = {&g->x, &g->centroid[0], &g->centroid[1], &g->sum, &g->count, &g->index, &g->distance};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->data) m->ops->release(m->dev, all[i]->data);
}

/* Whether vector i is one of the first k centroids. Distances of a backend may be rounded, bytes are not. */
static bool is_centroid(const struct sb_kmeans *m, const float *x, int64_t i, int64_t k)
{
    size_t row = (size_t)m->d * sizeof *x;
    for (int64_t j = 0; j < k; j++)
        if (!memcmp(m->centroid + j * m->d, x + i * m->d, row)) return true;
    return false;
}

/* Draws a vector with a chance in proportion to its squared distance from the k centroids there are; -1 if all vectors
 * are centroids. */
static int64_t draw(const struct sb_kmeans *m, const float *x, float *near, int64_t k, struct sb_rng *rng)
{
    for (;;) {
        double sum = 0, upto = 0;
        int64_t pick = -1;
        for (int64_t i = 0; i < m->n; i++) sum += near[i];
        if (!(sum > 0)) return -1;
        double at = sb_rng_uniform(rng) * sum;
        for (int64_t i = 0; i < m->n && upto <= at; i++) {
            upto += near[i];
            if (near[i] > 0) pick = i;
        }
        if (!is_centroid(m, x, pick, k)) return pick;
        near[pick] = 0;
    }
}

/* Lowers m->k to the number of seeds that were found. */
static void seed(struct sb_kmeans *m, const struct device *g, const float *x)
{
    struct sb_rng rng;
    struct sb_tensor one = matrix(1, m->d);
    float *near = sb_malloc((size_t)m->n * sizeof *near);
    int64_t pick, k = 0;

    sb_rng_init(&rng, m->seed, 0);
    pick = (int64_t)(sb_rng_uniform(&rng) * (double)m->n);
    while (pick >= 0) {
        size_t row = (size_t)m->d * sizeof *x;
        memcpy(m->centroid + k * m->d, x + pick * m->d, row);
        one.data = (float *)g->centroid[0].data + k * m->d;
        m->ops->upload(m->dev, one.data, x + pick * m->d, row);
        if (++k == m->k) break;
        m->ops->nearest(m->dev, &g->x, &one, &g->index, &g->distance);
        m->ops->download(m->dev, m->distance, g->distance.data, sb_tensor_bytes(&g->distance));
        for (int64_t i = 0; i < m->n; i++)
            if (k == 1 || m->distance[i] < near[i]) near[i] = m->distance[i];
        pick = draw(m, x, near, k, &rng);
    }
    m->k = k;
    free(near);
}

/* Gives each empty cluster the vector that lies farthest from its own centroid. */
static void mend(struct sb_kmeans *m)
{
    for (int64_t j = 0; j < m->k; j++) {
        int64_t far = -1;
        if (m->size[j]) continue;
        for (int64_t i = 0; i < m->n; i++)
            if (m->distance[i] > (far < 0 ? 0 : m->distance[far]) && m->size[m->index[i]] > 1) far = i;
        if (far < 0) return;
        m->size[m->index[far]]--;
        m->index[far] = (int32_t)j;
        m->distance[far] = 0;
        m->size[j] = 1;
    }
}

static void queue_move(struct sb_kmeans *m, const struct device *g, int turn)
{
    m->ops->nearest_sum(m->dev, &g->x, &g->index, &g->sum, &g->count);
    m->ops->centroids(m->dev, &g->sum, &g->count, &g->centroid[turn], &g->centroid[!turn]);
}

/* The move is queued before it is known whether there will be one, so that the device need not wait to be told. */
static void queue_iteration(struct sb_kmeans *m, const struct device *g, int turn)
{
    m->ops->nearest(m->dev, &g->x, &g->centroid[turn], &g->index, &g->distance);
    m->ops->fetch(m->dev, INDEX, g->index.data, sb_tensor_bytes(&g->index));
    m->ops->fetch(m->dev, DISTANCE, g->distance.data, sb_tensor_bytes(&g->distance));
    queue_move(m, g, turn);
}

/* Takes an iteration's clusters while the device moves the centroids. False: they are those of the iteration before. */
static bool take_clusters(struct sb_kmeans *m)
{
    size_t bytes = (size_t)m->n * sizeof *m->index;
    const int32_t *index = m->ops->fetched(m->dev, INDEX);
    const float *distance = m->ops->fetched(m->dev, DISTANCE);
    bool changed = memcmp(m->index, index, bytes) != 0;
    memcpy(m->index, index, bytes);
    memcpy(m->distance, distance, (size_t)m->n * sizeof *distance);
    memset(m->size, 0, (size_t)m->k * sizeof *m->size);
    m->inertia = 0;
    for (int64_t i = 0; i < m->n; i++) {
        m->size[index[i]]++;
        m->inertia += distance[i];
    }
    return changed;
}

static bool has_empty(const struct sb_kmeans *m)
{
    for (int64_t j = 0; j < m->k; j++)
        if (!m->size[j]) return true;
    return false;
}

int sb_kmeans(struct sb_kmeans *m, const float *x)
{
    struct device g;
    size_t n = (size_t)m->n;
    if (device_open(&g, m, x)) {
        device_close(&g, m);
        return -1;
    }
    m->centroid = sb_malloc((size_t)(m->k * m->d) * sizeof *m->centroid);
    m->index = sb_malloc(n * sizeof *m->index);
    m->distance = sb_malloc(n * sizeof *m->distance);
    m->size = sb_calloc((size_t)m->k, sizeof *m->size);

    seed(m, &g, x);
    g.centroid[0].shape[0] = g.centroid[1].shape[0] = g.sum.shape[0] = g.count.shape[0] = m->k;
    memset(m->index, 0xff, n * sizeof *m->index); /* no cluster */
    int turn = 0;
    for (m->moves = 0;; m->moves++, turn = !turn) {
        queue_iteration(m, &g, turn);
        m->converged = !take_clusters(m);
        if (m->each) m->each(m->arg, m->moves, m->inertia);
        if (m->converged || m->moves == m->iterations) break;
        if (!has_empty(m)) continue;
        mend(m);
        m->ops->upload(m->dev, g.index.data, m->index, sb_tensor_bytes(&g.index));
        queue_move(m, &g, turn);
    }
    m->ops->download(m->dev, m->centroid, g.centroid[turn].data, sb_tensor_bytes(&g.centroid[turn]));
    device_close(&g, m);
    return 0;
}

void sb_kmeans_free(struct sb_kmeans *m)
{
    free(m->centroid);
    free(m->index);
    free(m->distance);
    free(m->size);
    m->centroid = m->distance = NULL;
    m->index = NULL;
    m->size = NULL;
}
