/* Rung 4, other people's weights: tiny models as timm, Meta, transformers and torchvision save them
 * (tests/golden/names.py, resnet.py) open as they are, and compute what those compute. What is no model of ours is
 * refused with one line. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "folder.h"
#include "model_cases.h"
#include "weights/foreign.h"
#include "weights/model_file.h"
#include "weights/weight_read.h"

static const struct {
    const char *name;
    int classes, registers, depth;
    bool class_token, fc_norm, layer_scale;
    float eps;
} cases[] = {
    {"timm", 3, 0, 1, true, false, false, 1e-6f},
    {"timm-mean", 3, 0, 1, false, false, false, 1e-6f},
    {"timm-fc-norm", 3, 0, 1, true, true, false, 1e-6f},
    {"timm-no-embed-class", 3, 0, 1, true, false, false, 1e-6f},
    {"timm-dinov2", 0, 0, 1, true, false, true, 1e-6f},
    {"timm-registers", 3, 2, 1, true, false, true, 1e-6f},
    {"timm-registers-embedded", 3, 2, 1, true, false, false, 1e-6f},
    {"meta-dinov2", 0, 2, 2, true, false, true, 1e-6f},
    {"transformers-vit", 0, 0, 1, true, false, false, 1e-12f},
    {"transformers-vit-head", 3, 0, 1, true, false, false, 1e-12f},
    {"transformers-dinov2", 0, 0, 1, true, false, true, 1e-6f},
    {"transformers-registers", 0, 2, 1, true, false, true, 1e-6f},
    {"transformers-dinov2-head", 0, 0, 1, true, false, true, 1e-6f},
};
#define CASES (sizeof cases / sizeof *cases)

static char *golden_path(const char *name)
{
    const char *root = getenv("ROOT");
    return sb_format("%s/tests/golden/%s%s/model.safetensors", root ? root : ".", strcmp(name, "gpt2") ? "names/" : "",
                     name);
}

static struct sb_model load(const char *path)
{
    struct sb_model m;
    if (sb_model_load(&m, path)) fail_msg("%s", sb_error_message());
    return m;
}

static struct sb_model load_case(const char *name)
{
    char *path = golden_path(name);
    struct sb_model m = load(path);
    free(path);
    return m;
}

/* The path of these weights in a new folder, with this config.json if it is not NULL. */
static char *save_beside(const struct sb_weight *weight, size_t count, const char *config)
{
    static int made;
    char *place = sb_format("%s/%d", folder, made++), *path = sb_format("%s/model.safetensors", place);
    char *json = sb_format("%s/config.json", place);
    assert_int_equal(mkdir(place, 0700), 0);
    assert_int_equal(sb_weights_save(path, weight, count, NULL, NULL, 0), 0);
    FILE *f = config ? fopen(json, "w") : NULL;
    if (f) {
        fputs(config, f);
        assert_int_equal(fclose(f), 0);
    }
    free(json);
    free(place);
    return path;
}

#define TWO_HEADS "{\"num_heads\": 2}"

static void names_tell_the_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct sb_model m = load_case(cases[i].name);
        const struct sb_vit_config *c = &m.vit;
        if (m.family != SB_VIT || c->size != 12 || c->patch != 4 || c->dim != 16 || c->heads != 2 || c->hidden != 32 ||
            c->depth != cases[i].depth || c->registers != cases[i].registers || c->classes != cases[i].classes ||
            c->class_token != cases[i].class_token || c->fc_norm != cases[i].fc_norm ||
            c->layer_scale != cases[i].layer_scale || fabsf(c->eps / cases[i].eps - 1) > 1e-6f)
            fail_msg("%s was taken for another", cases[i].name);
        sb_model_free(&m);
    }
}

/* ---- what they compute ---- */

