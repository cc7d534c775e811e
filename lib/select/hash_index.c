#include "select/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define PARTS 3
#define FULL 2 /* hashes a bucket, on average, before the buckets are doubled */
#define VISIT 8 /* looking into a bucket costs about as much as comparing so many hashes in a row */

struct sb_hash_index {
    int distance, parts;
    int flips; /* bits that may differ in the part that differs least */
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
    x->parts = distance + 1 < PARTS ? distance + 1 : PARTS;
    x->flips = distance / x->parts;
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

static void compare(const struct sb_hash_index *x, size_t number, uint64_t hash, struct nearest *best)
{
    int distance = __builtin_popcountll(x->hash[number] ^ hash);
    if (distance < best->distance || (distance == best->distance && number < best->number)) {
        best->number = number;
        best->distance = distance;
    }
}

/* The bucket, and those with up to so many of the bits from `bit` on flipped. Bits of the part above the bucket's lead
 * to the same bucket. */
static void visit(const struct sb_hash_index *x, int part, size_t at, int bit, int flips, uint64_t hash,
                  struct nearest *best)
{
    for (uint32_t n = x->head[part][at]; n; n = x->next[part][n - 1]) compare(x, n - 1, hash, best);
    for (int b = bit; flips && b < x->bits[part]; b++)
        visit(x, part, at ^ ((size_t)1 << b), b + 1, flips - 1, hash, best);
}

/* How many buckets a look-up visits. */
static double visits(const struct sb_hash_index *x)
{
    double sum = 0;
    for (int p = 0; p < x->parts; p++) {
        double ways = 1;
        for (int i = 0; i <= x->flips && i <= x->bits[p]; i++) {
            sum += ways;
            ways *= (double)(x->bits[p] - i) / (i + 1);
        }
    }
    return sum;
}

size_t sb_hash_index_find(const struct sb_hash_index *x, uint64_t hash)
{
    struct nearest best = {SIZE_MAX, x->distance}; /* every number is lower, so one at the full distance is taken */
    if (VISIT * visits(x) > (double)x->count) {
        for (size_t i = 0; i < x->count; i++) compare(x, i, hash, &best);
        return best.number;
    }
    for (int p = 0; p < x->parts; p++) visit(x, p, bucket(x, p, hash), 0, x->flips, hash, &best);
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
