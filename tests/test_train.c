/* What training needs beside the net: vocabulary, augmentation, the learning rate, scores. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "learn/average_precision.h"
#include "learn/balance.h"
#include "learn/metrics.h"
#include "learn/train.h"
#include "stream/stream.h"
#include "text/words.h"

static void round_trip(const char *caption, const char *want, int length)
{
    struct sb_dictionary words = {0};
    int32_t token[32];
    sb_words_start(&words);
    sb_words_add(&words, "two orange fish, and a jelly-fish over sand.");
    sb_words_encode(&words, caption, token, length);
    assert_int_equal(token[0], SB_WORD_BEGIN);
    char *text = sb_words_decode(&words, token + 1, length - 1);
    assert_string_equal(text, want);
    free(text);
    sb_dictionary_free(&words);
}

static void captions_come_back(void **state)
{
    (void)state;
    round_trip("two orange fish, and a jelly-fish over sand.", "two orange fish, and a jelly-fish over sand.", 16);
    round_trip("  a   fish ", "a fish", 16);
    round_trip("", "", 16);
    round_trip("a purple fish", "a <unknown> fish", 16);
    round_trip("two orange fish over sand", "two orange", 4); /* begin, two words, end */
}

static void pads_follow_the_end(void **state)
{
    (void)state;
    struct sb_dictionary words = {0};
    int32_t token[6];
    sb_words_start(&words);
    sb_words_add(&words, "a fish");
    sb_words_encode(&words, "a fish", token, 6);
    const int32_t want[] = {SB_WORD_BEGIN, 4, 5, SB_WORD_END, SB_WORD_PAD, SB_WORD_PAD};
    assert_memory_equal(token, want, sizeof want);
    /* A caption that holds a special word as text gets no special token. */
    sb_words_encode(&words, "<end> fish", token, 6);
    assert_int_equal(token[1], SB_WORD_UNKNOWN);
    sb_dictionary_free(&words);
}

static void no_augmentation_is_the_identity(void **state)
{
    (void)state;
    struct sb_augment none = {0};
    float m[6], colour[2];
    sb_augment_draw(&none, 1, 2, 3, 64, m, colour);
    const float want[] = {1, 0, 0, 0, 1, 0};
    for (int i = 0; i < 6; i++) assert_true(fabsf(m[i] - want[i]) < 1e-5f);
    assert_true(colour[0] == 1 && colour[1] == 0);
}

static void point(const float m[6], double x, double y, double *sx, double *sy)
{
    *sx = m[0] * x + m[1] * y + m[2];
    *sy = m[3] * x + m[4] * y + m[5];
}

static void augmentation_keeps_its_bounds(void **state)
{
    (void)state;
    struct sb_augment a = {.flip = true, .rotate = 10, .scale = 0.25, .shift = 0.1, .colour = 0.2};
    int mirrored = 0;
    for (uint64_t record = 0; record < 400; record++) {
        float m[6], again[6], colour[2];
        double x, y;
        sb_augment_draw(&a, 7, 1, record, 65, m, colour);
        sb_augment_draw(&a, 7, 1, record, 65, again, colour);
        assert_memory_equal(m, again, sizeof m);
        double zoom = 1 / sqrt(fabs(m[0] * m[4] - m[1] * m[3]));
        assert_true(zoom > 1 / 1.2501 && zoom < 1.2501);
        double angle = atan2(m[1] * (m[0] < 0 ? -1 : 1), fabs(m[0])) * 180 / M_PI;
        assert_true(fabs(angle) < 10.01);
        mirrored += m[0] * m[4] - m[1] * m[3] < 0;
        /* The centre comes from at most shift / smallest zoom away, in either axis of the turned picture. */
        point(m, 32, 32, &x, &y);
        assert_true(hypot(x - 32, y - 32) < 0.1 * 65 * sqrt(2) * 1.26);
        assert_true(colour[0] >= 0.8f && colour[0] <= 1.2f && fabsf(colour[1]) <= 25.51f);
    }
    assert_in_range(mirrored, 150, 250);
}

static void a_flip_mirrors_exactly(void **state)
{
    (void)state;
    struct sb_augment a = {.flip = true};
    bool seen = false;
    for (uint64_t record = 0; record < 50; record++) {
        float m[6], colour[2];
        double x, y;
        sb_augment_draw(&a, 0, 0, record, 64, m, colour);
        point(m, 0, 5, &x, &y);
        assert_true(fabs(y - 5) < 1e-4);
        assert_true(fabs(x) < 1e-4 || fabs(x - 63) < 1e-4);
        seen |= fabs(x - 63) < 1e-4;
    }
    assert_true(seen);
}

