/* Rung 4: models against PyTorch. tests/golden/ holds tiny models of timm and transformers with their logits, every
 * gradient and ten training losses (see the scripts there); they are replayed here on the reference and, where its
 * plugin is built, on cpu. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "nn/net.h"
#include "nn/positions.h"
#include "nn/weight_read.h"

static const char *const devices[] = {"ref", "cpu"};

/* The plugin of this build lies in the folder of the programs, beside that of the tests. */
static void find_plugins(const char *program)
{
    char *folder = sb_strdup(program), *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    char *plugins = sb_format("%s/../bin", slash ? folder : ".");
    setenv("SEABOT_PLUGINS", plugins, 0);
    free(plugins);
    free(folder);
}

static bool open_device(struct sb_backend *b, const char *device)
{
    if (sb_backend_open(b, device, 2) == 0) return true;
    if (!strcmp(device, "ref")) fail_msg("%s", sb_error_message());
    print_message("skipped on %s: %s\n", device, sb_error_message());
    return false;
}

static struct sb_weights golden_open(const char *name)
{
    const char *root = getenv("ROOT");
    char *path = sb_format("%s/tests/golden/%s.safetensors", root ? root : ".", name);
    struct sb_weights w;
    if (sb_weights_open(&w, path)) fail_msg("%s", sb_error_message());
    free(path);
    return w;
}

static const struct sb_tensor *golden(const struct sb_weights *w, const char *name)
{
    const struct sb_tensor *t = sb_weights_find(w, name);
    if (!t) fail_msg("the golden file has no '%s'", name);
    return t;
}

/* Fills a flat buffer with every parameter's "weight." or "grad.". */
static void golden_flat(const struct sb_weights *w, const char *kind, const struct sb_model *m, float *flat)
{
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        char *name = sb_format("%s.%s", kind, p->name);
        const struct sb_tensor *t = golden(w, name);
        if (!sb_weight_fits(t, p)) {
            sb_weight_misfit(name, t, p);
            fail_msg("%s", sb_error_message());
        }
        sb_weight_read(t, p, flat + p->offset);
        free(name);
    }
}

static void near(const char *what, const float *got, const struct sb_tensor *want, double tolerance)
{
    int64_t n = sb_tensor_count(want);
    for (int64_t i = 0; i < n; i++) {
        double w = (double)sb_weight_at(want, i);
        if (!(fabs((double)got[i] - w) <= tolerance))
            fail_msg("%s[%lld] is %.8g, wanted %.8g", what, (long long)i, (double)got[i], w);
    }
}

/* Relative to the largest of the tensor: some gradients (of a key's bias) are zero but for rounding. */
static void gradients_near(const struct sb_weights *w, const struct sb_model *m, const float *got, double tolerance)
{
    float *want = sb_calloc((size_t)m->total, sizeof *want);
    golden_flat(w, "grad", m, want);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        double largest = 0;
        for (int64_t k = 0; k < p->count; k++) largest = fmax(largest, fabs((double)want[p->offset + k]));
        for (int64_t k = 0; k < p->count; k++) {
            double g = (double)got[p->offset + k], e = (double)want[p->offset + k];
            if (!(fabs(g - e) <= tolerance * largest)) {
                fail_msg("gradient of %s[%lld] is %.8g, wanted %.8g (largest %.4g)", p->name, (long long)k, g, e,
                         largest);
            }
        }
    }
    free(want);
}

static struct sb_net_options training(int batch)
{
    return (struct sb_net_options){
        .batch = batch, .train = true, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f, .decay = 0.05f, .max_norm = 1};
}

static struct sb_net *open_net(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o)
{
    struct sb_net *n = sb_net_open(b, m, o);
    if (!n) fail_msg("%s", sb_error_message());
    return n;
}

/* ---- the classifier
 * -------------------------------------------------------------------------------------------------- */

static const struct variant {
    const char *name;
    struct sb_vit_config vit;
} variants[] = {
    {"vit-class", {.dim = 18, .depth = 2, .heads = 3, .class_token = true}},
    {"vit-registers", {.dim = 16, .depth = 1, .heads = 2, .class_token = true, .registers = 2, .layer_scale = true}},
    {"vit-mean", {.dim = 20, .depth = 1, .heads = 5}},
};

static struct sb_model classifier(const struct variant *v, const struct sb_weights *w)
{
    struct sb_vit_config vit = v->vit;
    vit.size = 16;
    vit.patch = 4;
    vit.hidden = 4 * vit.dim;
    vit.eps = 1e-6f;
    vit.classes = 5;
    struct sb_model m;
    if (sb_model_init(&m, &vit, NULL, 0)) fail_msg("%s", sb_error_message());
    if (w) golden_flat(w, "weight", &m, m.master);
    return m;
}