static void compute(struct sb_backend *b, struct sb_model *m, const char *name, const struct sb_weights *w, bool bf16,
                    double tolerance)
{
    float logits[2 * 3], embedding[2 * 16];
    char *what = sb_format("%s.embedding", name), *told = sb_format("%s.logits", name);
    struct sb_net *n = sb_net_open(b, m, &(struct sb_net_options){.batch = 2, .bf16 = bf16});
    if (!n) fail_msg("%s", sb_error_message());
    struct sb_batch batch = picture_batch(w, 2);
    sb_net_classify(n, &batch, m->vit.classes ? logits : NULL, NULL, embedding);
    near(what, embedding, golden(w, what), tolerance);
    if (m->vit.classes) near(told, logits, golden(w, told), tolerance);
    sb_net_close(n);
    free(what);
    free(told);
}

static void foreign_models_compute_what_they_did(void **state)
{
    (void)state;
    struct sb_weights w = golden_open("names/expected");
    for (size_t d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        for (size_t i = 0; i < CASES; i++) {
            struct sb_model m = load_case(cases[i].name);
            sb_preprocess_default(&m.preprocess, 12);
            compute(&b, &m, cases[i].name, &w, false, 1e-5);
            compute(&b, &m, cases[i].name, &w, true, 2e-2);
            sb_model_free(&m);
        }
        sb_backend_close(&b);
    }
    sb_weights_close(&w);
}

/* Rounds to even; what is below the least normal number becomes 0. */
static uint16_t to_f16(float f)
{
    int exponent;
    float part = frexpf(fabsf(f), &exponent);
    if (exponent < -13) return 0;
    return (uint16_t)((f < 0 ? 0x8000 : 0) + ((exponent + 13) << 10) + (int)lrintf(part * 2048));
}

static void to_half(struct sb_weight *weight, enum sb_dtype dtype)
{
    struct sb_tensor *t = &weight->tensor;
    int64_t count = sb_tensor_count(t);
    uint16_t *half = sb_calloc((size_t)count, sizeof *half);
    for (int64_t i = 0; i < count; i++) {
        float f = sb_weight_at(t, i);
        half[i] = dtype == SB_F16 ? to_f16(f) : sb_f32_to_bf16(f);
    }
    t->dtype = dtype;
    t->data = half;
}

/* Saved in two bytes a number, as half the world does. */
static void halves_compute_what_they_did(void **state)
{
    (void)state;
    static const enum sb_dtype dtypes[] = {SB_F16, SB_BF16};
    static const char *const names[] = {"transformers-vit-head", "timm-registers-embedded"};
    struct sb_weights expected = golden_open("names/expected");
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    for (size_t i = 0; i < 4; i++) {
        char *from = golden_path(names[i / 2]), *path;
        struct sb_weights w;
        if (sb_weights_open(&w, from)) fail_msg("%s", sb_error_message());
        for (size_t k = 0; k < w.count; k++) to_half(&w.weight[k], dtypes[i % 2]);
        path = save_beside(w.weight, w.count, TWO_HEADS);
        for (size_t k = 0; k < w.count; k++) free(w.weight[k].tensor.data);
        sb_weights_close(&w);
        struct sb_model m = load(path);
        sb_preprocess_default(&m.preprocess, 12);
        compute(&b, &m, names[i / 2], &expected, false, 2e-2);
        sb_model_free(&m);
        free(from);
        free(path);
    }
    sb_backend_close(&b);
    sb_weights_close(&expected);
}

/* Nothing is copied that can be used where it lies: of timm's file all matrices, of transformers' those that are not
 * stacked. */
static void matrices_stay_in_the_file(void **state)
{
    (void)state;
    static const char *const names[] = {"timm", "transformers-vit"};
    for (size_t i = 0; i < 2; i++) {
        struct sb_model m = load_case(names[i]);
        for (size_t k = 0; k < m.params; k++) {
            const struct sb_param *p = &m.param[k];
            const char *at = (const char *)p->mapped, *file = m.file.map;
            if (p->decay != (at != NULL)) fail_msg("%s: %s", names[i], p->name);
            bool stacked = i == 1 && strstr(p->name, "qkv");
            if (at) assert_int_equal(at >= file && at < file + m.file.map_size, !stacked);
        }
        sb_model_free(&m);
    }
}

/* ---- ResNets: the golden files of resnet.py under the names that are about ---- */

