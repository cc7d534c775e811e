/* What records are compared by: one vector each, all of one length, in memory (4 bytes a number).
 *
 * A record's vector is its field `embedding`; where the first record has none, a thumbnail of its `image`, 16 x 16
 * pixels with values from 0 to 1, which tells light and layout apart, not animals. */
#ifndef SB_SELECT_VECTORS_H
#define SB_SELECT_VECTORS_H

#include "base/dictionary.h"
#include "select/group.h"
#include "stream/stream.h"

#define SB_VECTOR_MOST 1e15f /* numbers beyond are refused: sums of their squares might not be finite */

struct sb_vectors {
    bool embedded;  /* fields `embedding`, not thumbnails */
    int64_t n, d;   /* vectors, numbers in each */
    float *x;       /* [n,d], owned */
    int32_t *group; /* [n], owned: the number of each record's group in `groups`; NULL where none was asked for */
    struct sb_dictionary groups;
};

/* Reads the vectors of a whole stream (sb_filter_open_whole) with so many threads; per may be NULL. A record that
 * lacks what is needed ends the program with one line. */
void sb_vectors_read(struct sb_vectors *v, struct sb_filter *filter, const struct sb_group_by *per, int jobs);
void sb_vectors_free(struct sb_vectors *v);
/* "embedding" or "thumbnail" */
const char *sb_vectors_kind(const struct sb_vectors *v);

/* Scales each of the n rows to length 1; rows of zeros stay as they are. */
void sb_rows_normalise(float *x, int64_t n, int64_t d);

/* The XXH3-128, as 32 hex digits, of the model that the stream's embeddings are of, from its history; false: unknown.
 */
bool sb_vectors_model(struct sb_record *header, char hash[33]);

#endif