static struct sb_batch picture_batch(const struct sb_weights *w, int count)
{
    const struct sb_tensor *pictures = golden(w, "pictures");
    int size = (int)pictures->shape[3];
    return (struct sb_batch){
        .count = count, .dtype = pictures->dtype, .pictures = pictures->data, .height = size, .width = size};
}

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

    float probability[4 * 5], embedding[4 * 32];
    sb_net_classify(n, &batch, probability, embedding);
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
            sb_net_classify(n, &one, probability + 5 * i, NULL);
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
    sb_net_classify(n, &batch, probability, NULL);
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

/* ---- the captioner
 * --------------------------------------------------------------------------------------------------- */

static struct sb_model captioner(const struct sb_weights *w)
{
    struct sb_vit_config vit = {
        .size = 12, .patch = 4, .dim = 12, .depth = 1, .heads = 2, .hidden = 48, .class_token = true, .eps = 1e-6f};
    struct sb_decoder_config decoder = {.words = 13, .dim = 16, .depth = 2, .heads = 2, .hidden = 64, .length = 8};
    struct sb_model m;
    if (sb_model_init(&m, &vit, &decoder, 0)) fail_msg("%s", sb_error_message());
    if (w) golden_flat(w, "weight", &m, m.master);
    return m;
}

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

/* ---- files
 * ----------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/test_model.XXXXXX";

static char *temporary(const char *name) { return sb_format("%s/%s", folder, name); }

static void add_text(struct sb_texts *t, const char *text)
{
    SB_GROW(t->text, t->cap, t->count + 1);
    t->text[t->count++] = sb_strdup(text);
}

static void name_labels(struct sb_model *m, const char *first)
{
    add_text(&m->labels, first);
    for (int i = 1; i < m->vit.classes; i++) {
        char text[20];
        snprintf(text, sizeof text, "kind %d", i);
        add_text(&m->labels, text);
    }
}

static void name_words(struct sb_model *m)
{
    for (int i = 0; i < m->decoder.words; i++) {
        char text[20];
        snprintf(text, sizeof text, "word%d", i);
        add_text(&m->words, text);
    }
}

static void saved_models_load_again(void **state)
{
    (void)state;
    char *path = temporary("model.safetensors"), *again = temporary("again.safetensors");
    for (int words = 0; words <= 1; words++) {
        struct sb_model m = words ? captioner(NULL) : classifier(&variants[1], NULL), l;
        if (words)
            name_words(&m);
        else
            name_labels(&m, "anémone");
        m.history = sb_strdup("[1]");
        assert_int_equal(sb_model_save(&m, path), 0);
        if (sb_model_load(&l, path)) fail_msg("%s", sb_error_message());
        assert_memory_equal(&l.vit, &m.vit, sizeof m.vit);
        assert_memory_equal(&l.decoder, &m.decoder, sizeof m.decoder);
        assert_null(sb_preprocess_differs(&l.preprocess, &m.preprocess));
        assert_int_equal(l.total, m.total);
        assert_memory_equal(l.master, m.master, (size_t)m.total * sizeof(float));
        assert_string_equal(l.history, "[1]");
        assert_null(l.parent);
        const struct sb_texts *saved = words ? &m.words : &m.labels, *loaded = words ? &l.words : &l.labels;
        assert_int_equal(saved->count, loaded->count);
        for (size_t i = 0; i < saved->count; i++) assert_string_equal(saved->text[i], loaded->text[i]);
        assert_int_equal(sb_model_save(&l, again), 0);
        char *compare = sb_format("cmp -s '%s' '%s'", path, again);
        assert_int_equal(system(compare), 0);
        free(compare);
        sb_model_free(&m);
        sb_model_free(&l);
    }
    free(path);
    free(again);
}

/* GPT-2's files hold the weights of its Conv1D as [in,out]. */
static void decoder_matrices_are_stored_as_gpt2_stores_them(void **state)
{
    (void)state;
    char *path = temporary("gpt2.safetensors");
    struct sb_model m = captioner(NULL);
    name_words(&m);
    assert_int_equal(sb_model_save(&m, path), 0);
    struct sb_weights w;
    assert_int_equal(sb_weights_open(&w, path), 0);
    const struct sb_tensor *t = sb_weights_find(&w, "decoder.h.0.attn.c_attn.weight");
    assert_non_null(t);
    assert_int_equal(t->shape[0], 16);
    assert_int_equal(t->shape[1], 48);
    sb_weights_close(&w);
    sb_model_free(&m);
    free(path);
}

