/* How many clusters: a number whose mean silhouette (Rousseeuw 1987) is a peak, where a sample is clustered alone.
 *
 * Tried are 2, 3, 4, 6, 8, 11, 16, ... (the powers of the root of 2) up to a tenth of the sample. The largest
 * silhouette of all (Kaufman and Rousseeuw 1990) is most often that of two clusters, light and dark, which says little.
 * So the highest of those that are larger than both of their neighbours is taken, if it is at least half of the largest
 * of all; without such a peak the largest of all. Then numbers between it and its neighbours are tried, by halving
 * steps. */
#ifndef SB_SELECT_KMEANS_AUTO_H
#define SB_SELECT_KMEANS_AUTO_H

#include "select/kmeans.h"
#include "select/silhouette.h"

/* like: ops, dev, iterations, spherical and seed count. Each number that is tried is told to `tried` (may be NULL).
 * Returns the number, *silhouette its; -1 with a message where the device has not enough memory. */
int64_t sb_kmeans_auto(const struct sb_kmeans *like, const struct sb_sample *s,
                       void (*tried)(void *arg, int64_t k, double silhouette), void *arg, double *silhouette);

#endif
