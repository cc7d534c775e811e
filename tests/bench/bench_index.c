/* bench_index [COUNT]: what a look-up costs in an index of hashes beside going through all of them. Hashes are random,
 * or lie around others as those of a dive do: ten pictures a scene, a few bits apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/rng.h"
#include "select/hash_index.h"

#define RADIUS 6
#define QUERIES 2000

static uint64_t random64(struct sb_rng *rng)
{
    uint64_t high = sb_rng_u32(rng);
    return high << 32 | sb_rng_u32(rng);
}

static uint64_t near_to(struct sb_rng *rng, uint64_t hash, int most)
{
    for (uint32_t flips = sb_rng_below(rng, (uint32_t)most + 1); flips > 0; flips--)
        hash ^= (uint64_t)1 << sb_rng_below(rng, 64);
    return hash;
}

#ifdef __x86_64__
__attribute__((target("popcnt")))
#endif
static size_t linear(const uint64_t *hash, size_t count, uint64_t wanted)
{
    size_t best = SIZE_MAX;
    int least = RADIUS + 1;
    for (size_t i = 0; i < count; i++) {
        int d = __builtin_popcountll(hash[i] ^ wanted);
        if (d < least) least = d, best = i;
    }
    return best;
}

static void measure(const char *kind, uint64_t *hash, size_t count, const char *queries)
{
    struct sb_hash_index *x = sb_hash_index_new(64, RADIUS);
    struct sb_rng rng;
    uint64_t query[QUERIES];
    double begun = sb_seconds();
    for (size_t i = 0; i < count; i++) sb_hash_index_add(x, &(struct sb_phash){{hash[i]}});
    double built = sb_seconds() - begun, scanned = 1e9, found = 1e9;
    sb_rng_init(&rng, 2, 0);
    for (size_t i = 0; i < QUERIES; i++) /* every second is near a kept one */
        query[i] = i % 2 ? random64(&rng) : near_to(&rng, hash[sb_rng_below(&rng, (uint32_t)count)], RADIUS + 2);
    size_t few = count > 1000000 ? 20 : 200;
    for (int turn = 0; turn < 3; turn++) {
        begun = sb_seconds();
        for (size_t i = 0; i < few; i++)
            if (linear(hash, count, query[i]) != sb_hash_index_find(x, &(struct sb_phash){{query[i]}}, SIZE_MAX).number)
                sb_die("another one is found");
        double both = (sb_seconds() - begun) / (double)few;
        begun = sb_seconds();
        for (size_t i = 0; i < QUERIES; i++) sb_hash_index_find(x, &(struct sb_phash){{query[i]}}, SIZE_MAX);
        double took = (sb_seconds() - begun) / QUERIES;
        if (took < found) found = took;
        if (both - took < scanned) scanned = both - took;
    }
    printf("%-9s %9zu hashes, radius %d: %8.1f us a look-up; all gone through %9.1f us (%.0f times); added in %.2f us each, %.1f bytes each\n",
           kind, count, RADIUS, 1e6 * found, 1e6 * scanned, scanned / found, 1e6 * built / (double)count,
           (double)sb_hash_index_bytes(x) / (double)count);
    if (queries) {
        FILE *f = fopen(queries, "wb");
        if (!f || fwrite(hash, 8, count, f) != count || fwrite(query, 8, QUERIES, f) != QUERIES || fclose(f)) sb_die("%s: can't be written", queries);
    }
    sb_hash_index_free(x);
}

int main(int argc, char **argv)
{
    struct rusage use;
    struct sb_rng rng;
    size_t most = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000000;
    uint64_t *hash = sb_malloc(most * sizeof *hash);
    for (int clustered = 0; clustered < 2; clustered++) {
        sb_rng_init(&rng, 1, (uint64_t)clustered);
        for (size_t i = 0; i < most; i++)
            hash[i] = !clustered || i % 10 == 0 ? random64(&rng) : near_to(&rng, hash[i - i % 10], 16);
        for (size_t count = most / 100; count <= most; count *= 10)
            measure(clustered ? "clustered" : "random", hash, count, argc > 2 && count == most && !clustered ? argv[2] : NULL);
    }
    getrusage(RUSAGE_SELF, &use);
    printf("largest resident set %ld MB\n", use.ru_maxrss / 1024);
    free(hash);
    return 0;
}