/* Every "weight.NAME" of a golden file as PREFIX NAME, and a counter that torch keeps. */
static void save_resnet(const char *path, const struct sb_weights *w, const char *prefix)
{
    struct sb_weight *out = sb_calloc(w->count + 1, sizeof *out);
    size_t count = 0;
    int64_t steps = 7;
    for (size_t i = 0; i < w->count; i++) {
        if (strncmp(w->weight[i].name, "weight.", 7)) continue;
        out[count] = w->weight[i];
        out[count++].name = sb_format("%s%s", prefix, w->weight[i].name + 7);
    }
    out[count] = (struct sb_weight){.name = sb_format("%sbn1.num_batches_tracked", prefix),
                                    .tensor = {.dtype = SB_I64, .data = &steps}};
    assert_int_equal(sb_weights_save(path, out, count + 1, NULL, NULL, 0), 0);
    for (size_t i = 0; i <= count; i++) free(out[i].name);
    free(out);
}

static void resnets_are_recognised(void **state)
{
    (void)state;
    static const char *const names[] = {"resnet-basic", "resnet-bottleneck", "resnet-cifar"};
    static const char *const prefixes[] = {"", "backbone.", "module."};
    char *path = sb_format("%s/resnet.safetensors", folder);
    struct sb_backend b;
    assert_true(open_device(&b, "ref"));
    for (size_t i = 0; i < 3; i++) {
        struct sb_weights w = golden_open(names[i]);
        save_resnet(path, &w, prefixes[i]);
        struct sb_model m = load(path);
        assert_int_equal(m.family, SB_RESNET);
        assert_int_equal(m.resnet.bottleneck, i == 1);
        assert_int_equal(m.resnet.cifar, i == 2);
        struct sb_batch batch = picture_batch(&w, 4);
        m.resnet.size = batch.width;
        sb_preprocess_default(&m.preprocess, batch.width);
        struct sb_net *n = sb_net_open(&b, &m, &(struct sb_net_options){.batch = 4});
        if (!n) fail_msg("%s", sb_error_message());
        float logits[4 * 5];
        sb_net_classify(n, &batch, logits, NULL, NULL);
        near(names[i], logits, golden(&w, "logits"), 1e-5);
        sb_net_close(n);
        sb_model_free(&m);
        sb_weights_close(&w);
    }
    sb_backend_close(&b);
    free(path);
}

/* ---- what is refused ---- */

/* The file of this case, from which `without` is left out and to which `with` comes, and this config. */
static char *spoil(const char *name, const char *without, const char *with, const char *config)
{
    char *from = golden_path(name);
    struct sb_weights w;
    float numbers[64] = {0};
    if (sb_weights_open(&w, from)) fail_msg("%s", sb_error_message());
    struct sb_weight *out = sb_calloc(w.count + 1, sizeof *out);
    size_t count = 0;
    for (size_t i = 0; i < w.count; i++) {
        if (!without || !strstr(w.weight[i].name, without)) out[count++] = w.weight[i];
    }
    if (with)
        out[count++] = (struct sb_weight){.name = (char *)(uintptr_t)with,
                                          .tensor = {.dtype = SB_F32, .ndim = 2, .shape = {4, 16}, .data = numbers}};
    char *to = save_beside(out, count, config);
    sb_weights_close(&w);
    free(out);
    free(from);
    return to;
}

