/* ResNets against PyTorch: tests/golden/resnet.py made tiny ones of both of torchvision's blocks and of the CIFAR form;
 * they are replayed here on the reference and, where its plugin is built, on cpu. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "weights/model_file.h"
#include "folder.h"
#include "model_cases.h"

static const struct resnet {
    const char *name;
    struct sb_resnet_config config;
} resnets[] = {
    {"resnet-basic", {.size = 33, .stage = {2, 1, 1, 1}, .width = 2, .classes = 5}},
    {"resnet-bottleneck", {.size = 33, .stage = {1, 2, 1, 1}, .width = 2, .bottleneck = true, .classes = 5}},
    {"resnet-cifar", {.size = 9, .stage = {2, 1, 1}, .width = 4, .cifar = true, .classes = 5}},
};
enum { RESNETS = sizeof resnets / sizeof *resnets };

static struct sb_model resnet(const struct resnet *v, const struct sb_weights *w)
{
    struct sb_model m;
    if (sb_model_init_resnet(&m, &v->config, 0)) fail_msg("%s", sb_error_message());
    golden_flat(w, "weight", &m, m.master);
    return m;
}

static struct sb_net *open_resnet(struct sb_backend *b, struct sb_model *m, bool train, bool bf16, int frozen)
{
    struct sb_net_options o = training(6); /* larger than the batches that come */
    o.train = train;
    o.bf16 = bf16;
    o.frozen_layers = frozen;
    o.average = train ? 1e-4f : 0;
    return open_net(b, m, &o);
}

static struct sb_batch labelled(const struct sb_weights *w)
{
    struct sb_batch batch = picture_batch(w, 4);
    batch.label = golden(w, "labels")->data;
    return batch;
}

static void logits_near(struct sb_net *n, const struct sb_weights *w, const char *name, double tolerance)
{
    struct sb_batch batch = picture_batch(w, 4);
    float logits[4 * 5];
    sb_net_classify(n, &batch, logits, NULL, NULL);
    near(name, logits, golden(w, name), tolerance);
}

static void infer(struct sb_backend *b, const struct resnet *v, const struct sb_weights *w)
{
    struct sb_model m = resnet(v, w);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        struct sb_net *n = open_resnet(b, &m, false, bf16, 0);
        logits_near(n, w, "logits", bf16 ? 2e-2 : 1e-5);
        struct sb_batch batch = picture_batch(w, 4);
        float embedding[4 * 64];
        sb_net_classify(n, &batch, NULL, NULL, embedding);
        near("embedding", embedding, golden(w, "embedding"), bf16 ? 5e-2 : 1e-5);
        sb_net_close(n);
    }
    sb_model_free(&m);
}

static void train(struct sb_backend *b, const struct resnet *v, const struct sb_weights *w)
{
    struct sb_model m = resnet(v, w);
    struct sb_net *n = open_resnet(b, &m, true, false, 0);
    struct sb_batch batch = labelled(w);
    const struct sb_tensor *losses = golden(w, "losses");
    float *gradient = sb_calloc((size_t)m.total, sizeof *gradient), told[10];
    told[0] = (float)sb_net_gradient(n, &batch, gradient);
    assert_true(fabs((double)(told[0] - ((const float *)losses->data)[0])) < 1e-5);
    gradients_near(w, &m, gradient, 1e-4);
    sb_net_close(n);
    n = open_resnet(b, &m, true, false, 0);
    for (int i = 0; i < 10; i++) {
        told[i] = (float)sb_net_step(n, &batch, 3e-3);
        sb_net_weights(n);
        for (size_t p = 0; p < m.params && i == 0; p++) {
            if (!m.param[p].statistic) continue;
            char *name = sb_format("after.%s", m.param[p].name);
            near(name, m.master + m.param[p].offset, golden(w, name), 1e-5);
            free(name);
        }
    }
    near("loss of step", told, losses, 1e-4);
    logits_near(n, w, "trained_logits", 1e-4); /* by the running statistics of ten steps */
    sb_net_average(n, true);                   /* of hardly more than the last step, but with the same statistics */
    logits_near(n, w, "trained_logits", 1e-4);
    free(gradient);
    sb_net_close(n);
    sb_model_free(&m);
}

static void resnets_are_torchs(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * RESNETS; i++) {
        struct sb_backend b;
        if (!open_device(&b, devices[i / RESNETS])) continue;
        const struct resnet *v = &resnets[i % RESNETS];
        struct sb_weights w = golden_open(v->name);
        infer(&b, v, &w);
        train(&b, v, &w);
        sb_weights_close(&w);
        sb_backend_close(&b);
    }
}

/* What is frozen keeps its weights and its running statistics; its norms use them. All above is trained. */
static void frozen_layers_stay(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    struct sb_weights w = golden_open("resnet-basic");
    struct sb_batch batch = labelled(&w);
    int layers[] = {1, 3, 4, 6};
    for (size_t f = 0; f < sizeof layers / sizeof *layers; f++) {
        struct sb_model m = resnet(&resnets[0], &w);
        struct sb_net *n = open_resnet(&b, &m, true, false, layers[f]);
        double whole = sb_net_step(n, &batch, 1e-2);
        sb_net_weights(n);
        float *before = sb_calloc((size_t)m.total, sizeof *before);
        golden_flat(&w, "weight", &m, before);
        for (size_t i = 0; i < m.params; i++) {
            const struct sb_param *p = &m.param[i];
            bool moved = memcmp(before + p->offset, m.master + p->offset, (size_t)p->count * sizeof(float)) != 0;
            assert_int_equal(moved, p->layer >= layers[f]);
        }
        memcpy(m.master, before, (size_t)m.total * sizeof *before);
        free(before);
        sb_net_close(n);
        if (layers[f] == 6) { /* the head alone: the loss is that of inference */
            n = open_resnet(&b, &m, false, false, 0);
            assert_true(fabs(sb_net_evaluate(n, &batch, NULL, NULL) - whole) < 1e-6);
            sb_net_close(n);
        }
        sb_model_free(&m);
    }
    sb_weights_close(&w);
    sb_backend_close(&b);
}