static void a_model_of_another_shape_is_named(void **state)
{
    (void)state;
    char *path = temporary("small.safetensors");
    struct sb_model small = classifier(&variants[0], NULL), large = classifier(&variants[2], NULL);
    name_labels(&small, "fish");
    name_labels(&large, "fish");
    assert_int_equal(sb_model_save(&small, path), 0);
    assert_int_equal(sb_model_take(&large, path), -1);
    assert_non_null(strstr(sb_error_message(), "patch_embed.proj.weight"));
    assert_non_null(strstr(sb_error_message(), "[18,3,4,4]"));
    assert_non_null(strstr(sb_error_message(), "[20,3,4,4]"));
    struct sb_model l;
    char *none = temporary("vit.safetensors");
    struct sb_weight one = {.name = "norm.weight",
                            .tensor = {.dtype = SB_F32, .ndim = 1, .shape = {18}, .data = small.master}};
    assert_int_equal(sb_weights_save(none, &one, 1, NULL, NULL, 0), 0);
    assert_int_equal(sb_model_load(&l, none), -1);
    assert_non_null(strstr(sb_error_message(), "not a SeaBot model"));
    assert_int_equal(sb_model_load(&l, "/dev/null"), -1);
    free(none);
    free(path);
    sb_model_free(&small);
    sb_model_free(&large);
}

static const float *values(const struct sb_model *m, const char *name)
{
    for (size_t i = 0; i < m->params; i++) {
        if (!strcmp(m->param[i].name, name)) return m->master + m->param[i].offset;
    }
    fail_msg("no parameter '%s'", name);
    return NULL;
}

static void taking_over_replaces_a_head_of_other_labels(void **state)
{
    (void)state;
    char *path = temporary("old.safetensors");
    struct sb_weights w = golden_open("vit-class");
    struct sb_model old = classifier(&variants[0], &w);
    name_labels(&old, "fish");
    assert_int_equal(sb_model_save(&old, path), 0);
    for (int other = 0; other <= 1; other++) {
        struct sb_model m = classifier(&variants[0], NULL), fresh = classifier(&variants[0], NULL);
        name_labels(&m, other ? "crab" : "fish");
        if (sb_model_take(&m, path)) fail_msg("%s", sb_error_message());
        assert_int_equal(strlen(m.parent), 32);
        assert_memory_equal(values(&m, "blocks.1.attn.qkv.weight"), values(&old, "blocks.1.attn.qkv.weight"),
                            54 * 18 * sizeof(float));
        const struct sb_model *from = other ? &fresh : &old;
        assert_memory_equal(values(&m, "head.weight"), values(from, "head.weight"), 5 * 18 * sizeof(float));
        sb_model_free(&m);
        sb_model_free(&fresh);
    }
    sb_model_free(&old);
    sb_weights_close(&w);
    free(path);
}

static void positions_are_resized_as_timm_does(void **state)
{
    (void)state;
    struct sb_weights w = golden_open("positions");
    const struct sb_tensor *old = golden(&w, "old");
    float *from = sb_calloc((size_t)sb_tensor_count(old), sizeof *from), to[65 * 6];
    for (int64_t i = 0; i < sb_tensor_count(old); i++) from[i] = sb_weight_at(old, i);
    sb_positions_resize(from, 1, 5, 3, 6, to);
    near("3 x 3", to, golden(&w, "new3"), 1e-5);
    sb_positions_resize(from, 1, 5, 8, 6, to);
    near("8 x 8", to, golden(&w, "new8"), 1e-5);
    free(from);
    sb_weights_close(&w);
}

static void configurations_are_read(void **state)
{
    (void)state;
    struct sb_vit_config c;
    assert_int_equal(sb_vit_config_parse("S/8", 64, 0, &c), 0);
    assert_int_equal(c.dim, 384);
    assert_int_equal(c.depth, 12);
    assert_int_equal(c.patch, 8);
    assert_int_equal(c.hidden, 1536);
    assert_true(c.class_token);
    assert_int_equal(sb_vit_config_parse("dim=192,depth=6,heads=3", 64, 8, &c), 0);
    assert_int_equal(c.dim, 192);
    assert_int_equal(c.hidden, 768);
    static const char *const wrong[] = {
        "X", "S/0", "S/x", "dim=192", "dim=190,depth=6,heads=3", "dim=-1,depth=1,heads=1", "S/7", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (sb_vit_config_parse(wrong[i], 64, 0, &c) != -1) fail_msg("'%s' was taken", wrong[i]);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *command = sb_format("rm -rf '%s'", folder);
    int rc = system(command);
    free(command);
    return rc;
}

int main(int argc, char **argv)
{
    (void)argc;
    sb_quiet = true;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classifier_is_torchs),
        cmocka_unit_test(bf16_learns_as_f32),
        cmocka_unit_test(a_picture_alone_is_classified_alike),
        cmocka_unit_test(warped_pictures_are_the_models_input),
        cmocka_unit_test(frozen_layers_stay),
        cmocka_unit_test(captioner_is_torchs),
        cmocka_unit_test(saved_models_load_again),
        cmocka_unit_test(decoder_matrices_are_stored_as_gpt2_stores_them),
        cmocka_unit_test(a_model_of_another_shape_is_named),
        cmocka_unit_test(taking_over_replaces_a_head_of_other_labels),
        cmocka_unit_test(positions_are_resized_as_timm_does),
        cmocka_unit_test(configurations_are_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
