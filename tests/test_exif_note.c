/* Exif blocks and the pictures they stand in. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/codec.h"
#include "media/exif.h"
#include "media/exif_inner.h"
#include "media/picture.h"
#include "media/picture_note.h"

static const struct sb_exif_note whole = {.id = "0123456789abcdef0123456789abcdef",
                                          .id_size = 32,
                                          .text = "zwei Kr\xc3\xa4hen",
                                          .text_size = 12,
                                          .time = 1783087509.25,
                                          .latitude = -36.7125301,
                                          .longitude = -122.1870004,
                                          .depth = 812.25};

static void assert_says(const struct sb_exif_note *a, const struct sb_exif_note *b)
{
    assert_int_equal(a->id_size, b->id_size);
    assert_memory_equal(a->id, b->id, b->id_size);
    assert_int_equal(a->text_size, b->text_size);
    assert_memory_equal(a->text, b->text, b->text_size);
    assert_true(a->time == b->time);
    assert_true(fabs(a->latitude - b->latitude) < 1e-10);
    assert_true(fabs(a->longitude - b->longitude) < 1e-10);
    assert_true(a->depth == b->depth);
}

static const struct sb_exif_note nothing = {.time = NAN, .latitude = NAN, .longitude = NAN, .depth = NAN};

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct sb_buffer b = {0};
    struct sb_exif_note said, some = nothing;
    sb_exif_note_write(&b, NULL, 0, &whole);
    sb_exif_note_read(b.data, b.size, &said);
    assert_says(&said, &whole);
    assert_int_equal(sb_exif_orientation(b.data, b.size), 1);
    some.latitude = 89.99999999999;
    some.longitude = 179.99999999999;
    some.depth = -3;
    sb_exif_note_write(&b, NULL, 0, &some);
    sb_exif_note_read(b.data, b.size, &said);
    assert_true(said.latitude == 90 && said.longitude == 180 && said.depth == -3);
    assert_true(isnan(said.time) && said.id_size == 0 && said.text_size == 0);
    sb_exif_note_write(&b, NULL, 0, &nothing);
    sb_exif_note_read(b.data, b.size, &said);
    assert_true(isnan(said.time) && isnan(said.latitude) && isnan(said.depth));
    some = (struct sb_exif_note){
        .time = 1e300, .latitude = 91, .longitude = 0, .depth = 1e9, .text = "a\xff", .text_size = 2};
    sb_exif_note_write(&b, NULL, 0, &some);
    sb_exif_note_read(b.data, b.size, &said);
    assert_true(isnan(said.time) && isnan(said.latitude) && isnan(said.depth));
    assert_true(said.text_size == 1 && said.text[0] == 'a');
    free(b.data);
}

/* A camera's block: turned, with a lens's name, something of its maker's, a time and a small picture's directory. */
static size_t camera(uint8_t *p, bool big)
{
    static const uint8_t entries[][12] = {{0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0},
                                          {0x69, 0x87, 4, 0, 1, 0, 0, 0, 50, 0, 0, 0},
                                          {0x03, 0x90, 2, 0, 20, 0, 0, 0, 110, 0, 0, 0},
                                          {0x7c, 0x92, 7, 0, 6, 0, 0, 0, 130, 0, 0, 0},
                                          {0x91, 0x92, 2, 0, 3, 0, 0, 0, '7', '5', 0, 0}};
    static const int field[] = {2, 2, 4, 4};
    memset(p, 0, 160);
    memcpy(p, big ? "MM\0*\0\0\0\10" : "II*\0\10\0\0\0", 8);
    p[big ? 9 : 8] = 2;
    p[big ? 51 : 50] = 3;
    for (int i = 0; i < 5; i++) {
        uint8_t *to = p + (i < 2 ? 10 + i * 12 : 52 + (i - 2) * 12);
        for (int f = 0, at = 0; f < 4; at += field[f++]) {
            bool swap = big && !(f == 3 && i == 4);
            int size = i == 0 && f == 3 ? 2 : field[f];
            for (int k = 0; k < size; k++) to[at + k] = entries[i][at + (swap ? size - 1 - k : k)];
        }
    }
    p[big ? 37 : 34] = 140; /* the next directory, of no entries */
    memcpy(p + 110, "2020:01:02 03:04:05", 20);
    memcpy(p + 130, "MAKER", 6);
    return 146;
}

