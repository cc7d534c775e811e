/* Perceptual hashes and their index, splits, strata and clusters: what a user relies on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "media/resize.h"
#include "select/diverse.h"
#include "select/group.h"
#include "select/hash_index.h"
#include "select/hash_table.h"
#include "select/kmeans.h"
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

/* ---- clusters ---------------------------------------------------------------------------------------------------- */

struct blobs {
    int64_t n, d, k;
    float *x;
    int *truth;
};

/* n vectors around k centres that lie `apart` from each other, with a spread of 1 in each direction. */
static struct blobs make_blobs(int64_t n, int64_t d, int64_t k, double apart, uint64_t seed)
{
    struct blobs b = {n, d, k, sb_malloc((size_t)(n * d) * sizeof(float)), sb_malloc((size_t)n * sizeof(int))};
    struct sb_rng rng;
    sb_rng_init(&rng, seed, 0);
    for (int64_t i = 0; i < n; i++) {
        b.truth[i] = (int)sb_rng_below(&rng, (uint32_t)k);
        for (int64_t j = 0; j < d; j++)
            b.x[i * d + j] = (float)(sb_rng_normal(&rng) + (j == b.truth[i] % d ? apart * (1 + b.truth[i] / d) : 0));
    }
    return b;
}

static void free_blobs(struct blobs *b)
{
    free(b->x);
    free(b->truth);
}

static void falls(void *arg, int move, double inertia)
{
    double *last = arg;
    if (move) assert_true(inertia <= *last * (1 + 1e-6) + 1e-9);
    *last = inertia;
}

static struct sb_kmeans run_kmeans(const float *x, int64_t n, int64_t d, int64_t k, uint64_t seed)
{
    double last = 0;
    const char *why = NULL;
    struct sb_kmeans m = {.ops = &sb_ops_ref, .n = n, .d = d, .k = k, .iterations = 100, .seed = seed,
                          .each = falls, .arg = &last};
    m.dev = m.ops->open(0, 1, &why);
    assert_non_null(m.dev);
    assert_int_equal(sb_kmeans(&m, x), 0);
    m.ops->close(m.dev);
    return m;
}

static double distance2(const float *a, const float *b, int64_t d)
{
    double sum = 0;
    for (int64_t i = 0; i < d; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum;
}

/* The centroids that are given back are those which the distances are from, whether it came to rest or was stopped
 * after any number of moves. */
static void distances_are_from_the_centroids(void **state)
{
    (void)state;
    struct blobs b = make_blobs(400, 5, 3, 1, 6);
    const char *why = NULL;
    for (int iterations = 1; iterations < 60; iterations += iterations < 5 ? 1 : 18) {
        struct sb_kmeans m = {.ops = &sb_ops_ref, .n = b.n, .d = b.d, .k = 12, .iterations = iterations};
        m.dev = m.ops->open(0, 1, &why);
        assert_int_equal(sb_kmeans(&m, b.x), 0);
        for (int64_t i = 0; i < b.n; i++) {
            double far = distance2(b.x + i * b.d, m.centroid + m.index[i] * b.d, b.d);
            assert_true(fabs(far - m.distance[i]) <= 1e-5 * (1 + far));
        }
        assert_true(m.converged || m.moves == iterations);
        m.ops->close(m.dev);
        sb_kmeans_free(&m);
    }
    free_blobs(&b);
}

/* Of the reference, but the first time that all centroids are searched nothing falls to the first. */
static bool emptied;
static void nearest_but_the_first(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance)
{
    sb_ops_ref.nearest(d, x, c, index, distance);
    if (emptied || c->shape[0] == 1) return;
    emptied = true;
    for (int64_t i = 0; i < x->shape[0]; i++)
        if (!((int32_t *)index->data)[i]) ((int32_t *)index->data)[i] = 1;
}

static struct sb_kmeans one_move_from_an_empty_cluster(const float *x, int64_t n)
{
    static struct sb_ops ops;
    const char *why = NULL;
    ops = sb_ops_ref;
    ops.nearest = nearest_but_the_first;
    struct sb_kmeans m = {.ops = &ops, .n = n, .d = 1, .k = 2, .iterations = 1};
    emptied = false;
    m.dev = m.ops->open(0, 1, &why);
    assert_int_equal(sb_kmeans(&m, x), 0);
    assert_true(emptied);
    m.ops->close(m.dev);
    return m;
}

static void an_empty_cluster_gets_the_farthest_vector(void **state)
{
    (void)state;
    float x[] = {0, 0.1f, 0.2f, 10, 10.1f, 10.2f, 10.7f}, same[] = {1, 1, 2, 2};
    struct sb_kmeans m = one_move_from_an_empty_cluster(x, 7);
    /* All were in the second; the farthest of them from where they were is now alone, and the others' mean is theirs. */
    double sum = 0;
    int64_t alone = -1;
    for (int64_t i = 0; i < 7; i++) {
        sum += x[i];
        if (x[i] == m.centroid[0]) alone = i;
    }
    assert_true(alone >= 0);
    assert_true(fabs(m.centroid[1] - (sum - x[alone]) / 6) < 1e-5);
    assert_true(m.size[0] > 0 && m.size[1] > 0);
    sb_kmeans_free(&m);
    /* No vector lies apart from its centroid: the empty cluster keeps the place that it was seeded at. */
    m = one_move_from_an_empty_cluster(same, 4);
    assert_true(m.centroid[0] == 1 || m.centroid[0] == 2);
    assert_true(m.centroid[1] == 1.5f);
    sb_kmeans_free(&m);
}

static void separate_blobs_are_found(void **state)
{
    (void)state;
    struct blobs b = make_blobs(700, 9, 7, 30, 5);
    int right = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct sb_kmeans m = run_kmeans(b.x, b.n, b.d, b.k, seed);
        assert_true(m.converged);
        bool same = true;
        for (int64_t i = 0; i < b.n; i++)
            for (int64_t j = 0; j < i; j++) same = same && (m.index[i] == m.index[j]) == (b.truth[i] == b.truth[j]);
        right += same;
        sb_kmeans_free(&m);
    }
    assert_in_range(right, 4, 5); /* seeding is a matter of chance, but of a good one */
    free_blobs(&b);
}

