/* A net against itself: micro-batches, recomputation, freezing, the weight average and states change the bytes where
 * they should and nowhere else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model_cases.h"

/* With dropout and drop path, so that what is drawn counts too. */
static bool begin_chance(struct scene *s, const char *device)
{
    if (!scene_open(s, device, "vit-class")) return false;
    s->model.vit.dropout = 0.2f;
    s->model.vit.drop_path = 0.3f;
    return true;
}

static struct sb_net_options chancy(int batch)
{
    struct sb_net_options o = training(batch);
    o.seed = 5;
    o.average = 0.9f;
    return o;
}

/* The pictures first .. first+count-1 of a batch. */
static struct sb_batch part(const struct sb_batch *b, int first, int count)
{
    struct sb_batch p = *b;
    p.count = count;
    p.pictures = (const uint8_t *)b->pictures + (size_t)first * 3 * 16 * 16;
    p.label = b->label + first;
    return p;
}

/* The weights after three steps from the start, each of micro-batches of so many; the model is as before. */
static float *three_steps(struct scene *s, const struct sb_net_options *o, int micro)
{
    size_t bytes = (size_t)s->model.total * sizeof(float);
    float *before = sb_calloc(1, bytes), *after = sb_calloc(1, bytes);
    memcpy(before, s->model.master, bytes);
    struct sb_net *n = open_net(&s->backend, &s->model, o);
    for (int step = 0; step < 3; step++) {
        for (int at = 0; at < 4; at += micro) {
            struct sb_batch p = part(&s->batch, at, at + micro < 4 ? micro : 4 - at);
            double weight;
            sb_net_accumulate(n, &p, &weight);
            assert_true(weight > 0);
        }
        sb_net_update(n, 3e-3);
    }
    sb_net_weights(n);
    memcpy(after, s->model.master, bytes);
    memcpy(s->model.master, before, bytes);
    sb_net_close(n);
    free(before);
    return after;
}

static void micro_batches_make_one_batch(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!begin_chance(&s, devices[d])) continue;
        struct sb_net_options o = chancy(4);
        o.class_weight = golden(&s.given, "class_weight")->data;
        float *whole = three_steps(&s, &o, 4);
        for (int micro = 1; micro < 4; micro++) {
            o.batch = micro;
            float *parts = three_steps(&s, &o, micro);
            assert_true(weights_apart(&s.model, whole, parts) < 1e-5);
            free(parts);
        }
        s.model.vit.dropout = 0;
        o.batch = 4;
        float *plain = three_steps(&s, &o, 4);
        assert_true(weights_apart(&s.model, whole, plain) > 1e-3); /* what was drawn does count */
        free(plain);
        free(whole);
        scene_close(&s);
    }
}

static void recomputed_blocks_give_the_same_bytes(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!begin_chance(&s, devices[d])) continue;
        for (int i = 0; i < 3; i++) { /* in f32; in bf16; the last block alone */
            struct sb_net_options o = chancy(4);
            o.bf16 = i == 1;
            o.frozen_layers = i == 2 ? 2 : 0;
            float *kept = three_steps(&s, &o, 4);
            o.recompute = true;
            float *again = three_steps(&s, &o, 4);
            assert_memory_equal(kept, again, (size_t)s.model.total * sizeof *kept);
            free(kept);
            free(again);
        }
        scene_close(&s);
    }
}

/* Of both stacks of blocks. */
static void a_recomputed_captioner_has_the_same_gradient(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct sb_backend b;
        if (!open_device(&b, devices[d])) continue;
        struct sb_weights w = golden_open("caption");
        struct sb_model m = captioner(&w);
        m.decoder.dropout = 0.2f;
        struct sb_batch batch = picture_batch(&w, 3);
        batch.caption = golden(&w, "captions")->data;
        float *gradient[2];
        for (int again = 0; again < 2; again++) {
            struct sb_net_options o = chancy(3);
            o.recompute = again;
            struct sb_net *n = open_net(&b, &m, &o);
            gradient[again] = sb_calloc((size_t)m.total, sizeof(float));
            sb_net_gradient(n, &batch, gradient[again]);
            sb_net_close(n);
        }
        assert_memory_equal(gradient[0], gradient[1], (size_t)m.total * sizeof(float));
        free(gradient[0]);
        free(gradient[1]);
        sb_model_free(&m);
        sb_weights_close(&w);
        sb_backend_close(&b);
    }
}

