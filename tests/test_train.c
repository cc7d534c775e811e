/* What training needs beside the net: vocabulary, augmentation, the learning rate, scores. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/metrics.h"
#include "nn/train.h"
#include "nn/words.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
