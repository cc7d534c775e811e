/* Rung 4: models against PyTorch. tests/golden/ holds tiny models of timm and transformers with their logits, every
 * gradient and ten training losses (see the scripts there); they are replayed here on the reference and, where its
 * plugin is built, on cpu. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model_cases.h"
#include "weights/weight_read.h"

/* ---- the classifier ---- */

static void replay_classifier(const struct variant *v, const char *device)
{
    struct sb_backend b;
    if (!open_device(&b, device)) return;
    struct sb_weights w = golden_open(v->name);
    struct sb_model m = classifier(v, &w);
    struct sb_net_options o = training(7); /* larger than the batches that come */
    o.smooth = 0.1f;
    o.class_weight = golden(&w, "class_weight")->data;
    struct sb_net *n = open_net(&b, &m, &o);
    struct sb_batch batch = picture_batch(&w, 4);
    batch.label = golden(&w, "labels")->data;

    float logits[4 * 5], probability[4 * 5], embedding[4 * 32];
    sb_net_classify(n, &batch, logits, probability, embedding);
    near("logit", logits, golden(&w, "logits"), 1e-5);
    near("probability", probability, golden(&w, "probability"), 1e-5);
    near("embedding", embedding, golden(&w, "embedding"), 1e-5);
    int64_t of;
    float loss = (float)sb_net_evaluate(n, &batch, NULL, &of);
    near("plain loss", &loss, golden(&w, "plain_loss"), 1e-5);
    assert_int_equal(of, 4);

    float *gradient = sb_calloc((size_t)m.total, sizeof *gradient);
    const struct sb_tensor *losses = golden(&w, "losses");
    for (int again = 0; again < 2; again++) { /* a gradient leaves nothing behind */
        loss = (float)sb_net_gradient(n, &batch, gradient);
        assert_true(fabs((double)(loss - sb_weight_at(losses, 0))) < 1e-5);
        gradients_near(&w, &m, gradient, 1e-4);
    }
    float told[10];
    for (int i = 0; i < 10; i++) told[i] = (float)sb_net_step(n, &batch, 3e-3);
    near("loss of step", told, losses, 1e-4);
    assert_int_equal(sb_net_steps(n), 10);
    free(gradient);
    sb_net_close(n);
    sb_model_free(&m);
    sb_weights_close(&w);
    sb_backend_close(&b);
}

static void classifier_is_torchs(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) replay_classifier(&variants[v], devices[d]);
    }
}

/* Of all variants, in a net for inference. */
static void bf16_logits_are_near(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
            struct sb_weights w = golden_open(variants[v].name);
            struct sb_model m = classifier(&variants[v], &w);
            struct sb_net *n = open_net(&b, &m, &(struct sb_net_options){.batch = 4, .bf16 = true});
            struct sb_batch batch = picture_batch(&w, 4);
            float logits[4 * 5];
            sb_net_classify(n, &batch, logits, NULL, NULL);
            near("bf16 logit", logits, golden(&w, "logits"), 2e-2);
            sb_net_close(n);
            sb_model_free(&m);
            sb_weights_close(&w);
        }
        sb_backend_close(&b);
    }
}

/* bf16 has three decimal digits: the same course, not the same numbers. */
static void bf16_learns_as_f32(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        struct sb_weights w = golden_open("vit-class");
        struct sb_model m = classifier(&variants[0], &w);
        struct sb_net_options o = training(4);
        o.bf16 = true;
        o.smooth = 0.1f;
        o.class_weight = golden(&w, "class_weight")->data;
        struct sb_net *n = open_net(&b, &m, &o);
        struct sb_batch batch = picture_batch(&w, 4);
        batch.label = golden(&w, "labels")->data;
        float told[10];
        for (int i = 0; i < 10; i++) told[i] = (float)sb_net_step(n, &batch, 3e-3);
        near("bf16 loss of step", told, golden(&w, "losses"), 0.05);
        sb_net_close(n);
        sb_model_free(&m);
        sb_weights_close(&w);
        sb_backend_close(&b);
    }
}

