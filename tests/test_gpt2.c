/* The decoder with transformers' weights: its logits and its greedy tokens, and files that are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "folder.h"
#include "model_cases.h"
#include "nn/gpt2.h"
#include "nn/param.h"
#include "weights/gpt2_file.h"
#include "weights/model_file.h"

enum { TOKENS = 352, LENGTH = 14 }; /* fewer than the file's 356 and 24 */

static char *golden_path(const char *name)
{
    const char *root = getenv("ROOT");
    return sb_format("%s/tests/golden/%s", root ? root : ".", name);
}

/* A captioner with the golden GPT-2 as its decoder. */
static struct sb_model golden_model(void)
{
    struct sb_vit_config vit = {
        .size = 8, .patch = 4, .dim = 8, .depth = 1, .heads = 2, .hidden = 16, .class_token = true, .eps = 1e-6f};
    struct sb_decoder_config c;
    struct sb_model m;
    char *path = golden_path("gpt2/model.safetensors");
    if (sb_gpt2_describe(path, &c)) fail_msg("%s", sb_error_message());
    assert_int_equal(c.words, 356);
    assert_int_equal(c.length, 24);
    assert_int_equal(c.dim, 16);
    assert_int_equal(c.depth, 2);
    assert_int_equal(c.heads, 4);
    assert_int_equal(c.hidden, 64);
    c.words = TOKENS;
    c.length = LENGTH;
    if (sb_model_init(&m, &vit, &c, 0) || sb_gpt2_take(&m, path)) fail_msg("%s", sb_error_message());
    free(path);
    return m;
}

/* The decoder alone on a device, with memory for one forward pass. */
struct alone {
    struct sb_backend backend;
    struct sb_model model;
    struct sb_gpt2 gpt2;
    struct sb_run run;
};

static bool open_alone(struct alone *a, const char *device, bool bf16)
{
    if (!open_device(&a->backend, device)) return false;
    a->model = golden_model();
    sb_gpt2_build(&a->gpt2, &a->model);
    size_t stack = 4 << 20, total = (size_t)a->model.total;
    const struct sb_ops *ops = a->backend.ops;
    struct sb_dev *dev = a->backend.dev;
    a->run = (struct sb_run){.ops = ops,
                             .dev = dev,
                             .act = bf16 ? SB_BF16 : SB_F32,
                             .model = &a->model,
                             .value = ops->alloc(dev, total * sizeof(float)),
                             .master = ops->alloc(dev, total * sizeof(float)),
                             .packed = sb_calloc(a->model.params, sizeof(void *)),
                             .memory = ops->alloc(dev, stack),
                             .size = stack};
    ops->upload(dev, a->run.master, a->model.master, total * sizeof(float));
    struct sb_tensor wide = {.dtype = SB_F32, .ndim = 1, .shape = {a->model.total}, .data = a->run.master};
    struct sb_tensor value = {.dtype = a->run.act, .ndim = 1, .shape = {a->model.total}, .data = a->run.value};
    ops->cast(dev, &wide, &value);
    return true;
}

static void close_alone(struct alone *a)
{
    a->run.ops->release(a->run.dev, a->run.value);
    a->run.ops->release(a->run.dev, a->run.master);
    a->run.ops->release(a->run.dev, a->run.memory);
    free(a->run.packed);
    sb_gpt2_free(&a->gpt2);
    sb_model_free(&a->model);
    sb_backend_close(&a->backend);
}

/* f32 [count, words, TOKENS]; the caller frees. */
static float *logits_of(struct alone *a, const int32_t *ids, int64_t count, int64_t words)
{
    struct sb_run *r = &a->run;
    sb_run_rewind(r, 0);
    struct sb_tensor id = SB_TAKE(r, SB_I32, count, words);
    r->ops->upload(r->dev, id.data, ids, sb_tensor_bytes(&id));
    struct sb_tensor y = sb_gpt2_forward(r, &a->gpt2, NULL, &id, NULL, NULL);
    struct sb_tensor wide = sb_run_tensor(r, SB_F32, y.shape, y.ndim);
    r->ops->cast(r->dev, &y, &wide);
    float *logits = sb_malloc(sb_tensor_bytes(&wide));
    r->ops->download(r->dev, logits, wide.data, sb_tensor_bytes(&wide));
    return logits;
}

