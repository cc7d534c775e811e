/* Tensors of more than 2^31 elements on the stand-in for CUDA: of each grid only the first and last blocks run, over
 * memory that is promised, not there. The last rows must be what a small tensor of these rows gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "nn/backend.h"

#define LAST 3 /* rows that are compared */

static struct sb_backend backend;

/* x [rows,n] bf16, y with memory for any dtype, of a row n elements or one; vectors [n], bf16 but for the last. */
struct tensors {
    const struct sb_ops *o;
    struct sb_dev *d;
    int64_t rows, n;
    struct sb_tensor x, gain, bias, t, draw;
    struct sb_chance chance;
    void *y;
};

static struct sb_tensor out(const struct tensors *v, enum sb_dtype dtype, int64_t n)
{
    return (struct sb_tensor){.dtype = dtype, .ndim = n ? 2 : 1, .shape = {v->rows, n}, .data = v->y};
}

#define HUGE_OP(name, dtype, n, ...)                                                                                   \
    static struct sb_tensor name(const struct tensors *v)                                                              \
    {                                                                                                                  \
        struct sb_tensor y = out(v, dtype, n);                                                                         \
        v->o->__VA_ARGS__;                                                                                             \
        return y;                                                                                                      \
    }
HUGE_OP(relu, SB_BF16, v->n, relu(v->d, &v->x, &y))
HUGE_OP(gelu, SB_BF16, v->n, gelu(v->d, SB_ACT_GELU, &v->x, &y))
HUGE_OP(silu_mul, SB_BF16, v->n / 2, silu_mul(v->d, &v->x, &y))
HUGE_OP(scale_add, SB_BF16, v->n, scale_add(v->d, &v->x, &v->x, &v->gain, v->chance, &y))
HUGE_OP(dropout, SB_BF16, v->n, dropout(v->d, &v->x, v->chance, &y))
HUGE_OP(lerp, SB_BF16, v->n, lerp(v->d, &v->x, &v->x, &v->t, &y))
HUGE_OP(cast, SB_F32, v->n, cast(v->d, &v->x, &y))
HUGE_OP(cast_u8, SB_U8, v->n, cast(v->d, &v->x, &y))
HUGE_OP(fill, SB_BF16, v->n, fill(v->d, 3, &y))
HUGE_OP(norm, SB_BF16, v->n, norm(v->d, &v->x, &v->gain, &v->bias, 1e-6f, NULL, &y))
HUGE_OP(softmax, SB_F32, v->n, softmax(v->d, &v->x, &y))
HUGE_OP(argmax, SB_I32, 0, argmax(v->d, &v->x, &y))

/* Of half rows: whole ones are one piece of memory, which would be copied to its end, by no kernel. */
static struct sb_tensor copy(const struct tensors *v)
{
    struct sb_tensor x = v->x, y = out(v, SB_BF16, v->n / 2);
    x.shape[1] /= 2;
    v->o->copy(v->d, &x, v->n, v->n / 2, &y);
    return y;
}

static const struct {
    const char *name;
    struct sb_tensor (*call)(const struct tensors *v);
} ops[] = {{"relu", relu}, {"gelu", gelu},       {"silu_mul", silu_mul}, {"scale_add", scale_add}, {"dropout", dropout},
           {"lerp", lerp}, {"cast", cast},       {"cast to u8", cast_u8}, {"fill", fill},          {"copy", copy},
           {"norm", norm}, {"softmax", softmax}, {"argmax", argmax}};

static struct sb_tensor vector(enum sb_dtype dtype, int64_t n)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = 1, .shape = {n}};
    t.data = backend.ops->alloc(backend.dev, sb_tensor_bytes(&t));
    assert_non_null(t.data);
    backend.ops->fill(backend.dev, 0.5f, &t);
    return t;
}

/* The last rows of what the op makes of rows whose last ones are `last`, sample `end` the one behind them; the caller
 * frees. */
static void *last_rows(struct sb_tensor (*call)(const struct tensors *), int64_t rows, int64_t end, int64_t n,
                       const uint16_t *last, size_t *bytes)
{
    const struct sb_ops *o = backend.ops;
    struct sb_dev *d = backend.dev;
    struct tensors v = {.o = o, .d = d, .rows = rows, .n = n};
    v.x = (struct sb_tensor){.dtype = SB_BF16, .ndim = 2, .shape = {rows, n}};
    v.x.data = o->alloc(d, sb_tensor_bytes(&v.x));
    v.y = o->alloc(d, (size_t)(rows * n) * sizeof(float));
    assert_true(v.x.data && v.y);
    v.gain = vector(SB_BF16, n), v.bias = vector(SB_BF16, n), v.t = vector(SB_F32, 1), v.draw = vector(SB_I32, 4);
    o->upload(d, v.draw.data, (uint32_t[]){1, 2, 3, (uint32_t)(end - rows)}, 4 * sizeof(uint32_t));
    v.chance = (struct sb_chance){.state = v.draw.data, .p = 0.3f};
    o->upload(d, (uint16_t *)v.x.data + (rows - LAST) * n, last, (size_t)(LAST * n) * sizeof *last);
    struct sb_tensor y = call(&v);
    *bytes = sb_tensor_bytes(&y) / (size_t)rows * LAST;
    void *result = sb_malloc(*bytes);
    o->download(d, result, (char *)y.data + sb_tensor_bytes(&y) - *bytes, *bytes);
    void *const all[] = {v.x.data, v.y, v.gain.data, v.bias.data, v.t.data, v.draw.data};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) o->release(d, all[i]);
    return result;
}

static void large_tensors_are_computed_to_their_end(void **state)
{
    (void)state;
    for (int odd = 0; odd < 2; odd++) {
        /* The last rows begin as far from a multiple of 16 bytes as in the small tensor: sums are in the same order. */
        int64_t n = odd ? 1030 : 1024, rows = LAST + (((int64_t)1 << 31) / n + 5) / 8 * 8 + 8;
        uint16_t *last = sb_malloc((size_t)(LAST * n) * sizeof *last);
        for (int64_t i = 0; i < LAST * n; i++) last[i] = sb_f32_to_bf16((float)(i * 37 % 101 - 50) / 16);
        for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
            size_t bytes, small_bytes;
            void *large = last_rows(ops[i].call, rows, rows, n, last, &bytes),
                 *small = last_rows(ops[i].call, LAST, rows, n, last, &small_bytes);
            assert_int_equal(bytes, small_bytes);
            if (memcmp(large, small, bytes)) fail_msg("%s of %lld rows of %d", ops[i].name, (long long)rows, (int)n);
            free(large);
            free(small);
        }
        free(last);
    }
}

int main(void)
{
    setenv("CUSIM_BLOCKS", "8", 1);
    if (sb_backend_open(&backend, "cuda", 1)) sb_die_error();
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_tensors_are_computed_to_their_end)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sb_backend_close(&backend);
    return failed;
}
