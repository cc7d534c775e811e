/* The CUDA backend's matrix products without a GPU: what kernels/cuda/matmul.c asks of cuBLASLt is computed on the CPU
 * as cuBLASLt's documentation reads it (cublaslt_fake.c), and must be the product that was meant. And which way is
 * remembered as the fastest. Skipped where CUDA's headers are missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef SB_CUDA_HEADERS
#include <math.h>

#include "base/err.h"
#include "base/rng.h"
#include "cublaslt_fake.h"
#include "kernels/cuda/cublaslt.h"

static char *cache; /* $XDG_CACHE_HOME */

static char *cache_file(void)
{
    return sb_format("%s/seabot/cuda-choices", cache);
}

static int fresh(void **state)
{
    (void)state;
    char *file = cache_file();
    unlink(file);
    free(file);
    setenv("XDG_CACHE_HOME", cache, 1);
    fake_reset();
    return 0;
}

static void close_all(struct sb_dev *d)
{
    sb_cuda_matmuls_close(d);
    sb_cuda_choices_close(d);
}

/* ---- the product that was meant ---------------------------------------------------------------------------------- */

static double get(enum sb_dtype type, const void *p, int64_t i)
{
    return type == SB_BF16 ? sb_bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}

static void *invent(struct sb_rng *rng, enum sb_dtype type, int64_t n)
{
    void *p = sb_aligned(64, (size_t)n * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        float x = (float)sb_rng_range(rng, -1, 1);
        if (type == SB_BF16) ((uint16_t *)p)[i] = sb_f32_to_bf16(x);
        else ((float *)p)[i] = x;
    }
    return p;
}

static bool near(enum sb_dtype type, double is, double should)
{
    return fabs(is - should) <= (type == SB_BF16 ? 0x1p-8 : 1e-5) * (1 + fabs(should));
}

/* Row by row, as matmul.h says. */
static void compare(const struct sb_matmul *m, const struct sb_matmul_data *p, const void *c)
{
    for (int64_t i = 0; i < m->m; i++) {
        double row = 0;
        for (int64_t k = 0; k < m->k; k++) row += get(m->in, p->a, m->a_transposed ? k * m->m + i : i * m->k + k);
        if (p->sums) assert_true(near(m->out, get(m->out, p->sums, i), row));
        for (int64_t j = 0; j < m->n; j++) {
            double sum = m->add ? get(m->out, c, i * m->n + j) : 0;
            for (int64_t k = 0; k < m->k; k++) {
                sum += get(m->in, p->a, m->a_transposed ? k * m->m + i : i * m->k + k) *
                       get(m->in, p->b, m->b_transposed ? j * m->k + k : k * m->n + j);
            }
            if (p->bias) sum += get(m->out, p->bias, j);
            if (p->pre) assert_true(near(m->out, get(m->out, p->pre, i * m->n + j), sum));
            if (m->epilogue == SB_EPILOGUE_GELU_TANH || m->epilogue == SB_EPILOGUE_GELU_TANH_PRE)
                sum *= 0.5 * (1 + tanh(0.7978845608028654 * (sum + 0.044715 * sum * sum * sum)));
            if (!near(m->out, get(m->out, p->y, i * m->n + j), sum)) {
                fail_msg("[%lld,%lld,%lld] a%s b%s epilogue %d add %d: y[%lld,%lld] is %g, not %g", (long long)m->m,
                         (long long)m->n, (long long)m->k, m->a_transposed ? "^T" : "", m->b_transposed ? "^T" : "",
                         m->epilogue, m->add, (long long)i, (long long)j, get(m->out, p->y, i * m->n + j), sum);
            }
        }
    }
}

