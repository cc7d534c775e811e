/* The synthetic sea: its words, its light, and that the boxes hold the animals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "media/sea_dive.h"
#include "media/sea_inner.h"

static struct sb_sighting one(enum sb_animal kind, enum sb_colour colour)
{
    return (struct sb_sighting){.kind = kind, .colour = colour};
}

static void test_captions(void **state)
{
    (void)state;
    const struct sb_sighting scene[] = {
        one(SB_FISH, SB_ORANGE), one(SB_JELLYFISH, SB_WHITE), one(SB_FISH, SB_ORANGE), one(SB_CRAB, SB_RED),
        one(SB_CRAB, SB_ORANGE),
    };
    const struct sb_sighting star = one(SB_SEA_STAR, SB_PURPLE), stars[] = {star, star, star};
    const struct sb_sighting vowel[] = {one(SB_ANEMONE, SB_ORANGE), one(SB_ANEMONE, SB_ORANGE)};
    char buf[SB_CAPTION];
    assert_string_equal(sb_sea_caption(scene, 0, SB_MUD, buf), "nothing but mud");
    assert_string_equal(sb_sea_caption(scene, 0, SB_OPEN_WATER, buf), "nothing but open water");
    assert_string_equal(sb_sea_caption(scene, 1, SB_SAND, buf), "an orange fish over sand");
    assert_string_equal(sb_sea_caption(scene, 2, SB_SAND, buf), "an orange fish and a white jellyfish over sand");
    assert_string_equal(sb_sea_caption(scene, 3, SB_OPEN_WATER, buf),
                        "two orange fish and a white jellyfish in open water");
    assert_string_equal(sb_sea_caption(scene, 4, SB_ROCK, buf),
                        "two orange fish, a white jellyfish and a red crab over rock");
    assert_string_equal(sb_sea_caption(scene, 5, SB_ROCK, buf),
                        "two orange fish, a white jellyfish and two crabs over rock");
    assert_string_equal(sb_sea_caption(stars, 3, SB_SAND, buf), "three purple sea stars over sand");
    assert_string_equal(sb_sea_caption(vowel, 1, SB_SAND, buf), "an orange anemone over sand");
    assert_string_equal(sb_sea_caption(vowel, 2, SB_SAND, buf), "two orange anemones over sand");
}

static void test_red_goes_first(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sb_sea *sea = sb_sea_new(seed, 3, 32, 32);
        float before[3] = {1, 1, 1};
        for (float metres = 1; metres < 8; metres++) {
            float left[3] = {1, 1, 1};
            sb_sea_attenuate(sea, metres, left);
            assert_true(left[0] < left[1] && left[0] < left[2]);
            for (int c = 0; c < 3; c++) assert_true(left[c] > 0 && left[c] < before[c]);
            memcpy(before, left, sizeof left);
        }
        sb_sea_free(sea);
    }
}

static void picture(const struct sb_sea *sea, double t, struct sb_picture *p)
{
    assert_int_equal(sb_picture_size(p, sea->width, sea->height), 0);
    sb_sea_render(sea, t, p);
}

/* The hash is the same with any compiler and processor: no arithmetic that may differ is used. */
static void test_same_pixels_everywhere(void **state)
{
    (void)state;
    struct sb_picture a = {0}, b = {0};
    char hex[SB_HEX];
    struct sb_sea *sea = sb_sea_new(11, 20, 160, 90), *again = sb_sea_new(11, 20, 160, 90);
    struct sb_sea *other = sb_sea_new(12, 20, 160, 90);
    size_t size = 160 * 90 * 3;
    picture(sea, 4.0, &a);
    sb_hash_hex(sb_hash_bytes(a.rgb, size), hex);
    assert_string_equal(hex, "8b0cf4c90c4a116aca9e6641ff9bcb2a");
    picture(again, 4.0, &b);
    assert_memory_equal(a.rgb, b.rgb, size);
    picture(other, 4.0, &b);
    assert_memory_not_equal(a.rgb, b.rgb, size);
    picture(sea, 4.04, &b);
    assert_memory_not_equal(a.rgb, b.rgb, size);
    sb_sea_free(sea);
    sb_sea_free(again);
    sb_sea_free(other);
    sb_picture_free(&a);
    sb_picture_free(&b);
}

