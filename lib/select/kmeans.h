/* k-means: k-means++ seeding (Arthur and Vassilvitskii 2007), then Lloyd's iterations until nothing moves. It computes
 * through the op table, on any backend; the result depends on the vectors, the seed and the backend. */
#ifndef SB_SELECT_KMEANS_H
#define SB_SELECT_KMEANS_H

#include <stdint.h>

#include "kernels/ops.h"

struct sb_kmeans {
    /* Given by the caller. */
    const struct sb_ops *ops;
    struct sb_dev *dev;
    int64_t n, d, k; /* vectors, their length, clusters: 1 <= k <= n */
    int iterations;  /* at most so many moves of the centroids */
    uint64_t seed;
    void (*each)(void *arg, int move, double inertia); /* NULL, or called after each assignment */
    void *arg;

    /* The result, owned by the struct. k is lowered where there are fewer different vectors. */
    float *centroid;   /* [k,d] */
    int32_t *index;    /* [n]: the cluster of each vector */
    float *distance;   /* [n]: squared Euclidean, to its centroid */
    int64_t *size;     /* [k] */
    double inertia;    /* sum of distance */
    int moves;         /* of the centroids, made */
    bool converged;    /* the last assignment changed nothing */
};

/* x: n vectors in host memory. -1 with a message where the device has not enough memory. */
int sb_kmeans(struct sb_kmeans *m, const float *x);
void sb_kmeans_free(struct sb_kmeans *m);

#endif