static size_t bytes_of(struct scene *s, const struct sb_net_options *o)
{
    struct sb_net *n = open_net(&s->backend, &s->model, o);
    size_t bytes = sb_net_bytes(n);
    sb_net_close(n);
    return bytes;
}

/* Of eight blocks' memory little more than one's is left, or none where nothing below the head is trained. */
static void recomputing_and_freezing_save_memory(void **state)
{
    (void)state;
    struct scene s;
    assert_true(scene_open(&s, "ref", "vit-class"));
    const struct variant deep = {NULL, {.dim = 16, .depth = 8, .heads = 2, .class_token = true}};
    sb_model_free(&s.model);
    s.model = classifier(&deep, NULL);
    struct sb_net_options o = training(64), seeing = {.batch = 64};
    size_t weights = 4 * (size_t)s.model.total * sizeof(float), sees = bytes_of(&s, &seeing),
           keeps = bytes_of(&s, &o) - weights;
    o.recompute = true;
    assert_true(bytes_of(&s, &o) - weights < keeps / 2);
    o.recompute = false;
    o.frozen_layers = 9;
    assert_true(bytes_of(&s, &o) - weights < sees + sees / 8);
    scene_close(&s);
}

/* A linear probe: no dropout below it, and nothing there moves by a bit. */
static void a_frozen_backbone_computes_as_in_inference(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!begin_chance(&s, devices[d])) continue;
        struct sb_net_options o = chancy(4);
        o.frozen_layers = 3;
        float *drawn = three_steps(&s, &o, 4);
        s.model.vit.dropout = s.model.vit.drop_path = 0;
        float *plain = three_steps(&s, &o, 4);
        assert_memory_equal(drawn, plain, (size_t)s.model.total * sizeof *drawn);
        for (size_t i = 0; i < s.model.params; i++) {
            const struct sb_param *p = &s.model.param[i];
            int differs = memcmp(plain + p->offset, s.model.master + p->offset, (size_t)p->count * sizeof *plain);
            assert_int_equal(differs != 0, strncmp(p->name, "head.", 5) == 0);
        }
        free(drawn);
        free(plain);
        scene_close(&s);
    }
}

static struct sb_net_state take_state(const struct sb_model *m)
{
    size_t total = (size_t)m->total;
    return (struct sb_net_state){.master = sb_calloc(total, sizeof(float)),
                                 .moment1 = sb_calloc(total, sizeof(float)),
                                 .moment2 = sb_calloc(total, sizeof(float)),
                                 .average = sb_calloc(total, sizeof(float))};
}

static void free_state(struct sb_net_state *s)
{
    free(s->master);
    free(s->moment1);
    free(s->moment2);
    free(s->average);
}

static void same_state(const struct sb_net_state *a, const struct sb_net_state *b, int64_t total)
{
    size_t bytes = (size_t)total * sizeof(float);
    assert_int_equal(a->steps, b->steps);
    assert_memory_equal(a->master, b->master, bytes);
    assert_memory_equal(a->moment1, b->moment1, bytes);
    assert_memory_equal(a->moment2, b->moment2, bytes);
    assert_memory_equal(a->average, b->average, bytes);
}

static void become_resnet(struct sb_model *m)
{
    const struct sb_resnet_config small = {.size = 16, .stage = {1, 1, 1}, .width = 4, .cifar = true, .classes = 5};
    sb_model_free(m);
    assert_int_equal(sb_model_init_resnet(m, &small, 0), 0);
}

/* After each step avg += (1 - average) (weight - avg), a batch norm's statistics too, of which the optimiser makes
 * nothing. */
