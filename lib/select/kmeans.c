#include "select/kmeans.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "select/kmeans_inner.h"
#include "select/vectors.h"

#define PART 5             /* a part of the vectors is one in so many */
#define PART_OF_CLUSTER 40 /* vectors of a part that a cluster has, on average, at least */

/* Device memory of one run. An iteration's centroids lie in one buffer, the next one's in the other. */
struct device {
    struct sb_tensor x, centroid[2], sum, count, index, distance;
};

int sb_kmeans_take(const struct sb_kmeans *m, struct sb_tensor *const *t, int count)
{
    for (int i = 0; i < count; i++)
        if (!(t[i]->data = m->ops->alloc(m->dev, sb_tensor_bytes(t[i]))))
            return sb_error("not enough memory for %lld vectors of %lld numbers", (long long)t[i]->shape[0],
                            (long long)m->d);
    return 0;
}

void sb_kmeans_release(const struct sb_kmeans *m, struct sb_tensor *const *t, int count)
{
    for (int i = 0; i < count; i++)
        if (t[i]->data) m->ops->release(m->dev, t[i]->data);
}

void sb_kmeans_count(struct sb_kmeans *m)
{
    memset(m->size, 0, (size_t)m->k * sizeof *m->size);
    m->inertia = 0;
    for (int64_t i = 0; i < m->n; i++) {
        m->size[m->index[i]]++;
        m->inertia += m->distance[i];
    }
}

void sb_kmeans_mend(struct sb_kmeans *m)
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

/* A spherical move ends on the host: k rows to scale. */
static void queue_move(struct sb_kmeans *m, const struct device *g, int turn)
{
    const struct sb_tensor *to = &g->centroid[!turn];
    m->ops->nearest_sum(m->dev, &g->x, &g->index, &g->sum, &g->count);
    m->ops->centroids(m->dev, &g->sum, &g->count, &g->centroid[turn], to);
    if (!m->spherical) return;
    m->ops->download(m->dev, m->centroid, to->data, sb_tensor_bytes(to));
    sb_rows_normalise(m->centroid, m->k, m->d);
    m->ops->upload(m->dev, to->data, m->centroid, sb_tensor_bytes(to));
}

/* The move is queued before it is known whether there will be one, so that the device need not wait to be told. */
static void queue_pass(struct sb_kmeans *m, const struct device *g, int turn)
{
    m->ops->nearest(m->dev, &g->x, &g->centroid[turn], &g->index, &g->distance);
    m->ops->fetch(m->dev, SB_KMEANS_INDEX, g->index.data, sb_tensor_bytes(&g->index));
    m->ops->fetch(m->dev, SB_KMEANS_DISTANCE, g->distance.data, sb_tensor_bytes(&g->distance));
    if (m->passes < m->iterations) queue_move(m, g, turn);
}

/* Takes a pass's clusters while the device moves the centroids. False: they are those of the pass before. */
static bool take_clusters(struct sb_kmeans *m)
{
    size_t bytes = (size_t)m->n * sizeof *m->index;
    const int32_t *index = m->ops->fetched(m->dev, SB_KMEANS_INDEX);
    const float *distance = m->ops->fetched(m->dev, SB_KMEANS_DISTANCE);
    bool changed = memcmp(m->index, index, bytes) != 0;
    memcpy(m->index, index, bytes);
    memcpy(m->distance, distance, (size_t)m->n * sizeof *distance);
    sb_kmeans_count(m);
    return changed;
}

bool sb_kmeans_wants_mending(const struct sb_kmeans *m)
{
    for (int64_t j = 0; j < m->k && !m->empty_stay; j++)
        if (!m->size[j]) return true;
    return false;
}

/* Returns which of the two buffers holds the centroids that the clusters are of. */
static int iterate(struct sb_kmeans *m, const struct device *g)
{
    double before = 0;
    int turn = 0;
    bool mended = false;
    memset(m->index, 0xff, (size_t)m->n * sizeof *m->index); /* no cluster */
    for (m->passes = 0;; m->passes++, turn = !turn) {
        queue_pass(m, g, turn);
        bool changed = take_clusters(m);
        if (m->each) m->each(m->arg, m->passes, m->inertia);
        bool rests = m->passes && !mended && before - m->inertia <= SB_KMEANS_REST * before;
        m->converged = !changed || rests;
        before = m->inertia;
        if (m->converged || m->passes == m->iterations) return turn;
        if ((mended = sb_kmeans_wants_mending(m))) {
            sb_kmeans_mend(m);
            m->ops->upload(m->dev, g->index.data, m->index, sb_tensor_bytes(&g->index));
            queue_move(m, g, turn);
        }
    }
}