static void what_is_none_of_ours_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *without, *with, *config, *says;
    } spoilt[] = {
        {"timm", NULL, NULL, NULL, "says how many heads its attention has (num_attention_heads)"},
        {"timm", "mlp.fc2.weight", NULL, TWO_HEADS, "it has no tensor 'blocks.0.mlp.fc2.weight', wanted [16,32]"},
        {"timm", "norm2.bias", "blocks.0.norm2.bias", TWO_HEADS,
         "tensor 'blocks.0.norm2.bias' is f32 [4,16], wanted [16]"},
        {"timm", "pos_embed", NULL, TWO_HEADS, "it has no tensor 'pos_embed'"},
        {"timm", "mlp.fc1", "blocks.0.mlp.w12.weight", TWO_HEADS, "SwiGLU"},
        {"timm", NULL, "norm_pre.weight", TWO_HEADS, "tensor 'norm_pre.weight' has no place in a ViT of ours"},
        {"timm", NULL, "blocks.0.attn.q_norm.weight", TWO_HEADS, "'blocks.0.attn.q_norm.weight' has no place"},
        {"timm", NULL, "module.blocks.0.norm1.weight", TWO_HEADS, "are both 'blocks.0.norm1.weight' by our names"},
        {"timm", "patch_embed", NULL, TWO_HEADS, "no model that is known here: 'blocks.0.attn.proj.bias', "},
        {"timm", NULL, NULL, "{\"num_heads\": 3}", "dim 16 is not a multiple of 3 heads"},
        {"timm", NULL, NULL, "{\"num_heads\": 2, \"num_features\": 384}", "num_features is 384, this one's is 16"},
        {"timm", NULL, NULL, "{\"num_heads\": 2, \"global_pool\": \"avg\"}", "pools 'avg'"},
        {"timm", NULL, NULL, "{\"num_heads\": 2, \"architecture\": \"vit_base_patch16_clip_quickgelu_224\"}",
         "not GELU"},
        {"timm", NULL, NULL, "{\"num_heads\": ", "config.json"},
        {"timm-mean", "pos_embed", "module.pos_embed", TWO_HEADS,
         "'module.pos_embed' is f32 [4,16], wanted 3 dimensions"},
        {"transformers-vit", "key.weight", "encoder.layer.0.attention.attention.key.weight", TWO_HEADS,
         "tensor 'encoder.layer.0.attention.attention.query.weight' has not the shape of its keys and values"},
        {"gpt2", NULL, NULL, NULL, "GPT-2, which sees no pictures"},
        {"transformers-vit", "key.weight", NULL, TWO_HEADS,
         "tensor 'encoder.layer.0.attention.attention.query.weight' has no place"},
        {"transformers-vit-head", "classifier.bias", "classifier.bias", TWO_HEADS,
         "tensor 'classifier.bias' is f32 [4,16], wanted [3]"},
    };
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        struct sb_model m;
        char *path = spoil(spoilt[i].name, spoilt[i].without, spoilt[i].with, spoilt[i].config);
        if (!sb_model_load(&m, path)) fail_msg("taken: %zu, which should say '%s'", i, spoilt[i].says);
        if (!strstr(sb_error_message(), spoilt[i].says) || strchr(sb_error_message(), '\n'))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), spoilt[i].says);
        free(path);
    }
}

/* What is left over but changes nothing does not stand in the way. */
static void other_tensors_are_left(void **state)
{
    (void)state;
    char *path = spoil("timm", NULL, "mask_decoder.weight", TWO_HEADS);
    struct sb_model m = load(path);
    sb_model_free(&m);
    free(path);
}

/* The size of its pictures is that of the JSON beside it, where patches fill them; else its own, for who says another.
 */
static void pictures_have_the_size_that_is_said(void **state)
{
    (void)state;
    static const struct {
        int said, size, prepared;
    } sizes[] = {{16, 16, 16}, {14, 12, 0}};
    for (size_t i = 0; i < 2; i++) {
        char *config = sb_format("{\"num_heads\": 2, \"input_size\": [3, %d, %d], \"interpolation\": \"bicubic\", "
                                 "\"mean\": [0, 0, 0], \"std\": [1, 1, 1]}",
                                 sizes[i].said, sizes[i].said);
        char *path = spoil("timm", NULL, NULL, config);
        struct sb_model m = load(path);
        assert_int_equal(m.vit.size, sizes[i].size);
        assert_int_equal(m.preprocess.size, sizes[i].prepared);
        sb_model_free(&m);
        free(path);
        free(config);
    }
}

/* ---- positions ---- */

static const struct sb_param *param(const struct sb_model *m, const char *name)
{
    for (size_t i = 0; i < m->params; i++) {
        if (!strcmp(m->param[i].name, name)) return &m->param[i];
    }
    fail_msg("no parameter '%s'", name);
    return NULL;
}

