/* Where a model's time goes: bench_shares [NAME SIZE BATCH f32|bf16 infer|train [DEVICE]], by default ViT-B at several
 * batches on the cpu. An op table is function pointers: here stands a clock before some of them. Matrix products are
 * also given as a share of what this machine reaches on a large square.
 *
 * On a device of its own an op is waited for, and queued several times between two looks at the clock; the sum stands
 * beside the time of a step that nothing interrupts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/progress.h"
#include "vit.h"

#define SECONDS 4

#define TIMES 5 /* on a device of its own */

enum {
    LINEAR,
    LINEAR_BWD,
    PACK,
    ATTENTION,
    ATTENTION_BWD,
    NORM,
    NORM_BWD,
    CONV,
    CONV_BWD,
    BATCHNORM,
    BATCHNORM_BWD,
    OPTIMISER,
    INPUT,
    KINDS
};
static const char *const kind_name[KINDS] = {
    "linear",     "linear_bwd", "linear_pack",   "attention",    "attention_bwd",      "norm", "norm_bwd", "conv2d",
    "conv2d_bwd", "batchnorm",  "batchnorm_bwd", "adamw, sumsq", "normalize, patchify"};
static const struct sb_ops *real;
static int times; /* each op is queued */
static double spent[KINDS], operations[KINDS];

static double now(struct sb_dev *d)
{
    real->wait(d);
    return sb_seconds();
}

#define TIMED(kind, flop, call)                                                                                        \
    do {                                                                                                               \
        double from_ = now(d);                                                                                         \
        for (int i_ = 0; i_ < times; i_++) real->call;                                                                 \
        spent[kind] += (now(d) - from_) / times;                                                                       \
        operations[kind] += (flop);                                                                                    \
    } while (0)

static double product(sb_in rows, sb_in w) { return 2.0 * (double)rows->shape[0] * (double)sb_tensor_count(w); }

/* Two products of T x T x E a head. */
static double attended(sb_in qkv)
{
    const int64_t *s = qkv->shape;
    return 4.0 * (double)(s[0] * s[3] * s[4]) * (double)(s[1] * s[1]);
}

static void linear(struct sb_dev *d, sb_in x, sb_in w, const void *packed, sb_in b, enum sb_act a, sb_in residual,
                   sb_out pre, sb_out y)
{
    TIMED(LINEAR, product(x, w), linear(d, x, w, packed, b, a, residual, pre, y));
}

static void linear_bwd(struct sb_dev *d, sb_in x, sb_in w, const void *packed, enum sb_act a, sb_in pre, sb_out dy,
                       sb_out dx, sb_out dw, sb_out db)
{
    TIMED(LINEAR_BWD, product(dy, w) * ((dx != NULL) + (dw != NULL)),
          linear_bwd(d, x, w, packed, a, pre, dy, dx, dw, db));
}

static void linear_pack(struct sb_dev *d, sb_in w, bool backward, void *packed)
{
    TIMED(PACK, 0, linear_pack(d, w, backward, packed));
}

static void attention(struct sb_dev *d, sb_in qkv, bool causal, sb_out cache, const int32_t *length, sb_out lse,
                      sb_out y)
{
    TIMED(ATTENTION, attended(qkv), attention(d, qkv, causal, cache, length, lse, y));
}

static void attention_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv)
{
    TIMED(ATTENTION_BWD, 2.5 * attended(qkv), attention_bwd(d, qkv, causal, lse, y, dy, dqkv));
}

static void norm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, float eps, sb_out stats, sb_out y)
{
    TIMED(NORM, 0, norm(d, x, gain, bias, eps, stats, y));
}

static void norm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, sb_in dy, sb_in add, sb_out dx, sb_out dgain,
                     sb_out dbias)
{
    TIMED(NORM_BWD, 0, norm_bwd(d, x, gain, stats, dy, add, dx, dgain, dbias));
}