/* Clusters one vector of each PART: most of the way at a part of the cost. *done: the centroids are there to begin
 * with; else the part is too small, or has fewer different vectors than there are to be clusters. */
static int begin_with_part(struct sb_kmeans *m, const float *x, bool *done)
{
    struct sb_kmeans part = *m;
    struct sb_rng rng;
    *done = false;
    part.n = m->n / PART;
    if (!m->iterations || part.n < PART_OF_CLUSTER * m->k) return 0;
    float *vectors = sb_malloc((size_t)(part.n * m->d) * sizeof *vectors);
    sb_rng_init(&rng, m->seed, 3);
    for (int64_t i = 0; i < part.n; i++)
        memcpy(vectors + i * m->d, x + (i * PART + sb_rng_below(&rng, PART)) * m->d, (size_t)m->d * sizeof *x);
    part.each = NULL;
    int rc = sb_kmeans(&part, vectors);
    *done = !rc && part.k == m->k;
    if (*done) memcpy(m->centroid, part.centroid, (size_t)(m->k * m->d) * sizeof *x);
    sb_kmeans_free(&part);
    free(vectors);
    return rc;
}

static int lloyd(struct sb_kmeans *m, struct device *g)
{
    struct sb_tensor *centroids[] = {&g->centroid[0], &g->centroid[1], &g->sum, &g->count};
    g->centroid[0] = g->centroid[1] = g->sum = sb_kmeans_matrix(m->k, m->d);
    g->count = sb_kmeans_vector(SB_F32, m->k);
    int rc = sb_kmeans_take(m, centroids, 4);
    if (!rc) {
        m->ops->upload(m->dev, g->centroid[0].data, m->centroid, sb_tensor_bytes(&g->centroid[0]));
        int turn = iterate(m, g);
        m->ops->download(m->dev, m->centroid, g->centroid[turn].data, sb_tensor_bytes(&g->centroid[turn]));
    }
    sb_kmeans_release(m, centroids, 4);
    return rc;
}

/* Where the device's memory is the program's, the vectors need no copy. */
static int all_at_once(struct sb_kmeans *m, const float *x)
{
    struct device g = {.x = sb_kmeans_matrix(m->n, m->d), .index = sb_kmeans_vector(SB_I32, m->n),
                       .distance = sb_kmeans_vector(SB_F32, m->n)};
    struct sb_tensor *each[] = {&g.index, &g.distance, &g.x};
    int count = m->ops->host ? 2 : 3;
    bool begun = m->init;
    int rc = begun ? 0 : begin_with_part(m, x, &begun);
    if (!rc) rc = sb_kmeans_take(m, each, count);
    if (m->ops->host) g.x.data = (void *)(uintptr_t)x;
    else if (!rc) m->ops->upload(m->dev, g.x.data, x, sb_tensor_bytes(&g.x));
    if (!rc && !begun) rc = sb_kmeans_seed(m, x, &g.x, &g.index, &g.distance);
    if (!rc) rc = lloyd(m, &g);
    sb_kmeans_release(m, each, count);
    return rc;
}

int sb_kmeans(struct sb_kmeans *m, const float *x)
{
    size_t n = (size_t)m->n, bytes;
    if (!sb_mul((size_t)m->k * (size_t)m->d, sizeof *m->centroid, &bytes))
        return sb_error("%lld centroids of %lld numbers do not fit into memory", (long long)m->k, (long long)m->d);
    m->centroid = sb_malloc(bytes);
    m->index = sb_malloc(n * sizeof *m->index);
    m->distance = sb_malloc(n * sizeof *m->distance);
    m->size = sb_calloc((size_t)m->k, sizeof *m->size);
    if (m->init) memcpy(m->centroid, m->init, bytes);
    return m->batch && m->batch < m->n ? sb_kmeans_batch(m, x) : all_at_once(m, x);
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
