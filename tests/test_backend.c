/* Rung 2: a backend against the reference, for every case of op_cases.c: test_backend [BACKEND [OP]], BACKEND by
 * default $SB_BACKEND or cpu. Skipped, and said so, where the plugin is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "nn/backend.h"
#include "op_cases.h"

static const char *name = "cpu";
static struct sb_backend backend;
static bool missing;

/* Plugins of this build, where the caller names no others: bin/ beside the folder of this program. */
static void name_plugins(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) return;
    path[n] = 0;
    for (int i = 0; i < 2 && strrchr(path, '/'); i++) *strrchr(path, '/') = 0;
    char *folder = sb_format("%s/bin", path);
    setenv("SEABOT_PLUGINS", folder, 0);
    free(folder);
}

static bool plugin_is_there(void)
{
    if (!strcmp(name, "ref")) return true;
    char *path = sb_format("%s/seabot-%s.so", getenv("SEABOT_PLUGINS"), name);
    bool there = access(path, R_OK) == 0;
    if (!there) print_message("no %s: the tests of this backend are skipped\n", path);
    free(path);
    return there;
}

/* All cases of the op that *state names, in both dtypes. */
static void test_op(void **state)
{
    if (missing) skip();
    int wrong = 0;
    for (int i = 0; i < op_case_count; i++) {
        const struct op_case *c = &op_cases[i];
        for (int bf16 = 0; bf16 < 2 && !strcmp(c->op, *state); bf16++) {
            char what[512], title[256];
            enum sb_dtype act = bf16 ? SB_BF16 : SB_F32;
            if (!op_case_has_dtype(c, act) || op_case_run(c, act, backend.ops, backend.dev, what, sizeof what))
                continue;
            op_case_name(c, act, title, sizeof title);
            print_error("%s: %s: %s\n", name, title, what);
            wrong++;
        }
    }
    if (wrong) fail_msg("%d cases of %s are wrong", wrong, (const char *)*state);
}

static void *take(size_t bytes)
{
    void *p = backend.ops->alloc(backend.dev, bytes);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    return p;
}

static void test_memory(void **state)
{
    (void)state;
    if (missing) skip();
    size_t all = 0, bytes = (size_t)64 << 20, before = backend.ops->memory(backend.dev, &all);
    assert_in_range(before, 1, all);
    assert_int_equal(backend.ops->memory(backend.dev, NULL) > 0, true);
    assert_null(backend.ops->alloc(backend.dev, SIZE_MAX / 2)); /* and what comes after it works */
    char *p = take(bytes), *host = sb_malloc(bytes);
    backend.ops->download(backend.dev, host, p, bytes);
    for (size_t i = 0; i < bytes; i++) {
        if (host[i]) fail_msg("byte %zu of what alloc gave is %d", i, host[i]);
    }
    backend.ops->release(backend.dev, p);
    backend.ops->release(backend.dev, NULL);
    free(host);
}

/* Both ways, also in pieces larger than a backend's staging memory; from_host is reused at once. */
static void test_transfers(void **state)
{
    (void)state;
    if (missing) skip();
    const struct sb_ops *o = backend.ops;
    struct sb_dev *d = backend.dev;
    static const size_t sizes[] = {1, 4, 4097, 3 << 20, 40 << 20};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t n = sizes[k];
        unsigned char *x = sb_malloc(n), *y = sb_malloc(n), *a = take(n), *b = take(n);
        for (size_t i = 0; i < n; i++) x[i] = (unsigned char)(i * 2654435761u >> 13);
        o->upload(d, a, x, n);
        size_t third = n / 3;
        const void *const whole[] = {x}, *const thirds[] = {x + 2 * third, x, x + third};
        if (third)
            o->prefetch(d, b, thirds, 3, third);
        else
            o->prefetch(d, b, whole, 1, n);
        memset(x, 2, n);
        o->download(d, y, a, n);
        for (size_t i = 0; i < n; i++) assert_int_equal(y[i], (unsigned char)(i * 2654435761u >> 13));
        o->download(d, y, b, n);
        if (!third) assert_int_equal(y[0], 0);
        for (size_t i = 0; i < 3 * third; i++)
            assert_int_equal(y[i], (unsigned char)((i + (i < third ? 2 * third : -third)) * 2654435761u >> 13));
        o->release(d, a);
        o->release(d, b);
        free(x);
        free(y);
    }
}

/* A pipeline of two buffers: what each round computed is found later, though both buffers are in use again. */
static void test_two_under_way(void **state)
{
    (void)state;
    if (missing) skip();
    const struct sb_ops *o = backend.ops;
    struct sb_dev *d = backend.dev;
    enum { COUNT = 1000, ROUNDS = 12 };
    struct sb_tensor x = {SB_F32, 1, {COUNT}, NULL}, y = {SB_F32, 1, {COUNT}, take(COUNT * sizeof(float))};
    float *in[2] = {take(COUNT * sizeof(float)), take(COUNT * sizeof(float))}, host[COUNT];
    const void *const from[] = {host};
    assert_null(o->fetched(d, 7));
    for (int round = 0; round <= ROUNDS; round++) {
        for (int i = 0; i < COUNT; i++) host[i] = (float)(i % 2 ? round + i : -i);
        x.data = in[round % 2];
        if (round < ROUNDS) o->prefetch(d, x.data, from, 1, sizeof host);
        if (round < ROUNDS) o->relu(d, &x, &y);
        if (round < ROUNDS) o->fetch(d, round % SB_FETCH_SLOTS, y.data, sizeof host);
        if (!round) continue;
        const float *got = o->fetched(d, (round - 1) % SB_FETCH_SLOTS);
        for (int i = 0; i < COUNT; i++) assert_true(got[i] == (float)(i % 2 ? round - 1 + i : 0));
    }
    o->wait(d);
    o->release(d, in[0]);
    o->release(d, in[1]);
    o->release(d, y.data);
}

