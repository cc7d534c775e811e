/* The choice for a group that holds n(l) records of each label l: the part p that makes the sum over labels of
 * (have(p,l) - share(p) total(l))^2 / (share(p) total(l)) lowest, which is Pearson's chi-squared distance between what
 * the parts have and what they should. All records count as one more label, so that parts also get their share of
 * records. */
#include "select/strata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct sb_tally {
    uint32_t label; /* number + 1; 0 stands for any record */
    uint32_t next;  /* of the same group, + 1 */
    uint64_t count;
};

static void tally(struct sb_strata *s, size_t group, uint32_t label)
{
    for (uint32_t t = s->first[group]; t; t = s->tally[t - 1].next)
        if (s->tally[t - 1].label == label) {
            s->tally[t - 1].count++;
            return;
        }
    SB_GROW(s->tally, s->cap, s->ntally + 1);
    s->tally[s->ntally] = (struct sb_tally){label, s->first[group], 1};
    s->first[group] = (uint32_t)++s->ntally;
}

size_t sb_strata_add(struct sb_strata *s, struct sb_hash hash)
{
    bool added;
    size_t group = sb_hash_table_add(&s->group, hash, &added);
    SB_GROW(s->first, s->first_cap, s->group.count);
    if (added) s->first[group] = 0;
    tally(s, group, 0);
    return group;
}

void sb_strata_add_label(struct sb_strata *s, size_t group, const char *label, size_t size)
{
    tally(s, group, sb_dictionary_add(&s->label, label, size) + 1);
}

/* Groups and labels are sorted by what they are, not by when they came: sums in another order could tip a tie. */
struct order {
    struct sb_hash hash;
    uint32_t group;
};

static int by_hash(const void *a, const void *b)
{
    const struct sb_hash *x = &((const struct order *)a)->hash, *y = &((const struct order *)b)->hash;
    if (x->hi != y->hi) return x->hi < y->hi ? -1 : 1;
    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static struct order *sort_groups(const struct sb_strata *s, enum sb_draw draw)
{
    struct order *order = sb_calloc(s->group.count + 1, sizeof *order);
    for (size_t i = 0; i < s->group.count; i++) {
        struct sb_hash h = s->group.hash[i];
        order[i].hash = draw == SB_DRAW_PART ? h : (struct sb_hash){h.lo, h.hi};
        order[i].group = (uint32_t)i;
    }
    qsort(order, s->group.count, sizeof *order, by_hash);
    return order;
}

struct name {
    const char *text;
    uint32_t label;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

/* rank[label] by text; 0 stays 0. */
static uint32_t *rank_labels(const struct sb_strata *s)
{
    struct name *name = sb_calloc(s->label.count + 1, sizeof *name);
    uint32_t *rank = sb_calloc(s->label.count + 1, sizeof *rank);
    for (size_t i = 0; i < s->label.count; i++) name[i] = (struct name){s->label.text[i], (uint32_t)i + 1};
    qsort(name, s->label.count, sizeof *name, by_text);
    for (size_t i = 0; i < s->label.count; i++) rank[name[i].label] = (uint32_t)i + 1;
    free(name);
    return rank;
}

struct share {
    uint32_t rank;
    uint64_t count;
};

static int by_rank(const void *a, const void *b)
{
    uint32_t x = ((const struct share *)a)->rank, y = ((const struct share *)b)->rank;
    return x < y ? -1 : x > y;
}

/* What giving these records to the part adds to the chi-squared distance. */
static double cost(const struct share *give, size_t n, const double *have, const double *total, double share)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double want = share * total[give[i].rank], more = (double)give[i].count;
        sum += more * (2 * (have[give[i].rank] - want) + more) / want;
    }
    return sum;
}

void sb_strata_assign(struct sb_strata *s, const struct sb_parts *parts, enum sb_draw draw, uint32_t *part)
{
    size_t labels = s->label.count + 1;
    struct order *order = sort_groups(s, draw);
    uint32_t *rank = rank_labels(s);
    double *total = sb_calloc(labels, sizeof *total);
    double *have = sb_calloc(labels * parts->count, sizeof *have);
    struct share *give = sb_calloc(labels, sizeof *give);

    for (size_t t = 0; t < s->ntally; t++) total[rank[s->tally[t].label]] += (double)s->tally[t].count;
    for (size_t i = 0; i < s->group.count; i++) {
        size_t n = 0, best = 0;
        for (uint32_t t = s->first[order[i].group]; t; t = s->tally[t - 1].next)
            give[n++] = (struct share){rank[s->tally[t - 1].label], s->tally[t - 1].count};
        qsort(give, n, sizeof *give, by_rank);
        double lowest = INFINITY;
        for (size_t p = 0; p < parts->count; p++) {
            double c = cost(give, n, have + p * labels, total, parts->share[p]);
            if (c < lowest) {
                lowest = c;
                best = p;
            }
        }
        part[order[i].group] = (uint32_t)best;
        for (size_t j = 0; j < n; j++) have[best * labels + give[j].rank] += (double)give[j].count;
    }
    free(give);
    free(have);
    free(total);
    free(rank);
    free(order);
}

void sb_strata_free(struct sb_strata *s)
{
    sb_hash_table_free(&s->group);
    sb_dictionary_free(&s->label);
    free(s->tally);
    free(s->first);
    memset(s, 0, sizeof *s);
}
