#include "select/diverse.h"

#include "select/diverse_inner.h"

struct group {
    int64_t number, size;
};

static int smallest_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* What the small groups can't give is shared by the larger ones. */
static int64_t *share_out(const struct sb_diverse *s, int64_t want)
{
    int64_t *left = sb_calloc((size_t)s->groups, sizeof *left);
    struct group *g = sb_calloc((size_t)s->groups, sizeof *g);
    for (int64_t j = 0; j < s->groups; j++) g[j].number = j;
    for (int64_t i = 0; i < s->n; i++) g[s->group[i]].size++;
    qsort(g, (size_t)s->groups, sizeof *g, smallest_first);
    for (int64_t j = 0; j < s->groups; j++) {
        int64_t share = want / (s->groups - j);
        if (share > g[j].size) share = g[j].size;
        left[g[j].number] = share;
        want -= share;
    }
    free(g);
    return left;
}

int sb_diverse(const struct sb_diverse *s, int64_t want, bool *keep)
{
    struct sb_picking p = {.s = s, .keep = keep, .want = want < s->n ? want : s->n};
    struct sb_members m;
    int rc = 0;
    memset(keep, 0, (size_t)s->n * sizeof *keep);
    if (!p.want) return 0;
    p.pick = sb_malloc((size_t)p.want * sizeof *p.pick);
    if (s->group) p.left = share_out(s, p.want);
    sb_members_init(&m, s);
    switch (s->pick) {
    case SB_PICK_DENSITY: sb_pick_density(&p, &m); break;
    case SB_PICK_CENTRE: sb_pick_first(&p, &m); break;
    case SB_PICK_MEDOIDS:
    case SB_PICK_MIX: sb_pick_medoids(&p, &m); break;
    }
    if (s->pick == SB_PICK_MIX || s->pick == SB_PICK_CENTRE) rc = sb_pick_farthest(&p);
    else sb_pick_turns(&p, &m);
    sb_members_free(&m);
    free(p.left);
    free(p.pick);
    return rc;
}