struct pass {
    struct sb_tensor x, y, z;
};

static void add_up(void *arg)
{
    struct pass *p = arg;
    backend.ops->relu(backend.dev, &p->x, &p->y);
    backend.ops->scale_add(backend.dev, &p->z, &p->y, NULL, (struct sb_chance){.p = 0}, &p->z);
}

/* A repeated pass reads its data anew each time, whatever a backend keeps of it; after a release it is as good. */
static void test_repeat(void **state)
{
    (void)state;
    if (missing) skip();
    const struct sb_ops *o = backend.ops;
    struct sb_dev *d = backend.dev;
    struct pass p = {{SB_F32, 2, {1, 4}, take(16)}, {SB_F32, 2, {1, 4}, take(16)}, {SB_F32, 2, {1, 4}, take(16)}};
    float sum = 0, host[4];
    for (int i = 0; i < 6; i++) {
        float value[4] = {(float)i, 1, -1, 0.5f};
        o->upload(d, p.x.data, value, sizeof value);
        o->repeat(d, 3, add_up, &p);
        sum += (float)i;
        if (i == 3) o->release(d, take(100));
    }
    o->download(d, host, p.z.data, sizeof host);
    assert_true(host[0] == sum && host[1] == 6 && host[2] == 0 && host[3] == 3);
    o->release(d, p.x.data);
    o->release(d, p.y.data);
    o->release(d, p.z.data);
}

/* An op without a case is an op that no one holds to anything. */
static void test_all_ops_have_cases(void **state)
{
    (void)state;
#define FIND(op) #op,
    static const char *const ops[] = {SB_OPS_EACH(FIND)};
    static const char *const elsewhere = " open close fast_bf16 alloc release upload download wait memory prefetch "
                                         "fetch fetched repeat linear_pack_size linear_pack ";
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
        char word[64];
        bool found = false;
        snprintf(word, sizeof word, " %s ", ops[k]);
        for (int i = 0; i < op_case_count; i++) found = found || !strcmp(op_cases[i].op, ops[k]);
        if (!found && !strstr(elsewhere, word)) fail_msg("%s has no case", ops[k]);
    }
}

/* Four ways to be wrong that a comparison of values alone may miss. */
static void adds_to_output(struct sb_dev *d, sb_in x, sb_out y)
{
    float *v = y->data, old = v[0];
    sb_ops_ref.relu(d, x, y);
    if (y->dtype == SB_F32) v[0] += old;
}

static void overwrites_gradient(struct sb_dev *d, sb_in id, sb_in dy, sb_out dtable, sb_out dpos)
{
    if (dtable) sb_ops_ref.fill(d, 0, dtable);
    sb_ops_ref.embed_bwd(d, id, dy, dtable, dpos);
}

static void writes_behind(struct sb_dev *d, sb_in x, sb_out y)
{
    struct sb_tensor flat = {SB_I32, 1, {y->shape[0] + 1}, y->data};
    sb_ops_ref.fill(d, 0, &flat);
    sb_ops_ref.argmax(d, x, y);
}

static void changes_input(struct sb_dev *d, sb_in x, sb_out y)
{
    sb_ops_ref.softmax(d, x, y);
    sb_ops_ref.fill(d, 0, x);
}

static void test_wrong_ops_are_noticed(void **state)
{
    (void)state;
    struct sb_ops wrong = sb_ops_ref;
    wrong.relu = adds_to_output;
    wrong.embed_bwd = overwrites_gradient;
    wrong.argmax = writes_behind;
    wrong.softmax = changes_input;
    struct sb_dev *d = sb_ops_ref.open(0, 0, NULL);
    const char *const bad = " relu embed_bwd argmax softmax ", *seen = "";
    for (int i = 0; i < op_case_count; i++) {
        char what[512], word[64];
        snprintf(word, sizeof word, " %s ", op_cases[i].op);
        if (!strstr(bad, word) || !strcmp(seen, op_cases[i].op)) continue;
        seen = op_cases[i].op;
        if (op_case_run(&op_cases[i], SB_F32, &wrong, d, what, sizeof what)) fail_msg("a wrong %s passed", seen);
    }
    sb_ops_ref.close(d);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest test[128];
    size_t tests = 0;
    if (getenv("SB_BACKEND")) name = getenv("SB_BACKEND");
    if (argc > 1) name = argv[1];
    name_plugins();
    missing = !plugin_is_there();
    if (!missing && sb_backend_open(&backend, name, 2) < 0) {
        print_error("%s\n", sb_error_message());
        return 1;
    }
    if (argc < 3) {
        test[tests++] = (struct CMUnitTest)cmocka_unit_test(test_all_ops_have_cases);
        test[tests++] = (struct CMUnitTest)cmocka_unit_test(test_wrong_ops_are_noticed);
        test[tests++] = (struct CMUnitTest)cmocka_unit_test(test_memory);
        test[tests++] = (struct CMUnitTest)cmocka_unit_test(test_transfers);
        test[tests++] = (struct CMUnitTest)cmocka_unit_test(test_two_under_way);
        test[tests++] = (struct CMUnitTest)cmocka_unit_test(test_repeat);
    }
    for (int i = 0; i < op_case_count; i++) {
        const char *op = op_cases[i].op;
        if (argc > 2 && strcmp(argv[2], op)) continue;
        if (tests && !strcmp(test[tests - 1].name, op)) continue;
        test[tests++] = (struct CMUnitTest){op, test_op, NULL, NULL, (void *)op};
    }
    int failed = _cmocka_run_group_tests("backend", test, tests, NULL, NULL);
    if (!missing) sb_backend_close(&backend);
    return failed;
}