static void what_a_camera_said_stays(void **state)
{
    (void)state;
    struct sb_buffer b = {0}, again = {0};
    for (int big = 0; big < 2; big++) {
        uint8_t old[160];
        size_t size = camera(old, big), first;
        uint32_t count;
        struct sb_exif_block block;
        struct sb_exif_note said;
        char taken[SB_EXIF_TAKEN];
        assert_int_equal(sb_exif_orientation(old, size), 6);
        sb_exif_note_write(&b, old, size, &nothing);
        assert_true(sb_exif_taken(b.data, b.size, taken));
        assert_string_equal(taken, "2020:01:02 03:04:05.75");
        sb_exif_note_write(&b, old, size, &whole);
        sb_exif_note_read(b.data, b.size, &said);
        assert_says(&said, &whole);
        assert_int_equal(sb_exif_orientation(b.data, b.size), 6);
        assert_memory_equal(b.data + 130, "MAKER", 6); /* it may point at itself */
        assert_true(sb_exif_open(&block, b.data, b.size, &first));
        const uint8_t *maker =
            sb_exif_values(&block, sb_exif_directory(&block, first, SB_TAG_EXIF), 0x927c, SB_EXIF_ANY, &count);
        assert_ptr_equal(maker, b.data + 130);
        size_t end = first + 2 + 12 * sb_exif_number(&block, b.data + first, 2);
        assert_int_equal(sb_exif_number(&block, b.data + end, 4), 140);
        /* Once more: the same again. */
        sb_exif_note_write(&again, b.data, b.size, &whole);
        sb_exif_note_read(again.data, again.size, &said);
        assert_says(&said, &whole);
        assert_int_equal(sb_exif_orientation(again.data, again.size), 6);
    }
    free(b.data);
    free(again.data);
}

static void a_broken_block_leaves_its_orientation(void **state)
{
    (void)state;
    struct sb_buffer b = {0};
    for (int big = 0; big < 2; big++) {
        uint8_t old[160];
        size_t size = camera(old, big);
        for (size_t i = 0; i < 2 * size; i++) { /* cut anywhere, any byte wrong */
            size_t n = i < size ? i : size;
            uint8_t *exact = malloc(n + 1);
            struct sb_exif_note said;
            memcpy(exact, old, n);
            if (i >= size) exact[i - size] ^= 0xff;
            sb_exif_note_write(&b, exact, n, &whole);
            sb_exif_note_read(b.data, b.size, &said);
            assert_says(&said, &whole);
            assert_int_equal(sb_exif_orientation(b.data, b.size), sb_exif_orientation(exact, n));
            free(exact);
        }
    }
    uint8_t *large = calloc(1, 100000);
    camera(large, false);
    sb_exif_note_write(&b, large, 100000, &whole);
    assert_true(b.size < 1000);
    assert_int_equal(sb_exif_orientation(b.data, b.size), 6);
    free(large);
    free(b.data);
}

static void pictures_stay_what_they_show(void **state)
{
    (void)state;
    struct sb_picture p = {0}, back = {0};
    struct sb_buffer file = {0}, noted = {0}, again = {0};
    struct sb_exif_note said;
    const uint8_t *block;
    size_t size;
    assert_int_equal(sb_picture_size(&p, 40, 30), 0);
    for (int i = 0; i < 40 * 30 * 3; i++) p.rgb[i] = (uint8_t)(i * 7);
    for (int png = 0; png < 2; png++) {
        assert_int_equal(png ? sb_png_encode(&p, &file) : sb_jpeg_encode(&p, 90, &file), 0);
        assert_int_equal(sb_picture_note(&noted, file.data, file.size, &whole), 0);
        assert_true(sb_exif_find(noted.data, noted.size, &block, &size));
        sb_exif_note_read(block, size, &said);
        assert_says(&said, &whole);
        assert_int_equal(sb_picture_decode(&back, noted.data, noted.size), 0);
        assert_true(back.width == 40 && back.height == 30);
        if (png) assert_memory_equal(back.rgb, p.rgb, 40 * 30 * 3);
        /* A second note takes the place of the first, and nothing else changes. */
        assert_int_equal(sb_picture_note(&again, noted.data, noted.size, &whole), 0);
        assert_true(again.size < noted.size + 1000);
        if (!png) assert_memory_equal(again.data + again.size - 500, file.data + file.size - 500, 500);
        if (png) { /* a sum that is wrong: readers do not take the chunk, nor is it taken over */
            noted.data[8 + 25 + 8 + 8] ^= 1;
            assert_int_equal(sb_picture_note(&again, noted.data, noted.size, &whole), 0);
            assert_true(again.size <= noted.size);
            assert_int_equal(sb_picture_note(&again, noted.data, noted.size - 13, &whole), -1);
        }
    }
    assert_int_equal(sb_picture_note(&again, (const uint8_t *)"GIF89a", 6, &whole), -1);
    sb_picture_free(&p);
    sb_picture_free(&back);
    free(file.data);
    free(noted.data);
    free(again.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_a_camera_said_stays),
        cmocka_unit_test(a_broken_block_leaves_its_orientation),
        cmocka_unit_test(pictures_stay_what_they_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