/* Twice: the first call of a shape also finds the fastest algorithm, and must not spoil y by it. */
static void try(struct sb_dev *d, struct sb_rng *rng, const struct sb_matmul *m, bool in_place, bool biased)
{
    struct sb_matmul_data p = {0};
    void *a = invent(rng, m->in, m->m * m->k), *b = invent(rng, m->in, m->k * m->n), *bias = invent(rng, m->out, m->n),
         *c = invent(rng, m->out, m->m * m->n), *y = invent(rng, m->out, m->m * m->n),
         *pre = invent(rng, m->out, m->m * m->n), *before = sb_malloc((size_t)(m->m * m->n) * sizeof(float));
    p.a = a, p.b = b, p.y = y;
    void *other_bias = invent(rng, m->out, m->n), *other_pre = invent(rng, m->out, m->m * m->n);
    p.c = !m->add ? NULL : in_place ? y : c;
    for (int again = 0; again < 2; again++) {
        p.bias = !biased ? NULL : again ? other_bias : bias; /* the second call finds a plan */
        p.pre = m->epilogue != SB_EPILOGUE_GELU_TANH_PRE ? NULL : again ? other_pre : pre;
        p.sums = m->epilogue != SB_EPILOGUE_SUMS ? NULL : again ? other_pre : pre;
        if (!sb_cuda_matmul_can(d, m, &p)) break;
        memcpy(before, in_place ? y : c, (size_t)(m->m * m->n) * sb_dtype_size(m->out));
        sb_cuda_matmul(d, m, &p);
        /* Sums that are split over k are put together in f32: not in y, where that is bf16. */
        if (!again && m->out == SB_BF16) assert_int_equal(fake.reduction, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
        compare(m, &p, before);
    }
    free(a), free(b), free(bias), free(c), free(y), free(pre), free(before), free(other_bias), free(other_pre);
}

static void test_every_product_is_the_one_meant(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{5, 7, 3}, {1, 8, 16}, {16, 8, 24}, {3, 24, 1}, {33, 1, 5}};
    static const enum sb_dtype types[][2] = {{SB_F32, SB_F32}, {SB_BF16, SB_BF16}, {SB_BF16, SB_F32}};
    struct sb_dev d = {.major = 9};
    struct sb_rng rng;
    sb_rng_init(&rng, 5, 0);
    for (int i = 0; i < 5 * 3 * 4 * 5 * 3 * 2; i++) {
        int size = i % 5, type = i / 5 % 3, turns = i / 15 % 4, epilogue = i / 60 % 5, add = i / 300 % 3;
        bool bias = i / 900;
        if (epilogue == SB_EPILOGUE_NONE || epilogue == SB_EPILOGUE_SUMS ? bias : epilogue == SB_EPILOGUE_BIAS && !bias)
            continue;
        struct sb_matmul m = {.m = sizes[size][0],
                              .n = sizes[size][1],
                              .k = sizes[size][2],
                              .a_transposed = turns & 1,
                              .b_transposed = turns & 2,
                              .in = types[type][0],
                              .out = types[type][1],
                              .add = add > 0,
                              .epilogue = (enum sb_epilogue)epilogue};
        try(&d, &rng, &m, add == 2, bias);
    }
    assert_true(fake.products > 1000);
    assert_int_equal(fake.own, 0);
    close_all(&d);
}

/* ---- algorithms -------------------------------------------------------------------------------------------------- */

static float ones[64] __attribute__((aligned(64))), result[64] __attribute__((aligned(64)));
static const struct sb_matmul plain = {.m = 4, .n = 8, .k = 8, .in = SB_F32, .out = SB_F32};

static void multiply(struct sb_dev *d, bool add, bool in_place)
{
    struct sb_matmul m = plain;
    struct sb_matmul_data p = {.a = ones, .b = ones, .c = in_place ? result : ones, .y = result};
    m.add = add;
    sb_cuda_matmul(d, &m, &p);
}

static void test_the_fastest_algorithm_is_taken_and_remembered(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    multiply(&d, false, false);
    assert_int_equal(fake.last, 1);
    int timed = fake.timings;
    assert_true(timed > 0);
    multiply(&d, false, false);
    assert_int_equal(fake.timings, timed);
    close_all(&d);

    fake.cost[1] = 9; /* a file that is there is believed */
    multiply(&d, false, false);
    assert_int_equal(fake.last, 1);
    assert_int_equal(fake.timings, timed);
    close_all(&d);

    fake.gpu = "NVIDIA Fake 200"; /* it says nothing about another GPU */
    multiply(&d, false, false);
    assert_int_equal(fake.last, 2);
    close_all(&d);
    timed = fake.timings;
    fake.gpu = "NVIDIA Fake 100"; /* whose lines have not pushed these out */
    multiply(&d, false, false);
    assert_int_equal(fake.last, 1);
    assert_int_equal(fake.timings, timed);
    close_all(&d);
}

static void test_what_cannot_add_elsewhere_does_not(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    fake.in_place[1] = true;
    multiply(&d, true, false);
    assert_int_equal(fake.last, 2);
    multiply(&d, true, true);
    assert_int_equal(fake.last, 1);
    close_all(&d);
}

