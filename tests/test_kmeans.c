/* k-means, how many clusters, and their silhouette: what a user relies on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "select/kmeans.h"
#include "select/kmeans_auto.h"
#include "select/vectors.h"

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
    struct sb_kmeans m = {
        .ops = &sb_ops_ref, .n = n, .d = d, .k = k, .iterations = 100, .seed = seed, .each = falls, .arg = &last};
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
        assert_true(m.converged || m.passes == iterations);
        m.ops->close(m.dev);
        sb_kmeans_free(&m);
    }
    free_blobs(&b);
}

/* Of the reference, but the first time nothing falls to the first centroid. */
static bool emptied;
static void nearest_but_the_first(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance)
{
    sb_ops_ref.nearest(d, x, c, index, distance);
    if (emptied) return;
    emptied = true;
    for (int64_t i = 0; i < x->shape[0]; i++)
        if (!((int32_t *)index->data)[i]) ((int32_t *)index->data)[i] = 1;
}

static struct sb_kmeans one_move_from_an_empty_cluster(const float *x, int64_t n)
{
    static struct sb_ops ops;
    const float init[] = {x[0], x[n - 1]};
    const char *why = NULL;
    ops = sb_ops_ref;
    ops.nearest = nearest_but_the_first;
    struct sb_kmeans m = {.ops = &ops, .n = n, .d = 1, .k = 2, .iterations = 1, .init = init};
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
    float x[] = {0, 0.1f, 0.2f, 10, 10.1f, 11.2f, 10.7f}, same[] = {1, 1, 2, 2};
    struct sb_kmeans m = one_move_from_an_empty_cluster(x, 7);
    /* All were in the second; the farthest of them from where they were is now alone, and the others' mean is theirs.
     */
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

static struct sb_kmeans run(struct sb_kmeans m, const float *x)
{
    const char *why = NULL;
    m.ops = &sb_ops_ref;
    m.dev = m.ops->open(0, 1, &why);
    assert_non_null(m.dev);
    assert_int_equal(sb_kmeans(&m, x), 0);
    m.ops->close(m.dev);
    return m;
}

/* Each vector is with the centroid that is nearest to it, at the distance that is said. */
static void assert_nearest(const struct sb_kmeans *m, const float *x)
{
    for (int64_t i = 0; i < m->n; i++) {
        double least = INFINITY, own = distance2(x + i * m->d, m->centroid + m->index[i] * m->d, m->d);
        for (int64_t j = 0; j < m->k; j++) least = fmin(least, distance2(x + i * m->d, m->centroid + j * m->d, m->d));
        assert_true(own <= least * (1 + 1e-5) + 1e-9);
        assert_true(fabs(own - m->distance[i]) <= 1e-5 * (1 + own));
    }
}

/* Enough vectors a cluster for it to begin with a part of them. */
static void many_vectors_begin_with_a_part(void **state)
{
    (void)state;
    struct blobs b = make_blobs(1500, 3, 5, 40, 11);
    struct sb_kmeans m = run_kmeans(b.x, b.n, b.d, b.k, 0);
    assert_nearest(&m, b.x);
    assert_true(m.inertia / (double)b.n < 4); /* 3 is the blobs' own */
    assert_in_range(m.passes, 0, 2);          /* the part has done the work */
    sb_kmeans_free(&m);
    free_blobs(&b);
}

/* Far from zero and close together, where products lose digits: none is taken for another. */
static void vectors_that_are_alike_are_told_apart(void **state)
{
    (void)state;
    float x[30 * 8];
    for (int i = 0; i < 30; i++)
        for (int j = 0; j < 8; j++) x[8 * i + j] = 1000 + (float)(j == i % 8) * 0.01f * (float)(1 + i / 8);
    struct sb_kmeans m = run_kmeans(x, 30, 8, 30, 0);
    assert_int_equal(m.k, 30);
    for (int j = 0; j < 30; j++) assert_int_equal(m.size[j], 1);
    sb_kmeans_free(&m);
}

static void mini_batches_come_near(void **state)
{
    (void)state;
    struct blobs b = make_blobs(900, 4, 6, 6, 3);
    struct sb_kmeans whole = run_kmeans(b.x, b.n, b.d, 6, 0);
    for (int64_t batch = 40; batch < 1000; batch *= 3) {
        struct sb_kmeans like = {.n = b.n, .d = b.d, .k = 6, .iterations = 50, .batch = batch};
        struct sb_kmeans m = run(like, b.x), again = run(like, b.x);
        assert_nearest(&m, b.x);
        assert_true(m.inertia < 1.15 * whole.inertia);
        for (int j = 0; j < 6; j++) assert_true(m.size[j] > 0);
        assert_memory_equal(m.centroid, again.centroid, 6 * 4 * sizeof(float));
        sb_kmeans_free(&m);
        sb_kmeans_free(&again);
    }
    sb_kmeans_free(&whole);
    free_blobs(&b);
}

/* Vectors along six directions, of any length, one of them of none. */
static void spherical_clusters_are_directions(void **state)
{
    (void)state;
    struct sb_rng rng;
    float x[240 * 3];
    sb_rng_init(&rng, 4, 0);
    for (int i = 0; i < 240; i++) {
        double length = sb_rng_range(&rng, 0.1, 50);
        for (int j = 0; j < 3; j++)
            x[3 * i + j] = (float)(length * ((j == i % 6 / 2 ? i % 2 ? 1 : -1 : 0) + sb_rng_range(&rng, -0.1, 0.1)));
    }
    memset(x, 0, 3 * sizeof *x);
    sb_rows_normalise(x, 240, 3);
    assert_true(x[0] == 0 && fabs(distance2(x + 3, (float[]){0, 0, 0}, 3) - 1) < 1e-6);
    for (int64_t batch = 0; batch < 100; batch += 60) {
        struct sb_kmeans m =
            run((struct sb_kmeans){.n = 240, .d = 3, .k = 6, .iterations = 30, .spherical = true, .batch = batch}, x);
        assert_nearest(&m, x);
        for (int j = 0; j < 6; j++) assert_true(fabs(distance2(m.centroid + 3 * j, (float[]){0, 0, 0}, 3) - 1) < 1e-5);
        for (int i = 7; i < 240; i++) assert_int_equal(m.index[i], m.index[i % 6 + 6]);
        sb_kmeans_free(&m);
    }
}

/* Given centroids that stay: each vector falls to the nearest, and nobody is moved to fill an empty one. */
static void given_centroids_stay(void **state)
{
    (void)state;
    struct blobs b = make_blobs(200, 2, 2, 5, 2);
    const float init[] = {0, 0, 5, 5, 1000, 1000};
    for (int64_t batch = 0; batch < 100; batch += 70) {
        struct sb_kmeans m = run((struct sb_kmeans){.n = b.n, .d = 2, .k = 3, .init = init, .batch = batch}, b.x);
        assert_memory_equal(m.centroid, init, sizeof init);
        assert_nearest(&m, b.x);
        assert_int_equal(m.size[2], 0);
        assert_int_equal(m.passes, 0);
        sb_kmeans_free(&m);
    }
    free_blobs(&b);
}

/* Given centroids that move: one that nothing falls to is still what it was. */
static void given_centroids_wait_for_vectors(void **state)
{
    (void)state;
    struct blobs b = make_blobs(200, 2, 2, 5, 2);
    const float init[] = {0, 0, 5, 5, 1000, 1000};
    for (int64_t batch = 0; batch < 100; batch += 70) {
        struct sb_kmeans m = run(
            (struct sb_kmeans){
                .n = b.n, .d = 2, .k = 3, .iterations = 5, .init = init, .empty_stay = true, .batch = batch},
            b.x);
        assert_memory_not_equal(m.centroid, init, 4 * sizeof *init);
        assert_memory_equal(m.centroid + 4, init + 4, 2 * sizeof *init);
        assert_int_equal(m.size[2], 0);
        sb_kmeans_free(&m);
    }
    free_blobs(&b);
}

/* scikit-learn 1.9.1's silhouette_score of the same vectors and labels. */
static void silhouettes_are_those_of_others(void **state)
{
    (void)state;
    static const int32_t cluster[] = {0, 0, 0, 1, 1, 1, 2, 1};
    float x[] = {0, 0, 1, 0, 0, 2, 5, 5, 6, 5, 5, 7, 9, 1, 2, 3},
          y[] = {1, 0, 2, 1, 0, 2, 5, 5, 6, 5, 5, 7, 9, 1, 2, 3};
    struct sb_sample s;
    sb_sample_draw(&s, x, 8, 2, false, 0, 1);
    assert_true(fabs(sb_silhouette(&s, cluster, 3) - 0.4358874) < 1e-6);
    sb_sample_free(&s);
    sb_rows_normalise(y, 8, 2);
    sb_sample_draw(&s, y, 8, 2, true, 0, 2);
    assert_true(fabs(sb_silhouette(&s, cluster, 3) - 0.1451269) < 1e-6);
    sb_sample_free(&s);
}

static void a_sample_is_of_different_rows(void **state)
{
    (void)state;
    float *x = sb_malloc(5000 * sizeof *x);
    struct sb_sample s, threads;
    for (int i = 0; i < 5000; i++) x[i] = (float)i;
    sb_sample_draw(&s, x, 5000, 1, false, 1, 1);
    sb_sample_draw(&threads, x, 5000, 1, false, 1, 3);
    assert_int_equal(s.n, SB_SILHOUETTE_SAMPLE);
    assert_memory_equal(s.apart, threads.apart, (size_t)(s.n * s.n) * sizeof *s.apart);
    for (int64_t i = 1; i < s.n; i++) {
        assert_true(s.row[i] > s.row[i - 1] && s.row[i] < 5000);
        assert_true(s.apart[i] == s.x[i] - s.x[0] && s.apart[i * s.n] == s.apart[i]);
    }
    sb_sample_free(&s);
    sb_sample_free(&threads);
    free(x);
}

static int tries;
static void count_tries(void *arg, int64_t k, double silhouette)
{
    (void)arg;
    assert_true(k >= 2 && silhouette >= -1 && silhouette <= 1);
    tries++;
}

static void as_many_clusters_as_there_are_blobs(void **state)
{
    (void)state;
    static const int64_t truth[] = {2, 3, 7, 13};
    for (size_t t = 0; t < sizeof truth / sizeof *truth; t++) {
        struct blobs b = make_blobs(400, 16, truth[t], 25, t);
        const char *why = NULL;
        struct sb_kmeans like = {.ops = &sb_ops_ref, .iterations = 30};
        struct sb_sample s;
        double silhouette;
        tries = 0;
        like.dev = like.ops->open(0, 1, &why);
        sb_sample_draw(&s, b.x, b.n, b.d, false, 0, 1);
        assert_int_equal(sb_kmeans_auto(&like, &s, count_tries, NULL, &silhouette), truth[t]);
        assert_true(silhouette > 0.5);
        assert_in_range(tries, 9, 25);
        like.ops->close(like.dev);
        sb_sample_free(&s);
        free_blobs(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separate_blobs_are_found),
        cmocka_unit_test(a_seed_repeats_and_another_differs),
        cmocka_unit_test(few_different_vectors_are_few_clusters),
        cmocka_unit_test(distances_are_from_the_centroids),
        cmocka_unit_test(an_empty_cluster_gets_the_farthest_vector),
        cmocka_unit_test(many_vectors_begin_with_a_part),
        cmocka_unit_test(vectors_that_are_alike_are_told_apart),
        cmocka_unit_test(mini_batches_come_near),
        cmocka_unit_test(spherical_clusters_are_directions),
        cmocka_unit_test(given_centroids_stay),
        cmocka_unit_test(given_centroids_wait_for_vectors),
        cmocka_unit_test(silhouettes_are_those_of_others),
        cmocka_unit_test(a_sample_is_of_different_rows),
        cmocka_unit_test(as_many_clusters_as_there_are_blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