static void a_seed_repeats_and_another_differs(void **state)
{
    (void)state;
    struct blobs b = make_blobs(400, 5, 3, 1, 6);
    struct sb_kmeans first = run_kmeans(b.x, b.n, b.d, 12, 1), again = run_kmeans(b.x, b.n, b.d, 12, 1),
                     other = run_kmeans(b.x, b.n, b.d, 12, 2);
    assert_memory_equal(first.index, again.index, (size_t)b.n * sizeof *first.index);
    assert_memory_equal(first.distance, again.distance, (size_t)b.n * sizeof *first.distance);
    assert_memory_not_equal(first.index, other.index, (size_t)b.n * sizeof *first.index);
    int64_t sum = 0;
    for (int64_t j = 0; j < first.k; j++) {
        assert_true(first.size[j] > 0);
        sum += first.size[j];
    }
    assert_int_equal(sum, b.n);
    sb_kmeans_free(&first);
    sb_kmeans_free(&again);
    sb_kmeans_free(&other);
    free_blobs(&b);
}

static void few_different_vectors_are_few_clusters(void **state)
{
    (void)state;
    float x[40 * 2];
    for (int i = 0; i < 40; i++) {
        x[2 * i] = (float)(i % 3);
        x[2 * i + 1] = 0.1f;
    }
    struct sb_kmeans m = run_kmeans(x, 40, 2, 10, 0);
    assert_int_equal(m.k, 3);
    assert_true(m.inertia < 1e-9);
    sb_kmeans_free(&m);
    m = run_kmeans(x, 3, 2, 3, 0);
    assert_int_equal(m.k, 3);
    assert_int_equal(m.size[0] + m.size[1] + m.size[2], 3);
    sb_kmeans_free(&m);
}

static void a_selection_covers_the_clusters(void **state)
{
    (void)state;
    struct blobs b = make_blobs(300, 4, 4, 20, 8);
    struct sb_kmeans m = run_kmeans(b.x, b.n, b.d, 10, 0);
    bool keep[300];
    for (int64_t want = 1; want < 320; want += 23) {
        int64_t count[10] = {0}, sum = 0, covered = 0, nearest[10];
        sb_diverse(b.x, b.n, b.d, m.index, m.distance, m.k, want, keep);
        for (int64_t i = 0; i < b.n; i++) {
            if (keep[i]) count[m.index[i]]++;
            sum += keep[i];
        }
        for (int j = 0; j < 10; j++) covered += count[j] > 0;
        assert_int_equal(sum, want < b.n ? want : b.n);
        assert_int_equal(covered, want < 10 ? want : 10);
        for (int j = 0; j < 10; j++) { /* what stands for a cluster is among those kept */
            nearest[j] = -1;
            for (int64_t i = 0; i < b.n; i++)
                if (m.index[i] == j && (nearest[j] < 0 || m.distance[i] < m.distance[nearest[j]])) nearest[j] = i;
            if (count[j]) assert_true(keep[nearest[j]]);
        }
    }
    sb_kmeans_free(&m);
    free_blobs(&b);
}

/* Within one cluster: the middle first, then the ends of a line, then what is between. */
static void a_selection_goes_far(void **state)
{
    (void)state;
    float x[] = {0, 4, 5, 6, 10}, distance[] = {25, 1, 0, 1, 25};
    int32_t cluster[5] = {0};
    bool keep[5];
    sb_diverse(x, 5, 1, cluster, distance, 1, 3, keep);
    assert_true(keep[0] && !keep[1] && keep[2] && !keep[3] && keep[4]);
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
        cmocka_unit_test(separate_blobs_are_found),
        cmocka_unit_test(a_seed_repeats_and_another_differs),
        cmocka_unit_test(few_different_vectors_are_few_clusters),
        cmocka_unit_test(distances_are_from_the_centroids),
        cmocka_unit_test(an_empty_cluster_gets_the_farthest_vector),
        cmocka_unit_test(a_selection_covers_the_clusters),
        cmocka_unit_test(a_selection_goes_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
