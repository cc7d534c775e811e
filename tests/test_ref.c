/* Rung 1: the reference against mathematics. Every gradient is compared with central differences of its forward op, all
 * in doubles, on odd sizes; so an agreement to seven digits is asked for. What other values there are is compared with
 * numbers worked out elsewhere (test_ref_values.c). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "kernels/ops.h"

#define TENSORS 8
static const struct sb_ops *const ops = &sb_ops_ref;
static struct sb_dev *dev;
static struct sb_rng rng;

/* A forward op and its backward. Inputs are what is differentiated; the rest is fixed. */
struct gradient {
    const char *name;
    void (*forward)(struct gradient *g);
    void (*backward)(struct gradient *g);
    int inputs;
    struct sb_tensor in[TENSORS], din[TENSORS]; /* and the gradients that backward writes or adds to */
    struct sb_tensor y, dy;
    struct sb_tensor saved[TENSORS], fixed[TENSORS];
    int option;
    int64_t size;
    struct sb_chance chance;
    struct sb_conv conv;
};

static struct sb_tensor make(enum sb_dtype dtype, int ndim, const int64_t *shape)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = ndim};
    memcpy(t.shape, shape, (size_t)ndim * sizeof *shape);
    t.data = sb_aligned(64, sb_tensor_bytes(&t));
    for (int64_t i = 0; dtype == SB_F64 && i < sb_tensor_count(&t); i++)
        ((double *)t.data)[i] = sb_rng_range(&rng, -1.5, 1.5);
    return t;
}
#define OF(op) .name = #op, .forward = op, .backward = op##_bwd
#define COUNT(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define REAL(...) make(SB_F64, COUNT(__VA_ARGS__), (int64_t[]){__VA_ARGS__})
#define INTS(...) make(SB_I32, COUNT(__VA_ARGS__), (int64_t[]){__VA_ARGS__})

/* sum(y dy): its gradient by the inputs is what backward must give. */
static double loss(struct gradient *g)
{
    double sum = 0;
    g->forward(g);
    for (int64_t i = 0; i < sb_tensor_count(&g->y); i++) sum += ((double *)g->y.data)[i] * ((double *)g->dy.data)[i];
    return sum;
}

static void compare(struct gradient *g, int input)
{
    double *x = g->in[input].data, *dx = g->din[input].data;
    for (int64_t i = 0; i < sb_tensor_count(&g->in[input]); i++) {
        double old = x[i], h = 1e-5;
        x[i] = old + h;
        double up = loss(g);
        x[i] = old - h;
        double down = loss(g);
        x[i] = old;
        double slope = (up - down) / (2 * h);
        if (!(fabs(slope - dx[i]) <= 1e-7 * (1 + fabs(slope)))) {
            fail_msg("%s: input %d[%lld]: backward gives %.12g, differences give %.12g", g->name, input, (long long)i,
                     dx[i], slope);
        }
    }
}

static void release(struct gradient *g)
{
    struct sb_tensor *all[] = {g->in, g->din, g->saved, g->fixed};
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < TENSORS; i++) free(all[k][i].data);
    }
    free(g->y.data);
    free(g->dy.data);
}

/* dy of an op may be written over: it is kept. */
static void check(struct gradient *g)
{
    size_t bytes = sb_tensor_bytes(&g->y);
    for (int i = 0; i < g->inputs; i++) {
        g->din[i] = make(SB_F64, g->in[i].ndim, g->in[i].shape);
        memset(g->din[i].data, 0, sb_tensor_bytes(&g->din[i]));
    }
    g->dy = make(SB_F64, g->y.ndim, g->y.shape);
    void *kept = sb_malloc(bytes);
    memcpy(kept, g->dy.data, bytes);
    g->forward(g);
    g->backward(g);
    memcpy(g->dy.data, kept, bytes);
    for (int i = 0; i < g->inputs; i++) compare(g, i);
    free(kept);
    release(g);
}