/* Of y [B,OH,OW,O]. */
static double convolved(sb_in w, sb_in y)
{
    return 2.0 * (double)sb_tensor_count(y) * (double)(sb_tensor_count(w) / w->shape[0]);
}

static void conv2d(struct sb_dev *d, sb_in x, sb_in w, sb_in b, struct sb_conv c, sb_out y)
{
    TIMED(CONV, convolved(w, y), conv2d(d, x, w, b, c, y));
}

static void conv2d_bwd(struct sb_dev *d, sb_in x, sb_in w, struct sb_conv c, sb_in dy, sb_out dx, sb_out dw, sb_out db)
{
    TIMED(CONV_BWD, convolved(w, dy) * ((dx != NULL) + (dw != NULL)), conv2d_bwd(d, x, w, c, dy, dx, dw, db));
}

static void batchnorm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, sb_in residual, float eps, float momentum,
                      bool train, bool relu, sb_out running, sb_out stats, sb_out y)
{
    TIMED(BATCHNORM, 0, batchnorm(d, x, gain, bias, residual, eps, momentum, train, relu, running, stats, y));
}

static void batchnorm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, bool relu, sb_in y, sb_in dy, sb_out dx,
                          sb_out dresidual, sb_out dgain, sb_out dbias)
{
    TIMED(BATCHNORM_BWD, 0, batchnorm_bwd(d, x, gain, stats, relu, y, dy, dx, dresidual, dgain, dbias));
}

static void adamw(struct sb_dev *d, const struct sb_segment *segment, int64_t segments,
                  const struct sb_adamw_step *step, sb_in norm2, sb_out master, sb_out grad, sb_out m, sb_out v,
                  sb_out average, sb_out copy)
{
    TIMED(OPTIMISER, 0, adamw(d, segment, segments, step, norm2, master, grad, m, v, average, copy));
}

static void sumsq(struct sb_dev *d, sb_in x, sb_out y) { TIMED(OPTIMISER, 0, sumsq(d, x, y)); }

static void normalize(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y)
{
    TIMED(INPUT, 0, normalize(d, x, mean_std, y));
}

static void patchify(struct sb_dev *d, sb_in x, int64_t patch, sb_out y) { TIMED(INPUT, 0, patchify(d, x, patch, y)); }

static struct sb_tensor square(struct bench_vit *v, enum sb_dtype dtype, int64_t n)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = 2, .shape = {n, n}};
    t.data = real->alloc(v->backend.dev, sb_tensor_bytes(&t));
    if (!t.data) sb_die("not enough memory");
    return t;
}

/* What the device's matrix product reaches, operations a second. */
static double peak(struct bench_vit *v, enum sb_dtype dtype)
{
    enum { CALLS = 12 };
    const int64_t n = real->host ? 1536 : 8192;
    struct sb_dev *d = v->backend.dev;
    struct sb_tensor x = square(v, dtype, n), w = square(v, dtype, n), y = square(v, dtype, n);
    size_t packed_size = real->linear_pack_size(d, n, n, dtype, false);
    void *packed = packed_size ? real->alloc(d, packed_size) : NULL;
    if (packed) real->linear_pack(d, &w, false, packed);
    double best = 1e9;
    for (int i = 0; i < CALLS; i++) {
        double from = now(d);
        for (int k = 0; k < times; k++) real->linear(d, &x, &w, packed, NULL, SB_ACT_NONE, NULL, NULL, &y);
        double took = (now(d) - from) / times;
        if (took < best) best = took;
    }
    for (int i = 0; i < 3; i++) real->release(d, (struct sb_tensor *[]){&x, &w, &y}[i]->data);
    if (packed) real->release(d, packed);
    return 2.0 * (double)(n * n * n) / best;
}

