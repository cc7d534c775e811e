/* What the ways to pick share. */
#ifndef SB_SELECT_DIVERSE_INNER_H
#define SB_SELECT_DIVERSE_INNER_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "select/diverse.h"

struct sb_picking {
    const struct sb_diverse *s;
    bool *keep;
    int64_t want, count;
    int64_t *pick; /* [want]: those picked, in order */
    int64_t *left; /* [groups]: how many each may still give; NULL without groups */
};

static inline bool sb_pick_may(const struct sb_picking *p, int64_t i)
{
    return !p->keep[i] && (!p->left || p->left[p->s->group[i]] > 0);
}

static inline void sb_pick_take(struct sb_picking *p, int64_t i)
{
    p->keep[i] = true;
    p->pick[p->count++] = i;
    if (p->left) p->left[p->s->group[i]]--;
}

/* The members of each cluster from its centroid outwards, and the clusters from the largest on. */
struct sb_members {
    int64_t *member; /* [n] */
    int64_t *first;  /* [k + 1]: where each cluster's begin */
    int64_t *order;  /* [k]: clusters that are not empty */
    int64_t clusters;
};

void sb_members_init(struct sb_members *m, const struct sb_diverse *s);
void sb_members_free(struct sb_members *m);

/* The medoid of the largest cluster that may give. */
void sb_pick_first(struct sb_picking *p, const struct sb_members *m);
/* Each cluster gives a medoid; where not all can, the largest do. */
void sb_pick_medoids(struct sb_picking *p, const struct sb_members *m);
/* Clusters take turns until all that are wanted are picked. */
void sb_pick_turns(struct sb_picking *p, const struct sb_members *m);
/* Clusters give their shares, at least one each. */
void sb_pick_density(struct sb_picking *p, const struct sb_members *m);
/* The farthest from those picked, until all that are wanted are. At least one is picked. */
int sb_pick_farthest(struct sb_picking *p);

#endif
