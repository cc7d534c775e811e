/* Picking cluster by cluster. */
#include "select/diverse_inner.h"

struct place {
    int64_t row;
    float distance;
};

static int nearest_first(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

struct size {
    int64_t cluster, size;
};

static int largest_first(const void *a, const void *b)
{
    const struct size *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return x->cluster < y->cluster ? -1 : x->cluster > y->cluster;
}

static void sort_members(struct sb_members *m, const struct sb_diverse *s)
{
    int64_t *next = sb_malloc((size_t)s->k * sizeof *next);
    struct place *place = sb_malloc((size_t)s->n * sizeof *place);
    memcpy(next, m->first, (size_t)s->k * sizeof *next);
    for (int64_t i = 0; i < s->n; i++) place[next[s->cluster[i]]++] = (struct place){i, s->distance[i]};
    for (int64_t j = 0; j < s->k; j++)
        qsort(place + m->first[j], (size_t)(m->first[j + 1] - m->first[j]), sizeof *place, nearest_first);
    for (int64_t i = 0; i < s->n; i++) m->member[i] = place[i].row;
    free(place);
    free(next);
}

void sb_members_init(struct sb_members *m, const struct sb_diverse *s)
{
    struct size *size = sb_calloc((size_t)s->k, sizeof *size);
    m->member = sb_malloc((size_t)s->n * sizeof *m->member);
    m->first = sb_calloc((size_t)s->k + 1, sizeof *m->first);
    m->order = sb_malloc((size_t)s->k * sizeof *m->order);
    for (int64_t i = 0; i < s->n; i++) size[s->cluster[i]].size++;
    for (int64_t j = 0; j < s->k; j++) {
        size[j].cluster = j;
        m->first[j + 1] = m->first[j] + size[j].size;
    }
    sort_members(m, s);
    qsort(size, (size_t)s->k, sizeof *size, largest_first);
    for (m->clusters = 0; m->clusters < s->k && size[m->clusters].size; m->clusters++)
        m->order[m->clusters] = size[m->clusters].cluster;
    free(size);
}

void sb_members_free(struct sb_members *m)
{
    free(m->member);
    free(m->first);
    free(m->order);
}

/* Takes the first that may be picked of a cluster's members from place `at` on; false: there is none. */
static bool give(struct sb_picking *p, const struct sb_members *m, int64_t cluster, int64_t at)
{
    int64_t size = m->first[cluster + 1] - m->first[cluster];
    for (; at < size; at++) {
        int64_t row = m->member[m->first[cluster] + at];
        if (!sb_pick_may(p, row)) continue;
        sb_pick_take(p, row);
        return true;
    }
    return false;
}

/* share[c] of the members of each cluster, at even steps. Where all clusters have one, the smallest gives first: it has
 * the least choice, should groups run out. */
static void give_shares(struct sb_picking *p, const struct sb_members *m, const int64_t *share)
{
    for (int64_t c = 0; c < m->clusters && p->count < p->want; c++) {
        int64_t j = m->order[p->want < m->clusters ? c : m->clusters - 1 - c];
        int64_t size = m->first[j + 1] - m->first[j];
        for (int64_t i = 0; i < share[j] && p->count < p->want; i++) give(p, m, j, i * size / share[j]);
    }
}

void sb_pick_first(struct sb_picking *p, const struct sb_members *m)
{
    for (int64_t c = 0; c < m->clusters && !give(p, m, m->order[c], 0); c++) continue;
}

void sb_pick_medoids(struct sb_picking *p, const struct sb_members *m)
{
    int64_t *share = sb_malloc((size_t)p->s->k * sizeof *share);
    for (int64_t j = 0; j < p->s->k; j++) share[j] = 1;
    give_shares(p, m, share);
    free(share);
}

void sb_pick_turns(struct sb_picking *p, const struct sb_members *m)
{
    for (bool any = true; any && p->count < p->want;) {
        any = false;
        for (int64_t c = 0; c < m->clusters && p->count < p->want; c++) any |= give(p, m, m->order[c], 0);
    }
}

/* By largest remainder (Hamilton): one each, and of the rest what a cluster's size claims. */
void sb_pick_density(struct sb_picking *p, const struct sb_members *m)
{
    int64_t extra = p->want - m->clusters, others = p->s->n - m->clusters, left = extra;
    int64_t *share = sb_malloc((size_t)p->s->k * sizeof *share);
    struct size *rest = sb_malloc((size_t)m->clusters * sizeof *rest);
    for (int64_t c = 0; c < m->clusters; c++) {
        int64_t j = m->order[c], size = m->first[j + 1] - m->first[j];
        double claim = extra > 0 ? (double)extra * (double)(size - 1) / (double)others : 0;
        share[j] = 1 + (int64_t)claim;
        rest[c] = (struct size){j, (int64_t)((claim - (double)(int64_t)claim) * 1e9)};
        left -= (int64_t)claim;
    }
    qsort(rest, (size_t)m->clusters, sizeof *rest, largest_first);
    for (int64_t c = 0; c < m->clusters && left > 0; c++, left--) share[rest[c].cluster]++;
    give_shares(p, m, share);
    free(rest);
    free(share);
}
