/* Calls in two halves: a batch that is started before the one before is finished changes no byte of what either gives,
 * whatever the caller then does with its memory. On the stand-in of tests/cusim the device lags behind as far as it
 * may. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "model_cases.h"

enum { BATCH = 4, CLASSES = 5, SIZE = 16, LARGE = 22, BATCHES = 20, KINDS = 5 };

/* A batch in memory of its own. */
struct cargo {
    struct sb_batch batch;
    uint8_t pictures[BATCH * 3 * LARGE * LARGE * sizeof(float)];
    float matrix[6 * BATCH], colour[2 * BATCH], target[CLASSES * BATCH];
    struct sb_mix mix[BATCH];
    int32_t label[BATCH];
};

static void fill_pictures(struct cargo *c, struct sb_rng *r, int side)
{
    int values = c->batch.count * 3 * side * side;
    c->batch.pictures = c->pictures;
    c->batch.height = c->batch.width = side;
    for (int i = 0; i < values; i++) {
        uint8_t value = (uint8_t)sb_rng_u32(r);
        if (c->batch.dtype == SB_U8)
            c->pictures[i] = value;
        else
            ((float *)(void *)c->pictures)[i] = (float)value / 64 - 2;
    }
}

/* Batch k of a sequence: of other sizes and kinds than its neighbours. An odd number of kinds, so that each comes to
 * lie in either of the device's two places, and often enough to be replayed there. */
static void load(struct cargo *c, int k, bool train)
{
    struct sb_rng r;
    sb_rng_init(&r, 7, (uint64_t)k);
    *c = (struct cargo){.batch = {.count = BATCH - k % KINDS % 2, .dtype = k % KINDS == 2 ? SB_F32 : SB_U8}};
    bool warps = k % KINDS % 3 == 1, mixes = train && k % KINDS > 2;
    fill_pictures(c, &r, warps ? LARGE : SIZE);
    for (int i = 0; i < c->batch.count; i++) {
        const float turn[6] = {0.9f, 0.1f * (float)i, 3, -0.1f, 1.1f, (float)(k % 3)};
        memcpy(c->matrix + 6 * i, turn, sizeof turn);
        c->colour[2 * i] = 1 + 0.1f * (float)i;
        c->mix[i] = (struct sb_mix){.partner = i ^ 1, .weight = 0.7f, .box = {1, 2, 1 + k % 5, 9}};
        if (c->mix[i].partner >= c->batch.count) c->mix[i].partner = i;
        c->label[i] = (int32_t)(sb_rng_u32(&r) % CLASSES);
        for (int j = 0; j < CLASSES; j++) c->target[CLASSES * i + j] = j == k % CLASSES ? 0.8f : 0.05f;
    }
    c->batch.label = c->label;
    if (warps) c->batch.matrix = c->matrix, c->batch.colour = c->colour;
    if (mixes) c->batch.mix = c->mix, c->batch.target = c->target;
}

/* As a caller that needs its memory for something else. */
static void spoil(struct cargo *c) { memset(c, 0x5a, sizeof *c); }

struct outcome {
    double loss[BATCHES], weight[BATCHES];
    float *weights; /* after the last */
};

/* Trains on the sequence; two batches make a step. */
static struct outcome train(struct scene *s, const struct sb_net_options *o, bool halves)
{
    size_t bytes = (size_t)s->model.total * sizeof(float);
    struct outcome t = {.weights = sb_calloc(1, bytes)};
    float *before = sb_calloc(1, bytes);
    struct cargo *c = sb_calloc(1, sizeof *c);
    memcpy(before, s->model.master, bytes);
    struct sb_net *n = open_net(&s->backend, &s->model, o);
    for (int k = 0; k < BATCHES; k++) {
        load(c, k, true);
        if (halves)
            sb_net_accumulate_start(n, &c->batch);
        else
            t.loss[k] = sb_net_accumulate(n, &c->batch, &t.weight[k]);
        spoil(c);
        if (k % 2) sb_net_update(n, 3e-3);
        if (halves && k) t.loss[k - 1] = sb_net_accumulate_finish(n, &t.weight[k - 1]);
    }
    if (halves) t.loss[BATCHES - 1] = sb_net_accumulate_finish(n, &t.weight[BATCHES - 1]);
    sb_net_weights(n);
    memcpy(t.weights, s->model.master, bytes);
    memcpy(s->model.master, before, bytes);
    sb_net_close(n);
    free(before);
    free(c);
    return t;
}