static void the_rate_warms_up_and_falls_to_zero(void **state)
{
    (void)state;
    double before = 0;
    for (int step = 0; step < 10; step++) {
        double rate = sb_train_rate(1e-3, step, 10, 100);
        assert_true(rate > before && rate < 1e-3);
        before = rate;
    }
    assert_true(fabs(sb_train_rate(1e-3, 10, 10, 100) - 1e-3) < 1e-12);
    for (int step = 11; step < 100; step++)
        assert_true(sb_train_rate(1e-3, step, 10, 100) < sb_train_rate(1e-3, step - 1, 10, 100));
    assert_true(sb_train_rate(1e-3, 99, 10, 100) < 1e-6);
    assert_true(isfinite(sb_train_rate(1e-3, 0, 0, 1)));
}

/* Figures as scikit-learn 1.5 gives them for y_true = 0 0 0 1 1 2, y_pred = 0 0 1 1 2 2. */
static void scores_are_those_of_scikit_learn(void **state)
{
    (void)state;
    static const int truth[] = {0, 0, 0, 1, 1, 2}, predicted[] = {0, 0, 1, 1, 2, 2};
    struct sb_confusion c;
    sb_confusion_init(&c, 4); /* a class that never occurs does not count */
    for (int i = 0; i < 6; i++) sb_confusion_add(&c, (size_t)truth[i], predicted[i]);
    assert_true(fabs(sb_confusion_top1(&c) - 4.0 / 6) < 1e-12);
    assert_true(fabs(sb_confusion_macro_f1(&c) - (0.8 + 0.5 + 2.0 / 3) / 3) < 1e-12);
    sb_confusion_add(&c, 3, -1); /* unknown is wrong */
    assert_true(fabs(sb_confusion_top1(&c) - 4.0 / 7) < 1e-12);
    assert_true(fabs(sb_confusion_macro_f1(&c) - (0.8 + 0.5 + 2.0 / 3) / 4) < 1e-12);
    sb_confusion_free(&c);
}

/* Figures as scikit-learn 1.9.1 gives them: average_precision_score of each class, f1_score macro and micro. */
static void several_labels_score_as_in_scikit_learn(void **state)
{
    (void)state;
    static const float truth[8][3] = {{1, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 0, 0},
                                      {1, 0, 0}, {0, 0, 0}, {0, 1, 0}, {1, 0, 0}};
    static const float p[8][3] = {{.9f, .1f, .2f}, {.8f, .3f, .6f}, {.8f, .7f, .1f}, {.6f, .3f, .0f},
                                  {.4f, .3f, .3f}, {.3f, .2f, .1f}, {.2f, .9f, .1f}, {.1f, .5f, .4f}};
    struct sb_ranking r;
    sb_ranking_init(&r, 3);
    assert_true(isnan(sb_ranking_precision(&r, 0)));
    for (int i = 0; i < 8; i++) sb_ranking_add(&r, p[i], truth[i]);
    assert_true(fabs(sb_ranking_precision(&r, 0) - 0.6916666666666667) < 1e-12); /* two are equally probable */
    assert_true(fabs(sb_ranking_precision(&r, 1) - 0.8333333333333333) < 1e-12);
    assert_true(isnan(sb_ranking_precision(&r, 2))); /* no record has it: it does not count */
    assert_true(fabs(sb_ranking_mean_precision(&r) - 0.7625) < 1e-12);
    assert_true(fabs(sb_ranking_macro_f1(&r, 0.5) - 0.38888888888888884) < 1e-12);
    sb_ranking_free(&r);
}

/* Classes 0 to 2 with 6, 3 and 1 labels on the training part; 3 with none. */
static void balance_weighs_as_scikit_learn(void **state)
{
    (void)state;
    int32_t number[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 3};
    struct sb_example example[] = {{0, 0, 4}, {1, 4, 4}, {2, 8, 0}, {3, 8, 2}, {4, 10, 2}};
    struct sb_dataset d = {.number = number, .numbers = 12, .target.count = 4};
    d.train.example = example;
    d.train.count = 4;
    float *w = sb_balance_weights(&d, 1); /* "balanced": 10 / (3 * count) */
    assert_true(fabs(w[0] - 10.0 / 18) < 1e-6 && fabs(w[1] - 10.0 / 9) < 1e-6 && fabs(w[2] - 10.0 / 3) < 1e-6);
    assert_true(w[3] == 1);
    free(w);
    w = sb_balance_weights(&d, 0.5);
    assert_true(fabs(w[0] * sqrt(6) - w[2]) < 1e-6 && fabs(w[1] * sqrt(3) - w[2]) < 1e-6);
    assert_true(fabs((6 * w[0] + 3 * w[1] + w[2]) / 10 - 1) < 1e-6);
    free(w);
}