/* step: seconds of a call; calls: over which spent and operations are sums. */
static void report(char **argument, double step, int calls, int count, double most)
{
    double all = 0, rest = 1;
    for (int i = 0; i < KINDS; i++) all += operations[i] / calls;
    printf("%s %s, batch %s, %s, %s: %.2f pictures/s, %.0f GFLOP/s: %.0f %% of the matmul peak of %.0f\n", argument[0],
           argument[1], argument[2], argument[3], argument[4], count / step, all / step * 1e-9, 100 * all / step / most,
           most * 1e-9);
    for (int i = 0; i < KINDS; i++) {
        double share = spent[i] / calls / step;
        rest -= share;
        if (spent[i] <= 0) continue;
        printf("  %-20s %5.1f %%  %10.3f ms", kind_name[i], 100 * share, 1e3 * share * step);
        if (operations[i] > 0) printf("  %7.0f GFLOP/s", operations[i] / spent[i] * 1e-9);
        printf("\n");
    }
    printf("  %-20s %5.1f %%  %10.3f ms of %.3f\n", "the rest", 100 * rest, 1e3 * rest * step, 1e3 * step);
}

static void call_plainly(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg)
{
    (void)d, (void)key;
    fn(arg);
}

static struct sb_ops clocked(void)
{
    struct sb_ops o = *real;
    o.repeat = call_plainly; /* a pass that is replayed has no clocks in it */
    o.linear = linear;
    o.linear_bwd = linear_bwd;
    o.linear_pack = linear_pack;
    o.attention = attention;
    o.attention_bwd = attention_bwd;
    o.norm = norm;
    o.norm_bwd = norm_bwd;
    o.conv2d = conv2d;
    o.conv2d_bwd = conv2d_bwd;
    o.batchnorm = batchnorm;
    o.batchnorm_bwd = batchnorm_bwd;
    o.adamw = adamw;
    o.sumsq = sumsq;
    o.normalize = normalize;
    o.patchify = patchify;
    return o;
}

/* Seconds of a call with nothing between its ops. */
static double plain_step(struct bench_vit *v, char **argument)
{
    enum { CALLS = 10 };
    bench_vit_net(v, argument);
    bench_vit_calls(v, 4);
    double step = bench_vit_calls(v, CALLS) / CALLS;
    sb_net_close(v->net);
    return step;
}

static void run(char **argument, const char *device)
{
    struct bench_vit v;
    bench_vit_model(&v, device, argument);
    real = v.backend.ops;
    times = real->host ? 1 : TIMES;
    double step = real->host ? 0 : plain_step(&v, argument), took = 0;
    struct sb_ops timed = clocked();
    v.backend.ops = &timed;
    bench_vit_net(&v, argument);
    bench_vit_calls(&v, 2);
    memset(spent, 0, sizeof spent);
    memset(operations, 0, sizeof operations);
    int calls = 0;
    for (; took < SECONDS || calls < 2; calls++) took += bench_vit_calls(&v, 1);
    report(argument, step > 0 ? step : took / calls, calls, v.batch.count,
           peak(&v, !strcmp(argument[3], "bf16") ? SB_BF16 : SB_F32));
    bench_vit_free(&v);
    v.backend.ops = real;
    sb_backend_close(&v.backend);
}

int main(int argc, char **argv)
{
    static char *usual[][BENCH_VIT_ARGUMENTS] = {
        {"B", "224", "1", "f32", "infer"},  {"B", "224", "1", "bf16", "infer"}, {"B", "224", "8", "f32", "infer"},
        {"B", "224", "8", "bf16", "infer"}, {"B", "224", "32", "f32", "infer"}, {"B", "224", "32", "bf16", "infer"},
        {"S", "224", "16", "f32", "train"}, {"S", "224", "16", "bf16", "train"}};
    sb_program = "bench_shares";
    if (argc > BENCH_VIT_ARGUMENTS)
        run(argv + 1, argc > BENCH_VIT_ARGUMENTS + 1 ? argv[BENCH_VIT_ARGUMENTS + 1] : NULL);
    else
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) run(usual[i], NULL);
    return 0;
}
