/* The index of perceptual hashes, and embeddings' directions: they find what going through all finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "select/directions.h"
#include "select/hash_index.h"

static struct sb_phash random_hash(struct sb_rng *rng, int bits)
{
    struct sb_phash hash = {{0}};
    for (int w = 0; w < bits / 64; w++) {
        uint64_t high = sb_rng_u32(rng);
        hash.word[w] = high << 32 | sb_rng_u32(rng);
    }
    return hash;
}

/* Every third is new, the others lie near an earlier one. */
static struct sb_phash next_hash(struct sb_rng *rng, const struct sb_phash *hash, size_t count, int bits, int distance)
{
    if (count % 3 == 0) return random_hash(rng, bits);
    struct sb_phash near = hash[sb_rng_below(rng, (uint32_t)count)];
    for (uint32_t flips = sb_rng_below(rng, (uint32_t)distance + 3); flips > 0; flips--) {
        uint32_t bit = sb_rng_below(rng, (uint32_t)bits);
        near.word[bit / 64] ^= (uint64_t)1 << bit % 64;
    }
    return near;
}

static struct sb_nearest go_through(const struct sb_phash *hash, size_t count, const struct sb_phash *wanted, int distance)
{
    struct sb_nearest best = {SIZE_MAX, distance + 1};
    for (size_t i = 0; i < count; i++) {
        int d = sb_phash_distance(&hash[i], wanted);
        if (d < best.distance) best = (struct sb_nearest){i, d};
    }
    return best;
}

static void check_index(int bits, int distance, size_t count, size_t each)
{
    struct sb_phash *hash = malloc(count * sizeof *hash);
    struct sb_hash_index *x = sb_hash_index_new(bits, distance);
    struct sb_rng rng;
    int found = 0;
    sb_rng_init(&rng, (uint64_t)bits, (uint64_t)distance);
    for (size_t i = 0; i < count; i++) {
        hash[i] = next_hash(&rng, hash, i, bits, distance);
        if (i % each == 0) {
            size_t limit = i % (2 * each) ? i : i / 2;
            struct sb_nearest want = go_through(hash, limit, &hash[i], distance);
            struct sb_nearest got = sb_hash_index_find(x, &hash[i], limit == i ? SIZE_MAX : limit);
            assert_int_equal(got.number, want.number);
            if (want.number != SIZE_MAX) assert_int_equal(got.distance, want.distance);
            found += want.number != SIZE_MAX;
        }
        sb_hash_index_add(x, &hash[i]);
    }
    assert_in_range(found, 20, count / each - 20); /* the test sees both cases */
    sb_hash_index_free(x);
    free(hash);
}

static void finds_what_a_scan_finds(void **state)
{
    (void)state;
    for (int distance = 0; distance <= SB_HASH_INDEX_DISTANCE; distance += distance < 8 ? 1 : 6)
        check_index(64, distance, 6000, 7);
    for (int distance = 0; distance <= 4 * SB_HASH_INDEX_DISTANCE; distance += 16) check_index(256, distance, 3000, 7);
}

/* Long enough for segments of buckets, three of them at once. */
static void finds_it_in_segments(void **state)
{
    (void)state;
    for (int distance = 0; distance <= 8; distance += 2) check_index(64, distance, 180000, 499);
    check_index(256, 5, 100000, 499);
    check_index(256, 24, 100000, 499);
}

static void many_that_are_the_same(void **state)
{
    (void)state;
    struct sb_hash_index *x = sb_hash_index_new(64, 4);
    struct sb_phash zero = {{0}}, far = {{~0ULL}};
    for (int i = 0; i < 30000; i++) sb_hash_index_add(x, &zero);
    assert_int_equal(sb_hash_index_find(x, &zero, SIZE_MAX).number, 0);
    assert_int_equal(sb_hash_index_find(x, &far, SIZE_MAX).number, SIZE_MAX);
    sb_hash_index_free(x);
}

static void memory_is_as_promised(void **state)
{
    (void)state;
    struct sb_rng rng;
    struct sb_hash_index *x = sb_hash_index_new(64, 6);
    sb_rng_init(&rng, 1, 0);
    for (int i = 0; i < 1 << 17; i++) {
        struct sb_phash hash = random_hash(&rng, 64);
        sb_hash_index_add(x, &hash);
    }
    assert_in_range(sb_hash_index_bytes(x), 16 << 17, 48 << 17);
    sb_hash_index_free(x);
}

static void directions_are_compared(void **state)
{
    (void)state;
    enum { DIM = 13, N = 200 };
    struct sb_directions d = {0};
    struct sb_rng rng;
    float v[N][DIM], zero[DIM] = {0};
    double distance;
    sb_rng_init(&rng, 1, 0);
    assert_false(sb_direction_make(zero, DIM));
    for (uint32_t i = 0; i < N; i++) {
        for (int k = 0; k < DIM; k++) v[i][k] = (float)sb_rng_normal(&rng);
        if (i >= 100) /* twice as long, and turned a little */
            for (int k = 0; k < DIM; k++) v[i][k] = 2 * v[i - 100][k] + (k ? 0 : 0.1f);
        assert_true(sb_direction_make(v[i], DIM));
        size_t found = sb_directions_find(&d, v[i], SIZE_MAX, 0.01, &distance);
        assert_int_equal(found, i < 100 ? SIZE_MAX : 3 * (i - 100));
        if (i >= 100) assert_true(distance >= 0 && distance < 0.01);
        if (i >= 100) assert_int_equal(sb_directions_find(&d, v[i], 3 * (i - 100), 0.01, &distance), SIZE_MAX);
        if (i < 100) sb_directions_add(&d, v[i], DIM, 3 * i);
    }
    sb_directions_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_scan_finds), cmocka_unit_test(finds_it_in_segments),
        cmocka_unit_test(many_that_are_the_same),  cmocka_unit_test(memory_is_as_promised),
        cmocka_unit_test(directions_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