static int open_device(void **state)
{
    (void)state;
    dev = ops->open(0, 0, NULL);
    sb_rng_init(&rng, 7, 0);
    return dev ? 0 : -1;
}

static int close_device(void **state)
{
    (void)state;
    ops->close(dev);
    return 0;
}

/* ---- matrices ---------------------------------------------------------------------------------------------------- */

static void linear(struct gradient *g)
{
    ops->linear(dev, &g->in[0], &g->in[1], NULL, &g->in[2], (enum sb_act)g->option, NULL,
                g->option ? &g->saved[0] : NULL, &g->y);
}

static void linear_bwd(struct gradient *g)
{
    ops->linear_bwd(dev, &g->in[0], &g->in[1], NULL, (enum sb_act)g->option, g->option ? &g->saved[0] : NULL, &g->dy,
                    &g->din[0], &g->din[1], &g->din[2]);
}

static void test_linear(void **state)
{
    (void)state;
    for (int act = SB_ACT_NONE; act <= SB_ACT_RELU; act++) {
        check(&(struct gradient){OF(linear), .inputs = 3, .option = act,
                                 .in = {REAL(5, 11), REAL(7, 11), REAL(7)}, .saved = {REAL(5, 7)}, .y = REAL(5, 7)});
    }
}

/* ---- normalisation ----------------------------------------------------------------------------------------------- */

static void norm(struct gradient *g)
{
    ops->norm(dev, &g->in[0], &g->in[1], &g->in[2], 1e-3f, &g->saved[0], &g->y);
}

static void norm_bwd(struct gradient *g)
{
    ops->norm_bwd(dev, &g->in[0], &g->in[1], &g->saved[0], &g->dy, NULL, &g->din[0], &g->din[1], &g->din[2]);
}

static void test_norm(void **state)
{
    (void)state;
    check(&(struct gradient){OF(norm), .inputs = 3,
                             .in = {REAL(3, 13), REAL(13), REAL(13)}, .saved = {REAL(3, 2)}, .y = REAL(3, 13)});
}

static void test_norm_adds_what_comes_round_the_block(void **state)
{
    (void)state;
    struct sb_tensor x = REAL(3, 5), gain = REAL(5), stats = REAL(3, 2), dy = REAL(3, 5), add = REAL(3, 5),
                     alone = REAL(3, 5), both = REAL(3, 5);
    struct sb_tensor all[] = {x, gain, stats, dy, add, alone, both};
    ops->norm(dev, &x, &gain, &gain, 1e-6f, &stats, &alone);
    ops->norm_bwd(dev, &x, &gain, &stats, &dy, NULL, &alone, NULL, NULL);
    ops->norm_bwd(dev, &x, &gain, &stats, &dy, &add, &both, NULL, NULL);
    for (int i = 0; i < 15; i++) {
        assert_true(fabs(((double *)both.data)[i] - ((double *)alone.data)[i] - ((double *)add.data)[i]) < 1e-14);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i].data);
}

/* option 1: with ReLU and a residual. */
static void batchnorm(struct gradient *g)
{
    ops->batchnorm(dev, &g->in[0], &g->in[1], &g->in[2], g->option ? &g->in[3] : NULL, 1e-3f, 0.1f, true, g->option,
                   &g->fixed[0], &g->saved[0], &g->y);
}

static void batchnorm_bwd(struct gradient *g)
{
    ops->batchnorm_bwd(dev, &g->in[0], &g->in[1], &g->saved[0], g->option, &g->y, &g->dy, &g->din[0],
                       g->option ? &g->din[3] : NULL, &g->din[1], &g->din[2]);
}

static void test_batchnorm(void **state)
{
    (void)state;
    for (int option = 0; option < 2; option++) {
        check(&(struct gradient){OF(batchnorm), .inputs = 3 + option, .option = option,
                                 .in = {REAL(2, 3, 5, 3), REAL(3), REAL(3), REAL(2, 3, 5, 3)}, .fixed = {REAL(2, 3)},
                                 .saved = {REAL(2, 3)}, .y = REAL(2, 3, 5, 3)});
    }
}

