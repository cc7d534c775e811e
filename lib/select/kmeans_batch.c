/* Mini-batch k-means (Sculley 2010): each batch moves its centroids towards its vectors, by less the more vectors they
 * have seen. A pass takes all vectors once, in an order of its own. The vectors stay in the program's memory; the
 * device holds two batches, one that is computed with and one that is coming, or what the seeds are chosen among. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "select/kmeans_inner.h"
#include "select/vectors.h"

#define SEED_SAMPLE 32 /* vectors a cluster, at least, that seeds are chosen among */
#define MENDS 3        /* times, at most, that empty clusters are looked for at the end */

struct batches {
    struct sb_kmeans *m;
    const float *x;
    int64_t most;                      /* rows of a buffer */
    struct sb_tensor buffer[2], index, distance, centroid, sum, count; /* device */
    float *moved, *members;            /* [k,d], [k]: a batch's sums and counts */
    double *seen;                      /* [k]: vectors that have moved a centroid */
    uint32_t *order;                   /* [n] */
    const void **piece;                /* [most] */
    int turn;                          /* the buffer that was filled last */
    struct sb_rng rng;
};

static void load(struct batches *b, int64_t at, int64_t rows)
{
    b->turn = !b->turn;
    for (int64_t i = 0; i < rows; i++) b->piece[i] = b->x + b->order[at + i] * b->m->d;
    b->m->ops->prefetch(b->m->dev, b->buffer[b->turn].data, b->piece, (size_t)rows, (size_t)b->m->d * sizeof *b->x);
    b->buffer[b->turn].shape[0] = rows;
}

/* Each centroid becomes the mean of all vectors that it has seen. */
static void move(struct batches *b)
{
    struct sb_kmeans *m = b->m;
    m->ops->download(m->dev, b->moved, b->sum.data, sb_tensor_bytes(&b->sum));
    m->ops->download(m->dev, b->members, b->count.data, sb_tensor_bytes(&b->count));
    for (int64_t j = 0; j < m->k; j++) {
        float *c = m->centroid + j * m->d;
        if (!(b->members[j] > 0)) continue;
        b->seen[j] += b->members[j];
        for (int64_t i = 0; i < m->d; i++)
            c[i] += (float)((b->moved[j * m->d + i] - (double)b->members[j] * c[i]) / b->seen[j]);
    }
    if (m->spherical) sb_rows_normalise(m->centroid, m->k, m->d);
    m->ops->upload(m->dev, b->centroid.data, m->centroid, sb_tensor_bytes(&b->centroid));
}

/* What a batch of `rows` vectors, in b->order from `at` on, was found to be near. */
static void take(struct batches *b, int64_t at, int64_t rows)
{
    struct sb_kmeans *m = b->m;
    const int32_t *index = m->ops->fetched(m->dev, SB_KMEANS_INDEX);
    const float *distance = m->ops->fetched(m->dev, SB_KMEANS_DISTANCE);
    for (int64_t i = 0; i < rows; i++) {
        m->index[b->order[at + i]] = index[i];
        m->distance[b->order[at + i]] = distance[i];
    }
}

/* Goes through all vectors; moving or not, index and distance are then those that each batch found. */
static void sweep(struct batches *b, bool moving)
{
    struct sb_kmeans *m = b->m;
    int64_t batch = m->batch, rows = batch, next;
    load(b, 0, rows);
    for (int64_t at = 0; at < m->n; at += rows, rows = next) {
        struct sb_tensor x = b->buffer[b->turn], index = b->index, distance = b->distance;
        index.shape[0] = distance.shape[0] = rows;
        m->ops->nearest(m->dev, &x, &b->centroid, &index, &distance);
        m->ops->fetch(m->dev, SB_KMEANS_INDEX, index.data, sb_tensor_bytes(&index));
        m->ops->fetch(m->dev, SB_KMEANS_DISTANCE, distance.data, sb_tensor_bytes(&distance));
        if (moving) m->ops->nearest_sum(m->dev, &x, &index, &b->sum, &b->count);
        next = m->n - at - rows < batch ? m->n - at - rows : batch;
        if (next > 0) load(b, at + rows, next);
        take(b, at, rows);
        if (moving) move(b);
    }
    sb_kmeans_count(m);
}

