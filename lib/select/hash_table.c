#include "select/hash_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Where h is, or where it would go. Open addressing, one step at a time: the hashes are even already. */
static size_t place(const struct sb_hash_table *t, struct sb_hash h)
{
    size_t at = h.lo & (t->nslot - 1);
    while (t->slot[at]) {
        const struct sb_hash *other = &t->hash[t->slot[at] - 1];
        if (other->lo == h.lo && other->hi == h.hi) break;
        at = (at + 1) & (t->nslot - 1);
    }
    return at;
}

static void grow(struct sb_hash_table *t)
{
    free(t->slot);
    t->nslot = t->nslot ? 2 * t->nslot : 64;
    t->slot = sb_calloc(t->nslot, sizeof *t->slot);
    for (size_t i = 0; i < t->count; i++) t->slot[place(t, t->hash[i])] = (uint32_t)(i + 1);
}

size_t sb_hash_table_find(const struct sb_hash_table *t, struct sb_hash h)
{
    if (!t->nslot) return SIZE_MAX;
    uint32_t number = t->slot[place(t, h)];
    return number ? number - 1 : SIZE_MAX;
}

size_t sb_hash_table_add(struct sb_hash_table *t, struct sb_hash h, bool *added)
{
    size_t number = sb_hash_table_find(t, h);
    if (added) *added = number == SIZE_MAX;
    if (number != SIZE_MAX) return number;
    if (t->count >= UINT32_MAX - 1) sb_die("more than 4 billion different items");
    if (4 * (t->count + 1) > 3 * t->nslot) grow(t); /* three quarters full at most */
    SB_GROW(t->hash, t->cap, t->count + 1);
    t->hash[t->count] = h;
    t->slot[place(t, h)] = (uint32_t)++t->count;
    return t->count - 1;
}

void sb_hash_table_free(struct sb_hash_table *t)
{
    free(t->hash);
    free(t->slot);
    memset(t, 0, sizeof *t);
}
