/* Selections: what a user relies on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "select/diverse.h"

#define N 3000 /* more than a pool */
#define D 3
#define K 12

static const enum sb_pick all_picks[] = {SB_PICK_MIX, SB_PICK_MEDOIDS, SB_PICK_CENTRE, SB_PICK_DENSITY};

/* Vectors in clusters of unequal size, of which the last holds five, in groups of unequal size. */
struct scene {
    float x[N * D], distance[N];
    int32_t cluster[N], group[N];
    int64_t size[K];
    struct sb_diverse s;
};

static double distance2(const float *a, const float *b)
{
    double sum = 0;
    for (int j = 0; j < D; j++) sum += ((double)a[j] - b[j]) * ((double)a[j] - b[j]);
    return sum;
}

static int setup(void **state)
{
    static struct scene c;
    static const int share[K] = {2, 3, 5, 9, 16, 25, 36, 50, 65, 80, 99, 100};
    struct sb_rng rng;
    const char *why = NULL;
    sb_rng_init(&rng, 9, 0);
    for (int i = 0; i < N; i++) {
        const float centre[D] = {0};
        int draw = (int)sb_rng_below(&rng, 98), j = 0;
        while (share[j] <= draw) j++;
        if (i % 600 == 599) j = K - 1;
        for (int e = 0; e < D; e++) c.x[i * D + e] = (float)sb_rng_normal(&rng);
        c.distance[i] = (float)distance2(c.x + i * D, centre);
        c.x[i * D] += (float)(9 * j);
        c.cluster[i] = j;
        c.size[j]++;
        c.group[i] = i < 40 ? 0 : i < 1000 ? 1 : i < 2500 ? 2 : 3;
    }
    c.s = (struct sb_diverse){.ops = &sb_ops_ref, .x = c.x, .n = N, .d = D, .k = K, .cluster = c.cluster,
                              .distance = c.distance, .groups = 4};
    c.s.dev = sb_ops_ref.open(0, 1, &why);
    *state = &c;
    return c.s.dev ? 0 : -1;
}

static int teardown(void **state)
{
    const struct scene *c = *state;
    sb_ops_ref.close(c->s.dev);
    return 0;
}

static int64_t counts(const struct scene *c, const bool *keep, int64_t of_cluster[K], int64_t of_group[4])
{
    int64_t sum = 0;
    memset(of_cluster, 0, K * sizeof *of_cluster);
    memset(of_group, 0, 4 * sizeof *of_group);
    for (int i = 0; i < N; i++) {
        sum += keep[i];
        of_cluster[c->cluster[i]] += keep[i];
        of_group[c->group[i]] += keep[i];
    }
    return sum;
}

static int64_t medoid(const struct scene *c, int cluster)
{
    int64_t best = -1;
    for (int64_t i = 0; i < N; i++)
        if (c->cluster[i] == cluster && (best < 0 || c->distance[i] < c->distance[best])) best = i;
    return best;
}

static double radius(const struct scene *c, const bool *keep)
{
    double most = 0;
    for (int i = 0; i < N; i++) {
        double near = INFINITY;
        for (int j = 0; j < N; j++)
            if (keep[j]) near = fmin(near, distance2(c->x + i * D, c->x + j * D));
        most = fmax(most, near);
    }
    return sqrt(most);
}

static void as_many_as_wanted_from_every_cluster(void **state)
{
    struct scene *c = *state;
    int64_t of_cluster[K], of_group[4];
    bool keep[N];
    for (int p = 0; p < 4; p++) {
        c->s.pick = all_picks[p];
        for (int64_t want = 1; want < 3200; want = want * 3 + 2) {
            assert_int_equal(sb_diverse(&c->s, want, keep), 0);
            assert_int_equal(counts(c, keep, of_cluster, of_group), want < N ? want : N);
            int64_t covered = 0;
            for (int j = 0; j < K; j++) covered += of_cluster[j] > 0;
            if (c->s.pick == SB_PICK_CENTRE) continue;
            assert_int_equal(covered, want < K ? want : K);
            for (int j = 0; j < K; j++)
                if (of_cluster[j]) assert_true(keep[medoid(c, j)]);
        }
    }
}

/* The farthest from all that were picked, found the long way. */
static void greedy(const struct scene *c, int64_t want, bool *keep)
{
    static double near[N];
    for (int i = 0; i < N; i++) near[i] = INFINITY;
    for (int64_t count = 0; count < want; count++) {
        int64_t next = -1, before = -1;
        for (int64_t i = 0; i < N; i++)
            if (!keep[i] && (next < 0 || near[i] > near[next])) next = i;
        if (!count) {
            int largest = 0;
            for (int j = 1; j < K; j++) largest = c->size[j] > c->size[largest] ? j : largest;
            next = medoid(c, largest);
        }
        keep[before = next] = true;
        for (int i = 0; i < N; i++) near[i] = fmin(near[i], distance2(c->x + i * D, c->x + before * D));
    }
}

