#include "select/hash_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define PARTS_A_WORD 3
#define PARTS (PARTS_A_WORD * SB_PHASH_WORDS)
#define RECENT 8192 /* hashes that are gone through before they become a segment */
#define GROWTH 4    /* a segment is at least so many times as long as the one behind it */
#define SEGMENTS 16
#define FULL 8      /* hashes a bucket at most, on average: a cache line of words */
#define VISIT 16    /* looking into a bucket costs about as much as comparing so many hashes in a row */
#define AHEAD 32    /* buckets whose memory is asked for at once */

/* The hashes of a segment in order of one part: bucket b's are those from start[b] to start[b + 1]. */
struct part {
    int bits; /* the lowest of the part's bits are the bucket's number */
    uint32_t *start;
    uint64_t *word;   /* the 64 bits that the part lies in */
    uint32_t *number; /* whose they are */
};

struct segment {
    size_t first, count;
    double visits; /* buckets that a look-up looks into */
    struct part part[PARTS];
};

struct sb_hash_index {
    int words, distance, parts;
    int flips[PARTS]; /* bits of a part that may differ */
    uint64_t *hash;   /* by number, `words` each */
    size_t count, cap, indexed; /* of hashes; cap is of words; the first `indexed` are in segments */
    struct segment segment[SEGMENTS];
    int segments;
};

static int part_first(int part) { return 64 * (part % PARTS_A_WORD) / PARTS_A_WORD; }
static int part_width(int part) { return 64 * (part % PARTS_A_WORD + 1) / PARTS_A_WORD - part_first(part); }

static size_t bucket(const struct part *p, int part, uint64_t word)
{
    return word >> part_first(part) & (((uint64_t)1 << p->bits) - 1);
}

