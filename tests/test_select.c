/* Perceptual hashes and their index, splits, strata and clusters: what a user relies on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "media/resize.h"
#include "select/group.h"
#include "select/hash_index.h"
#include "select/hash_table.h"
#include "select/phash.h"
#include "select/split.h"
#include "select/strata.h"

/* ---- perceptual hash --------------------------------------------------------------------------------------------- */

/* Soft blobs of colour over a gradient: what the seed says, in any size. */
static void paint(struct sb_picture *p, int width, int height, uint64_t seed)
{
    struct sb_rng rng;
    double x[16], y[16], r[16], c[16][3];
    sb_rng_init(&rng, seed, 0);
    for (int i = 0; i < 16; i++) {
        x[i] = sb_rng_uniform(&rng);
        y[i] = sb_rng_uniform(&rng);
        r[i] = sb_rng_range(&rng, 0.03, 0.2);
        for (int k = 0; k < 3; k++) c[i][k] = sb_rng_range(&rng, -100, 100);
    }
    assert_int_equal(sb_picture_size(p, width, height), 0);
    for (int v = 0; v < height; v++)
        for (int u = 0; u < width; u++)
            for (int k = 0; k < 3; k++) {
                double value = 90 + 30.0 * v / height;
                for (int i = 0; i < 16; i++) {
                    double dx = (u + 0.5) / width - x[i], dy = (v + 0.5) / height - y[i];
                    value += c[i][k] * exp(-(dx * dx + dy * dy) / (r[i] * r[i]));
                }
                p->rgb[3 * (v * width + u) + k] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
}

static uint64_t hash_picture(const struct sb_picture *p)
{
    struct sb_picture small = {0};
    assert_int_equal(sb_resize(p, &small, SB_PHASH_SIDE, SB_PHASH_SIDE, SB_BILINEAR), 0);
    uint64_t hash = sb_phash(small.rgb);
    sb_picture_free(&small);
    return hash;
}

static void copies_are_near_and_others_far(void **state)
{
    (void)state;
    struct sb_picture p = {0}, copy = {0};
    struct sb_buffer file = {0};
    uint64_t hash[30];
    for (uint64_t seed = 0; seed < 30; seed++) {
        paint(&p, 200, 150, seed);
        hash[seed] = hash_picture(&p);

        assert_int_equal(sb_jpeg_encode(&p, 60, &file), 0);
        assert_int_equal(sb_picture_decode(&copy, file.data, file.size), 0);
        assert_in_range(sb_phash_distance(hash[seed], hash_picture(&copy)), 0, SB_PHASH_DISTANCE);

        assert_int_equal(sb_resize(&p, &copy, 90, 75, SB_BICUBIC), 0);
        assert_in_range(sb_phash_distance(hash[seed], hash_picture(&copy)), 0, SB_PHASH_DISTANCE);

        for (size_t i = 0; i < (size_t)3 * 200 * 150; i++) p.rgb[i] = (uint8_t)(p.rgb[i] * (i % 3 ? 0.95 : 0.9) + 8);
        assert_in_range(sb_phash_distance(hash[seed], hash_picture(&p)), 0, SB_PHASH_DISTANCE);
    }
    for (int i = 0; i < 30; i++)
        for (int j = 0; j < i; j++) assert_in_range(sb_phash_distance(hash[i], hash[j]), SB_PHASH_DISTANCE + 1, 64);
    sb_picture_free(&p);
    sb_picture_free(&copy);
    free(file.data);
}

static void empty_water_is_near_empty_water(void **state)
{
    (void)state;
    struct sb_picture p = {0};
    struct sb_rng rng;
    uint64_t hash[2];
    assert_int_equal(sb_picture_size(&p, 320, 240), 0);
    for (uint64_t seed = 0; seed < 2; seed++) {
        sb_rng_init(&rng, seed, 0);
        for (size_t i = 0; i < (size_t)3 * 320 * 240; i++)
            p.rgb[i] = (uint8_t)(40 + 30 * (i % 3) + 3 * sb_rng_normal(&rng));
        hash[seed] = hash_picture(&p);
    }
    assert_in_range(sb_phash_distance(hash[0], hash[1]), 0, SB_PHASH_DISTANCE);
    sb_picture_free(&p);
}

static uint64_t random64(struct sb_rng *rng)
{
    uint64_t hi = sb_rng_u32(rng);
    return hi << 32 | sb_rng_u32(rng);
}

static void index_finds_what_a_scan_finds(void **state)
{
    (void)state;
    enum { N = 6000 };
    static uint64_t hash[N];
    for (int distance = 0; distance <= SB_HASH_INDEX_DISTANCE; distance += distance < 8 ? 1 : 6) {
        struct sb_hash_index *x = sb_hash_index_new(distance);
        struct sb_rng rng;
        int found = 0;
        sb_rng_init(&rng, 1, (uint64_t)distance);
        for (size_t i = 0; i < N; i++) {
            hash[i] = random64(&rng);
            if (i % 3) { /* near an earlier one */
                hash[i] = hash[sb_rng_below(&rng, (uint32_t)i)];
                for (uint32_t flips = sb_rng_below(&rng, (uint32_t)distance + 3); flips > 0; flips--)
                    hash[i] ^= (uint64_t)1 << sb_rng_below(&rng, 64);
            }
            size_t best = SIZE_MAX;
            int least = distance + 1;
            if (i % 7 == 0) {
                for (size_t j = 0; j < i; j++)
                    if (sb_phash_distance(hash[i], hash[j]) < least) {
                        least = sb_phash_distance(hash[i], hash[j]);
                        best = j;
                    }
                assert_int_equal(sb_hash_index_find(x, hash[i]), best);
                found += best != SIZE_MAX;
            }
            sb_hash_index_add(x, hash[i]);
        }
        assert_in_range(found, 20, N); /* the test sees both cases */
        sb_hash_index_free(x);
    }
}

static void table_numbers_in_order(void **state)
{
    (void)state;
    struct sb_hash_table t = {0};
    bool added;
    assert_int_equal(sb_hash_table_find(&t, (struct sb_hash){1, 2}), SIZE_MAX);
    for (uint64_t i = 0; i < 5000; i++) {
        assert_int_equal(sb_hash_table_add(&t, sb_hash_bytes(&i, sizeof i), &added), i);
        assert_true(added);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        assert_int_equal(sb_hash_table_add(&t, sb_hash_bytes(&i, sizeof i), &added), i);
        assert_false(added);
    }
    assert_int_equal(sb_hash_table_find(&t, (struct sb_hash){1, 2}), SIZE_MAX);
    sb_hash_table_free(&t);
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

static struct sb_hash group_hash(unsigned number, uint64_t seed)
{
    char name[32];
    int size = snprintf(name, sizeof name, "dive-%u", number);
    return sb_split_hash(name, (size_t)size, seed);
}

static void parts_get_their_shares(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct sb_parts parts = {0}, folds = {0};
    size_t count[3] = {0}, both[3][5] = {{0}}, moved = 0;
    assert_int_equal(sb_parts_parse(&parts, "train=70,val=15,test=15"), 0);
    sb_parts_folds(&folds, 5);
    for (unsigned i = 0; i < N; i++) {
        size_t part = sb_split_pick(&parts, group_hash(i, 0), SB_DRAW_PART);
        count[part]++;
        both[part][sb_split_pick(&folds, group_hash(i, 0), SB_DRAW_FOLD)]++;
        moved += part != sb_split_pick(&parts, group_hash(i, 1), SB_DRAW_PART);
    }
    assert_true(fabs(count[0] / (double)N - 0.70) < 0.02);
    assert_true(fabs(count[1] / (double)N - 0.15) < 0.02);
    assert_true(fabs(count[2] / (double)N - 0.15) < 0.02);
    for (int p = 0; p < 3; p++) /* folds do not follow parts */
        for (int f = 0; f < 5; f++) assert_true(fabs(both[p][f] / (double)count[p] - 0.2) < 0.04);
    assert_in_range(moved, N / 4, N / 2 + N / 10); /* another seed is another split */
    sb_parts_free(&parts);
    sb_parts_free(&folds);
}

static void bad_parts_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"", "train", "train=", "=1", "train=0", "train=-1",
                         "train=x", "train=nan", "a=1,a=2", "a=1,b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sb_parts p = {0};
        assert_int_equal(sb_parts_parse(&p, bad[i]), -1);
        sb_parts_free(&p);
    }
}

