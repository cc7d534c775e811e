#include "select/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/philox.h"

bool sb_quota_take(struct sb_quota *q, struct sb_hash group)
{
    bool added;
    size_t number = sb_hash_table_add(&q->group, group, &added);
    SB_GROW(q->taken, q->cap, q->group.count);
    if (added) q->taken[number] = 0;
    if (q->taken[number] == q->most) return false;
    q->taken[number]++;
    return true;
}

void sb_quota_free(struct sb_quota *q)
{
    sb_hash_table_free(&q->group);
    free(q->taken);
    memset(q, 0, sizeof *q);
}

/* ---- lots ---- */

struct lot {
    uint64_t lot, index;
};

/* A heap: no lot is above its parent's, so that the greatest is the first, to make room for a lesser one. */
struct sb_lots {
    struct lot *lot;
    size_t count, cap;
};

static bool above(struct lot a, struct lot b) { return a.lot != b.lot ? a.lot > b.lot : a.index > b.index; }

static void push(struct sb_lots *l, struct lot lot)
{
    SB_GROW(l->lot, l->cap, l->count + 1);
    size_t at = l->count++;
    for (; at && above(lot, l->lot[(at - 1) / 2]); at = (at - 1) / 2) l->lot[at] = l->lot[(at - 1) / 2];
    l->lot[at] = lot;
}

static void replace_first(struct sb_lots *l, struct lot lot)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < l->count; at = child) {
        if (child + 1 < l->count && above(l->lot[child + 1], l->lot[child])) child++;
        if (!above(l->lot[child], lot)) break;
        l->lot[at] = l->lot[child];
    }
    l->lot[at] = lot;
}

void sb_lottery_offer(struct sb_lottery *l, struct sb_hash group, uint64_t index)
{
    bool added;
    size_t number = sb_hash_table_add(&l->group, group, &added);
    SB_GROW(l->lots, l->cap, l->group.count);
    if (added) l->lots[number] = (struct sb_lots){0};
    struct sb_philox p = sb_philox(l->seed, (uint32_t)index, (uint32_t)(index >> 32), 0, 0);
    struct lot lot = {(uint64_t)p.w[0] << 32 | p.w[1], index};
    struct sb_lots *lots = &l->lots[number];
    l->offered++;
    if (lots->count < l->most)
        push(lots, lot);
    else if (above(lots->lot[0], lot))
        replace_first(lots, lot);
}

static int by_index(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

uint64_t *sb_lottery_draw(const struct sb_lottery *l, size_t *count)
{
    size_t n = 0;
    for (size_t g = 0; g < l->group.count; g++) n += l->lots[g].count;
    uint64_t *index = sb_calloc(n + 1, sizeof *index);
    *count = 0;
    for (size_t g = 0; g < l->group.count; g++)
        for (size_t i = 0; i < l->lots[g].count; i++) index[(*count)++] = l->lots[g].lot[i].index;
    qsort(index, n, sizeof *index, by_index);
    return index;
}

void sb_lottery_free(struct sb_lottery *l)
{
    for (size_t g = 0; g < l->group.count; g++) free(l->lots[g].lot);
    free(l->lots);
    sb_hash_table_free(&l->group);
    memset(l, 0, sizeof *l);
}