struct sb_hash_index *sb_hash_index_new(int bits, int distance)
{
    struct sb_hash_index *x = sb_calloc(1, sizeof *x);
    x->words = bits / 64;
    x->distance = distance;
    /* If every part differed in more than its share, all would differ in more than the distance. A part that needs not
     * even be equal is not kept. */
    int parts = PARTS_A_WORD * x->words;
    x->parts = distance + 1 < parts ? distance + 1 : parts;
    for (int p = 0; p < x->parts; p++) x->flips[p] = distance / parts - (p > distance % parts);
    return x;
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static double ways(int bits, int flips)
{
    double sum = 0, term = 1;
    for (int i = 0; i <= flips && i <= bits; i++) {
        sum += term;
        term *= (double)(bits - i) / (i + 1);
    }
    return sum;
}

static void fill_part(const struct sb_hash_index *x, const struct segment *s, int part, struct part *p)
{
    const uint64_t *hash = x->hash + s->first * (size_t)x->words + part / PARTS_A_WORD;
    for (p->bits = 1; p->bits < part_width(part) && s->count > ((size_t)FULL << p->bits);) p->bits++;
    size_t buckets = (size_t)1 << p->bits;
    p->start = sb_calloc(buckets + 2, sizeof *p->start);
    p->word = sb_malloc(s->count * sizeof *p->word);
    p->number = sb_malloc(s->count * sizeof *p->number);
    uint32_t *next = p->start + 1; /* where bucket b's next one goes, after which it is where b + 1 starts */
    for (size_t i = 0; i < s->count; i++) next[bucket(p, part, hash[i * (size_t)x->words]) + 1]++;
    for (size_t b = 1; b <= buckets; b++) next[b] += next[b - 1];
    for (size_t i = 0; i < s->count; i++) {
        uint64_t word = hash[i * (size_t)x->words];
        uint32_t at = next[bucket(p, part, word)]++;
        p->word[at] = word;
        p->number[at] = (uint32_t)(s->first + i);
    }
}

static void free_segment(struct segment *s)
{
    for (int p = 0; p < PARTS; p++) {
        free(s->part[p].start);
        free(s->part[p].word);
        free(s->part[p].number);
    }
    *s = (struct segment){0};
}

static void add_segment(struct sb_hash_index *x)
{
    struct segment new = {.first = x->indexed, .count = x->count - x->indexed};
    for (; x->segments && x->segment[x->segments - 1].count < GROWTH * new.count; x->segments--) {
        struct segment *last = &x->segment[x->segments - 1];
        new.first = last->first;
        new.count += last->count;
        free_segment(last);
    }
    for (int p = 0; p < x->parts; p++) {
        fill_part(x, &new, p, &new.part[p]);
        new.visits += ways(new.part[p].bits, x->flips[p]);
    }
    x->segment[x->segments++] = new;
    x->indexed = x->count;
}

void sb_hash_index_add(struct sb_hash_index *x, const struct sb_phash *hash)
{
    size_t words = (size_t)x->words;
    if (x->count >= UINT32_MAX - 1) sb_die("more than 4 billion pictures are kept");
    SB_GROW(x->hash, x->cap, (x->count + 1) * words);
    memcpy(x->hash + x->count++ * words, hash->word, words * sizeof *x->hash);
    if (x->count - x->indexed == RECENT) add_segment(x);
}

/* ---- looking up -------------------------------------------------------------------------------------------------- */

struct look {
    const struct sb_hash_index *x;
    const uint64_t *hash;
    size_t limit;
    struct sb_nearest best; /* at the start none, and one bit too far */
    const struct part *part;
    uint64_t word;           /* the hash's, that the part lies in */
    size_t ahead[AHEAD];     /* buckets to be looked into */
    int waiting;
};

static inline __attribute__((always_inline)) void compare(struct look *l, size_t number, uint64_t differ)
{
    const struct sb_hash_index *x = l->x;
    int distance = __builtin_popcountll(differ);
    if (distance > l->best.distance) return;
    if (x->words > 1) {
        const uint64_t *other = x->hash + number * (size_t)x->words;
        distance = 0;
        for (int w = 0; w < x->words; w++) distance += __builtin_popcountll(other[w] ^ l->hash[w]);
    }
    if (number >= l->limit) return;
    if (distance > l->best.distance || (distance == l->best.distance && number >= l->best.number)) return;
    l->best = (struct sb_nearest){number, distance};
}

static inline __attribute__((always_inline)) void scan(struct look *l, size_t first, size_t end)
{
    const uint64_t *hash = l->x->hash;
    size_t words = (size_t)l->x->words;
    if (end > l->limit) end = l->limit;
    for (size_t i = first; i < end; i++) compare(l, i, hash[i * words] ^ l->hash[0]);
}

/* First the buckets' bounds are fetched, all at once, then their words. */
static inline __attribute__((always_inline)) void look_into(struct look *l)
{
    const struct part *p = l->part;
    for (int i = 0; i < l->waiting; i++) __builtin_prefetch(&p->word[p->start[l->ahead[i]]]);
    for (int i = 0; i < l->waiting; i++) {
        uint32_t end = p->start[l->ahead[i] + 1];
        for (uint32_t at = p->start[l->ahead[i]]; at < end; at++)
            if (__builtin_popcountll(p->word[at] ^ l->word) <= l->best.distance)
                compare(l, p->number[at], p->word[at] ^ l->word);
    }
    l->waiting = 0;
}

/* What counts bits is compiled twice, as a processor has an instruction for it or not. */
static void scan_any(struct look *l, size_t first, size_t end) { scan(l, first, end); }
static void look_into_any(struct look *l) { look_into(l); }
#ifdef __x86_64__
__attribute__((target("popcnt"))) static void scan_popcnt(struct look *l, size_t first, size_t end)
{
    scan(l, first, end);
}
__attribute__((target("popcnt"))) static void look_into_popcnt(struct look *l) { look_into(l); }
#define BEST(f) (__builtin_cpu_supports("popcnt") ? f##_popcnt : f##_any)
#else
#define BEST(f) f##_any
#endif

/* The bucket, and those with up to so many of the bits from `bit` on flipped. Bits of the part above the bucket's lead
 * to the same bucket. */
static void visit(struct look *l, size_t at, int bit, int flips)
{
    __builtin_prefetch(&l->part->start[at]);
    l->ahead[l->waiting++] = at;
    if (l->waiting == AHEAD) BEST(look_into)(l);
    for (int b = bit; flips && b < l->part->bits; b++) visit(l, at ^ ((size_t)1 << b), b + 1, flips - 1);
}

static void search(struct look *l, const struct segment *s)
{
    if (VISIT * s->visits > (double)s->count) {
        BEST(scan)(l, s->first, s->first + s->count);
        return;
    }
    for (int p = 0; p < l->x->parts; p++) {
        l->part = &s->part[p];
        l->word = l->hash[p / PARTS_A_WORD];
        visit(l, bucket(l->part, p, l->word), 0, l->x->flips[p]);
        BEST(look_into)(l);
    }
}

struct sb_nearest sb_hash_index_find(const struct sb_hash_index *x, const struct sb_phash *hash, size_t limit)
{
    struct look l = {.x = x, .hash = hash->word, .limit = limit, .best = {SIZE_MAX, x->distance}};
    for (int s = 0; s < x->segments; s++)
        if (x->segment[s].first < limit) search(&l, &x->segment[s]);
    BEST(scan)(&l, x->indexed, x->count);
    return l.best;
}

size_t sb_hash_index_bytes(const struct sb_hash_index *x)
{
    size_t bytes = x->count * (size_t)x->words * sizeof *x->hash;
    for (int s = 0; s < x->segments; s++)
        for (int p = 0; p < x->parts; p++)
            bytes += x->segment[s].count * 12 + ((size_t)1 << x->segment[s].part[p].bits) * sizeof(uint32_t);
    return bytes;
}

void sb_hash_index_free(struct sb_hash_index *x)
{
    if (!x) return;
    for (int s = 0; s < x->segments; s++) free_segment(&x->segment[s]);
    free(x->hash);
    free(x);
}