/* ids [2, LENGTH]: the first `known` are there; tells the rest up to `words`. */
static void tell(struct alone *a, int32_t *ids, int known, int words)
{
    for (; known < words; known++) {
        int32_t so_far[2 * LENGTH];
        for (int i = 0; i < 2; i++) memcpy(so_far + i * known, ids + i * words, (size_t)known * sizeof *ids);
        float *logits = logits_of(a, so_far, 2, known);
        for (int i = 0; i < 2; i++) {
            const float *row = logits + (size_t)((i + 1) * known - 1) * TOKENS;
            int best = 0;
            for (int k = 1; k < TOKENS; k++) best = row[k] > row[best] ? k : best;
            ids[i * words + known] = best;
        }
        free(logits);
    }
}

static void computes_as(const char *device, bool bf16, double tolerance)
{
    struct alone a;
    if (!open_alone(&a, device, bf16)) return;
    struct sb_weights w = golden_open("gpt2-logits");
    const struct sb_tensor *given = golden(&w, "ids"), *told = golden(&w, "told");
    int known = (int)given->shape[1], words = (int)told->shape[1];
    float *logits = logits_of(&a, given->data, 2, known);
    near("logit", logits, golden(&w, "logits"), tolerance);
    free(logits);
    if (!bf16) { /* where two are near, a rounding may choose */
        int32_t ids[2 * LENGTH];
        for (int i = 0; i < 2; i++)
            memcpy(ids + i * words, (int32_t *)given->data + i * known, (size_t)known * sizeof *ids);
        tell(&a, ids, known, words);
        assert_memory_equal(ids, told->data, 2 * (size_t)words * sizeof *ids);
    }
    sb_weights_close(&w);
    close_alone(&a);
}

static void f32_is_transformers(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) computes_as(devices[d], false, 1e-5);
}

static void bf16_is_near(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++) computes_as(devices[d], true, 2e-2);
}

/* GPT2Model's names have no prefix; older files hold the mask, too. */
static void other_names_of_the_same_are_known(void **state)
{
    (void)state;
    struct sb_model m = golden_model();
    struct sb_weights w = golden_open("gpt2/model");
    for (size_t i = 0; i < w.count; i++) {
        char *name = sb_strdup(w.weight[i].name + strlen("transformer."));
        free(w.weight[i].name);
        w.weight[i].name = name;
    }
    float mask[4] = {1, 0, 1, 1};
    struct sb_weight *more = sb_calloc(w.count + 1, sizeof *more);
    memcpy(more, w.weight, w.count * sizeof *more);
    more[w.count] = (struct sb_weight){.name = (char *)(uintptr_t)"h.0.attn.bias",
                                       .tensor = {.dtype = SB_F32, .ndim = 4, .shape = {1, 1, 2, 2}, .data = mask}};
    char *path = sb_format("%s/names.safetensors", folder);
    assert_int_equal(sb_weights_save(path, more, w.count + 1, NULL, NULL, 0), 0);
    struct sb_model n;
    if (sb_model_init(&n, &m.vit, &m.decoder, 0) || sb_gpt2_take(&n, path)) fail_msg("%s", sb_error_message());
    assert_memory_equal(n.master, m.master, (size_t)m.total * sizeof(float));
    sb_model_free(&n);
    sb_model_free(&m);
    sb_weights_close(&w);
    free(more);
    free(path);
}

