/* Hash tables, splits, strata and clusters: what a user relies on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "select/group.h"
#include "select/hash_table.h"
#include "select/split.h"
#include "select/strata.h"

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
        cmocka_unit_test(table_numbers_in_order),
        cmocka_unit_test(parts_get_their_shares),
        cmocka_unit_test(bad_parts_are_refused),
        cmocka_unit_test(strata_balance_labels_in_any_order),
        cmocka_unit_test(group_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
