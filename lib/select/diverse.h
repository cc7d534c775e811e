/* A diverse few of many: spread over clusters, and within a cluster over what it holds. */
#ifndef SB_SELECT_DIVERSE_H
#define SB_SELECT_DIVERSE_H

#include <stdbool.h>
#include <stdint.h>

/* Sets keep[i] for `want` of the n vectors x [n,d] (all of them where want >= n). Clusters take turns, the largest
 * first. A cluster gives first the vector nearest to its centroid, then each time the one that is farthest from those
 * it gave already. So no cluster is left out while want is at least their number. */
void sb_diverse(const float *x, int64_t n, int64_t d, const int32_t *cluster, const float *distance, int64_t k,
                int64_t want, bool *keep);

#endif
