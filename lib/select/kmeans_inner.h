/* What the files of k-means share. */
#ifndef SB_SELECT_KMEANS_INNER_H
#define SB_SELECT_KMEANS_INNER_H

#include "base/rng.h"
#include "select/kmeans.h"

enum { SB_KMEANS_INDEX, SB_KMEANS_DISTANCE }; /* slots that results are fetched to */

static inline struct sb_tensor sb_kmeans_vector(enum sb_dtype dtype, int64_t n)
{
    return (struct sb_tensor){.dtype = dtype, .ndim = 1, .shape = {n}};
}

static inline struct sb_tensor sb_kmeans_matrix(int64_t rows, int64_t columns)
{
    return (struct sb_tensor){.dtype = SB_F32, .ndim = 2, .shape = {rows, columns}};
}

/* Takes device memory for each of the tensors; -1 with a message, and what was taken is still to be released. */
int sb_kmeans_take(const struct sb_kmeans *m, struct sb_tensor *const *t, int count);
void sb_kmeans_release(const struct sb_kmeans *m, struct sb_tensor *const *t, int count);

/* Chooses up to m->k of the `rows` vectors x, which lie on the device in `on_device` too, into m->centroid; lowers m->k
 * where there are fewer different ones. index, distance: [rows], device memory to work in. */
int sb_kmeans_seed(struct sb_kmeans *m, const float *x, const struct sb_tensor *on_device,
                   const struct sb_tensor *index, const struct sb_tensor *distance);

/* Mini-batches: from the seeds to centroids in m->centroid, then to the clusters of all vectors. */
int sb_kmeans_batch(struct sb_kmeans *m, const float *x);

/* m->size and m->inertia, from m->index and m->distance. */
void sb_kmeans_count(struct sb_kmeans *m);
/* A cluster is empty that may not be. */
bool sb_kmeans_wants_mending(const struct sb_kmeans *m);
/* Gives each empty cluster the vector that lies farthest from its own centroid, where one lies apart from it. */
void sb_kmeans_mend(struct sb_kmeans *m);

#endif