/* Mean and variance of the share, against those of Beta(a, a): 1/2 and 1 / (4 (2a + 1)). */
static void mixup_draws_from_beta(void **state)
{
    (void)state;
    static const double alpha[] = {0.1, 0.4, 1, 8};
    for (int k = 0; k < 4; k++) {
        struct sb_mixing m = {.mixup = alpha[k]};
        double sum = 0, squares = 0;
        for (uint64_t step = 0; step < 20000; step++) {
            struct sb_mixing_draw d = sb_mixing_draw(&m, 5, 1, step, 32);
            assert_true(d.share >= 0 && d.share <= 1 && d.mix.weight == d.share && d.mix.box[2] == d.mix.box[0]);
            sum += d.share;
            squares += (d.share - 0.5) * (d.share - 0.5);
        }
        double variance = 1 / (4 * (2 * alpha[k] + 1));
        assert_true(fabs(sum / 20000 - 0.5) < 0.015);
        assert_true(fabs(squares / 20000 / variance - 1) < 0.03);
    }
}

static void cutmix_shares_by_area(void **state)
{
    (void)state;
    struct sb_mixing m = {.mixup = 1, .cutmix = 1};
    int cut = 0, whole = 0;
    for (uint64_t step = 0; step < 4000; step++) {
        struct sb_mixing_draw d = sb_mixing_draw(&m, 5, 1, step, 32), again = sb_mixing_draw(&m, 5, 1, step, 32);
        const int32_t *b = d.mix.box;
        assert_memory_equal(&d, &again, sizeof d);
        if (d.mix.weight < 1) continue; /* a mixup */
        cut++;
        assert_true(b[0] >= 0 && b[1] >= 0 && b[0] <= b[2] && b[1] <= b[3] && b[2] <= 32 && b[3] <= 32);
        assert_true(fabs(d.share - (1 - (double)(b[2] - b[0]) * (b[3] - b[1]) / 1024)) < 1e-6);
        whole += b[0] > 0 && b[2] < 32 && b[1] > 0 && b[3] < 32;
    }
    assert_in_range(cut, 1850, 2150);
    assert_true(whole > 0 && whole < cut);
}

static void partners_are_mutual(void **state)
{
    (void)state;
    for (int count = 1; count < 9; count++)
        for (int i = 0; i < count; i++) {
            int partner = sb_mixing_partner(i, count);
            assert_in_range(partner, 0, count - 1);
            assert_int_equal(sb_mixing_partner(partner, count), i);
            assert_true(partner != i || i == count - 1);
        }
}

/* A stream of one u8 tensor, whose header says that it is of `said` pixels and that mean and deviation are applied. */
static char *one_tensor(int side, int said, bool applied)
{
    char *path = sb_format("%s/tensors.sb", folder), *pixels = sb_calloc(3, (size_t)(side * side));
    struct sb_tool tool = {.name = "test", .opts = (const struct sb_opt[]){SB_OPT_END}};
    struct sb_args none = {0};
    struct sb_tensor tensor = {SB_U8, 3, {3, side, side}, pixels};
    struct sb_record header = {0}, rec = {0};
    struct sb_preprocess p;
    sb_preprocess_default(&p, said);
    sb_preprocess_to_header(&p, applied, &header);
    struct sb_writer *w = sb_writer_open(path);
    sb_writer_header(w, &header, &tool, &none);
    sb_set_text(&rec, "label", "fish", 4);
    sb_set_tensor(&rec, "tensor", &tensor);
    sb_writer_put(w, &rec);
    sb_writer_close(w);
    sb_record_free(&header);
    sb_record_free(&rec);
    free(pixels);
    return path;
}

/* What the header says goes into the model. */
static void tensors_are_what_the_header_says(void **state)
{
    (void)state;
    static const struct {
        int side, said;
        bool applied;
        const char *why;
    } cases[] = {{8, 8, false, NULL},
                 {8, 16, false, "says that tensors are of 16 pixels, but they are of 8"},
                 {8, 8, true, "says that mean and deviation were applied, but its tensors are u8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sb_dataset d;
        struct sb_dataset_options o = {.task = SB_TASK_LABEL, .train = "train", .val = "val"};
        char *path = one_tensor(cases[i].side, cases[i].said, cases[i].applied);
        assert_int_equal(sb_dataset_open(&d, path, &o), cases[i].why ? -1 : 0);
        if (cases[i].why && !strstr(sb_error_message(), cases[i].why)) fail_msg("said '%s'", sb_error_message());
        sb_dataset_close(&d);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_come_back),
        cmocka_unit_test(pads_follow_the_end),
        cmocka_unit_test(no_augmentation_is_the_identity),
        cmocka_unit_test(augmentation_keeps_its_bounds),
        cmocka_unit_test(a_flip_mirrors_exactly),
        cmocka_unit_test(the_rate_warms_up_and_falls_to_zero),
        cmocka_unit_test(scores_are_those_of_scikit_learn),
        cmocka_unit_test(several_labels_score_as_in_scikit_learn),
        cmocka_unit_test(balance_weighs_as_scikit_learn),
        cmocka_unit_test(mixup_draws_from_beta),
        cmocka_unit_test(cutmix_shares_by_area),
        cmocka_unit_test(partners_are_mutual),
        cmocka_unit_test(tensors_are_what_the_header_says),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