static void a_captioner_carries_its_tokens(void **state)
{
    (void)state;
    struct sb_model m = golden_model(), l;
    char *vocabulary = golden_path("gpt2"), *path = sb_format("%s/words.safetensors", folder);
    if (sb_tokenizer_open(&m.tokenizer, vocabulary) || sb_model_save(&m, path) || sb_model_load(&l, path))
        fail_msg("%s", sb_error_message());
    char *json = sb_tokenizer_json(&m.tokenizer);
    assert_true(sb_tokenizer_is(&l.tokenizer, json, sb_tokenizer_merges(&m.tokenizer)));
    assert_int_equal(l.decoder.begin, m.tokenizer.begin);
    assert_int_equal(l.decoder.end, m.tokenizer.end);
    sb_model_free(&l);

    struct sb_weights w;
    assert_int_equal(sb_weights_open(&w, path), 0);
    for (size_t i = 0; i < w.metadata; i++) {
        if (strcmp(w.key[i], "merges")) continue;
        free(w.value[i]);
        w.value[i] = sb_strdup("a crab");
    }
    char *bad = sb_format("%s/bad.safetensors", folder);
    const char *const *key = (const char *const *)w.key, *const *value = (const char *const *)w.value;
    assert_int_equal(sb_weights_save(bad, w.weight, w.count, key, value, w.metadata), 0);
    assert_int_equal(sb_model_load(&l, bad), -1);
    assert_non_null(strstr(sb_error_message(), "its 'words': merge 1, 'a crab', has a token that is not"));
    sb_weights_close(&w);
    sb_model_free(&m);
    free(json);
    free(vocabulary);
    free(path);
    free(bad);
}

/* ---- files that are none ---- */

/* The golden file under another name: with config.json's text, and with one of its tensors changed. */
static char *write_file(const char *config, const char *name, const char *new_name)
{
    struct sb_weights w = golden_open("gpt2/model");
    for (size_t i = 0; i < w.count; i++) {
        if (strcmp(w.weight[i].name, name)) continue;
        if (!new_name) continue;
        free(w.weight[i].name);
        w.weight[i].name = sb_strdup(new_name);
    }
    char *path = sb_format("%s/other.safetensors", folder), *beside = sb_format("%s/config.json", folder);
    assert_int_equal(sb_weights_save(path, w.weight, w.count, NULL, NULL, 0), 0);
    FILE *f = fopen(beside, "w");
    assert_non_null(f);
    fputs(config, f);
    fclose(f);
    free(beside);
    sb_weights_close(&w);
    return path;
}

static void other_decoders_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *config, *name, *new_name, *says;
    } bad[] = {
        {"{}", "transformer.wte.weight", "bert.words", "not a GPT-2: it has no 'wte.weight'"},
        {"{}", "transformer.h.0.mlp.c_fc.weight", "x", "not a GPT-2: it has no 'h.0.mlp.c_fc.weight'"},
        {"{}", "", NULL, "no n_head in a config.json: a decoder of dim 16 has no 0 heads"},
        {"{\"n_head\": 3}", "", NULL, "config.json: a decoder of dim 16 has no 3 heads"},
        {"{\"n_head\": 4, \"activation_function\": \"relu\"}", "", NULL, "'activation_function' of its config.json"},
        {"{\"n_head\": 4, \"layer_norm_epsilon\": 1e-6}", "", NULL, "'layer_norm_epsilon'"},
        {"{\"n_head\": 4, \"scale_attn_weights\": false}", "", NULL, "'scale_attn_weights'"},
        {"{\"n_head\": 4,", "", NULL, "config.json: line 1"},
        {"[4]", "", NULL, "config.json: not a JSON object"},
        {"{\"n_head\": 4}", "transformer.wpe.weight", "lm_head.weight", "its head is not its table of words"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sb_decoder_config c;
        char *path = write_file(bad[i].config, bad[i].name, bad[i].new_name);
        assert_int_equal(sb_gpt2_describe(path, &c), -1);
        if (!strstr(sb_error_message(), bad[i].says))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), bad[i].says);
        free(path);
    }
}

/* A shape that is wrong inside is found when the weights are taken, and told. */
static void a_missing_tensor_is_named(void **state)
{
    (void)state;
    struct sb_model m = golden_model();
    char *path = write_file("{\"n_head\": 4}", "transformer.h.1.attn.c_proj.bias", "transformer.h.1.other");
    assert_int_equal(sb_gpt2_take(&m, path), -1);
    assert_non_null(strstr(sb_error_message(), "no tensor 'decoder.h.1.attn.c_proj.bias', wanted [16]"));
    free(path);
    sb_model_free(&m);
}

int main(int argc, char **argv)
{
    (void)argc;
    sb_quiet = true;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_is_transformers),
        cmocka_unit_test(bf16_is_near),
        cmocka_unit_test(other_names_of_the_same_are_known),
        cmocka_unit_test(a_captioner_carries_its_tokens),
        cmocka_unit_test(other_decoders_are_refused),
        cmocka_unit_test(a_missing_tensor_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