static void training_is_the_same_in_halves(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "vit-class")) continue;
        s.model.vit.dropout = 0.2f;
        s.model.vit.drop_path = 0.3f;
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct sb_net_options o = training(BATCH);
            o.seed = 5;
            o.average = 0.9f;
            o.bf16 = bf16;
            o.class_weight = golden(&s.given, "class_weight")->data;
            struct outcome plain = train(&s, &o, false), halves = train(&s, &o, true);
            assert_memory_equal(plain.loss, halves.loss, sizeof plain.loss);
            assert_memory_equal(plain.weight, halves.weight, sizeof plain.weight);
            assert_memory_equal(plain.weights, halves.weights, (size_t)s.model.total * sizeof(float));
            free(plain.weights);
            free(halves.weights);
        }
        scene_close(&s);
    }
}

struct answer {
    float logits[CLASSES * BATCH], probability[CLASSES * BATCH], embedding[18 * BATCH];
    double loss;
    int64_t right, of;
};

static void classified(struct sb_net *n, struct answer *a)
{
    sb_net_classify_finish(n, a->logits, a->probability, a->embedding);
}

static void evaluated(struct sb_net *n, struct answer *a) { a->loss = sb_net_evaluate_finish(n, &a->right, &a->of); }

/* Every third batch is classified, else evaluated. */
static void answers_are_the_same_in_halves(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "vit-class")) continue;
        struct sb_net *n = open_net(&s.backend, &s.model, &(struct sb_net_options){.batch = BATCH});
        struct answer *plain = sb_calloc(BATCHES, sizeof *plain), *halves = sb_calloc(BATCHES, sizeof *halves);
        struct cargo *c = sb_calloc(1, sizeof *c);
        for (int k = 0; k < BATCHES; k++) {
            struct answer *a = &plain[k];
            load(c, k, false);
            if (k % 3)
                a->loss = sb_net_evaluate(n, &c->batch, &a->right, &a->of);
            else
                sb_net_classify(n, &c->batch, a->logits, a->probability, a->embedding);
        }
        for (int k = 0; k <= BATCHES; k++) {
            load(c, k, false);
            if (k < BATCHES) (k % 3 ? sb_net_evaluate_start : sb_net_classify_start)(n, &c->batch);
            spoil(c);
            if (k) ((k - 1) % 3 ? evaluated : classified)(n, &halves[k - 1]);
        }
        for (int k = 0; k < BATCHES; k++) assert_memory_equal(&plain[k], &halves[k], sizeof *plain);
        assert_memory_not_equal(plain[3].logits, plain[6].logits, sizeof plain->logits);
        free(plain);
        free(halves);
        free(c);
        sb_net_close(n);
        scene_close(&s);
    }
}

/* The decoder's loop, which has halves of its own, between two of others. */
static void captions_are_told_between_halves(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        struct sb_weights w = golden_open("caption");
        struct sb_model m = captioner(&w);
        struct sb_net *n = open_net(&b, &m, &(struct sb_net_options){.batch = 3});
        struct sb_batch batch = picture_batch(&w, 3), fewer = picture_batch(&w, 2);
        batch.caption = fewer.caption = golden(&w, "captions")->data;
        for (int i = 0; i < 4; i++) {
            int32_t told[3 * 8];
            int64_t right[2], of[2];
            double loss[2] = {sb_net_evaluate(n, &batch, &right[0], &of[0])};
            float embedding[2 * 12], again[2 * 12];
            sb_net_classify(n, &fewer, NULL, NULL, embedding);
            sb_net_evaluate_start(n, &batch);
            sb_net_classify_start(n, &fewer);
            sb_net_caption(n, &batch, told);
            loss[1] = sb_net_evaluate_finish(n, &right[1], &of[1]);
            sb_net_classify_finish(n, NULL, NULL, again);
            assert_memory_equal(told, golden(&w, "told")->data, sizeof told);
            assert_memory_equal(embedding, again, sizeof again);
            assert_true(loss[0] == loss[1] && right[0] == right[1] && of[0] == of[1]);
        }
        sb_net_close(n);
        sb_model_free(&m);
        sb_weights_close(&w);
        sb_backend_close(&b);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    sb_quiet = true;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_the_same_in_halves),
        cmocka_unit_test(answers_are_the_same_in_halves),
        cmocka_unit_test(captions_are_told_between_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