static void gradients_hold_where_layers_are_frozen(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    struct sb_weights w = golden_open("resnet-cifar");
    struct sb_model m = resnet(&resnets[2], &w);
    struct sb_batch batch = labelled(&w);
    float *gradient = sb_calloc((size_t)m.total, sizeof *gradient), *other = sb_calloc((size_t)m.total, sizeof *other);
    struct sb_net *n = open_resnet(&b, &m, true, false, 2);
    sb_net_gradient(n, &batch, gradient);
    sb_net_close(n);
    for (size_t i = 0; i < m.params; i++) {
        const struct sb_param *p = &m.param[i];
        if (p->layer < 2 || p->statistic) continue;
        int64_t at = p->offset + p->count / 2;
        float value = m.master[at];
        double side[2];
        for (int s = 0; s < 2; s++) {
            m.master[at] = value + (s ? 1e-3f : -1e-3f);
            n = open_resnet(&b, &m, true, false, 2);
            side[s] = sb_net_gradient(n, &batch, other);
            sb_net_close(n);
        }
        m.master[at] = value;
        double want = (side[1] - side[0]) / 2e-3, got = (double)gradient[at];
        if (!(fabs(got - want) <= 1e-3 + 1e-2 * fabs(want)))
            fail_msg("gradient of %s is %g, differences give %g", p->name, got, want);
    }
    free(gradient);
    free(other);
    sb_model_free(&m);
    sb_weights_close(&w);
    sb_backend_close(&b);
}

/* A batch's last picture may come alone, and what shares a batch with it changes nothing. */
static void a_picture_alone_is_classified_alike(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    struct sb_weights w = golden_open("resnet-bottleneck");
    struct sb_model m = resnet(&resnets[1], &w);
    struct sb_net *n = open_resnet(&b, &m, false, false, 0);
    float logits[4 * 5];
    for (int i = 0; i < 4; i++) {
        struct sb_batch one = picture_batch(&w, 1);
        one.pictures = (const uint8_t *)one.pictures + (size_t)i * 3 * 33 * 33;
        sb_net_classify(n, &one, logits + 5 * i, NULL, NULL);
    }
    near("logits", logits, golden(&w, "logits"), 1e-5);
    sb_net_close(n);
    sb_model_free(&m);
    sb_weights_close(&w);
    sb_backend_close(&b);
}

/* Weights, running statistics and shape come back from a file, and the switches too. */
static void a_file_gives_the_model_back(void **state)
{
    (void)state;
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    char *path = sb_format("%s/resnet.safetensors", folder);
    for (size_t i = 0; i < RESNETS; i++) {
        struct sb_weights w = golden_open(resnets[i].name);
        struct sb_model m = resnet(&resnets[i], &w), l;
        sb_texts_split("a,b,c,d,e", ',', &m.labels);
        m.several = i == 0;
        m.crops = i == 1;
        assert_int_equal(sb_model_save(&m, path), 0);
        if (sb_model_load(&l, path)) fail_msg("%s", sb_error_message());
        assert_int_equal(l.family, SB_RESNET);
        assert_memory_equal(&l.resnet, &m.resnet, sizeof m.resnet);
        assert_int_equal(l.several, m.several);
        assert_int_equal(l.crops, m.crops);
        struct sb_net *n = open_resnet(&b, &l, false, false, 0);
        logits_near(n, &w, "logits", 1e-5);
        sb_net_close(n);
        sb_model_free(&l);
        sb_model_free(&m);
        sb_weights_close(&w);
    }
    free(path);
    sb_backend_close(&b);
}

/* Parameters without and with statistics, as torchvision counts them (and as the CIFAR ones are published). */
static void names_give_the_known_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int size, classes, layers, dim;
        int64_t trained;
    } known[] = {
        {"resnet18", 224, 1000, 10, 512, 11689512},  {"resnet34", 224, 1000, 18, 512, 21797672},
        {"resnet50", 224, 1000, 18, 2048, 25557032}, {"resnet101", 224, 1000, 35, 2048, 44549160},
        {"resnet20", 32, 10, 11, 64, 269722},        {"resnet110", 32, 10, 56, 64, 1727962},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct sb_resnet_config c;
        struct sb_model m;
        assert_int_equal(sb_resnet_config_parse(known[i].name, known[i].size, &c), 0);
        c.classes = known[i].classes;
        assert_int_equal(sb_model_init_resnet(&m, &c, 1), 0);
        int64_t trained = 0;
        for (size_t p = 0; p < m.params; p++) trained += m.param[p].statistic ? 0 : m.param[p].count;
        assert_int_equal(trained, known[i].trained);
        assert_int_equal(sb_model_layers(&m), known[i].layers);
        assert_int_equal(sb_model_dim(&m), known[i].dim);
        sb_model_free(&m);
    }
    struct sb_resnet_config c;
    assert_int_equal(sb_resnet_config_parse("resnet19", 32, &c), -1);
    assert_non_null(strstr(sb_error_message(), "'resnet19' is none of"));
}

int main(int argc, char **argv)
{
    (void)argc;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnets_are_torchs),
        cmocka_unit_test(frozen_layers_stay),
        cmocka_unit_test(gradients_hold_where_layers_are_frozen),
        cmocka_unit_test(a_picture_alone_is_classified_alike),
        cmocka_unit_test(a_file_gives_the_model_back),
        cmocka_unit_test(names_give_the_known_sizes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