/* Which other pictures share a batch, and how large it may get, changes nothing. */
static void a_picture_alone_is_classified_alike(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        struct sb_weights w = golden_open("vit-class");
        struct sb_model m = classifier(&variants[0], &w);
        struct sb_net *n = open_net(&b, &m, &(struct sb_net_options){.batch = 3});
        const uint8_t *pictures = golden(&w, "pictures")->data;
        float probability[4 * 5];
        for (int i = 0; i < 4; i++) {
            struct sb_batch one = picture_batch(&w, 1);
            one.pictures = pictures + (size_t)i * 3 * 16 * 16;
            sb_net_classify(n, &one, NULL, probability + 5 * i, NULL);
        }
        near("probability", probability, golden(&w, "probability"), 1e-5);
        sb_net_close(n);
        sb_model_free(&m);
        sb_weights_close(&w);
        sb_backend_close(&b);
    }
}

/* Augmentation that does nothing: a larger picture, of which a matrix takes the middle. */
static void warped_pictures_are_the_models_input(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    struct sb_weights w = golden_open("vit-class");
    struct sb_model m = classifier(&variants[0], &w);
    struct sb_net *n = open_net(&b, &m, &(struct sb_net_options){.batch = 4});
    enum { WIDE = 20 };
    static uint8_t large[4 * 3 * WIDE * WIDE];
    const uint8_t *pictures = golden(&w, "pictures")->data;
    for (int c = 0; c < 12; c++) {
        for (int y = 0; y < 16; y++) memcpy(large + (c * WIDE + y + 1) * WIDE + 3, pictures + (c * 16 + y) * 16, 16);
    }
    float matrix[4 * 6], probability[4 * 5];
    for (int i = 0; i < 4; i++) memcpy(matrix + 6 * i, (const float[]){1, 0, 3, 0, 1, 1}, 6 * sizeof(float));
    struct sb_batch batch = {
        .count = 4, .dtype = SB_U8, .pictures = large, .height = WIDE, .width = WIDE, .matrix = matrix};
    sb_net_classify(n, &batch, NULL, probability, NULL);
    near("probability", probability, golden(&w, "probability"), 1e-5);
    sb_net_close(n);
    sb_model_free(&m);
    sb_weights_close(&w);
    sb_backend_close(&b);
}

/* Frozen layers keep their weights; the others have the gradients that they have without freezing. */
static void frozen_layers_stay(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    struct sb_weights w = golden_open("vit-class");
    for (int frozen = 1; frozen <= 3; frozen++) {
        struct sb_model m = classifier(&variants[0], &w);
        struct sb_net_options o = training(4);
        o.frozen_layers = frozen;
        o.smooth = 0.1f;
        o.class_weight = golden(&w, "class_weight")->data;
        struct sb_net *n = open_net(&b, &m, &o);
        struct sb_batch batch = picture_batch(&w, 4);
        batch.label = golden(&w, "labels")->data;
        float *all = sb_calloc((size_t)m.total, sizeof *all), *got = sb_calloc((size_t)m.total, sizeof *got);
        golden_flat(&w, "grad", &m, all);
        sb_net_gradient(n, &batch, got);
        sb_net_step(n, &batch, 1e-2);
        sb_net_weights(n);
        float *before = sb_calloc((size_t)m.total, sizeof *before);
        golden_flat(&w, "weight", &m, before);
        for (size_t i = 0; i < m.params; i++) {
            const struct sb_param *p = &m.param[i];
            bool moved = memcmp(before + p->offset, m.master + p->offset, (size_t)p->count * sizeof(float)) != 0;
            assert_int_equal(moved, p->layer >= frozen);
            for (int64_t k = p->offset; k < p->offset + p->count; k++) {
                assert_true(fabs((double)(got[k] - (p->layer >= frozen ? all[k] : 0))) < 1e-4);
            }
        }
        free(before);
        free(all);
        free(got);
        sb_net_close(n);
        sb_model_free(&m);
    }
    sb_weights_close(&w);
    sb_backend_close(&b);
}

