/* Where a ViT's time goes: bench_shares [NAME SIZE BATCH f32|bf16 infer|train], by default ViT-B at several batches. An
 * op table is function pointers: here stands a clock before some of them. Matrix products are also given as a share of
 * what this machine reaches on a large square. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/progress.h"
#include "vit.h"

#define SECONDS 4

enum { LINEAR, LINEAR_BWD, PACK, ATTENTION, ATTENTION_BWD, NORM, NORM_BWD, OPTIMISER, INPUT, KINDS };
static const char *const kind_name[KINDS] = {"linear",    "linear_bwd",    "linear_pack",
                                             "attention", "attention_bwd", "norm",
                                             "norm_bwd",  "adamw, sumsq",  "normalize, patchify"};
static const struct sb_ops *real;
static double spent[KINDS], operations[KINDS];

#define TIMED(kind, flop, call)                                                                                        \
    do {                                                                                                               \
        double from_ = sb_seconds();                                                                                   \
        real->call;                                                                                                    \
        spent[kind] += sb_seconds() - from_;                                                                           \
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

/* What the machine's matrix product reaches, operations a second. */
static double peak(struct bench_vit *v, enum sb_dtype dtype)
{
    enum { N = 1536, CALLS = 12 };
    struct sb_tensor x = square(v, dtype, N), w = square(v, dtype, N), y = square(v, dtype, N);
    size_t packed_size = real->linear_pack_size(v->backend.dev, N, N, dtype, false);
    void *packed = packed_size ? real->alloc(v->backend.dev, packed_size) : NULL;
    if (packed) real->linear_pack(v->backend.dev, &w, false, packed);
    double best = 1e9;
    for (int i = 0; i < CALLS; i++) {
        double from = sb_seconds();
        real->linear(v->backend.dev, &x, &w, packed, NULL, SB_ACT_NONE, NULL, NULL, &y);
        double took = sb_seconds() - from;
        if (took < best) best = took;
    }
    for (int i = 0; i < 3; i++) real->release(v->backend.dev, (struct sb_tensor *[]){&x, &w, &y}[i]->data);
    if (packed) real->release(v->backend.dev, packed);
    return 2.0 * N * N * N / best;
}

static void report(char **argument, double took, int calls, int count, double most)
{
    double all = 0, rest = took;
    for (int i = 0; i < KINDS; i++) all += operations[i];
    printf("%s %s, batch %s, %s, %s: %.2f pictures/s, %.0f GFLOP/s: %.0f %% of the matmul peak of %.0f\n", argument[0],
           argument[1], argument[2], argument[3], argument[4], calls * count / took, all / took * 1e-9,
           100 * all / took / most, most * 1e-9);
    for (int i = 0; i < KINDS; i++) {
        rest -= spent[i];
        if (spent[i] <= 0) continue;
        printf("  %-20s %5.1f %%", kind_name[i], 100 * spent[i] / took);
        if (operations[i] > 0) printf("  %6.0f GFLOP/s", operations[i] / spent[i] * 1e-9);
        printf("\n");
    }
    printf("  %-20s %5.1f %%\n", "the rest", 100 * rest / took);
}

static void run(char **argument)
{
    struct bench_vit v;
    bench_vit_model(&v, argument);
    real = v.backend.ops;
    struct sb_ops timed = *real;
    timed.linear = linear;
    timed.linear_bwd = linear_bwd;
    timed.linear_pack = linear_pack;
    timed.attention = attention;
    timed.attention_bwd = attention_bwd;
    timed.norm = norm;
    timed.norm_bwd = norm_bwd;
    timed.adamw = adamw;
    timed.sumsq = sumsq;
    timed.normalize = normalize;
    timed.patchify = patchify;
    v.backend.ops = &timed;
    bench_vit_net(&v, argument);
    bench_vit_call(&v);
    bench_vit_call(&v);
    memset(spent, 0, sizeof spent);
    memset(operations, 0, sizeof operations);
    double took = 0;
    int calls = 0;
    for (; took < SECONDS || calls < 2; calls++) took += bench_vit_call(&v);
    report(argument, took, calls, v.batch.count, peak(&v, !strcmp(argument[3], "bf16") ? SB_BF16 : SB_F32));
    sb_net_close(v.net);
    sb_backend_close(&v.backend);
    sb_model_free(&v.model);
}

int main(int argc, char **argv)
{
    static char *usual[][BENCH_VIT_ARGUMENTS] = {
        {"B", "224", "1", "f32", "infer"},  {"B", "224", "1", "bf16", "infer"}, {"B", "224", "8", "f32", "infer"},
        {"B", "224", "8", "bf16", "infer"}, {"B", "224", "32", "f32", "infer"}, {"B", "224", "32", "bf16", "infer"},
        {"S", "224", "16", "f32", "train"}, {"S", "224", "16", "bf16", "train"}};
    sb_program = "bench_shares";
    if (argc > BENCH_VIT_ARGUMENTS)
        run(argv + 1);
    else
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) run(usual[i]);
    return 0;
}
