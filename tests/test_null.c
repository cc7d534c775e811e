/* The null backend takes what the contract allows and aborts, with one line that names op and operand, at what it does
 * not. Here is a sample of each op's mistakes; that it takes what is right, test_backend finds: each of its cases goes
 * over null first. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "kernels/ops.h"

static const struct sb_ops *const null = &sb_ops_null;

/* An address that no one may read: null must not. */
#define NOWHERE ((void *)64)
#define COUNT(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define OF(type, ...) (&(struct sb_tensor){type, COUNT(__VA_ARGS__), {__VA_ARGS__}, NOWHERE})
#define F(...) OF(SB_F32, __VA_ARGS__)
#define H(...) OF(SB_BF16, __VA_ARGS__)
#define I(...) OF(SB_I32, __VA_ARGS__)
#define U(...) OF(SB_U8, __VA_ARGS__)
#define NO_DATA(...) (&(struct sb_tensor){SB_F32, COUNT(__VA_ARGS__), {__VA_ARGS__}, NULL})

static int said[2];

static pid_t begin(void)
{
    assert_int_equal(pipe(said), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child) return child;
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    dup2(said[1], STDERR_FILENO);
    return 0;
}

static void end(pid_t child, const char *wanted)
{
    char text[1024];
    size_t n = 0;
    ssize_t got;
    int status;
    close(said[1]);
    while (n < sizeof text - 1 && (got = read(said[0], text + n, sizeof text - 1 - n)) > 0) n += (size_t)got;
    text[n] = 0;
    close(said[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) fail_msg("not refused: %s", wanted);
    char *colon = strstr(text, ": "); /* behind the program's name */
    char *line = sb_format("%s\n", wanted);
    assert_non_null(colon);
    assert_string_equal(colon + 2, line);
    free(line);
}

/* The call aborts and says this. */
#define REFUSED(text, call)                                                                                            \
    do {                                                                                                               \
        pid_t child = begin();                                                                                         \
        if (child == 0) {                                                                                              \
            null->call;                                                                                                \
            _exit(0);                                                                                                  \
        }                                                                                                              \
        end(child, text);                                                                                              \
    } while (0)

static const struct sb_chance never = {.p = 0};

static void test_linear(void **state)
{
    (void)state;
    null->linear(NULL, F(3, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, F(3, 7));
    REFUSED("linear: w is f32 [7,4], wanted f32 [7,5]",
            linear(NULL, F(3, 5), F(7, 4), NULL, NULL, SB_ACT_NONE, NULL, NULL, F(3, 7)));
    REFUSED("linear: x is missing", linear(NULL, NULL, F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, F(3, 7)));
    REFUSED("linear: x is u8, wanted f32 or bf16",
            linear(NULL, U(3, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, F(3, 7)));
    REFUSED("linear: x is f32 [3,5,1], wanted 2 dimensions",
            linear(NULL, F(3, 5, 1), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, F(3, 7)));
    REFUSED("linear: x is empty: f32 [0,5]",
            linear(NULL, F(0, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, F(0, 7)));
    REFUSED("linear: y has no data",
            linear(NULL, F(3, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, NO_DATA(3, 7)));
    REFUSED("linear: y is bf16 [3,7], wanted f32 [3,7]",
            linear(NULL, F(3, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, NULL, H(3, 7)));
    REFUSED("linear: b is f32 [5], wanted f32 [7]",
            linear(NULL, F(3, 5), F(7, 5), NULL, F(5), SB_ACT_NONE, NULL, NULL, F(3, 7)));
    REFUSED("linear: residual is f32 [1,7], wanted f32 [3,7]",
            linear(NULL, F(3, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, F(1, 7), NULL, F(3, 7)));
    REFUSED("linear: pre is given, but there is no activation",
            linear(NULL, F(3, 5), F(7, 5), NULL, NULL, SB_ACT_NONE, NULL, F(3, 7), F(3, 7)));
    REFUSED("linear_bwd: pre is missing",
            linear_bwd(NULL, F(3, 5), F(7, 5), NULL, SB_ACT_GELU, NULL, F(3, 7), F(3, 5), NULL, NULL));
    REFUSED("linear_bwd: dw is bf16 [7,5], wanted f32 [7,5]",
            linear_bwd(NULL, H(3, 5), H(7, 5), NULL, SB_ACT_NONE, NULL, H(3, 7), NULL, H(7, 5), NULL));
    REFUSED("linear_pack: packed is missing", linear_pack(NULL, F(7, 5), true, NULL));
}

static void test_norms(void **state)
{
    (void)state;
    REFUSED("norm: gain is f32 [4], wanted f32 [5]", norm(NULL, F(3, 5), F(4), F(5), 1e-6f, NULL, F(3, 5)));
    REFUSED("norm: eps is 0, wanted more than 0", norm(NULL, F(3, 5), F(5), F(5), 0, NULL, F(3, 5)));
    REFUSED("norm_bwd: stats is missing", norm_bwd(NULL, F(3, 5), F(5), NULL, F(3, 5), NULL, F(3, 5), NULL, NULL));
    REFUSED("norm_bwd: add is given, but dx is not",
            norm_bwd(NULL, F(3, 5), F(5), F(3, 2), F(3, 5), F(3, 5), NULL, F(5), F(5)));
    REFUSED("batchnorm: gain is bf16 [4], wanted f32 [4]",
            batchnorm(NULL, H(2, 3, 3, 4), H(4), F(4), NULL, 1e-5f, 0.1f, true, true, F(2, 4), F(2, 4), H(2, 3, 3, 4)));
    REFUSED("batchnorm: x has one value a channel, which has no variance",
            batchnorm(NULL, F(1, 1, 1, 4), F(4), F(4), NULL, 1e-5f, 0.1f, true, true, F(2, 4), F(2, 4), F(1, 1, 1, 4)));
    REFUSED("batchnorm_bwd: y is missing", batchnorm_bwd(NULL, F(2, 3, 3, 4), F(4), F(2, 4), true, NULL, F(2, 3, 3, 4),
                                                         F(2, 3, 3, 4), NULL, NULL, NULL));
}

static void test_attention(void **state)
{
    (void)state;
    null->attention(NULL, F(2, 5, 3, 2, 8), false, NULL, NULL, NULL, F(2, 5, 2, 8));
    REFUSED("attention: qkv is f32 [2,5,2,2,8], wanted f32 [2,5,3,2,8]",
            attention(NULL, F(2, 5, 2, 2, 8), false, NULL, NULL, NULL, F(2, 5, 2, 8)));
    REFUSED("attention: cache and length go together",
            attention(NULL, F(2, 5, 3, 2, 8), true, F(2, 2, 2, 9, 8), NULL, NULL, F(2, 5, 2, 8)));
    REFUSED("attention: cache has 4 positions for 5 tokens",
            attention(NULL, F(2, 5, 3, 2, 8), true, F(2, 2, 2, 4, 8), NOWHERE, NULL, F(2, 5, 2, 8)));
    REFUSED("attention: cache is f32 [2,2,3,9,8], wanted f32 [2,2,2,?,8]",
            attention(NULL, F(2, 5, 3, 2, 8), true, F(2, 2, 3, 9, 8), NOWHERE, NULL, F(2, 5, 2, 8)));
    REFUSED("attention_bwd: lse is f32 [2,5,2], wanted f32 [2,2,5]",
            attention_bwd(NULL, F(2, 5, 3, 2, 8), false, F(2, 5, 2), F(2, 5, 2, 8), F(2, 5, 2, 8), F(2, 5, 3, 2, 8)));
}

static void test_elementwise(void **state)
{
    (void)state;
    REFUSED("gelu: activation 3 is no GELU", gelu(NULL, SB_ACT_RELU, F(5), F(5)));
    REFUSED("gelu_bwd: dy is f32 [6], wanted f32 [5]", gelu_bwd(NULL, SB_ACT_GELU, F(5), F(6), F(5)));
    REFUSED("relu: y is f32 [5,1], wanted f32 [5]", relu(NULL, F(5), F(5, 1)));
    REFUSED("relu_bwd: dx is missing", relu_bwd(NULL, F(5), F(5), NULL));
    REFUSED("silu_mul: x is f32 [3,5], wanted f32 [3,10]", silu_mul(NULL, F(3, 5), F(3, 5)));
    REFUSED("silu_mul_bwd: dx is f32 [3,5], wanted f32 [3,10]", silu_mul_bwd(NULL, F(3, 10), F(3, 5), F(3, 5)));
    REFUSED("scale_add: gain is f32 [3], wanted f32 [5]", scale_add(NULL, NULL, F(2, 3, 5), F(3), never, F(2, 3, 5)));
    REFUSED("scale_add: the chance has no state",
            scale_add(NULL, NULL, F(2, 3, 5), NULL, (struct sb_chance){.p = 0.1f}, F(2, 3, 5)));
    REFUSED("scale_add_bwd: x is missing", scale_add_bwd(NULL, NULL, F(5), never, F(2, 3, 5), F(2, 3, 5), F(5)));
    REFUSED("dropout: the probability of dropping is 1, wanted 0 <= p < 1",
            dropout(NULL, F(2, 3), (struct sb_chance){NOWHERE, 0, 1}, F(2, 3)));
}

static void test_tokens(void **state)
{
    (void)state;
    REFUSED("tokens: y is f32 [2,5,8], wanted f32 [2,6,8]", tokens(NULL, F(2, 5, 8), F(1, 8), NULL, F(2, 5, 8)));
    REFUSED("tokens: pos is f32 [7,8], wanted f32 [6,8]", tokens(NULL, F(2, 5, 8), F(1, 8), F(7, 8), F(2, 6, 8)));
    REFUSED("tokens_bwd: dprefix is f32 [2,8], wanted f32 [1,8]",
            tokens_bwd(NULL, F(2, 6, 8), F(2, 5, 8), F(2, 8), NULL));
    REFUSED("tokens_bwd: dpos has 4 rows, wanted 6 or 5", tokens_bwd(NULL, F(2, 6, 8), F(2, 5, 8), F(1, 8), F(4, 8)));
    REFUSED("embed: id is f32 [2,5], wanted i32 [?,?]", embed(NULL, F(2, 5), F(9, 8), NULL, NULL, F(2, 5, 8)));
    REFUSED("embed: pos has 4 rows for 5 tokens", embed(NULL, I(2, 5), F(9, 8), F(4, 8), NULL, F(2, 5, 8)));
    REFUSED("embed_bwd: dtable is f32 [9,7], wanted f32 [?,8]", embed_bwd(NULL, I(2, 5), F(2, 5, 8), F(9, 7), NULL));
    REFUSED("gather: index takes 6 of 5 rows", gather(NULL, F(2, 5, 8), I(2, 6), F(2, 6, 8)));
    REFUSED("gather_bwd: dx is f32 [3,5,8], wanted f32 [2,?,8]", gather_bwd(NULL, I(2, 3), F(2, 3, 8), F(3, 5, 8)));
    REFUSED("patchify: pictures of 32 pixels can't be cut into patches of 5",
            patchify(NULL, F(2, 3, 32, 32), 5, F(2, 36, 75)));
    REFUSED("pool: token 5 of 5", pool(NULL, SB_POOL_MEAN, 5, F(2, 5, 8), F(2, 8)));
    REFUSED("pool_bwd: dy is f32 [2,7], wanted f32 [2,8]", pool_bwd(NULL, SB_POOL_MEAN, 1, F(2, 7), F(2, 5, 8)));
}

static void test_convolution(void **state)
{
    (void)state;
    REFUSED("conv2d: w is f32 [4,2,3,3], wanted f32 [?,3,?,?]",
            conv2d(NULL, F(1, 8, 8, 3), F(4, 2, 3, 3), NULL, (struct sb_conv){1, 1}, F(1, 8, 8, 4)));
    REFUSED("conv2d: y is f32 [1,8,8,4], wanted f32 [1,4,4,4]",
            conv2d(NULL, F(1, 8, 8, 3), F(4, 3, 3, 3), NULL, (struct sb_conv){2, 1}, F(1, 8, 8, 4)));
    REFUSED("conv2d: no window of 3 fits into 2 with stride 1 and padding 0",
            conv2d(NULL, F(1, 2, 2, 3), F(4, 3, 3, 3), NULL, (struct sb_conv){1, 0}, F(1, 1, 1, 4)));
    REFUSED("conv2d_bwd: db is f32 [3], wanted f32 [4]",
            conv2d_bwd(NULL, F(1, 8, 8, 3), F(4, 3, 3, 3), (struct sb_conv){1, 1}, F(1, 8, 8, 4), NULL, NULL, F(3)));
    REFUSED("maxpool: padding 2 is not less than the window's 2",
            maxpool(NULL, F(1, 8, 8, 3), 2, (struct sb_conv){2, 2}, I(1, 6, 6, 3), F(1, 6, 6, 3)));
    REFUSED("maxpool: index is f32 [1,4,4,3], wanted i32 [1,4,4,3]",
            maxpool(NULL, F(1, 8, 8, 3), 2, (struct sb_conv){2, 0}, F(1, 4, 4, 3), F(1, 4, 4, 3)));
    REFUSED("maxpool_bwd: dy is f32 [1,4,4,3], wanted f32 [1,4,4,4]",
            maxpool_bwd(NULL, I(1, 4, 4, 3), 2, (struct sb_conv){2, 0}, F(1, 4, 4, 3), F(1, 8, 8, 4)));
}

static void test_losses(void **state)
{
    (void)state;
    null->xent(NULL, F(4, 7), I(4), NULL, 0, NULL, F(4), NULL);
    REFUSED("xent: scale is missing", xent(NULL, F(4, 7), I(4), NULL, 0, NULL, F(4), F(4, 7)));
    REFUSED("xent: target is f32 [4], wanted i32 [4]", xent(NULL, F(4, 7), F(4), NULL, 0, NULL, F(4), NULL));
    REFUSED("xent: target is missing", xent(NULL, F(4, 7), NULL, NULL, 0, NULL, F(4), NULL));
    REFUSED("xent: weight is f32 [4], wanted f32 [7]", xent(NULL, F(4, 7), I(4), F(4), 0, NULL, F(4), NULL));
    REFUSED("bce: target is i32 [4], wanted f32 [4,7]", bce(NULL, F(4, 7), I(4), NULL, NULL, F(4), NULL));
    REFUSED("mse: weight is f32 [7], wanted f32 [4]", mse(NULL, F(4, 7), F(4, 7), F(7), NULL, F(4), NULL));
    REFUSED("softmax: y is bf16 [4,7], wanted f32 [4,7]", softmax(NULL, H(4, 7), H(4, 7)));
    REFUSED("argmax: y is f32 [4], wanted i32 [4]", argmax(NULL, F(4, 7), F(4)));
}

static void test_optimiser(void **state)
{
    (void)state;
    struct sb_segment fine[] = {{0, 4, 1, 0}, {4, 4, 1, 0}}, overlap[] = {{0, 5, 1, 0}, {4, 4, 1, 0}},
                      outside[] = {{0, 4, 1, 0}, {4, 5, 1, 0}};
    null->adamw(NULL, fine, 2, NOWHERE, NULL, F(8), F(8), F(8), F(8), NULL, NULL);
    REFUSED("adamw: segment 1 overlaps the one before it, or they are out of order",
            adamw(NULL, overlap, 2, NOWHERE, NULL, F(8), F(8), F(8), F(8), NULL, NULL));
    REFUSED("adamw: segment 1 is [4,+5] of 8",
            adamw(NULL, outside, 2, NOWHERE, NULL, F(8), F(8), F(8), F(8), NULL, NULL));
    REFUSED("adamw: step is missing", adamw(NULL, fine, 2, NULL, NULL, F(8), F(8), F(8), F(8), NULL, NULL));
    REFUSED("adamw: copy is f32 [8], wanted bf16 [8]",
            adamw(NULL, fine, 2, NOWHERE, NULL, F(8), F(8), F(8), F(8), NULL, F(8)));
    REFUSED("sumsq: x is bf16 [8], wanted f32 [?]", sumsq(NULL, H(8), F(1)));
}

static void test_data_and_pictures(void **state)
{
    (void)state;
    REFUSED("lerp: t is f32 [2], wanted f32 [3]", lerp(NULL, F(3, 4), F(3, 4), F(2), F(3, 4)));
    REFUSED("cast: x is f64, wanted f32, bf16, u8 or i32", cast(NULL, OF(SB_F64, 3), F(3)));
    REFUSED("fill: y is u16, wanted f32, bf16, u8 or i32", fill(NULL, 0, OF(SB_U16, 3)));
    REFUSED("copy: strides are 3 and 4 for rows of 4", copy(NULL, F(3, 4), 3, 4, F(3, 4)));
    REFUSED("normalize: x is f32 [2,3,8,8], wanted u8 [2,3,8,8]",
            normalize(NULL, F(2, 3, 8, 8), F(2, 3), F(2, 3, 8, 8)));
    REFUSED("warp: matrix is f32 [2,2,3], wanted f32 [2,6]",
            warp(NULL, U(2, 3, 8, 9), F(2, 2, 3), NULL, U(2, 3, 4, 4)));
    REFUSED("warp: y is u8 [2,3,4,5], wanted u8 [2,3,4,4]", warp(NULL, U(2, 3, 8, 9), F(2, 6), NULL, U(2, 3, 4, 5)));
    REFUSED("mix: box is i32 [4,2], wanted i32 [2,4]", mix(NULL, F(2, 3, 8, 8), I(2), F(2), I(4, 2), F(2, 3, 8, 8)));
    REFUSED("nearest: c is f32 [5,3], wanted f32 [?,4]", nearest(NULL, F(9, 4), F(5, 3), I(9), F(9)));
    REFUSED("centroids: c is f32 [5,3], wanted f32 [5,4]", centroids(NULL, F(5, 4), F(5), F(5, 3), F(5, 4)));
    REFUSED("nearest_sum: count is f32 [9], wanted f32 [5]", nearest_sum(NULL, F(9, 4), I(9), F(5, 4), F(9)));
}

/* Plans are made on null's memory: it is never short of it, and no two pieces overlap. */
static void test_memory_is_invented(void **state)
{
    (void)state;
    struct sb_dev *d = null->open(0, 0, NULL);
    char *a = null->alloc(d, (size_t)1 << 45), *b = null->alloc(d, 1), host[4] = "abc";
    assert_non_null(a);
    assert_int_equal((uintptr_t)b % 64, 0);
    assert_true((uintptr_t)b >= (uintptr_t)a + ((size_t)1 << 45));
    null->upload(d, a, host, sizeof host);
    null->download(d, host, a, sizeof host);
    assert_memory_equal(host, "\0\0\0", 4);
    null->prefetch(d, a, (const void *const[]){host, host}, 2, sizeof host);
    null->fetch(d, 7, a, sizeof host);
    assert_memory_equal(null->fetched(d, 7), "\0\0\0", 4);
    assert_null(null->fetched(d, 0));
    assert_int_equal(null->memory(d, NULL), SIZE_MAX);
    REFUSED("fetch: slot 8 of 8", fetch(d, 8, a, 4));
    null->release(d, a);
    null->close(d);
    const char *why = NULL;
    assert_null(null->open(1, 0, &why));
    assert_non_null(why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_norms),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_elementwise),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_optimiser),
        cmocka_unit_test(test_data_and_pictures),
        cmocka_unit_test(test_memory_is_invented),
    };
    return cmocka_run_group_tests_name("null", tests, NULL, NULL);
}
