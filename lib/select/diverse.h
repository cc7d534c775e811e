/* A few of many vectors, by what they are to be: as different as they come, typical, or in proportion. */
#ifndef SB_SELECT_DIVERSE_H
#define SB_SELECT_DIVERSE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/ops.h"

enum sb_pick {
    SB_PICK_MIX,     /* each cluster's medoid, the vector nearest to its centroid, then as CENTRE: none is left out */
    SB_PICK_MEDOIDS, /* clusters take turns, each gives the vector nearest to its centroid that it still has */
    SB_PICK_CENTRE,  /* the medoid of the largest cluster, then each time the vector that is farthest from those picked
                      */
    SB_PICK_DENSITY  /* clusters give in proportion to their size, at even steps from their centroid outwards */
};

struct sb_diverse {
    const struct sb_ops *ops; /* distances are computed through it */
    struct sb_dev *dev;
    const float *x; /* [n,d], host */
    int64_t n, d, k;
    const int32_t *cluster; /* [n], 0 .. k - 1 */
    const float *distance;  /* [n]: from its centroid, in any measure that grows with it */
    const int32_t *group;   /* [n], 0 .. groups - 1, or NULL; groups give equally many, as far as they have them */
    int64_t groups;
    enum sb_pick pick;
};

/* Sets keep[i] for `want` of the vectors, all of them where want >= n. With at least k wanted no cluster is left out
 * but by CENTRE, as far as the groups' shares allow; with fewer, the smallest are. -1 with a message where the device
 * has not enough memory.
 *
 * CENTRE is Gonzalez's greedy algorithm (1985): the largest distance of any vector from the nearest one picked is at
 * most twice the least that is possible. */
int sb_diverse(const struct sb_diverse *s, int64_t want, bool *keep);

#endif
