/* How well clusters hold together and apart: the silhouette (Rousseeuw 1987) of a vector is (b - a) / max(a, b), where
 * a is its mean distance from the others of its cluster and b that from the nearest other cluster's; 0 where it is
 * alone in its cluster. It needs all pairs, so it is taken of a sample, exactly. */
#ifndef SB_SELECT_SILHOUETTE_H
#define SB_SELECT_SILHOUETTE_H

#include <stdbool.h>
#include <stdint.h>

#define SB_SILHOUETTE_SAMPLE 2000

struct sb_sample {
    int64_t n, d;
    int64_t *row; /* [n], owned: rows of the whole, upwards */
    float *x;     /* [n,d], owned: these rows */
    float *apart; /* [n,n], owned: the distance of each two */
};

/* At most SB_SILHOUETTE_SAMPLE of n rows, without replacement. Distances are Euclidean, or, of rows of length 1,
 * cosine: 1 - their product. So many threads; the same for any. */
void sb_sample_draw(struct sb_sample *s, const float *x, int64_t n, int64_t d, bool cosine, uint64_t seed, int jobs);
void sb_sample_free(struct sb_sample *s);

/* The mean silhouette of the sample. cluster: of the sample's vectors, 0 .. k - 1. 0 where fewer than two are there. */
double sb_silhouette(const struct sb_sample *s, const int32_t *cluster, int64_t k);

#endif