static double gradient_at(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o,
                          const struct sb_batch *batch, float *out)
{
    struct sb_net *n = open_net(b, m, o);
    double loss = sb_net_gradient(n, batch, out);
    sb_net_close(n);
    return loss;
}

/* torch's draws are others, so central differences are the judge here. The same seed gives the same masks each time. */
static void gradients_hold_with_dropout_and_drop_path(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    struct sb_weights w = golden_open("vit-class");
    const struct variant deep = {NULL, {.dim = 16, .depth = 2, .heads = 2, .class_token = true, .layer_scale = true}};
    struct sb_model m = classifier(&deep, NULL);
    m.vit.dropout = 0.2f;
    m.vit.drop_path = 0.3f;
    for (size_t i = 0; i < m.params; i++) { /* at their first values, gains hide the branches */
        const struct sb_param *p = &m.param[i];
        for (int64_t k = 0; strstr(p->name, ".gamma") && k < p->count; k++)
            m.master[p->offset + k] = 0.5f + 0.02f * (float)k;
    }
    struct sb_net_options o = training(4);
    o.seed = 5;
    struct sb_batch batch = picture_batch(&w, 4);
    batch.label = golden(&w, "labels")->data;
    float *gradient = sb_calloc((size_t)m.total, sizeof *gradient), *other = sb_calloc((size_t)m.total, sizeof *other);
    double loss = gradient_at(&b, &m, &o, &batch, gradient);
    o.seed = 6;
    assert_true(fabs(gradient_at(&b, &m, &o, &batch, other) - loss) > 1e-6);
    o.seed = 5;
    for (size_t i = 0; i < m.params; i++) {
        int64_t at = m.param[i].offset + m.param[i].count / 2;
        float value = m.master[at];
        double side[2];
        for (int s = 0; s < 2; s++) {
            m.master[at] = value + (s ? 1e-2f : -1e-2f);
            side[s] = gradient_at(&b, &m, &o, &batch, other);
        }
        m.master[at] = value;
        double want = (side[1] - side[0]) / 2e-2, got = (double)gradient[at];
        if (!(fabs(got - want) <= 2e-3 + 3e-2 * fabs(want))) {
            fail_msg("gradient of %s is %g, differences give %g", m.param[i].name, got, want);
        }
    }
    free(gradient);
    free(other);
    sb_model_free(&m);
    sb_weights_close(&w);
    sb_backend_close(&b);
}

/* ---- the captioner ---- */

static void captioner_is_torchs(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        struct sb_weights w = golden_open("caption");
        struct sb_model m = captioner(&w);
        struct sb_net_options o = training(5);
        struct sb_net *n = open_net(&b, &m, &o);
        struct sb_batch batch = picture_batch(&w, 3);
        batch.caption = golden(&w, "captions")->data;

        int32_t told[3 * 8];
        sb_net_caption(n, &batch, told);
        assert_memory_equal(told, golden(&w, "told")->data, sizeof told);

        const struct sb_tensor *losses = golden(&w, "losses");
        int64_t of;
        float loss = (float)sb_net_evaluate(n, &batch, NULL, &of);
        assert_int_equal(of, 13);
        assert_true(fabs((double)(loss - sb_weight_at(losses, 0))) < 1e-5);

        float *gradient = sb_calloc((size_t)m.total, sizeof *gradient), step[10];
        sb_net_gradient(n, &batch, gradient);
        gradients_near(&w, &m, gradient, 1e-4);
        for (int i = 0; i < 10; i++) step[i] = (float)sb_net_step(n, &batch, 3e-3);
        near("loss of step", step, losses, 1e-4);
        free(gradient);
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
        cmocka_unit_test(classifier_is_torchs),
        cmocka_unit_test(bf16_logits_are_near),
        cmocka_unit_test(bf16_learns_as_f32),
        cmocka_unit_test(a_picture_alone_is_classified_alike),
        cmocka_unit_test(warped_pictures_are_the_models_input),
        cmocka_unit_test(frozen_layers_stay),
        cmocka_unit_test(gradients_hold_with_dropout_and_drop_path),
        cmocka_unit_test(captioner_is_torchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
