/* What training does beyond a batch of labels, against PyTorch and timm: mixed pictures, several labels, layer-wise
 * rates, the weight average. tests/golden/train.py gives the figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model_cases.h"

static void learns(struct scene *s, const struct sb_net_options *o)
{
    struct sb_net *n = open_net(&s->backend, &s->model, o);
    float *gradient = sb_calloc((size_t)s->model.total, sizeof *gradient), told[10];
    const struct sb_tensor *losses = golden(&s->want, "losses");
    double loss = sb_net_gradient(n, &s->batch, gradient);
    assert_true(fabs(loss - (double)((const float *)losses->data)[0]) < 1e-5);
    gradients_near(&s->want, &s->model, gradient, 1e-4);
    for (int i = 0; i < 10; i++) told[i] = (float)sb_net_step(n, &s->batch, 3e-3);
    near("loss of step", told, losses, 1e-4);
    free(gradient);
    sb_net_close(n);
}

static void mixed_pictures_are_learnt_as_torch_does(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "train-mix")) continue;
        struct sb_mix mix[4];
        for (int i = 0; i < 4; i++) {
            mix[i].partner = ((const int32_t *)golden(&s.want, "partner")->data)[i];
            mix[i].weight = ((const float *)golden(&s.want, "mix_weight")->data)[i];
            memcpy(mix[i].box, (const int32_t *)golden(&s.want, "box")->data + 4 * i, sizeof mix[i].box);
        }
        s.batch.mix = mix;
        s.batch.target = golden(&s.want, "target")->data;
        struct sb_net_options o = training(4);
        o.smooth = 0.1f;
        o.class_weight = golden(&s.given, "class_weight")->data;
        learns(&s, &o);
        scene_close(&s);
    }
}

static void several_labels_are_learnt_as_torch_does(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "train-labels")) continue;
        s.model.several = true;
        s.batch.target = golden(&s.want, "target")->data;
        struct sb_net *n = open_net(&s.backend, &s.model, &(struct sb_net_options){.batch = 4});
        float logits[4 * 5], probability[4 * 5];
        sb_net_classify(n, &s.batch, logits, probability, NULL);
        near("logit", logits, golden(&s.want, "logits"), 1e-5);
        near("probability", probability, golden(&s.want, "probability"), 1e-5);
        int64_t of;
        float loss = (float)sb_net_evaluate(n, &s.batch, NULL, &of);
        near("plain loss", &loss, golden(&s.want, "plain_loss"), 1e-5);
        assert_int_equal(of, 4);
        sb_net_close(n);
        struct sb_net_options o = training(4);
        o.class_weight = golden(&s.given, "class_weight")->data;
        learns(&s, &o);
        scene_close(&s);
    }
}

/* Both at once: the average follows what the rates make of each layer. */
static void rates_and_average_are_timms(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "train-average")) continue;
        struct sb_net_options o = training(4);
        o.layer_decay = 0.6f;
        o.average = 0.8f;
        struct sb_net *n = open_net(&s.backend, &s.model, &o);
        float told[10], logits[4 * 5], *want = sb_calloc((size_t)s.model.total, sizeof *want);
        for (int i = 0; i < 10; i++) told[i] = (float)sb_net_step(n, &s.batch, 3e-3);
        near("loss of step", told, golden(&s.want, "losses"), 1e-4);
        sb_net_average(n, true);
        sb_net_classify(n, &s.batch, logits, NULL, NULL);
        near("averaged logit", logits, golden(&s.want, "averaged_logits"), 2e-4);
        sb_net_weights(n);
        golden_flat(&s.want, "average", &s.model, want);
        assert_true(weights_apart(&s.model, s.model.master, want) < 1e-5);
        sb_net_average(n, false);
        sb_net_classify(n, &s.batch, logits, NULL, NULL);
        near("logit", logits, golden(&s.want, "logits"), 2e-4);
        free(want);
        sb_net_close(n);
        scene_close(&s);
    }
}

/* In bf16 the ops read a copy, which must follow. */
static void bf16_changes_between_weights_and_average(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "train-average")) continue;
        struct sb_net_options o = training(4);
        o.bf16 = true;
        o.layer_decay = 0.6f;
        o.average = 0.8f;
        struct sb_net *n = open_net(&s.backend, &s.model, &o);
        float before[4 * 5], averaged[4 * 5], after[4 * 5];
        for (int i = 0; i < 10; i++) sb_net_step(n, &s.batch, 3e-3);
        sb_net_classify(n, &s.batch, before, NULL, NULL);
        sb_net_average(n, true);
        sb_net_classify(n, &s.batch, averaged, NULL, NULL);
        near("averaged logit", averaged, golden(&s.want, "averaged_logits"), 0.05);
        sb_net_average(n, false);
        sb_net_classify(n, &s.batch, after, NULL, NULL);
        near("logit", after, golden(&s.want, "logits"), 0.05);
        assert_memory_equal(before, after, sizeof before);
        sb_net_close(n);
        scene_close(&s);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    sb_quiet = true;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_pictures_are_learnt_as_torch_does),
        cmocka_unit_test(several_labels_are_learnt_as_torch_does),
        cmocka_unit_test(rates_and_average_are_timms),
        cmocka_unit_test(bf16_changes_between_weights_and_average),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