/* A file whose grid is not square, as its config.json says, in a model of square pictures: timm's numbers, class
 * token's row in front. */
static void positions_of_any_grid_are_resized(void **state)
{
    (void)state;
    struct sb_weights w = golden_open("positions"), tiny;
    char *from = golden_path("timm");
    float wide[29 * 16] = {0};
    const struct sb_tensor *golden_wide = golden(&w, "wide"), *want = golden(&w, "wide3");
    for (int i = 0; i < 29 * 6; i++) wide[i / 6 * 16 + i % 6] = sb_weight_at(golden_wide, i);
    if (sb_weights_open(&tiny, from)) fail_msg("%s", sb_error_message());
    struct sb_tensor *positions = &sb_weights_entry(&tiny, "pos_embed")->tensor;
    positions->shape[1] = 29;
    positions->data = wide;
    char *path = save_beside(tiny.weight, tiny.count, "{\"num_heads\": 2, \"image_size\": [16, 28]}");
    struct sb_model m;
    if (sb_model_open(&m, path, NULL)) fail_msg("%s", sb_error_message());
    assert_true(m.rows == 4 && m.columns == 7);
    if (sb_model_set_size(&m, 12, path) || sb_model_read(&m, path)) fail_msg("%s", sb_error_message());
    const float *got = m.master + param(&m, "pos_embed")->offset;
    for (int i = 0; i < 10 * 6; i++) assert_true(fabsf(got[i / 6 * 16 + i % 6] - sb_weight_at(want, i)) < 1e-5f);
    sb_model_free(&m);
    sb_weights_close(&tiny);
    sb_weights_close(&w);
    free(from);
    free(path);
}

/* A register without a class token before it has a row of its own, too, which is added to it. */
static void a_lone_register_keeps_its_position(void **state)
{
    (void)state;
    const struct sb_vit_config vit = {
        .size = 12, .patch = 4, .dim = 16, .depth = 1, .heads = 2, .hidden = 8, .registers = 1, .eps = 1e-6f};
    struct sb_model m;
    struct sb_weights w;
    char *own = sb_format("%s/lone.safetensors", folder);
    assert_int_equal(sb_model_init(&m, &vit, NULL, 0), 0);
    assert_int_equal(sb_model_save(&m, own), 0);
    assert_int_equal(sb_weights_open(&w, own), 0);
    float rows[10 * 16];
    for (int i = 0; i < 16; i++) rows[i] = 1;
    memcpy(rows + 16, m.master + param(&m, "pos_embed")->offset, 9 * 16 * sizeof(float));
    struct sb_tensor *positions = &sb_weights_entry(&w, "pos_embed")->tensor;
    positions->shape[1] = 10;
    positions->data = rows;
    char *path = save_beside(w.weight, w.count, TWO_HEADS);
    struct sb_model l = load(path);
    const float *was = m.master + param(&m, "reg_token")->offset, *is = l.master + param(&l, "reg_token")->offset;
    for (int i = 0; i < 16; i++) assert_true(fabsf(is[i] - was[i] - 1) < 1e-6f);
    assert_memory_equal(l.master + param(&l, "pos_embed")->offset, rows + 16, 9 * 16 * sizeof(float));
    sb_model_free(&l);
    sb_model_free(&m);
    sb_weights_close(&w);
    free(own);
    free(path);
}

/* ---- --init ---- */

