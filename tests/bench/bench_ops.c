/* Rates of the ops that a ViT spends its time in: bench_ops [BACKEND], by default cpu. The first line is what the
 * machine's matrix product reaches on a large square; the others stand beside it as a share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/opt.h"
#include "nn/backend.h"

#define SECONDS 0.15 /* a line */

struct bench {
    struct sb_backend backend;
    enum sb_dtype act;
    double peak; /* FLOP/s */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* On the device, filled with small numbers that are not all alike. */
static struct sb_tensor take(struct bench *b, enum sb_dtype dtype, int ndim, const int64_t *shape)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = ndim};
    memcpy(t.shape, shape, (size_t)ndim * sizeof *shape);
    size_t bytes = sb_tensor_bytes(&t), n = (size_t)sb_tensor_count(&t);
    float *host = sb_malloc(n * sizeof *host);
    uint16_t *half = sb_malloc(n * sizeof *half);
    for (size_t i = 0; i < n; i++) {
        host[i] = (float)(i * 2654435761u % 1000) * 1e-3f - 0.5f;
        half[i] = sb_f32_to_bf16(host[i]);
    }
    t.data = b->backend.ops->alloc(b->backend.dev, bytes);
    if (!t.data) sb_die("not enough memory: wanted %zu bytes", bytes);
    b->backend.ops->upload(b->backend.dev, t.data, dtype == SB_BF16 ? (void *)half : (void *)host, bytes);
    free(host);
    free(half);
    return t;
}

#define TAKE(dtype, ...)                                                                                               \
    take(b, dtype, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

struct call {
    struct bench *b;
    struct sb_tensor x, w, bias, pre, y, dx, dw, db;
    void *packed;
};

/* The least time of a call over SECONDS: what a neighbour on the machine takes away does not count. */
static double best(struct bench *b, void (*fn)(struct call *), struct call *c)
{
    double least = 1e9, end = now() + SECONDS;
    for (int i = 0; i < 3 || now() < end; i++) {
        double from = now();
        fn(c);
        b->backend.ops->wait(b->backend.dev);
        double took = now() - from;
        if (i && took < least) least = took; /* the first makes the plans */
    }
    return least;
}

static void report(struct bench *b, const char *what, const char *shape, double flop, double took)
{
    printf("%-22s %-5s %-24s %10.3f ms %8.1f GFLOP/s %5.0f %%\n", what, sb_dtype_name(b->act), shape, took * 1e3,
           flop / took * 1e-9, b->peak ? 100 * flop / took / b->peak : 100.0);
}

static void linear(struct call *c)
{
    const struct sb_ops *o = c->b->backend.ops;
    o->linear(c->b->backend.dev, &c->x, &c->w, c->packed, &c->bias, SB_ACT_NONE, NULL, NULL, &c->y);
}

static void linear_gelu(struct call *c)
{
    const struct sb_ops *o = c->b->backend.ops;
    o->linear(c->b->backend.dev, &c->x, &c->w, c->packed, &c->bias, SB_ACT_GELU, NULL, NULL, &c->y);
}

static void linear_gelu_saved(struct call *c)
{
    const struct sb_ops *o = c->b->backend.ops;
    o->linear(c->b->backend.dev, &c->x, &c->w, c->packed, &c->bias, SB_ACT_GELU, NULL, &c->pre, &c->y);
}

static void linear_bwd(struct call *c)
{
    const struct sb_ops *o = c->b->backend.ops;
    o->linear_bwd(c->b->backend.dev, &c->x, &c->w, NULL, SB_ACT_NONE, NULL, &c->y, &c->dx, &c->dw, &c->db);
}

static void attention(struct call *c)
{
    c->b->backend.ops->attention(c->b->backend.dev, &c->x, false, NULL, NULL, &c->w, &c->y);
}

static void attention_bwd(struct call *c)
{
    c->b->backend.ops->attention_bwd(c->b->backend.dev, &c->x, false, &c->w, &c->y, &c->dw, &c->dx);
}

static void norm(struct call *c)
{
    c->b->backend.ops->norm(c->b->backend.dev, &c->x, &c->w, &c->bias, 1e-6f, &c->pre, &c->y);
}

static void norm_bwd(struct call *c)
{
    c->b->backend.ops->norm_bwd(c->b->backend.dev, &c->x, &c->w, &c->pre, &c->y, NULL, &c->dx, &c->dw, &c->db);
}

static void free_call(struct bench *b, struct call *c)
{
    struct sb_tensor *t[] = {&c->x, &c->w, &c->bias, &c->pre, &c->y, &c->dx, &c->dw, &c->db};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        if (t[i]->data) b->backend.ops->release(b->backend.dev, t[i]->data);
    }
    if (c->packed) b->backend.ops->release(b->backend.dev, c->packed);
}