/* Around the pixels that change by more than the water's haze when the animals are taken away: x0 y0 x1 y1. */
static void changed(const struct sb_picture *with, const struct sb_picture *without, int box[4])
{
    box[0] = with->width;
    box[1] = with->height;
    box[2] = box[3] = 0;
    for (int i = 0; i < with->width * with->height; i++) {
        int x = i % with->width, y = i / with->width, most = 0;
        for (int c = 0; c < 3; c++) {
            int d = abs(with->rgb[3 * i + c] - without->rgb[3 * i + c]);
            most = d > most ? d : most;
        }
        if (most < 4) continue;
        box[0] = x < box[0] ? x : box[0];
        box[1] = y < box[1] ? y : box[1];
        box[2] = x + 1 > box[2] ? x + 1 : box[2];
        box[3] = y + 1 > box[3] ? y + 1 : box[3];
    }
}

/* For swimmers that are alone: those on the floor have a shadow around them. */
static void test_boxes_hold_the_animals(void **state)
{
    (void)state;
    struct sb_picture with = {0}, without = {0};
    int checked = 0;
    for (uint64_t seed = 0; seed < 60 && checked < 12; seed++) {
        struct sb_sea *sea = sb_sea_new(seed, 9, 320, 180);
        struct sb_sighting seen[SB_SEA_VISIBLE];
        double t = 0;
        while (t < 9 && !sb_sea_clear(sea, t)) t += 0.5;
        if (t < 9 && sb_sea_visible(sea, t, seen) == 1 && !sea_on_floor(seen[0].kind)) {
            picture(sea, t, &with);
            size_t all = sea->animals;
            sea->animals = 0;
            picture(sea, t, &without);
            sea->animals = all;
            int box[4];
            changed(&with, &without, box);
            const float *said = seen[0].box;
            const float edge[4] = {said[0], said[1], said[0] + said[2], said[1] + said[3]};
            for (int k = 0; k < 4; k++) assert_true(fabsf((float)box[k] - edge[k]) <= 5.0f);
            checked++;
        }
        sb_sea_free(sea);
    }
    assert_true(checked >= 6);
    sb_picture_free(&with);
    sb_picture_free(&without);
}

/* What a training set needs: every kind, empty scenes too, few animals at once, large enough to be told apart. */
static void test_dives_are_varied_and_never_crowded(void **state)
{
    (void)state;
    int kinds[SB_ANIMALS] = {0}, floors[SB_FLOORS] = {0}, empty = 0, moments = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct sb_sea *sea = sb_sea_new(seed, 15, 128, 72);
        for (double t = 0; t < 15; t += 2.5, moments++) {
            struct sb_sighting seen[SB_SEA_VISIBLE];
            int n = sb_sea_visible(sea, t, seen);
            assert_true(n <= 4);
            empty += n == 0;
            floors[sb_sea_floor(sea, t)]++;
            for (int i = 0; i < n; i++) {
                kinds[seen[i].kind]++;
                assert_true(fmaxf(seen[i].box[2], seen[i].box[3]) > 72.0f / 9.0f);
            }
        }
        sb_sea_free(sea);
    }
    assert_true(empty > 0 && empty < moments / 2);
    for (int k = 0; k < SB_ANIMALS; k++) assert_true(kinds[k] > 10);
    for (int f = 0; f < SB_FLOORS; f++) assert_true(floors[f] > 10);
}

static void test_crops(void **state)
{
    (void)state;
    struct sb_sighting seen[2] = {one(SB_FISH, SB_BLUE), one(SB_CRAB, SB_RED)};
    float box[4];
    memcpy(seen[0].box, (float[4]){2, 40, 60, 30}, sizeof box);
    memcpy(seen[1].box, (float[4]){150, 90, 18, 12}, sizeof box);
    assert_true(sb_sea_crop(seen, 2, 0, 320, 240, box));
    assert_true(box[0] == 0 && box[2] == box[3] && box[2] >= 60); /* pushed in at the left edge */
    assert_true(box[1] <= 40 && box[1] + box[3] >= 70);
    assert_false(sb_sea_crop(seen, 2, 1, 320, 240, box)); /* too small to teach anything */
    memcpy(seen[1].box, (float[4]){10, 35, 50, 40}, sizeof box);
    assert_false(sb_sea_crop(seen, 2, 0, 320, 240, box)); /* which of the two would it be? */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captions),
        cmocka_unit_test(test_red_goes_first),
        cmocka_unit_test(test_same_pixels_everywhere),
        cmocka_unit_test(test_boxes_hold_the_animals),
        cmocka_unit_test(test_dives_are_varied_and_never_crowded),
        cmocka_unit_test(test_crops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
