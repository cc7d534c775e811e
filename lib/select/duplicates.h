/* Which pictures were there already: first the same bytes, then nearly the same bits of a perceptual hash, then, where
 * asked, embeddings that point nearly the same way. Kept pictures are numbered in the order in which they were kept. */
#ifndef SB_SELECT_DUPLICATES_H
#define SB_SELECT_DUPLICATES_H

#include "select/directions.h"
#include "select/hash_index.h"
#include "select/hash_table.h"

struct sb_duplicates {
    int bits;          /* of perceptual hashes, 64 or 256; 0: exact duplicates only */
    int distance;      /* bits */
    bool flips, crops; /* mirrored copies, and copies that lack up to 5 % at the edges, are looked for, too */
    double cosine;     /* the largest distance of embeddings; below 0: they are not compared */

    struct sb_hash_table exact;
    uint32_t *owner;   /* by the number in `exact`: the picture's */
    size_t owner_cap, count; /* count: of kept pictures */
    struct sb_hash_index *near;
    struct sb_directions embeddings;
};

/* A picture as it is compared. */
struct sb_look {
    struct sb_hash exact;
    struct sb_phash hash[SB_PHASH_WINDOWS]; /* one, or with crops all */
    struct sb_phash mirrored[SB_PHASH_WINDOWS]; /* with flips as many */
    const float *embedding;                 /* of length 1; NULL if it has none */
    size_t dim;
};

enum sb_duplicate_kind { SB_NO_DUPLICATE, SB_EXACT, SB_NEAR, SB_MIRRORED, SB_ALIKE };

struct sb_match {
    enum sb_duplicate_kind kind;
    size_t of;       /* the kept picture's number */
    double distance; /* bits; of embeddings the cosine distance; 0 of exact ones */
};

/* The first fields are set, the others zero. */
void sb_duplicates_init(struct sb_duplicates *d);
/* What the picture repeats among those kept with numbers below `limit`. */
struct sb_match sb_duplicates_find(const struct sb_duplicates *d, const struct sb_look *look, size_t limit);
size_t sb_duplicates_keep(struct sb_duplicates *d, const struct sb_look *look); /* its number */
/* The same for a picture whose hashes were kept before, without its embedding, as that number. */
void sb_duplicates_keep_again(struct sb_duplicates *d, const struct sb_look *look, size_t number);
void sb_duplicates_free(struct sb_duplicates *d);

#endif