static void a_fine_tuned_model_starts_from_a_foreign_one(void **state)
{
    (void)state;
    char *path = golden_path("transformers-registers");
    struct sb_model from, m;
    if (sb_model_open(&from, path, NULL)) fail_msg("%s", sb_error_message());
    struct sb_vit_config vit = from.vit;
    vit.size = 24;
    vit.classes = 4;
    assert_int_equal(sb_model_init(&m, &vit, NULL, 1), 0);
    if (sb_model_take(&m, path)) fail_msg("%s", sb_error_message());
    struct sb_model same = load(path);
    for (size_t i = 0; i < m.params; i++) {
        const struct sb_param *p = &m.param[i];
        for (size_t k = 0; k < same.params; k++) {
            if (strcmp(same.param[k].name, p->name) || !strcmp(p->name, "pos_embed")) continue;
            assert_memory_equal(m.master + p->offset, sb_param_weights(&same, &same.param[k]),
                                (size_t)p->count * sizeof(float));
        }
    }
    vit.dim = 32;
    struct sb_model wide;
    assert_int_equal(sb_model_init(&wide, &vit, NULL, 1), 0);
    assert_int_equal(sb_model_take(&wide, path), -1);
    assert_non_null(
        strstr(sb_error_message(),
               "tensor 'embeddings.patch_embeddings.projection.weight' is f32 [16,3,4,4], wanted [32,3,4,4]"));
    sb_model_free(&wide);
    sb_model_free(&same);
    sb_model_free(&m);
    sb_model_free(&from);
    free(path);
}

/* Without a config.json heads are as in the model that takes the weights, though others of this width have 3. */
static void heads_are_those_asked_for(void **state)
{
    (void)state;
    const struct sb_vit_config vit = {
        .size = 12, .patch = 4, .dim = 192, .depth = 1, .heads = 6, .hidden = 8, .class_token = true, .eps = 1e-6f};
    char *own = sb_format("%s/own.safetensors", folder), *path;
    struct sb_model m, alone;
    struct sb_weights w;
    assert_int_equal(sb_model_init(&m, &vit, NULL, 0), 0);
    assert_int_equal(sb_model_save(&m, own), 0);
    assert_int_equal(sb_weights_open(&w, own), 0);
    path = save_beside(w.weight, w.count, NULL);
    if (sb_model_take(&m, path)) fail_msg("%s", sb_error_message());
    if (sb_model_open(&alone, path, NULL)) fail_msg("%s", sb_error_message());
    assert_int_equal(alone.vit.heads, 3);
    sb_model_free(&alone);
    sb_model_free(&m);
    sb_weights_close(&w);
    free(own);
    free(path);
}

/* ---- the fuzzer's corpus ---- */

static int read_as_model(const char *path)
{
    struct sb_model m = {0};
    int rc = sb_weights_open(&m.file, path);
    if (!rc) rc = sb_foreign_read(&m, path, 1);
    if (!rc) rc = sb_model_read(&m, path);
    sb_model_free(&m);
    return rc;
}

/* Hostile names and shapes end in an answer, whole models open. */
static void corpus_is_answered(void **state)
{
    (void)state;
    static const char *const models[] = {"good-meta", "good-resnet", "good-timm", "good-timm-prefixed",
                                         "good-transformers"};
    const char *place = "tests/corpus/safetensors"; /* when run from the project's root, as make does */
    DIR *d = opendir(place);
    size_t opened = 0;
    struct dirent *e;
    if (!d) skip();
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        char *path = sb_format("%s/%s", place, e->d_name);
        bool model = false;
        for (size_t i = 0; i < sizeof models / sizeof *models; i++) model = model || !strcmp(e->d_name, models[i]);
        if (read_as_model(path) != (model ? 0 : -1)) fail_msg("%s was %s", path, model ? sb_error_message() : "taken");
        opened += model;
        free(path);
    }
    closedir(d);
    assert_int_equal(opened, sizeof models / sizeof *models);
}

int main(int argc, char **argv)
{
    (void)argc;
    sb_quiet = true;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_the_shape),
        cmocka_unit_test(foreign_models_compute_what_they_did),
        cmocka_unit_test(halves_compute_what_they_did),
        cmocka_unit_test(matrices_stay_in_the_file),
        cmocka_unit_test(resnets_are_recognised),
        cmocka_unit_test(what_is_none_of_ours_is_refused),
        cmocka_unit_test(other_tensors_are_left),
        cmocka_unit_test(pictures_have_the_size_that_is_said),
        cmocka_unit_test(positions_of_any_grid_are_resized),
        cmocka_unit_test(a_lone_register_keeps_its_position),
        cmocka_unit_test(a_fine_tuned_model_starts_from_a_foreign_one),
        cmocka_unit_test(heads_are_those_asked_for),
        cmocka_unit_test(corpus_is_answered),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