/* Rows of the seeds' sample lie where the first batch will. */
static int seed(struct batches *b)
{
    struct sb_kmeans *m = b->m;
    float *sample = sb_malloc((size_t)(b->most * m->d) * sizeof *sample);
    sb_rng_shuffle(&b->rng, b->order, (uint32_t)m->n);
    for (int64_t i = 0; i < b->most; i++)
        memcpy(sample + i * m->d, b->x + b->order[i] * m->d, (size_t)m->d * sizeof *sample);
    m->ops->upload(m->dev, b->buffer[0].data, sample, sb_tensor_bytes(&b->buffer[0]));
    int rc = sb_kmeans_seed(m, sample, &b->buffer[0], &b->index, &b->distance);
    free(sample);
    return rc;
}

static void iterate(struct batches *b)
{
    struct sb_kmeans *m = b->m;
    double before = 0;
    for (m->passes = 0; m->passes < m->iterations && !m->converged; m->passes++) {
        sb_rng_shuffle(&b->rng, b->order, (uint32_t)m->n);
        sweep(b, true);
        if (m->each) m->each(m->arg, m->passes, m->inertia);
        m->converged = m->passes && before - m->inertia <= SB_KMEANS_REST * before;
        before = m->inertia;
    }
}

/* The clusters of all vectors; an empty one moves to the vector that lies farthest from its centroid. */
static void assign(struct batches *b)
{
    struct sb_kmeans *m = b->m;
    for (int round = 0;; round++) {
        sweep(b, false);
        if (!m->iterations || round == MENDS || !sb_kmeans_wants_mending(m)) break;
        for (int64_t j = 0; j < m->k; j++) b->seen[j] = (double)m->size[j];
        sb_kmeans_mend(m);
        for (int64_t i = 0; i < m->n; i++)
            if (!b->seen[m->index[i]])
                memcpy(m->centroid + m->index[i] * m->d, b->x + i * m->d, (size_t)m->d * sizeof *b->x);
        m->ops->upload(m->dev, b->centroid.data, m->centroid, sb_tensor_bytes(&b->centroid));
    }
}

static int run(struct batches *b)
{
    struct sb_kmeans *m = b->m;
    struct sb_tensor *clusters[] = {&b->centroid, &b->sum, &b->count};
    if (!m->init && seed(b)) return -1;
    b->centroid = b->sum = sb_kmeans_matrix(m->k, m->d);
    b->count = sb_kmeans_vector(SB_F32, m->k);
    int rc = sb_kmeans_take(m, clusters, 3);
    if (!rc) {
        b->moved = sb_malloc(sb_tensor_bytes(&b->sum));
        b->members = sb_malloc(sb_tensor_bytes(&b->count));
        b->seen = sb_calloc((size_t)m->k, sizeof *b->seen);
        m->ops->upload(m->dev, b->centroid.data, m->centroid, sb_tensor_bytes(&b->centroid));
        iterate(b);
        assign(b);
        free(b->moved);
        free(b->members);
        free(b->seen);
    }
    sb_kmeans_release(m, clusters, 3);
    return rc;
}

int sb_kmeans_batch(struct sb_kmeans *m, const float *x)
{
    struct batches b = {.m = m, .x = x, .most = m->batch};
    if (!m->init && b.most < SEED_SAMPLE * m->k) b.most = SEED_SAMPLE * m->k < m->n ? SEED_SAMPLE * m->k : m->n;
    b.buffer[0] = b.buffer[1] = sb_kmeans_matrix(b.most, m->d);
    b.index = sb_kmeans_vector(SB_I32, b.most);
    b.distance = sb_kmeans_vector(SB_F32, b.most);
    struct sb_tensor *batch[] = {&b.buffer[0], &b.buffer[1], &b.index, &b.distance};
    b.order = sb_malloc((size_t)m->n * sizeof *b.order);
    b.piece = sb_malloc((size_t)b.most * sizeof *b.piece);
    for (int64_t i = 0; i < m->n; i++) b.order[i] = (uint32_t)i;
    sb_rng_init(&b.rng, m->seed, 1);
    int rc = sb_kmeans_take(m, batch, 4);
    if (!rc) rc = run(&b);
    sb_kmeans_release(m, batch, 4);
    free(b.order);
    free(b.piece);
    return rc;
}