static void test_an_algorithm_that_fails_is_replaced(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    fake.fails[1] = true;
    for (int i = 0; i < 64; i++) ones[i] = 1;
    multiply(&d, false, false);
    assert_true(result[0] == 8);
    assert_int_equal(fake.last, 2); /* later that one, and the one that was proposed first */
    fake.fails[0] = fake.fails[2] = true;
    fake.fails[1] = false;
    result[0] = 0;
    multiply(&d, false, false);
    assert_int_equal(fake.last, 1);
    assert_true(result[0] == 8);
    close_all(&d);
}

static void test_without_memory_nothing_is_spoiled(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    for (int i = 0; i < 64; i++) ones[i] = 1, result[i] = 2;
    fake.no_memory = true;
    multiply(&d, true, true);
    assert_int_equal(fake.last, 0);
    assert_int_equal(fake.timings, 0);
    assert_true(result[0] == 10);
    close_all(&d);
}

static void test_nothing_is_timed_while_a_graph_is_captured(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    fake.captures = true;
    multiply(&d, false, false);
    assert_int_equal(fake.last, 0);
    assert_int_equal(fake.timings, 0);
    fake.captures = false;
    multiply(&d, false, false);
    assert_int_equal(fake.last, 1);
    fake.captures = true; /* what is known then is used */
    multiply(&d, false, false);
    assert_int_equal(fake.last, 1);
    close_all(&d);
}

static void test_what_the_library_refuses_is_ours(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    struct sb_matmul m = plain;
    struct sb_matmul_data p = {.a = ones, .b = ones, .bias = ones, .y = result, .pre = ones};
    fake.algorithms = 0;
    assert_true(sb_cuda_matmul_can(&d, &m, &p));
    multiply(&d, false, false);
    assert_int_equal(fake.own, 1);
    m.epilogue = SB_EPILOGUE_BIAS;
    assert_false(sb_cuda_matmul_can(&d, &m, &p));
    close_all(&d);

    fake.algorithms = FAKE_ALGORITHMS;
    assert_true(sb_cuda_matmul_can(&d, &m, &p));
    p.bias = ones + 1;
    assert_false(sb_cuda_matmul_can(&d, &m, &p));
    p.bias = ones;
    m.n = 7; /* rows of pre are then not as cuBLASLt wants them */
    m.epilogue = SB_EPILOGUE_GELU_TANH_PRE;
    assert_false(sb_cuda_matmul_can(&d, &m, &p));
    close_all(&d);
}

/* ---- the file of choices ----------------------------------------------------------------------------------------- */

static void work(void *arg, int way)
{
    fake_spend(((const double *)arg)[way]);
}

static int choose(struct sb_dev *d, int64_t number, double first, double second)
{
    double cost[] = {first, second};
    return sb_cuda_choose(d, "work", &number, 1, 2, work, cost);
}

static void test_ways_that_no_graph_takes_are_timed_too(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    fake.no_graphs = true;
    assert_int_equal(choose(&d, 1, 2, 1), 1);
    assert_int_equal(choose(&d, 2, 0.01, 0.02), 0);
    close_all(&d);
}