static void k_centre_is_greedy(void **state)
{
    struct scene *c = *state;
    bool keep[N], other[N];
    c->s.pick = SB_PICK_CENTRE;
    for (int64_t want = 1; want < 1500; want = want * 4 + 1) {
        memset(other, 0, sizeof other);
        greedy(c, want, other);
        assert_int_equal(sb_diverse(&c->s, want, keep), 0);
        assert_memory_equal(keep, other, sizeof keep);
    }
}

static void the_mix_covers_best(void **state)
{
    struct scene *c = *state;
    double of_mix, of_other;
    bool keep[N];
    c->s.pick = SB_PICK_MIX;
    assert_int_equal(sb_diverse(&c->s, 150, keep), 0);
    of_mix = radius(c, keep);
    for (int p = 1; p < 4; p++) {
        c->s.pick = all_picks[p];
        assert_int_equal(sb_diverse(&c->s, 150, keep), 0);
        of_other = radius(c, keep);
        assert_true(of_mix < (c->s.pick == SB_PICK_CENTRE ? 1.1 : 0.9) * of_other);
    }
}

static void density_gives_in_proportion(void **state)
{
    struct scene *c = *state;
    int64_t of_cluster[K], of_group[4];
    bool keep[N];
    c->s.pick = SB_PICK_DENSITY;
    assert_int_equal(sb_diverse(&c->s, 300, keep), 0);
    counts(c, keep, of_cluster, of_group);
    for (int j = 0; j < K; j++) {
        double claim = 1 + (300.0 - K) * (double)(c->size[j] - 1) / (N - K);
        assert_true(fabs((double)of_cluster[j] - claim) < 1);
    }
}

/* The group of 40 can't give a third of a hundred and twenty-five thirds; the others share what it lacks. */
static void groups_give_equally(void **state)
{
    struct scene *c = *state;
    int64_t of_cluster[K], of_group[4];
    bool keep[N];
    c->s.group = c->group;
    for (int p = 0; p < 4; p++) {
        c->s.pick = all_picks[p];
        assert_int_equal(sb_diverse(&c->s, 100, keep), 0);
        counts(c, keep, of_cluster, of_group);
        for (int g = 0; g < 4; g++) assert_int_equal(of_group[g], 25);
        assert_int_equal(sb_diverse(&c->s, 601, keep), 0);
        counts(c, keep, of_cluster, of_group);
        assert_int_equal(of_group[0], 40);
        for (int g = 1; g < 4; g++) assert_int_equal(of_group[g], 187);
        for (int j = 0; j < K && c->s.pick != SB_PICK_CENTRE; j++) assert_true(of_cluster[j] > 0);
        assert_int_equal(sb_diverse(&c->s, 2, keep), 0);
        assert_int_equal(counts(c, keep, of_cluster, of_group), 2);
    }
    c->s.group = NULL;
}

/* Within one cluster: the middle first, then the ends of a line, then what is between; equal vectors last. */
static void a_selection_goes_far(void **state)
{
    (void)state;
    const char *why = NULL;
    float x[] = {0, 4, 5, 6, 10, 10}, distance[] = {25, 1, 0, 1, 25, 25};
    int32_t cluster[6] = {0};
    bool keep[6];
    struct sb_diverse s = {.ops = &sb_ops_ref, .dev = sb_ops_ref.open(0, 1, &why), .x = x, .n = 6, .d = 1, .k = 1,
                           .cluster = cluster, .distance = distance};
    assert_int_equal(sb_diverse(&s, 3, keep), 0);
    assert_true(keep[0] && !keep[1] && keep[2] && !keep[3] && keep[4] && !keep[5]);
    assert_int_equal(sb_diverse(&s, 5, keep), 0);
    assert_true(keep[0] && keep[1] && keep[2] && keep[3] && keep[4] && !keep[5]);
    sb_ops_ref.close(s.dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_wanted_from_every_cluster),
        cmocka_unit_test(k_centre_is_greedy),
        cmocka_unit_test(the_mix_covers_best),
        cmocka_unit_test(density_gives_in_proportion),
        cmocka_unit_test(groups_give_equally),
        cmocka_unit_test(a_selection_goes_far),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
