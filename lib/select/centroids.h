/* Centroids in a file of their own, so that later streams fall into the same clusters: a SeaBot stream with one record
 * a cluster, `cluster` (int), `size` (int: records of the stream it was made of) and `centroid` (f32 [D]). The header's
 * `centroids` says their metric and what the vectors are, its history which model made them. */
#ifndef SB_SELECT_CENTROIDS_H
#define SB_SELECT_CENTROIDS_H

#include "select/kmeans.h"
#include "select/vectors.h"

struct sb_centroids {
    int64_t k, d;
    float *c; /* [k,d], owned */
    size_t cap;
    bool spherical, embedded;
    char model[33]; /* of the embeddings; "" where it is unknown */
};

/* -1 with a message. */
int sb_centroids_read(struct sb_centroids *c, const char *path);
/* Whether vectors of that stream can be compared with them; -1 with a message. */
int sb_centroids_suit(const struct sb_centroids *c, const struct sb_vectors *v, struct sb_record *header);
void sb_centroids_free(struct sb_centroids *c);

/* Writes m's; out's header must be written here. */
void sb_centroids_write(struct sb_writer *out, const struct sb_kmeans *m, const struct sb_vectors *v,
                        const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args);

#endif