/* 200 dives of 5 to 25 records: "fish" everywhere, "crab" in a fifth of the dives, "eel" in a tenth. */
static size_t dive_records(unsigned dive) { return 5 + dive * 7 % 21; }

static const char *dive_label(unsigned dive, size_t record)
{
    if (dive % 10 == 3 && record % 2) return "eel";
    if (dive % 5 == 1 && record % 3) return "crab";
    return "fish";
}

/* Deals the dives, given in the order first, first + step, ... (mod 200), and writes where each goes. */
static void deal(unsigned first, unsigned step, const struct sb_parts *parts, enum sb_draw draw, size_t part_of[200])
{
    struct sb_strata s = {0};
    uint32_t part[200];
    for (unsigned i = 0; i < 200; i++) {
        unsigned dive = (first + i * step) % 200;
        for (size_t r = 0; r < dive_records(dive); r++) {
            const char *label = dive_label(dive, r);
            sb_strata_add_label(&s, sb_strata_add(&s, group_hash(dive, 7)), label, strlen(label));
        }
    }
    assert_int_equal(s.group.count, 200);
    sb_strata_assign(&s, parts, draw, part);
    for (unsigned dive = 0; dive < 200; dive++)
        part_of[dive] = part[sb_hash_table_find(&s.group, group_hash(dive, 7))];
    sb_strata_free(&s);
}

