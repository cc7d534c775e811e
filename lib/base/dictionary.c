#include "base/dictionary.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/err.h"

/* The slot that holds this text, or the empty one where it belongs. */
static size_t slot_of(const struct sb_dictionary *d, const char *text, size_t size)
{
    size_t mask = d->slots - 1, at = XXH3_64bits(text, size) & mask;
    while (d->slot[at]) {
        const char *have = d->text[d->slot[at] - 1];
        if (strlen(have) == size && !memcmp(have, text, size)) break;
        at = (at + 1) & mask;
    }
    return at;
}

static void grow(struct sb_dictionary *d)
{
    free(d->slot);
    d->slots = d->slots ? 2 * d->slots : 64;
    d->slot = sb_calloc(d->slots, sizeof *d->slot);
    for (size_t i = 0; i < d->count; i++) d->slot[slot_of(d, d->text[i], strlen(d->text[i]))] = (uint32_t)i + 1;
}

uint32_t sb_dictionary_add(struct sb_dictionary *d, const char *text, size_t size)
{
    if (2 * (d->count + 1) > d->slots) grow(d);
    size = strnlen(text, size);
    size_t at = slot_of(d, text, size);
    if (!d->slot[at]) {
        SB_GROW(d->text, d->cap, d->count + 1);
        d->text[d->count++] = sb_strndup(text, size);
        d->slot[at] = (uint32_t)d->count;
    }
    return d->slot[at] - 1;
}

int64_t sb_dictionary_find(const struct sb_dictionary *d, const char *text, size_t size)
{
    if (!d->slots) return -1;
    return (int64_t)d->slot[slot_of(d, text, size)] - 1;
}

static int by_text(const void *a, const void *b, void *text)
{
    return strcmp(((char **)text)[*(const uint32_t *)a], ((char **)text)[*(const uint32_t *)b]);
}

uint32_t *sb_dictionary_order(const struct sb_dictionary *d)
{
    uint32_t *order = sb_calloc(d->count + 1, sizeof *order);
    for (size_t i = 0; i < d->count; i++) order[i] = (uint32_t)i;
    if (d->count) qsort_r(order, d->count, sizeof *order, by_text, d->text);
    return order;
}

void sb_dictionary_free(struct sb_dictionary *d)
{
    for (size_t i = 0; i < d->count; i++) free(d->text[i]);
    free(d->text);
    free(d->slot);
    memset(d, 0, sizeof *d);
}
