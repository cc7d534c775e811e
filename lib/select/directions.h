/* Embeddings by their directions alone: which kept one is nearest, by cosine distance (1 minus the cosine).
 *
 * Each look-up compares with every one that is kept, so its cost grows with them: exact, and for 100,000 of 384 numbers
 * what reading 154 MB takes. Memory: 4 bytes a number, and 4. Distances are the same bits on every machine. */
#ifndef SB_SELECT_DIRECTIONS_H
#define SB_SELECT_DIRECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed one is valid and empty; the first that is added says how long all are. */
struct sb_directions {
    size_t dim, count, cap, owner_cap;
    float *vector;   /* [count][dim padded to 8] of length 1 */
    uint32_t *owner; /* [count] */
};

/* Brings v to length 1. False if it has none that is finite. */
bool sb_direction_make(float *v, size_t dim);
void sb_directions_add(struct sb_directions *d, const float *v, size_t dim, uint32_t owner);
/* The owner of the nearest one with an owner below `limit`, the first of equals, and its distance; SIZE_MAX if none is
 * within `most`. */
size_t sb_directions_find(const struct sb_directions *d, const float *v, size_t limit, double most, double *distance);
void sb_directions_free(struct sb_directions *d); /* and zeroes it */

#endif
