#include "select/duplicates.h"

#include <stdlib.h>

#include "base/err.h"

void sb_duplicates_init(struct sb_duplicates *d)
{
    if (d->bits) d->near = sb_hash_index_new(d->bits, d->distance);
}

/* The nearest to any window of the picture, or of its mirror image. */
static struct sb_match find_near(const struct sb_duplicates *d, const struct sb_look *look, size_t limit)
{
    struct sb_match match = {SB_NO_DUPLICATE, SIZE_MAX, d->distance + 1};
    for (int flip = 0; flip <= d->flips; flip++)
        for (int w = 0; w < (d->crops ? SB_PHASH_WINDOWS : 1); w++) {
            struct sb_nearest n = sb_hash_index_find(d->near, flip ? &look->mirrored[w] : &look->hash[w], limit);
            if (n.number == SIZE_MAX || n.distance > match.distance) continue;
            if (n.distance == match.distance && n.number >= match.of) continue;
            match = (struct sb_match){flip ? SB_MIRRORED : SB_NEAR, n.number, n.distance};
        }
    return match;
}

struct sb_match sb_duplicates_find(const struct sb_duplicates *d, const struct sb_look *look, size_t limit)
{
    struct sb_match match = {SB_NO_DUPLICATE, SIZE_MAX, 0};
    size_t same = sb_hash_table_find(&d->exact, look->exact);
    if (same != SIZE_MAX && d->owner[same] < limit) return (struct sb_match){SB_EXACT, d->owner[same], 0};
    if (d->bits) match = find_near(d, look, limit);
    if (match.kind || d->cosine < 0 || !look->embedding) return match;
    match.of = sb_directions_find(&d->embeddings, look->embedding, limit, d->cosine, &match.distance);
    if (match.of != SIZE_MAX) match.kind = SB_ALIKE;
    return match;
}

void sb_duplicates_keep_again(struct sb_duplicates *d, const struct sb_look *look, size_t number)
{
    if (d->cosine >= 0 && look->embedding)
        sb_directions_add(&d->embeddings, look->embedding, look->dim, (uint32_t)number);
}

size_t sb_duplicates_keep(struct sb_duplicates *d, const struct sb_look *look)
{
    bool added;
    size_t same = sb_hash_table_add(&d->exact, look->exact, &added);
    SB_GROW(d->owner, d->owner_cap, same + 1);
    if (added) d->owner[same] = (uint32_t)d->count;
    if (d->bits) sb_hash_index_add(d->near, &look->hash[0]);
    sb_duplicates_keep_again(d, look, d->count);
    return d->count++;
}

void sb_duplicates_free(struct sb_duplicates *d)
{
    sb_hash_table_free(&d->exact);
    sb_hash_index_free(d->near);
    sb_directions_free(&d->embeddings);
    free(d->owner);
    d->owner = NULL;
}