static char *read_all(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void test_a_damaged_file_is_repaired(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    char *file = cache_file();
    assert_int_equal(choose(&d, 1, 2, 1), 1);
    close_all(&d);

    FILE *f = fopen(file, "a"); /* another GPU's, another version's, rubbish, a way that is none, a line cut off */
    fputs("1\tOther GPU\t12000\twork 1 of 2\t0\t5.0\n", f);
    fputs("0\tNVIDIA Fake 100\t13000\twork 2 of 2\t1\t5.0\n\n\t\t\n\xff\xfe\nno tabs\n", f);
    fputs("1\tNVIDIA Fake 100\t13000\twork 3 of 2\t99\t5.0\n1\tNVIDIA Fake 100\t13000\twork 4 of 2\tone\t5.0\n", f);
    fputs("1\tNVIDIA Fake 100\t13000\twork 5 of 2\t1\t5.0\n1\tNVIDIA Fake 100\t13000\twork 6 of 2\t1\t5", f);
    fclose(f);
    assert_int_equal(choose(&d, 1, 1, 2), 1); /* remembered */
    assert_int_equal(choose(&d, 5, 1, 2), 1);
    for (int i = 2; i <= 6; i++) {
        if (i != 5) assert_int_equal(choose(&d, i, 1, 2), 0); /* timed */
    }
    close_all(&d);
    const char *text = read_all(file);
    assert_non_null(strstr(text, "1\tOther GPU\t12000\twork 1 of 2\t0\t5.0\n"));
    assert_non_null(strstr(text, "1\tNVIDIA Fake 100\t13000\twork 6 of 2\t0\t1000.0\n"));
    assert_null(strstr(text, "no tabs"));
    assert_null(strstr(text, "99"));
    free(file);
}

static void test_without_a_file_it_is_timed_each_time(void **state)
{
    (void)state;
    struct sb_dev d = {0};
    char *file = cache_file(), *inside = sb_format("%s/inside", file);
    assert_int_equal(choose(&d, 1, 2, 1), 1);
    close_all(&d);
    unlink(file);
    assert_int_equal(choose(&d, 1, 1, 2), 0); /* forgotten with the file */
    close_all(&d);

    setenv("XDG_CACHE_HOME", inside, 1); /* can't be: it is below a file */
    assert_int_equal(choose(&d, 1, 2, 1), 1);
    close_all(&d);
    assert_int_equal(choose(&d, 1, 1, 2), 0);
    close_all(&d);
    setenv("XDG_CACHE_HOME", "", 1);
    char *home = sb_strdup(getenv("HOME") ? getenv("HOME") : "");
    unsetenv("HOME");
    assert_int_equal(choose(&d, 1, 2, 1), 1);
    close_all(&d);
    setenv("HOME", cache, 1); /* then it is in ~/.cache */
    assert_int_equal(choose(&d, 1, 2, 1), 1);
    close_all(&d);
    char *at_home = sb_format("%s/.cache/seabot/cuda-choices", cache);
    assert_int_equal(access(at_home, R_OK), 0);
    if (*home) setenv("HOME", home, 1);
    free(home), free(at_home), free(file), free(inside);
}

static void test_several_may_write_at_once(void **state)
{
    (void)state;
    for (int child = 0; child < 4; child++) {
        if (fork()) continue;
        struct sb_dev d = {0};
        for (int i = 0; i < 25; i++) choose(&d, 100 * child + i, 2, 1);
        _exit(0);
    }
    for (int child = 0, status; child < 4; child++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    char *file = cache_file(), *text = read_all(file), *line = text;
    int lines = 0;
    for (char *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
        int number, way;
        float microseconds;
        char rest;
        *end = 0;
        assert_int_equal(sscanf(line, "1\tNVIDIA Fake 100\t13000\twork %d of 2\t%d\t%f%c", &number, &way,
                                &microseconds, &rest), 3);
        assert_int_equal(way, 1);
    }
    assert_int_equal(*line, 0);
    assert_true(lines >= 25 && lines <= 100);
    char *left = sb_format("ls %s/seabot | wc -l | grep -qx 1", cache); /* no temporary file stays */
    assert_int_equal(system(left), 0);
    free(file), free(left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_product_is_the_one_meant, fresh),
        cmocka_unit_test_setup(test_the_fastest_algorithm_is_taken_and_remembered, fresh),
        cmocka_unit_test_setup(test_what_cannot_add_elsewhere_does_not, fresh),
        cmocka_unit_test_setup(test_an_algorithm_that_fails_is_replaced, fresh),
        cmocka_unit_test_setup(test_without_memory_nothing_is_spoiled, fresh),
        cmocka_unit_test_setup(test_nothing_is_timed_while_a_graph_is_captured, fresh),
        cmocka_unit_test_setup(test_what_the_library_refuses_is_ours, fresh),
        cmocka_unit_test_setup(test_ways_that_no_graph_takes_are_timed_too, fresh),
        cmocka_unit_test_setup(test_a_damaged_file_is_repaired, fresh),
        cmocka_unit_test_setup(test_without_a_file_it_is_timed_each_time, fresh),
        cmocka_unit_test_setup(test_several_may_write_at_once, fresh),
    };
    char folder[] = "/tmp/seabot-choices-XXXXXX";
    cache = mkdtemp(folder);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    char *clean = sb_format("rm -rf %s", cache);
    if (system(clean)) rc = 1;
    free(clean);
    return rc;
}
#else
static void test_cuda_headers_are_missing(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cuda_headers_are_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