static void the_average_follows_statistics(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!scene_open(&s, devices[d], "vit-class")) continue;
        become_resnet(&s.model);
        struct sb_net_options o = chancy(4);
        struct sb_net *n = open_net(&s.backend, &s.model, &o);
        struct sb_net_state before = take_state(&s.model), after = take_state(&s.model);
        for (int step = 0; step < 2; step++) {
            assert_int_equal(sb_net_save_state(n, &before), 0);
            sb_net_step(n, &s.batch, 3e-3);
            assert_int_equal(sb_net_save_state(n, &after), 0);
            for (size_t i = 0; i < s.model.params; i++) {
                const struct sb_param *p = &s.model.param[i];
                bool moved = false, driven = false;
                for (int64_t k = p->offset; k < p->offset + p->count; k++) {
                    double old = (double)before.average[k], want = old + 0.1 * ((double)after.master[k] - old);
                    assert_true(fabs((double)after.average[k] - want) < 1e-6);
                    moved |= after.master[k] != before.master[k];
                    driven |= after.moment1[k] != 0;
                }
                assert_true(moved);
                assert_int_equal(driven, !p->statistic);
            }
        }
        free_state(&before);
        free_state(&after);
        sb_net_close(n);
        scene_close(&s);
    }
}

/* Two steps, a state, two more; and the last two again in a net of its own. */
static void training_goes_on_from_a_state(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        struct scene s;
        if (!begin_chance(&s, devices[d])) continue;
        struct sb_net_state middle = take_state(&s.model), one = take_state(&s.model), two = take_state(&s.model);
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct sb_net_options o = chancy(4);
            o.bf16 = bf16;
            struct sb_net *n = open_net(&s.backend, &s.model, &o);
            for (int i = 0; i < 4; i++) {
                if (i == 2) assert_int_equal(sb_net_save_state(n, &middle), 0);
                sb_net_step(n, &s.batch, 3e-3);
            }
            assert_int_equal(sb_net_save_state(n, &one), 0);
            sb_net_close(n);
            n = open_net(&s.backend, &s.model, &o);
            assert_int_equal(sb_net_load_state(n, &middle), 0);
            assert_int_equal(sb_net_steps(n), 2);
            for (int i = 0; i < 2; i++) sb_net_step(n, &s.batch, 3e-3);
            assert_int_equal(sb_net_save_state(n, &two), 0);
            sb_net_close(n);
            same_state(&one, &two, s.model.total);
        }
        struct sb_net_options o = training(4);
        struct sb_net *n = open_net(&s.backend, &s.model, &o);
        assert_int_equal(sb_net_load_state(n, &middle), -1);
        assert_string_equal(sb_error_message(), "the state holds a weight average");
        sb_net_close(n);
        free_state(&middle);
        free_state(&one);
        free_state(&two);
        scene_close(&s);
    }
}

static void refused(struct scene *s, const struct sb_net_options *o, const char *why)
{
    assert_null(sb_net_open(&s->backend, &s->model, o));
    assert_string_equal(sb_error_message(), why);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    struct scene s;
    assert_true(scene_open(&s, "ref", "vit-class"));
    refused(&s, &(struct sb_net_options){.batch = 1, .train = true, .layer_decay = 1.5f}, "a layer decay of 1.5");
    refused(&s, &(struct sb_net_options){.batch = 1, .train = true, .average = 1}, "a weight average of 1");
    refused(&s, &(struct sb_net_options){.batch = 1, .train = true, .frozen_layers = 4},
            "4 frozen layers: the model has 3 below its head");
    become_resnet(&s.model);
    refused(&s, &(struct sb_net_options){.batch = 2, .train = true, .recompute = true},
            "recomputation is for transformers");
    scene_close(&s);
}

int main(int argc, char **argv)
{
    (void)argc;
    sb_quiet = true;
    find_plugins(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(micro_batches_make_one_batch),
        cmocka_unit_test(recomputed_blocks_give_the_same_bytes),
        cmocka_unit_test(a_recomputed_captioner_has_the_same_gradient),
        cmocka_unit_test(recomputing_and_freezing_save_memory),
        cmocka_unit_test(a_frozen_backbone_computes_as_in_inference),
        cmocka_unit_test(the_average_follows_statistics),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(training_goes_on_from_a_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