/* The worst distance of a part's share of a label from what it should be. */
static double worst_share(const struct sb_parts *parts, const size_t part_of[200])
{
    const char *labels[] = {"fish", "crab", "eel"};
    double worst = 0;
    for (int l = 0; l < 3; l++) {
        double have[3] = {0}, total = 0;
        for (unsigned dive = 0; dive < 200; dive++)
            for (size_t r = 0; r < dive_records(dive); r++)
                if (!strcmp(dive_label(dive, r), labels[l])) {
                    have[part_of[dive]]++;
                    total++;
                }
        for (size_t p = 0; p < parts->count; p++) worst = fmax(worst, fabs(have[p] / total - parts->share[p]));
    }
    return worst;
}

static void strata_balance_labels_in_any_order(void **state)
{
    (void)state;
    struct sb_parts parts = {0};
    size_t part_of[200], again[200], hashed[200];
    assert_int_equal(sb_parts_parse(&parts, "train=0.7,val=0.15,test=0.15"), 0);
    deal(0, 1, &parts, SB_DRAW_PART, part_of);
    for (unsigned dive = 0; dive < 200; dive++) hashed[dive] = sb_split_pick(&parts, group_hash(dive, 7), SB_DRAW_PART);
    assert_true(worst_share(&parts, part_of) < 0.03);
    assert_true(worst_share(&parts, part_of) < worst_share(&parts, hashed) / 2);

    deal(57, 199, &parts, SB_DRAW_PART, again);
    assert_memory_equal(part_of, again, sizeof part_of);
    deal(3, 77, &parts, SB_DRAW_PART, again);
    assert_memory_equal(part_of, again, sizeof part_of);
    deal(0, 1, &parts, SB_DRAW_FOLD, again);
    assert_memory_not_equal(part_of, again, sizeof part_of);
    sb_parts_free(&parts);
}

/* ---- groups and labels ------------------------------------------------------------------------------------------- */

static void group_names(void **state)
{
    (void)state;
    struct sb_group_by by = {0};
    struct sb_record rec = {0};
    struct sb_buffer key = {0};
    assert_int_equal(sb_group_key(&by, &rec, &key), 0);
    sb_set_cstr(&rec, "group", "dive 1");
    assert_int_equal(sb_group_key(&by, &rec, &key), 1);
    assert_int_equal(key.size, 6);
    assert_memory_equal(key.data, "dive 1", 6);
    sb_set_int(&rec, "group", 17);
    assert_int_equal(sb_group_key(&by, &rec, &key), 1);
    assert_memory_equal(key.data, "17", 2);
    sb_set_cstr(&rec, "group", "");
    assert_int_equal(sb_group_key(&by, &rec, &key), 0);

    struct sb_buffer other = {0};
    assert_int_equal(sb_group_by_parse(&by, "time:60"), 0);
    assert_int_equal(sb_group_key(&by, &rec, &key), 0);
    sb_set_cstr(&rec, "source", "a.mp4");
    sb_set_real(&rec, "pts", 59.9);
    assert_int_equal(sb_group_key(&by, &rec, &key), 1);
    sb_set_real(&rec, "pts", 0);
    assert_int_equal(sb_group_key(&by, &rec, &other), 1);
    assert_int_equal(key.size, other.size);
    assert_memory_equal(key.data, other.data, key.size);
    sb_set_real(&rec, "pts", 60);
    assert_int_equal(sb_group_key(&by, &rec, &other), 1);
    assert_memory_not_equal(key.data, other.data, key.size);
    assert_int_equal(sb_group_by_parse(&by, "time:0"), -1);
    assert_int_equal(sb_group_by_parse(&by, "time:"), -1);
    assert_int_equal(sb_group_by_parse(&by, "dive"), -1);
    sb_record_free(&rec);
    free(key.data);
    free(other.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_near_and_others_far),
        cmocka_unit_test(empty_water_is_near_empty_water),
        cmocka_unit_test(index_finds_what_a_scan_finds),
        cmocka_unit_test(table_numbers_in_order),
        cmocka_unit_test(parts_get_their_shares),
        cmocka_unit_test(bad_parts_are_refused),
        cmocka_unit_test(strata_balance_labels_in_any_order),
        cmocka_unit_test(group_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