/* ---- attention --------------------------------------------------------------------------------------------------- */

static void attention(struct gradient *g)
{
    ops->attention(dev, &g->in[0], g->option, NULL, NULL, &g->saved[0], &g->y);
}

static void attention_bwd(struct gradient *g)
{
    ops->attention_bwd(dev, &g->in[0], g->option, &g->saved[0], &g->y, &g->dy, &g->din[0]);
}

static void test_attention(void **state)
{
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        check(&(struct gradient){OF(attention), .inputs = 1, .option = causal, .in = {REAL(2, 5, 3, 3, 7)},
                                 .saved = {REAL(2, 3, 5)}, .y = REAL(2, 5, 3, 7)});
    }
}

/* ---- element by element ------------------------------------------------------------------------------------------ */

static void gelu(struct gradient *g) { ops->gelu(dev, (enum sb_act)g->option, &g->in[0], &g->y); }
static void gelu_bwd(struct gradient *g) { ops->gelu_bwd(dev, (enum sb_act)g->option, &g->in[0], &g->dy, &g->din[0]); }
static void relu(struct gradient *g) { ops->relu(dev, &g->in[0], &g->y); }
static void relu_bwd(struct gradient *g) { ops->relu_bwd(dev, &g->y, &g->dy, &g->din[0]); }
static void silu_mul(struct gradient *g) { ops->silu_mul(dev, &g->in[0], &g->y); }
static void silu_mul_bwd(struct gradient *g) { ops->silu_mul_bwd(dev, &g->in[0], &g->dy, &g->din[0]); }
static void dropout(struct gradient *g) { ops->dropout(dev, &g->in[0], g->chance, &g->y); }
static void dropout_bwd(struct gradient *g) { ops->dropout(dev, &g->dy, g->chance, &g->din[0]); }

static uint32_t chance_state[4] = {11, 22, 33, 44};

static void test_elementwise(void **state)
{
    (void)state;
    struct sb_chance chance = {chance_state, 5, 0.4f};
    check(&(struct gradient){OF(gelu), .inputs = 1, .option = SB_ACT_GELU, .in = {REAL(7, 5)}, .y = REAL(7, 5)});
    check(&(struct gradient){OF(gelu), .inputs = 1, .option = SB_ACT_GELU_TANH, .in = {REAL(7, 5)},
                             .y = REAL(7, 5)});
    check(&(struct gradient){OF(relu), .inputs = 1, .in = {REAL(7, 5)}, .y = REAL(7, 5)});
    check(&(struct gradient){OF(silu_mul), .inputs = 1, .in = {REAL(3, 14)}, .y = REAL(3, 7)});
    check(&(struct gradient){OF(dropout), .inputs = 1, .chance = chance, .in = {REAL(3, 11)},
                             .y = REAL(3, 11)});
}

static void scale_add(struct gradient *g)
{
    ops->scale_add(dev, &g->fixed[0], &g->in[0], &g->in[1], g->chance, &g->y);
}

static void scale_add_bwd(struct gradient *g)
{
    ops->scale_add_bwd(dev, &g->in[0], &g->in[1], g->chance, &g->dy, &g->din[0], &g->din[1]);
}

