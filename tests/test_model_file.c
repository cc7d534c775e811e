/* Model files: saved, loaded, taken over from; and what is said of those that do not fit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "model_cases.h"
#include "weights/positions.h"
#include "folder.h"
#include "weights/model_file.h"
#include "weights/weight_read.h"

static char *temporary(const char *name) { return sb_format("%s/%s", folder, name); }

static void add_text(struct sb_texts *t, const char *text)
{
    SB_GROW(t->text, t->cap, t->count + 1);
    t->text[t->count++] = sb_strdup(text);
}

static void name_labels(struct sb_model *m, const char *first)
{
    add_text(&m->labels, first);
    for (int i = 1; i < sb_model_classes(m); i++) {
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
        sb_dictionary_add(&m->tokenizer.words, text, strlen(text));
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
        assert_null(sb_preprocess_differs(&l.preprocess, &m.preprocess, "wants"));
        assert_int_equal(l.total, m.total);
        size_t mapped = 0;
        for (size_t i = 0; i < l.params; i++) {
            const struct sb_param *p = &l.param[i];
            assert_memory_equal(sb_param_weights(&l, p), m.master + p->offset, (size_t)p->count * sizeof(float));
            mapped += p->mapped != NULL;
        }
        assert_true(mapped > 0); /* matrices are not copied */
        assert_string_equal(l.history, "[1]");
        assert_null(l.parent);
        assert_int_equal(l.labels.count, m.labels.count);
        for (size_t i = 0; i < m.labels.count; i++) assert_string_equal(l.labels.text[i], m.labels.text[i]);
        char *json = sb_tokenizer_json(&m.tokenizer);
        assert_int_equal(sb_tokenizer_is(&l.tokenizer, json, NULL), words);
        free(json);
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

/* A header of odd length, as other writers leave it: no weight is aligned then, all are copied. */
static void crooked_weights_are_copied(void **state)
{
    (void)state;
    char *path = temporary("straight.safetensors"), *crooked = temporary("crooked.safetensors");
    struct sb_model m = classifier(&variants[1], NULL), l;
    name_labels(&m, "a");
    assert_int_equal(sb_model_save(&m, path), 0);
    struct sb_weights w;
    assert_int_equal(sb_weights_open(&w, path), 0);
    uint8_t length[8];
    memcpy(length, w.map, 8);
    size_t end = 8 + length[0] + 256u * length[1] + 65536u * length[2];
    assert_true(length[0] % 8 == 0 && end < w.map_size);
    length[0]++;
    FILE *f = fopen(crooked, "wb");
    fwrite(length, 1, 8, f);
    fwrite((char *)w.map + 8, 1, end - 8, f);
    fputc(' ', f);
    fwrite((char *)w.map + end, 1, w.map_size - end, f);
    assert_int_equal(fclose(f), 0);
    if (sb_model_load(&l, crooked)) fail_msg("%s", sb_error_message());
    for (size_t i = 0; i < l.params; i++) assert_null(l.param[i].mapped);
    assert_memory_equal(l.master, m.master, (size_t)m.total * sizeof(float));
    sb_weights_close(&w);
    sb_model_free(&m);
    sb_model_free(&l);
    free(path);
    free(crooked);
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
    assert_non_null(strstr(sb_error_message(), "no model that is known here: 'norm.weight'"));
    assert_int_equal(sb_model_load(&l, "/dev/null"), -1);
    free(none);
    free(path);
    sb_model_free(&small);
    sb_model_free(&large);
}

