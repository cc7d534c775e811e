/* Parts of a data set (train, val, test; folds), and who goes where.
 *
 * What belongs together (a group: a dive, a track) goes to one part. Without labels the hash of the group's name alone
 * decides, so that a group falls on the same side whatever else is there. With labels (strata.h) groups are dealt out
 * so that each part gets its share of every label. */
#ifndef SB_SELECT_SPLIT_H
#define SB_SELECT_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* A zeroed one is empty. */
struct sb_parts {
    char **name;   /* [count], owned */
    double *share; /* [count], above 0; they sum to 1 */
    size_t count, cap;
};

/* Text such as "train=0.7,val=0.15,test=0.15": weights are divided by their sum. -1 with a message. */
int sb_parts_parse(struct sb_parts *p, const char *text);
/* k equal parts with the names "0" to "k - 1". */
void sb_parts_folds(struct sb_parts *p, int k);
size_t sb_parts_find(const struct sb_parts *p, const char *name, size_t size); /* SIZE_MAX if there is none */
void sb_parts_free(struct sb_parts *p);

/* A group has two independent draws in one hash: one for its part, one for its fold. */
enum sb_draw { SB_DRAW_PART, SB_DRAW_FOLD };

struct sb_hash sb_split_hash(const char *group, size_t size, uint64_t seed);
/* The draw as a number in [0, 1). */
double sb_split_uniform(struct sb_hash group, enum sb_draw draw);
/* The part that the draw falls in. */
size_t sb_split_pick(const struct sb_parts *p, struct sb_hash group, enum sb_draw draw);

#endif
