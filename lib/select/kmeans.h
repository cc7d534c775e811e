/* k-means: seeding by k-means|| (Bahmani et al. 2012), then Lloyd's iterations, or those of mini-batches (Sculley
 * 2010). Where there are many vectors a cluster, it begins with a part of them. Euclidean, or spherical (Dhillon and
 * Modha 2001): rows of length 1, and centroids that are scaled to it. It computes through the op table, on any backend;
 * the result depends on the vectors, the seed and the backend. */
#ifndef SB_SELECT_KMEANS_H
#define SB_SELECT_KMEANS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/ops.h"

/* At rest: an iteration that lowers the inertia by less than this share of it is the last. */
#define SB_KMEANS_REST 5e-4

struct sb_kmeans {
    /* Given by the caller. */
    const struct sb_ops *ops;
    struct sb_dev *dev;
    int64_t n, d, k;   /* vectors, their length, clusters: 1 <= k, and k <= n where they are to be seeded */
    int iterations;    /* passes through the vectors, at most, in which centroids move; 0: none moves */
    int64_t batch;     /* 0, or vectors in a mini-batch: then the device holds two of them, not all vectors */
    bool spherical;
    uint64_t seed;
    const float *init; /* NULL, or the centroids [k,d] to start from */
    bool empty_stay;   /* a centroid that no vector is nearest to stays where it is; else it moves to one that is far off */
    void (*each)(void *arg, int pass, double inertia); /* NULL, or called after each pass */
    void *arg;

    /* The result, owned by the struct. k is lowered where there are fewer different vectors to seed with. */
    float *centroid;   /* [k,d] */
    int32_t *index;    /* [n]: the cluster of each vector */
    float *distance;   /* [n]: squared Euclidean, to its centroid */
    int64_t *size;     /* [k] */
    double inertia;    /* sum of distance */
    int passes;        /* in which centroids moved */
    bool converged;    /* they came to rest */
};

/* x: n vectors in host memory, sums of whose squares are finite. -1 with a message where the device has not enough
 * memory. */
int sb_kmeans(struct sb_kmeans *m, const float *x);
void sb_kmeans_free(struct sb_kmeans *m);

#endif