/* What a stranger's file may claim, and what is said to it. */
static void claims_of_a_model_are_checked(void **state)
{
    (void)state;
    static const char vit[] =
        "{\"version\":1,\"vit\":{\"size\":%d,\"patch\":%d,\"dim\":%d,\"depth\":%d,\"heads\":%d,\"hidden\":8,"
        "\"registers\":0,\"class_token\":true,\"layer_scale\":false,\"eps\":1e-6,\"classes\":%d,"
        "\"drop_path\":0,\"dropout\":0}}";
    static const struct {
        int size, patch, dim, depth, heads, classes;
        const char *says;
    } claims[] = {
        {16, 4, 4, 2000000000, 2, 2, "depth"},
        {16, 5, 4, 1, 2, 2, "not whole patches"},
        {16, 4, 5, 1, 2, 2, "multiple of 2 heads"},
        {16, 4, 4, 1, 0, 2, "heads"},
        {16, 4, 4, 1, 2, 3, "2 labels, wanted 3"},
        {32, 4, 4, 1, 2, 2, "prepared at 16 pixels"},
        {16, 4, 16384, 256, 2, 2, "it has no tensor 'patch_embed.proj.weight', wanted [16384,3,4,4]"},
    };
    char *path = temporary("claim.safetensors");
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        char *config = sb_format(vit, claims[i].size, claims[i].patch, claims[i].dim, claims[i].depth, claims[i].heads,
                                 claims[i].classes);
        const char *key[] = {"seabot", "labels", "preprocess"};
        const char *value[] = {config, "[\"a\",\"b\"]", "{\"size\":16,\"mean\":[0,0,0],\"std\":[1,1,1]}"};
        struct sb_model m;
        assert_int_equal(sb_weights_save(path, NULL, 0, key, value, 3), 0);
        assert_int_equal(sb_model_load(&m, path), -1);
        if (!strstr(sb_error_message(), claims[i].says))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), claims[i].says);
        free(config);
    }
    struct sb_model m = captioner(NULL), l;
    name_words(&m);
    m.several = true;
    assert_int_equal(sb_model_save(&m, path), 0);
    assert_int_equal(sb_model_load(&l, path), -1);
    assert_non_null(strstr(sb_error_message(), "one caption, not several labels"));
    sb_model_free(&m);
    const char *key = "seabot", *list = "[1]";
    assert_int_equal(sb_weights_save(path, NULL, 0, &key, &list, 1), 0);
    assert_int_equal(sb_model_load(&l, path), -1);
    assert_non_null(strstr(sb_error_message(), "its configuration is not a JSON object"));
    free(path);
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

/* Weights of other heads would fit, and compute something else. */
static void what_no_shape_tells_is_compared(void **state)
{
    (void)state;
    char *path = temporary("rest.safetensors");
    struct sb_model old = classifier(&variants[0], NULL);
    name_labels(&old, "fish");
    old.vit.eps = 1e-12f;
    assert_int_equal(sb_model_save(&old, path), 0);
    struct sb_model m = classifier(&variants[0], NULL);
    assert_int_equal(sb_model_take(&m, path), 0);
    assert_true(m.vit.eps == old.vit.eps);
    m.vit.heads = 2;
    assert_int_equal(sb_model_take(&m, path), -1);
    assert_non_null(strstr(sb_error_message(), "its attention has 3 heads, wanted 2"));
    sb_model_free(&m);
    sb_model_free(&old);
    struct sb_model scaled = classifier(&variants[1], NULL);
    name_labels(&scaled, "fish");
    assert_int_equal(sb_model_save(&scaled, path), 0);
    struct variant plain = variants[1];
    plain.vit.layer_scale = false;
    m = classifier(&plain, NULL);
    assert_int_equal(sb_model_take(&m, path), -1);
    assert_non_null(strstr(sb_error_message(), "LayerScale"));
    sb_model_free(&m);
    sb_model_free(&scaled);
    free(path);
}

static void positions_are_resized_as_timm_does(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new;
        int rows, columns, side;
    } cases[] = {
        {"old", "new3", 5, 5, 3}, {"old", "new8", 5, 5, 8}, {"wide", "wide3", 4, 7, 3}, {"wide", "wide9", 4, 7, 9}};
    struct sb_weights w = golden_open("positions");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sb_tensor *old = golden(&w, cases[i].old);
        float *from = sb_calloc((size_t)sb_tensor_count(old), sizeof *from), to[82 * 6];
        for (int64_t k = 0; k < sb_tensor_count(old); k++) from[k] = sb_weight_at(old, k);
        sb_positions_resize(from, 1, cases[i].rows, cases[i].columns, cases[i].side, 6, to);
        near(cases[i].new, to, golden(&w, cases[i].new), 1e-5);
        free(from);
    }
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

int main(void)
{
    sb_quiet = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_models_load_again),
        cmocka_unit_test(crooked_weights_are_copied),
        cmocka_unit_test(decoder_matrices_are_stored_as_gpt2_stores_them),
        cmocka_unit_test(a_model_of_another_shape_is_named),
        cmocka_unit_test(claims_of_a_model_are_checked),
        cmocka_unit_test(taking_over_replaces_a_head_of_other_labels),
        cmocka_unit_test(what_no_shape_tells_is_compared),
        cmocka_unit_test(positions_are_resized_as_timm_does),
        cmocka_unit_test(configurations_are_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
