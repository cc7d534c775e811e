/* Perceptual hashes: what stays near and what does not, whatever a picture comes encoded as. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "media/orient.h"
#include "media/resize.h"
#include "media/thumb.h"
#include "select/phash.h"

/* Soft blobs of colour over a gradient: what the seed says, in any size. */
static void paint(struct sb_picture *p, int width, int height, uint64_t seed)
{
    struct sb_rng rng;
    double x[16], y[16], r[16], c[16][3];
    sb_rng_init(&rng, seed, 0);
    for (int i = 0; i < 16; i++) {
        x[i] = sb_rng_uniform(&rng);
        y[i] = sb_rng_uniform(&rng);
        r[i] = sb_rng_range(&rng, 0.03, 0.2);
        for (int k = 0; k < 3; k++) c[i][k] = sb_rng_range(&rng, -100, 100);
    }
    assert_int_equal(sb_picture_size(p, width, height), 0);
    for (int v = 0; v < height; v++)
        for (int u = 0; u < width; u++)
            for (int k = 0; k < 3; k++) {
                double value = 90 + 30.0 * v / height;
                for (int i = 0; i < 16; i++) {
                    double dx = (u + 0.5) / width - x[i], dy = (v + 0.5) / height - y[i];
                    value += c[i][k] * exp(-(dx * dx + dy * dy) / (r[i] * r[i]));
                }
                p->rgb[3 * (v * width + u) + k] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
}

static struct sb_phash hash_picture(const struct sb_picture *p, int bits)
{
    struct sb_thumb thumb;
    struct sb_phash hash;
    sb_picture_thumb(p, &thumb);
    sb_phash(thumb.grey, bits, 1, &hash, NULL);
    return hash;
}

static int distance(const struct sb_phash *a, const struct sb_picture *b, int bits)
{
    struct sb_phash other = hash_picture(b, bits);
    return sb_phash_distance(a, &other);
}

static void copies_are_near_and_others_far(int bits, int most)
{
    struct sb_picture p = {0}, copy = {0};
    struct sb_buffer file = {0};
    struct sb_phash hash[30];
    for (uint64_t seed = 0; seed < 30; seed++) {
        paint(&p, 200, 150, seed);
        hash[seed] = hash_picture(&p, bits);

        assert_int_equal(sb_jpeg_encode(&p, 60, &file), 0);
        assert_int_equal(sb_picture_decode(&copy, file.data, file.size), 0);
        assert_in_range(distance(&hash[seed], &copy, bits), 0, most);

        assert_int_equal(sb_resize(&p, &copy, 90, 75, SB_BICUBIC), 0);
        assert_in_range(distance(&hash[seed], &copy, bits), 0, most);

        for (size_t i = 0; i < (size_t)3 * 200 * 150; i++) p.rgb[i] = (uint8_t)(p.rgb[i] * (i % 3 ? 0.95 : 0.9) + 8);
        assert_in_range(distance(&hash[seed], &p, bits), 0, most);
    }
    for (int i = 0; i < 30; i++)
        for (int j = 0; j < i; j++) assert_in_range(sb_phash_distance(&hash[i], &hash[j]), most + 1, bits);
    sb_picture_free(&p);
    sb_picture_free(&copy);
    free(file.data);
}

static void copies_are_near_in_64_bits(void **state)
{
    (void)state;
    copies_are_near_and_others_far(64, SB_PHASH_DISTANCE);
}

static void copies_are_near_in_256_bits(void **state)
{
    (void)state;
    copies_are_near_and_others_far(256, SB_PHASH_DISTANCE_256);
}

static void a_short_hash_begins_a_long_one(void **state)
{
    (void)state;
    struct sb_picture p = {0};
    paint(&p, 130, 170, 1);
    assert_int_equal(hash_picture(&p, 64).word[0], hash_picture(&p, 256).word[0]);
    assert_int_equal(hash_picture(&p, 64).word[1], 0);
    sb_picture_free(&p);
}

/* Sizes that are no multiple of what a JPEG shrinks by, and where it shrinks by 1, 2, 4 and 8. */
static void a_jpeg_at_a_glance_is_as_its_pixels(void **state)
{
    (void)state;
    static const int sizes[][2] = {{90, 70}, {131, 150}, {300, 259}, {1001, 521}, {64, 700}};
    struct sb_picture p = {0}, pixels = {0};
    struct sb_buffer file = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sb_thumb thumb;
        struct sb_phash glance;
        paint(&p, sizes[i][0], sizes[i][1], i);
        assert_int_equal(sb_jpeg_encode(&p, 90, &file), 0);
        assert_int_equal(sb_jpeg_thumb(file.data, file.size, &thumb), 0);
        sb_phash(thumb.grey, 256, 1, &glance, NULL);
        assert_int_equal(sb_picture_decode(&pixels, file.data, file.size), 0);
        assert_in_range(distance(&glance, &pixels, 256), 0, 4);
        assert_int_equal(sb_jpeg_thumb(file.data, file.size / 2, &thumb), -1);
    }
    sb_picture_free(&p);
    sb_picture_free(&pixels);
    free(file.data);
}