static void test_scale_add(void **state)
{
    (void)state;
    for (int drop = 0; drop < 2; drop++) {
        check(&(struct gradient){OF(scale_add), .inputs = 2, .chance = {chance_state, 5, drop ? 0.5f : 0},
                                 .in = {REAL(6, 3, 5), REAL(5)}, .fixed = {REAL(6, 3, 5)}, .y = REAL(6, 3, 5)});
    }
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static void tokens(struct gradient *g) { ops->tokens(dev, &g->in[0], &g->in[1], &g->in[2], &g->y); }
static void tokens_bwd(struct gradient *g) { ops->tokens_bwd(dev, &g->dy, &g->din[0], &g->din[1], &g->din[2]); }
static void embed(struct gradient *g) { ops->embed(dev, &g->fixed[0], &g->in[0], &g->in[1], NULL, &g->y); }
static void embed_bwd(struct gradient *g) { ops->embed_bwd(dev, &g->fixed[0], &g->dy, &g->din[0], &g->din[1]); }
static void gather(struct gradient *g) { ops->gather(dev, &g->in[0], &g->fixed[0], &g->y); }
static void gather_bwd(struct gradient *g) { ops->gather_bwd(dev, &g->fixed[0], &g->dy, &g->din[0]); }
static void pool(struct gradient *g) { ops->pool(dev, (enum sb_pool_kind)g->option, g->size, &g->in[0], &g->y); }
static void pool_bwd(struct gradient *g)
{
    ops->pool_bwd(dev, (enum sb_pool_kind)g->option, g->size, &g->dy, &g->din[0]);
}

static void set_ints(struct sb_tensor *t, const int32_t *v)
{
    memcpy(t->data, v, sb_tensor_bytes(t));
}

static void test_tokens(void **state)
{
    (void)state;
    for (int rows = 5; rows <= 7; rows += 2) { /* positions of the patches alone, and of all */
        check(&(struct gradient){OF(tokens), .inputs = 3, .in = {REAL(3, 5, 3), REAL(2, 3), REAL(rows, 3)},
                                 .y = REAL(3, 7, 3)});
    }
    struct gradient e = {OF(embed), .inputs = 2, .in = {REAL(5, 3), REAL(4, 3)}, .fixed = {INTS(2, 3)},
                         .y = REAL(2, 3, 3)};
    set_ints(&e.fixed[0], (int32_t[]){4, 1, 4, 0, 4, 2});
    check(&e);
    struct gradient r = {OF(gather), .inputs = 1, .in = {REAL(2, 5, 3)}, .fixed = {INTS(2, 3)},
                         .y = REAL(2, 3, 3)};
    set_ints(&r.fixed[0], (int32_t[]){4, 0, 2, 1, 3, 4});
    check(&r);
    for (int kind = SB_POOL_FIRST; kind <= SB_POOL_MEAN; kind++) {
        check(&(struct gradient){OF(pool), .inputs = 1, .option = kind, .size = 2, .in = {REAL(2, 5, 3)},
                                 .y = REAL(2, 3)});
    }
}

/* ---- convolution ------------------------------------------------------------------------------------------------- */

static void conv2d(struct gradient *g) { ops->conv2d(dev, &g->in[0], &g->in[1], &g->in[2], g->conv, &g->y); }
static void conv2d_bwd(struct gradient *g)
{
    ops->conv2d_bwd(dev, &g->in[0], &g->in[1], g->conv, &g->dy, &g->din[0], &g->din[1], &g->din[2]);
}
static void maxpool(struct gradient *g) { ops->maxpool(dev, &g->in[0], g->size, g->conv, &g->saved[0], &g->y); }
static void maxpool_bwd(struct gradient *g)
{
    ops->maxpool_bwd(dev, &g->saved[0], g->size, g->conv, &g->dy, &g->din[0]);
}

static void test_convolution(void **state)
{
    (void)state;
    check(&(struct gradient){OF(conv2d), .inputs = 3, .conv = {1, 1},
                             .in = {REAL(2, 5, 3, 3), REAL(5, 3, 3, 3), REAL(5)}, .y = REAL(2, 5, 3, 5)});
    check(&(struct gradient){OF(conv2d), .inputs = 3, .conv = {2, 2},
                             .in = {REAL(1, 7, 5, 3), REAL(5, 3, 3, 2), REAL(5)}, .y = REAL(1, 5, 4, 5)});
    check(&(struct gradient){OF(maxpool), .inputs = 1, .conv = {2, 1}, .size = 3,
                             .in = {REAL(2, 7, 5, 3)}, .saved = {INTS(2, 4, 3, 3)}, .y = REAL(2, 4, 3, 3)});
}

/* ---- losses: dy is one number for all rows, the scale ------------------------------------------------------------ */

static float smooth;

static void xent(struct gradient *g)
{
    ops->xent(dev, &g->in[0], &g->fixed[0], g->option ? &g->fixed[1] : NULL, smooth, NULL, &g->y, NULL);
}

static void equal_rows(struct gradient *g)
{
    for (int64_t i = 1; i < sb_tensor_count(&g->dy); i++) ((double *)g->dy.data)[i] = ((double *)g->dy.data)[0];
}

static void xent_bwd(struct gradient *g)
{
    ops->xent(dev, &g->in[0], &g->fixed[0], g->option ? &g->fixed[1] : NULL, smooth, &g->dy, &g->y, &g->din[0]);
}

static void bce(struct gradient *g)
{
    ops->bce(dev, &g->in[0], &g->fixed[0], g->option ? &g->fixed[1] : NULL, NULL, &g->y, NULL);
}

static void bce_bwd(struct gradient *g)
{
    ops->bce(dev, &g->in[0], &g->fixed[0], g->option ? &g->fixed[1] : NULL, &g->dy, &g->y, &g->din[0]);
}

static void mse(struct gradient *g)
{
    ops->mse(dev, &g->in[0], &g->fixed[0], g->option ? &g->fixed[1] : NULL, NULL, &g->y, NULL);
}

static void mse_bwd(struct gradient *g)
{
    ops->mse(dev, &g->in[0], &g->fixed[0], g->option ? &g->fixed[1] : NULL, &g->dy, &g->y, &g->din[0]);
}

/* The op gives scale[0] times the gradient of the plain sum of losses. */
static void check_loss(struct gradient *g)
{
    int64_t n = sb_tensor_count(&g->in[0]);
    g->din[0] = make(SB_F64, g->in[0].ndim, g->in[0].shape);
    g->dy = make(SB_F64, g->y.ndim, g->y.shape);
    equal_rows(g);
    g->forward(g);
    void *kept = sb_malloc(sb_tensor_bytes(&g->y));
    memcpy(kept, g->y.data, sb_tensor_bytes(&g->y));
    g->backward(g);
    if (memcmp(kept, g->y.data, sb_tensor_bytes(&g->y)))
        fail_msg("%s: the loss is another with a gradient than without", g->name);
    for (int64_t i = 0; i < n; i++) assert_false(isnan(((double *)g->din[0].data)[i]));
    compare(g, 0);
    free(kept);
    release(g);
}

static void test_xent(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) { /* labels or distributions; with weights; with smoothing */
        bool spread = i & 4;
        smooth = i & 2 ? 0.1f : 0;
        struct gradient g = {OF(xent), .inputs = 1, .option = i & 1, .in = {REAL(4, 7)},
                             .fixed = {spread ? REAL(4, 7) : INTS(4), REAL(7)}, .y = REAL(4)};
        if (!spread) set_ints(&g.fixed[0], (int32_t[]){6, -1, 0, 3});
        check_loss(&g);
    }
}

static void test_bce_and_mse(void **state)
{
    (void)state;
    for (int weight = 0; weight < 2; weight++) {
        check_loss(&(struct gradient){OF(bce), .inputs = 1, .option = weight, .in = {REAL(3, 5)},
                                      .fixed = {REAL(3, 5), REAL(5)}, .y = REAL(3)});
        check_loss(&(struct gradient){OF(mse), .inputs = 1, .option = weight, .in = {REAL(3, 5)},
                                      .fixed = {REAL(3, 5), REAL(3)}, .y = REAL(3)});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_norm_adds_what_comes_round_the_block),
        cmocka_unit_test(test_batchnorm),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_elementwise),
        cmocka_unit_test(test_scale_add),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_xent),
        cmocka_unit_test(test_bce_and_mse),
    };
    return cmocka_run_group_tests_name("gradients", tests, open_device, close_device);
}
