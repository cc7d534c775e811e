/* Gonzalez's greedy k-centre, exactly, without a pass through all vectors for each pick.
 *
 * Distances from those picked only shrink. So the vectors that were farthest at the last pass are a pool in which the
 * next picks are found: the farthest of the pool is the farthest of all while it is not nearer than the farthest
 * outside was. Then the picks since are measured against all vectors at once, by a matmul, and a new pool is drawn. */
#include <math.h>

#include "select/diverse_inner.h"
#include "select/distance.h"

#define POOL 2048  /* vectors */
#define BATCH 1024 /* picks between two passes, at most */

struct far {
    int64_t row;
    float near; /* squared distance from the nearest that was picked */
};

struct search {
    struct sb_picking *p;
    struct sb_tensor x, few, index, distance; /* device */
    float *gathered;   /* few, on the host */
    float *near;       /* [n]; for the first `measured` picks */
    struct far *all;   /* [n]: the pool is its beginning */
    int64_t measured, pool;
    float outside;     /* near of the farthest outside the pool; below 0: nobody is */
};

static int farthest_first(const void *a, const void *b)
{
    const struct far *x = a, *y = b;
    if (x->near != y->near) return x->near > y->near ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Brings near up to date with all that were picked. */
static void measure(struct search *s)
{
    const struct sb_diverse *q = s->p->s;
    size_t row = (size_t)q->d * sizeof *q->x;
    while (s->measured < s->p->count) {
        int64_t count = s->p->count - s->measured;
        s->few.shape[0] = count < BATCH ? count : BATCH;
        for (int64_t i = 0; i < s->few.shape[0]; i++)
            memcpy(s->gathered + i * q->d, q->x + s->p->pick[s->measured + i] * q->d, row);
        q->ops->upload(q->dev, s->few.data, s->gathered, sb_tensor_bytes(&s->few));
        q->ops->nearest(q->dev, &s->x, &s->few, &s->index, &s->distance);
        q->ops->fetch(q->dev, 0, s->distance.data, sb_tensor_bytes(&s->distance));
        const float *distance = q->ops->fetched(q->dev, 0);
        for (int64_t i = 0; i < q->n; i++) s->near[i] = distance[i] < s->near[i] ? distance[i] : s->near[i];
        s->measured += s->few.shape[0];
    }
}

static void draw_pool(struct search *s)
{
    int64_t count = 0;
    for (int64_t i = 0; i < s->p->s->n; i++)
        if (sb_pick_may(s->p, i)) s->all[count++] = (struct far){i, s->near[i]};
    qsort(s->all, (size_t)count, sizeof *s->all, farthest_first);
    s->pool = count < POOL ? count : POOL;
    s->outside = count > POOL ? s->all[POOL].near : -1;
}

/* The place in the pool of the farthest that may be picked; -1: it may be outside. */
static int64_t farthest(const struct search *s)
{
    int64_t best = -1;
    for (int64_t i = 0; i < s->pool; i++)
        if (sb_pick_may(s->p, s->all[i].row) && (best < 0 || s->all[i].near > s->all[best].near)) best = i;
    return best >= 0 && s->all[best].near >= s->outside ? best : -1;
}

/* Whoever is now nearer than the farthest outside can't be picked from this pool, and leaves it. */
static void shrink_pool(struct search *s, int64_t picked)
{
    const struct sb_diverse *q = s->p->s;
    const float *x = q->x + picked * q->d;
    int64_t count = 0;
    for (int64_t i = 0; i < s->pool; i++) {
        float near = sb_distance2(q->x + s->all[i].row * q->d, x, q->d);
        if (near > s->all[i].near) near = s->all[i].near;
        if (near >= s->outside && s->all[i].row != picked) s->all[count++] = (struct far){s->all[i].row, near};
    }
    s->pool = count;
}

static void search(struct search *s)
{
    struct sb_picking *p = s->p;
    for (int64_t i = 0; i < p->s->n; i++) s->near[i] = INFINITY;
    while (p->count < p->want) {
        measure(s);
        draw_pool(s);
        for (int64_t begun = p->count; p->count < p->want && p->count - begun < BATCH;) {
            int64_t place = farthest(s);
            if (place < 0) break;
            int64_t row = s->all[place].row;
            sb_pick_take(p, row);
            shrink_pool(s, row);
        }
    }
}

static struct sb_tensor tensor(enum sb_dtype dtype, int64_t rows, int64_t columns)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = columns ? 2 : 1, .shape = {rows, columns}};
    return t;
}

/* Where the device's memory is the program's, the vectors need no copy. */
int sb_pick_farthest(struct sb_picking *p)
{
    const struct sb_diverse *q = p->s;
    struct search s = {.p = p, .x = tensor(SB_F32, q->n, q->d), .few = tensor(SB_F32, BATCH, q->d),
                       .index = tensor(SB_I32, q->n, 0), .distance = tensor(SB_F32, q->n, 0)};
    struct sb_tensor *t[] = {&s.few, &s.index, &s.distance, &s.x};
    int count = q->ops->host ? 3 : 4, rc = 0;
    for (int i = 0; i < count && !rc; i++)
        if (!(t[i]->data = q->ops->alloc(q->dev, sb_tensor_bytes(t[i]))))
            rc = sb_error("not enough memory to select among %lld vectors", (long long)q->n);
    if (q->ops->host) s.x.data = (void *)(uintptr_t)q->x;
    else if (!rc) q->ops->upload(q->dev, s.x.data, q->x, sb_tensor_bytes(&s.x));
    if (!rc) {
        s.gathered = sb_malloc(sb_tensor_bytes(&s.few));
        s.near = sb_malloc((size_t)q->n * sizeof *s.near);
        s.all = sb_malloc((size_t)q->n * sizeof *s.all);
        search(&s);
        free(s.gathered);
        free(s.near);
        free(s.all);
    }
    for (int i = 0; i < count; i++)
        if (t[i]->data) q->ops->release(q->dev, t[i]->data);
    return rc;
}
