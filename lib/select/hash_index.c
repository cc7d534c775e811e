#include "select/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define PARTS (SB_HASH_INDEX_DISTANCE / 2 + 1)
#define FULL 4 /* hashes a bucket, on average, before the buckets are doubled */

struct sb_hash_index {
    int distance, parts;
    int first[PARTS + 1]; /* the lowest bit of each part; [parts] is 64 */
    uint64_t *hash;
    size_t count, cap;
    /* For each part a table of 2^bits buckets by its lowest bits, each a chain of numbers + 1, newest first. */
    int bits[PARTS];
    uint32_t *head[PARTS], *next[PARTS]; /* next is by number, as long as hash */
};

static int part_width(const struct sb_hash_index *x, int part)
{
    return x->first[part + 1] - x->first[part];
}

static size_t bucket(const struct sb_hash_index *x, int part, uint64_t hash)
{
    return hash >> x->first[part] & (((uint64_t)1 << x->bits[part]) - 1);
}

static void chain(struct sb_hash_index *x, int part, size_t number)
{
    uint32_t *head = &x->head[part][bucket(x, part, x->hash[number])];
    x->next[part][number] = *head;
    *head = (uint32_t)(number + 1);
}

struct sb_hash_index *sb_hash_index_new(int distance)
{
    struct sb_hash_index *x = sb_calloc(1, sizeof *x);
    x->distance = distance;
    x->parts = distance / 2 + 1;
    for (int p = 0; p <= x->parts; p++) x->first[p] = 64 * p / x->parts;
    for (int p = 0; p < x->parts; p++) {
        x->bits[p] = part_width(x, p) < 8 ? part_width(x, p) : 8;
        x->head[p] = sb_calloc((size_t)1 << x->bits[p], sizeof *x->head[p]);
    }
    return x;
}

/* Doubles a part's buckets while they are full and the part has bits left to tell them apart. */
static void widen(struct sb_hash_index *x, int part)
{
    int bits = x->bits[part];
    while (bits < part_width(x, part) && bits < 31 && x->count > ((size_t)FULL << bits)) bits++;
    if (bits == x->bits[part]) return;
    free(x->head[part]);
    x->bits[part] = bits;
    x->head[part] = sb_calloc((size_t)1 << bits, sizeof *x->head[part]);
    for (size_t i = 0; i < x->count; i++) chain(x, part, i);
}

void sb_hash_index_add(struct sb_hash_index *x, uint64_t hash)
{
    if (x->count >= UINT32_MAX - 1) sb_die("more than 4 billion pictures are kept");
    if (x->count == x->cap) {
        SB_GROW(x->hash, x->cap, x->count + 1);
        for (int p = 0; p < x->parts; p++) x->next[p] = sb_realloc(x->next[p], x->cap, sizeof *x->next[p]);
    }
    x->hash[x->count] = hash;
    for (int p = 0; p < x->parts; p++) chain(x, p, x->count);
    x->count++;
    for (int p = 0; p < x->parts; p++) widen(x, p);
}

struct nearest {
    size_t number;
    int distance;
};

static void search_chain(const struct sb_hash_index *x, int part, size_t at, uint64_t hash, struct nearest *best)
{
    for (uint32_t n = x->head[part][at]; n; n = x->next[part][n - 1]) {
        int distance = __builtin_popcountll(x->hash[n - 1] ^ hash);
        if (distance < best->distance || (distance == best->distance && n - 1 < best->number)) {
            best->number = n - 1;
            best->distance = distance;
        }
    }
}

size_t sb_hash_index_find(const struct sb_hash_index *x, uint64_t hash)
{
    struct nearest best = {SIZE_MAX, x->distance}; /* every number is lower, so one at the full distance is taken */
    for (int p = 0; p < x->parts; p++) {
        size_t at = bucket(x, p, hash);
        search_chain(x, p, at, hash, &best);
        /* A flipped bit above the bucket's stays in the same bucket. */
        for (int b = 0; b < x->bits[p]; b++) search_chain(x, p, at ^ ((size_t)1 << b), hash, &best);
    }
    return best.number;
}

void sb_hash_index_free(struct sb_hash_index *x)
{
    if (!x) return;
    for (int p = 0; p < x->parts; p++) {
        free(x->head[p]);
        free(x->next[p]);
    }
    free(x->hash);
    free(x);
}