static double bench_linear(struct bench *b, int64_t m, int64_t n, int64_t k, bool all)
{
    char shape[64];
    snprintf(shape, sizeof shape, "%lldx%lldx%lld", (long long)m, (long long)n, (long long)k);
    struct call c = {.b = b,
                     .x = TAKE(b->act, m, k),
                     .w = TAKE(b->act, n, k),
                     .bias = TAKE(b->act, n),
                     .pre = TAKE(b->act, m, n),
                     .y = TAKE(b->act, m, n),
                     .dx = TAKE(b->act, m, k),
                     .dw = TAKE(SB_F32, n, k),
                     .db = TAKE(SB_F32, n)};
    double flop = 2.0 * (double)m * (double)n * (double)k, took = best(b, linear, &c);
    report(b, "linear", shape, flop, took);
    if (all) {
        report(b, "linear, gelu", shape, flop, best(b, linear_gelu, &c));
        report(b, "linear, gelu, saved", shape, flop, best(b, linear_gelu_saved, &c));
        report(b, "linear_bwd", shape, 2 * flop, best(b, linear_bwd, &c));
        size_t size = b->backend.ops->linear_pack_size(b->backend.dev, n, k, b->act, false);
        if (size) {
            c.packed = b->backend.ops->alloc(b->backend.dev, size);
            b->backend.ops->linear_pack(b->backend.dev, &c.w, false, c.packed);
            report(b, "linear, packed", shape, flop, best(b, linear, &c));
        }
    }
    free_call(b, &c);
    return flop / took;
}

static void bench_attention(struct bench *b, int64_t batch, int64_t t, int64_t heads, int64_t e)
{
    char shape[64];
    snprintf(shape, sizeof shape, "%lldx%lldx%lldx%lld", (long long)batch, (long long)t, (long long)heads,
             (long long)e);
    struct call c = {.b = b,
                     .x = TAKE(b->act, batch, t, 3, heads, e),
                     .w = TAKE(SB_F32, batch, heads, t),
                     .y = TAKE(b->act, batch, t, heads, e),
                     .dx = TAKE(b->act, batch, t, 3, heads, e),
                     .dw = TAKE(b->act, batch, t, heads, e)};
    double flop = 4.0 * (double)(batch * heads * e) * (double)t * (double)t;
    report(b, "attention", shape, flop, best(b, attention, &c));
    report(b, "attention_bwd", shape, 2.5 * flop, best(b, attention_bwd, &c));
    free_call(b, &c);
}

/* Counted as a LayerNorm is by hand: 8 operations an element forward, 14 backward. */
static void bench_norm(struct bench *b, int64_t m, int64_t d)
{
    char shape[64];
    snprintf(shape, sizeof shape, "%lldx%lld", (long long)m, (long long)d);
    struct call c = {.b = b,
                     .x = TAKE(b->act, m, d),
                     .w = TAKE(b->act, d),
                     .bias = TAKE(b->act, d),
                     .pre = TAKE(SB_F32, m, 2),
                     .y = TAKE(b->act, m, d),
                     .dx = TAKE(b->act, m, d),
                     .dw = TAKE(SB_F32, d),
                     .db = TAKE(SB_F32, d)};
    report(b, "norm", shape, 8.0 * (double)(m * d), best(b, norm, &c));
    report(b, "norm_bwd", shape, 14.0 * (double)(m * d), best(b, norm_bwd, &c));
    free_call(b, &c);
}

int main(int argc, char **argv)
{
    struct bench bench = {0}, *b = &bench;
    sb_program = "bench_ops";
    if (sb_backend_open(&b->backend, argc > 1 ? argv[1] : "cpu", 0) < 0) sb_die_error();
    printf("%s, %d cores\n", b->backend.ops->name, sb_cores());
    for (int bf16 = 0; bf16 < 2; bf16++) {
        b->act = bf16 ? SB_BF16 : SB_F32;
        b->peak = 0;
        b->peak = bench_linear(b, 1024, 1024, 1024, false);
        bench_linear(b, 4160, 576, 192, true);
        bench_linear(b, 4160, 192, 768, true);
        bench_linear(b, 197, 3072, 768, true);
        bench_attention(b, 64, 65, 3, 64);
        bench_attention(b, 8, 197, 12, 64);
        bench_attention(b, 1, 1370, 12, 64);
        bench_norm(b, 4160, 192);
    }
    sb_backend_close(&b->backend);
    return 0;
}
