/* Regions of boxes, margins, squares and tiles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "media/crop.h"

static void assert_region(const struct sb_region *r, int x, int y, int width, int height)
{
    assert_int_equal(r->x, x);
    assert_int_equal(r->y, y);
    assert_int_equal(r->width, width);
    assert_int_equal(r->height, height);
}

static void a_box_is_the_pixels_it_touches(void **state)
{
    (void)state;
    float part[4];
    struct sb_region r;
    assert_true(sb_region_of_box((double[]){10, 20, 30, 40}, 100, 100, part, &r));
    assert_region(&r, 10, 20, 30, 40);
    assert_true(sb_region_of_box((double[]){10.5, 20.25, 30, 0.5}, 100, 100, part, &r));
    assert_region(&r, 10, 20, 31, 1);
    assert_true(part[0] == 10.5f && part[1] == 20.25f && part[2] == 30 && part[3] == 0.5f);
    assert_true(sb_region_of_box((double[]){-5, 90.5, 10, 1e300}, 100, 95, part, &r));
    assert_region(&r, 0, 90, 5, 5);
    assert_true(part[0] == 0 && part[1] == 90.5f && part[2] == 5 && part[3] == 4.5f);
}

static void what_lies_outside_is_no_region(void **state)
{
    (void)state;
    struct sb_region r;
    const double boxes[][4] = {{100, 0, 5, 5}, {-5, 0, 5, 5},        {0, 100, 5, 5},      {5, 5, 0, 5},
                               {5, 5, 5, -1},  {NAN, 0, 5, 5},       {0, 0, INFINITY, 5}, {0, 0, 5, NAN},
                               {5, -9, 1, 9},  {-INFINITY, 0, 9, 9}, {1e308, 0, 1e308, 9}};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        assert_false(sb_region_of_box(boxes[i], 100, 100, NULL, &r));
}

static void margins_are_parts_or_pixels(void **state)
{
    (void)state;
    struct sb_margin m;
    double wide[4];
    assert_int_equal(sb_margin_parse("0.1", &m), 0);
    sb_margin_add(&m, (double[]){50, 60, 20, 40}, wide);
    assert_true(wide[0] == 48 && wide[1] == 56 && wide[2] == 24 && wide[3] == 48);
    assert_int_equal(sb_margin_parse("7px", &m), 0);
    sb_margin_add(&m, (double[]){50, 60, 20, 40}, wide);
    assert_true(wide[0] == 43 && wide[1] == 53 && wide[2] == 34 && wide[3] == 54);
    const char *const bad[] = {"", "px", "-1", "5 px", "10%", "nan", "inf", "1e9px", "0.1x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(sb_margin_parse(bad[i], &m), -1);
}

static void squares_stay_inside(void **state)
{
    (void)state;
    struct sb_region r = {40, 10, 20, 8};
    sb_region_square(&r, 100, 100);
    assert_region(&r, 40, 4, 20, 20);
    r = (struct sb_region){2, 50, 5, 30};
    sb_region_square(&r, 100, 100);
    assert_region(&r, 0, 50, 30, 30);
    r = (struct sb_region){95, 50, 5, 30};
    sb_region_square(&r, 100, 100);
    assert_region(&r, 70, 50, 30, 30);
    r = (struct sb_region){0, 10, 90, 8};
    sb_region_square(&r, 100, 50);
    assert_region(&r, 0, 0, 90, 50);
    struct sb_rng rng;
    sb_rng_init(&rng, 1, 0);
    for (int i = 0; i < 20000; i++) {
        int width = 1 + (int)sb_rng_below(&rng, 40), height = 1 + (int)sb_rng_below(&rng, 40);
        struct sb_region old = {.x = (int)sb_rng_below(&rng, (uint32_t)width),
                                .y = (int)sb_rng_below(&rng, (uint32_t)height)};
        old.width = 1 + (int)sb_rng_below(&rng, (uint32_t)(width - old.x));
        old.height = 1 + (int)sb_rng_below(&rng, (uint32_t)(height - old.y));
        int side = old.width > old.height ? old.width : old.height;
        r = old;
        sb_region_square(&r, width, height);
        assert_true(r.x >= 0 && r.y >= 0 && r.x + r.width <= width && r.y + r.height <= height);
        assert_true(r.x <= old.x && r.y <= old.y);
        assert_true(r.x + r.width >= old.x + old.width && r.y + r.height >= old.y + old.height);
        assert_int_equal(r.width, side < width ? side : width);
        assert_int_equal(r.height, side < height ? side : height);
    }
}

static void tiles_cover_all(void **state)
{
    (void)state;
    unsigned char seen[61 * 47];
    const double overlaps[] = {0, 0.1, 0.5, 0.9};
    for (int o = 0; o < 4; o++)
        for (int columns = 1; columns <= 7; columns++)
            for (int rows = 1; rows <= 5; rows++) {
                int least = 61, most = 0;
                memset(seen, 0, sizeof seen);
                for (int i = 0; i < columns * rows; i++) {
                    struct sb_region r;
                    sb_region_tile(61, 47, columns, rows, overlaps[o], i, &r);
                    assert_true(r.width > 0 && r.height > 0 && r.x >= 0 && r.y >= 0);
                    assert_true(r.x + r.width <= 61 && r.y + r.height <= 47);
                    least = r.width < least ? r.width : least;
                    most = r.width > most ? r.width : most;
                    for (int y = r.y; y < r.y + r.height; y++)
                        for (int x = r.x; x < r.x + r.width; x++) seen[y * 61 + x]++;
                }
                assert_true(most - least <= (overlaps[o] == 0));
                for (size_t i = 0; i < sizeof seen; i++) assert_true(overlaps[o] == 0 ? seen[i] == 1 : seen[i] >= 1);
            }
    struct sb_region a, b;
    sb_region_tile(1000, 10, 3, 1, 0.2, 0, &a);
    sb_region_tile(1000, 10, 3, 1, 0.2, 1, &b);
    assert_int_equal(a.width, 385); /* 1000 = 3 w - 2 * 0.2 w */
    assert_in_range(a.x + a.width - b.x, 77, 78);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_is_the_pixels_it_touches),
        cmocka_unit_test(what_lies_outside_is_no_region),
        cmocka_unit_test(margins_are_parts_or_pixels),
        cmocka_unit_test(squares_stay_inside),
        cmocka_unit_test(tiles_cover_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