static void a_thumb_turns_as_its_picture(void **state)
{
    (void)state;
    struct sb_picture p = {0}, scratch = {0};
    for (int orientation = 1; orientation <= 8; orientation++) {
        struct sb_thumb turned, thumb;
        paint(&p, 200, 128, 3);
        sb_picture_thumb(&p, &thumb);
        sb_thumb_upright(&thumb, orientation);
        assert_int_equal(sb_picture_upright(&p, orientation, &scratch), 0);
        sb_picture_thumb(&p, &turned);
        for (int y = 0; y < SB_THUMB_SIDE; y++)
            for (int x = 0; x < SB_THUMB_SIDE; x++) assert_true(fabsf(turned.grey[y][x] - thumb.grey[y][x]) < 0.6f);
    }
    sb_picture_free(&p);
    sb_picture_free(&scratch);
}

static void mirrored_copies_are_found_mirrored(void **state)
{
    (void)state;
    struct sb_picture p = {0}, mirrored = {0};
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct sb_thumb thumb;
        struct sb_phash hash, turned;
        paint(&p, 200, 150, seed);
        sb_picture_thumb(&p, &thumb);
        sb_phash(thumb.grey, 256, 1, &hash, &turned);
        assert_int_equal(sb_picture_upright(&p, 2, &mirrored), 0);
        assert_in_range(distance(&hash, &p, 256), SB_PHASH_DISTANCE_256 + 1, 256);
        assert_in_range(distance(&turned, &p, 256), 0, 2);
    }
    sb_picture_free(&p);
    sb_picture_free(&mirrored);
}

static void check_windows(const struct sb_picture *whole, const struct sb_picture *part)
{
    const struct sb_picture *both[] = {whole, part};
    struct sb_phash hash[2][SB_PHASH_WINDOWS];
    for (int i = 0; i < 2; i++) {
        struct sb_thumb thumb;
        sb_picture_thumb(both[i], &thumb);
        sb_phash(thumb.grey, 256, SB_PHASH_WINDOWS, hash[i], NULL);
    }
    for (int i = 0; i < 2; i++) { /* whichever of the two was kept */
        int least = 256;
        for (int w = 0; w < SB_PHASH_WINDOWS; w++) {
            int d = sb_phash_distance(&hash[i][w], &hash[1 - i][0]);
            if (d < least) least = d;
        }
        assert_in_range(least, 0, 12);
    }
}

static void cut_copies_are_found_through_windows(void **state)
{
    (void)state;
    struct sb_picture p = {0}, part = {0};
    for (uint64_t seed = 0; seed < 5; seed++) {
        paint(&p, 400, 300, seed);
        assert_int_equal(sb_crop(&p, &part, 20, 15, 360, 270), 0); /* all edges */
        check_windows(&p, &part);
        assert_int_equal(sb_crop(&p, &part, 10, 8, 380, 285), 0);
        check_windows(&p, &part);
        for (int corner = 0; corner < 4; corner++) {
            assert_int_equal(sb_crop(&p, &part, corner % 2 * 20, corner / 2 * 15, 380, 285), 0);
            check_windows(&p, &part);
        }
    }
    sb_picture_free(&p);
    sb_picture_free(&part);
}

static void empty_water_is_near_empty_water(void **state)
{
    (void)state;
    struct sb_picture p = {0};
    struct sb_rng rng;
    struct sb_phash hash[2];
    assert_int_equal(sb_picture_size(&p, 320, 240), 0);
    for (uint64_t seed = 0; seed < 2; seed++) {
        sb_rng_init(&rng, seed, 0);
        for (size_t i = 0; i < (size_t)3 * 320 * 240; i++)
            p.rgb[i] = (uint8_t)(40 + 30 * (i % 3) + 3 * sb_rng_normal(&rng));
        hash[seed] = hash_picture(&p, 256);
    }
    assert_in_range(sb_phash_distance(&hash[0], &hash[1]), 0, SB_PHASH_DISTANCE);
    sb_picture_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_near_in_64_bits),
        cmocka_unit_test(copies_are_near_in_256_bits),
        cmocka_unit_test(a_short_hash_begins_a_long_one),
        cmocka_unit_test(a_jpeg_at_a_glance_is_as_its_pixels),
        cmocka_unit_test(a_thumb_turns_as_its_picture),
        cmocka_unit_test(mirrored_copies_are_found_mirrored),
        cmocka_unit_test(cut_copies_are_found_through_windows),
        cmocka_unit_test(empty_water_is_near_empty_water),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
