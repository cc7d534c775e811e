/* Pictures: decoding, encoding, resizing, and the transform to network input. Vectors by golden/resize.py and
 * pictures.py. */
#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "media/image.h"
#include "media/resize_inner.h"
#include "media/transform.h"
#include "golden.h"

static void assert_same(const struct sb_picture *a, const struct sb_picture *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->rgb, b->rgb, picture_bytes(a));
}

/* ---- resizing --------------------------------------------------------------------------------------------------- */

static void resizes_as_pillow(void **state)
{
    (void)state;
    char filter[16], hex[256];
    int w, h, new_w, new_h, cases = 0;
    uint64_t seed, hash;
    struct sb_picture in = {0}, out = {0};
    FILE *f = golden_text("resize.txt");
    for (char line[1024]; fgets(line, sizeof line, f); cases++) {
        enum sb_filter_kind kind;
        int fields = sscanf(line, "%d %d %d %d %15s %" SCNu64 " %" SCNx64 " %255s", &w, &h, &new_w, &new_h, filter,
                            &seed, &hash, hex);
        assert_in_range(fields, 7, 8);
        assert_int_equal(sb_filter_kind_parse(filter, &kind), 0);
        fill_noise(&in, w, h, seed);
        assert_int_equal(sb_resize(&in, &out, new_w, new_h, kind), 0);
        assert_int_equal(out.width, new_w);
        assert_int_equal(out.height, new_h);
        for (size_t i = 0; fields == 8 && i < picture_bytes(&out); i++) {
            unsigned byte;
            assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
            assert_int_equal(out.rgb[i], byte);
        }
        struct sb_window all = {new_w, new_h, 0, 0, new_w, new_h};
        for (const struct sb_resize_way *const *way = sb_resize_ways; *way; way++) {
            if (!(*way)->can()) continue;
            assert_int_equal(sb_resize_window_by(*way, &in, &out, &all, kind), 0);
            if (fnv(out.rgb, picture_bytes(&out)) != hash) fail_msg("%s: %s", (*way)->name, line);
        }
    }
    assert_int_equal(cases, 160);
    fclose(f);
    sb_picture_free(&in);
    sb_picture_free(&out);
}

/* Every way that this processor has gives the plain one's bytes, from pixels that end where their memory ends. */
static void ways_agree(void **state)
{
    (void)state;
    struct sb_rng rng;
    struct sb_picture noise = {0}, plain = {0}, out = {0};
    sb_rng_init(&rng, 11, 0);
    for (int i = 0; i < 300; i++) {
        uint32_t most = i % 3 ? 60 : 400;
        int w = 1 + (int)sb_rng_below(&rng, most), h = 1 + (int)sb_rng_below(&rng, most);
        int wide = 1 + (int)sb_rng_below(&rng, 150), high = 1 + (int)sb_rng_below(&rng, 150);
        struct sb_window win = {wide, high, wide / 5, high / 7, wide - wide / 3, high - high / 3};
        fill_noise(&noise, w, h, (uint64_t)i);
        struct sb_picture in = {.width = w, .height = h, .rgb = sb_malloc(picture_bytes(&noise))};
        memcpy(in.rgb, noise.rgb, picture_bytes(&noise));
        assert_int_equal(sb_resize_window_by(&sb_resize_plain, &in, &plain, &win, i % 2), 0);
        for (const struct sb_resize_way *const *way = sb_resize_ways; *way; way++) {
            if (!(*way)->can()) continue;
            assert_int_equal(sb_resize_window_by(*way, &in, &out, &win, i % 2), 0);
            assert_same(&plain, &out);
        }
        free(in.rgb);
    }
    sb_picture_free(&noise);
    sb_picture_free(&plain);
    sb_picture_free(&out);
}

/* A window holds what cutting it out of the whole resized picture gives. */
static void window_is_a_crop(void **state)
{
    (void)state;
    struct sb_rng rng;
    struct sb_picture in = {0}, whole = {0}, cut = {0}, window = {0};
    sb_rng_init(&rng, 7, 0);
    for (int i = 0; i < 200; i++) {
        int w = 1 + (int)sb_rng_below(&rng, 90), h = 1 + (int)sb_rng_below(&rng, 90);
        struct sb_window win = {1 + (int)sb_rng_below(&rng, 90), 1 + (int)sb_rng_below(&rng, 90), 0, 0, 0, 0};
        if (i % 5 == 0) win.full_width = w;
        if (i % 7 == 0) win.full_height = h;
        win.x = (int)sb_rng_below(&rng, (uint32_t)win.full_width);
        win.y = (int)sb_rng_below(&rng, (uint32_t)win.full_height);
        win.width = 1 + (int)sb_rng_below(&rng, (uint32_t)(win.full_width - win.x));
        win.height = 1 + (int)sb_rng_below(&rng, (uint32_t)(win.full_height - win.y));
        enum sb_filter_kind kind = i % 2 ? SB_BICUBIC : SB_BILINEAR;
        fill_noise(&in, w, h, (uint64_t)i);
        assert_int_equal(sb_resize(&in, &whole, win.full_width, win.full_height, kind), 0);
        assert_int_equal(sb_crop(&whole, &cut, win.x, win.y, win.width, win.height), 0);
        assert_int_equal(sb_resize_window(&in, &window, &win, kind), 0);
        assert_same(&window, &cut);
    }
    struct sb_window outside = {10, 10, 5, 5, 6, 5};
    assert_int_equal(sb_resize_window(&in, &window, &outside, SB_BICUBIC), -1);
    sb_picture_free(&in);
    sb_picture_free(&whole);
    sb_picture_free(&cut);
    sb_picture_free(&window);
}

static void crop_outside_is_black(void **state)
{
    (void)state;
    struct sb_picture in = {0}, out = {0};
    fill_noise(&in, 4, 3, 1);
    assert_int_equal(sb_crop(&in, &out, -2, -1, 8, 6), 0);
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 8; x++) {
            bool inside = x >= 2 && x < 6 && y >= 1 && y < 4;
            for (int c = 0; c < 3; c++)
                assert_int_equal(out.rgb[(y * 8 + x) * 3 + c], inside ? in.rgb[((y - 1) * 4 + x - 2) * 3 + c] : 0);
        }
    assert_int_equal(sb_crop(&in, &out, 100, -100, 2, 2), 0);
    assert_int_equal(out.rgb[0], 0);
    sb_picture_free(&in);
    sb_picture_free(&out);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void decodes_as_pillow(void **state)
{
    (void)state;
    char path[4096], name[64];
    int w, h, files = 0;
    uint64_t hash;
    struct sb_picture p = {0};
    golden(path, "pictures/expected.txt");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (; fscanf(f, "%63s %d %d %" SCNx64, name, &w, &h, &hash) == 4; files++) {
        snprintf(strrchr(path, '/') + 1, sizeof name, "%s", name);
        if (sb_picture_load(&p, path) < 0) fail_msg("%s", sb_error_message());
        if (p.width != w || p.height != h || fnv(p.rgb, picture_bytes(&p)) != hash)
            fail_msg("%s decodes to other pixels", name);
    }
    assert_int_equal(files, 31);
    fclose(f);
    sb_picture_free(&p);
}

/* What pictures/asked.txt lists: as stored, with so many bits in use, over a background. */
static void decodes_as_asked(void **state)
{
    (void)state;
    char path[4096], what[8], name[64];
    int value, w, h, cases = 0;
    uint64_t hash;
    struct sb_picture p = {0};
    struct sb_buffer file = {0};
    FILE *f = golden_text("pictures/asked.txt");
    for (; fscanf(f, "%7s %d %63s %d %d %" SCNx64, what, &value, name, &w, &h, &hash) == 6; cases++) {
        struct sb_decoding how = {.stored = !strcmp(what, "stored"), .over = !strcmp(what, "over")};
        for (int c = 0; c < 3; c++) how.background[c] = (uint8_t)(value + c);
        if (!strcmp(what, "bits")) how.bits = value;
        golden(path, "pictures/");
        strcat(path, name);
        assert_int_equal(sb_picture_load_bytes(&p, path, &file), 0);
        assert_int_equal(sb_picture_decode_as(&p, file.data, file.size, &how), 0);
        if (p.width != w || p.height != h || fnv(p.rgb, picture_bytes(&p)) != hash)
            fail_msg("%s %s %d decodes to other pixels", name, what, value);
    }
    assert_int_equal(cases, 17);
    fclose(f);
    sb_picture_free(&p);
    free(file.data);
}

static void encodes_what_it_decodes(void **state)
{
    (void)state;
    struct sb_picture p = {0}, back = {0};
    struct sb_buffer bytes = {0};
    for (int side = 1; side < 200; side += 33) {
        fill_noise(&p, side, 2 * side, 5);
        assert_int_equal(sb_png_encode(&p, &bytes), 0);
        assert_int_equal(sb_picture_decode(&back, bytes.data, bytes.size), 0);
        assert_same(&p, &back);
    }
    for (size_t i = 0; i < picture_bytes(&p); i++) p.rgb[i] = (uint8_t)(i / 3 % (size_t)p.width + 40 * (i % 3));
    assert_int_equal(sb_jpeg_encode(&p, SB_JPEG_QUALITY, &bytes), 0);
    assert_int_equal(sb_picture_decode(&back, bytes.data, bytes.size), 0);
    assert_int_equal(back.height, p.height);
    for (size_t i = 0; i < picture_bytes(&p); i++) assert_in_range(back.rgb[i] + 12, p.rgb[i], p.rgb[i] + 24);
    sb_picture_free(&p);
    sb_picture_free(&back);
    free(bytes.data);
}

/* Every cut is an error with a message, and no byte changed anywhere does harm. */
static void broken_files_are_errors(void **state)
{
    (void)state;
    struct sb_picture p = {0}, out = {0};
    struct sb_buffer bytes = {0};
    struct sb_rng rng;
    sb_rng_init(&rng, 1, 0);
    fill_noise(&p, 40, 30, 5);
    for (int png = 0; png <= 1; png++) {
        assert_int_equal(png ? sb_png_encode(&p, &bytes) : sb_jpeg_encode(&p, 90, &bytes), 0);
        for (size_t cut = 0; cut < bytes.size - 2; cut += 7) {
            uint8_t *exact = sb_malloc(cut ? cut : 1); /* so that a sanitizer sees reading past the end */
            memcpy(exact, bytes.data, cut);
            assert_int_equal(sb_picture_decode(&out, exact, cut), -1);
            assert_true(strlen(sb_error_message()) > 5);
            free(exact);
        }
        for (int i = 0; i < 2000; i++) {
            size_t at = sb_rng_below(&rng, i % 2 ? (uint32_t)bytes.size : 100);
            uint8_t was = bytes.data[at];
            bytes.data[at] = (uint8_t)sb_rng_u32(&rng);
            if (sb_picture_decode(&out, bytes.data, bytes.size) == 0) assert_true(out.width > 0);
            bytes.data[at] = was;
        }
    }
    sb_picture_free(&p);
    sb_picture_free(&out);
    free(bytes.data);
}

static void lies_about_size_are_refused(void **state)
{
    (void)state;
    struct sb_picture p = {0}, out = {0};
    struct sb_buffer b = {0};
    fill_noise(&p, 16, 16, 5);
    assert_int_equal(sb_jpeg_encode(&p, 90, &b), 0);
    uint8_t *frame = memmem(b.data, b.size, "\xff\xc0", 2);
    assert_non_null(frame);
    memcpy(frame + 5, "\x3f\xff\x3f\xff", 4);
    assert_int_equal(sb_picture_decode(&out, b.data, b.size), -1);
    assert_non_null(strstr(sb_error_message(), "can't hold"));
    assert_int_equal(out.cap, 0);
    assert_int_equal(sb_picture_size(&out, 1 << 14, (1 << 14) + 1), -1);
    assert_int_equal(sb_picture_size(&out, 0, 5), -1);
    sb_picture_free(&p);
    free(b.data);
}

/* The corpus of fuzz_picture.c: a byte that says what is asked, and a file. Each is answered, the good ones with pixels. */
static void corpus_is_answered(void **state)
{
    (void)state;
    DIR *d = opendir("tests/corpus/picture"); /* when run from the project's root, as make does */
    int seen = 0;
    struct dirent *e;
    struct sb_picture p = {0};
    if (!d) skip();
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        char *path = sb_format("tests/corpus/picture/%s", e->d_name);
        uint8_t bytes[8192];
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t size = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_in_range(size, 1, sizeof bytes - 1);
        struct sb_decoding how = {
            .stored = bytes[0] & 1, .over = bytes[0] & 2, .bits = bytes[0] & 4 ? 8 + bytes[0] / 32 : 0};
        bool good = !strncmp(e->d_name, "good", 4);
        uint8_t *exact = sb_malloc(size - 1 ? size - 1 : 1); /* so that a sanitizer sees reading past the end */
        memcpy(exact, bytes + 1, size - 1);
        if (sb_picture_decode_as(&p, exact, size - 1, &how) != (good ? 0 : -1))
            fail_msg("%s was %s", path, good ? sb_error_message() : "taken");
        free(exact);
        free(path);
        seen++;
    }
    closedir(d);
    sb_picture_free(&p);
    assert_true(seen > 20);
}

/* ---- pictures in records ---------------------------------------------------------------------------------------- */

static void records_carry_pictures(void **state)
{
    (void)state;
    struct sb_record r = {0};
    struct sb_picture p = {0}, back = {0};
    struct sb_buffer scratch = {0};
    fill_noise(&p, 21, 13, 5);
    assert_int_equal(sb_image_get(&r, "image", &back), 0);
    for (enum sb_image_encoding e = SB_IMAGE_RAW; e <= SB_IMAGE_PNG; e++) {
        assert_int_equal(sb_image_set(&r, "image", &p, e, &scratch), 0);
        assert_int_equal(sb_image_get(&r, "image", &back), 1);
        assert_same(&p, &back);
        assert_true((back.rgb == back.own) == (e != SB_IMAGE_RAW)); /* raw pixels are not copied */
    }
    uint8_t grey[6] = {0, 1, 2, 3, 4, 255};
    struct sb_tensor t = {SB_U8, 2, {2, 3}, grey};
    sb_set_tensor(&r, "image", &t);
    assert_int_equal(sb_image_get(&r, "image", &back), 1);
    assert_int_equal(back.width, 3);
    for (int i = 0; i < 18; i++) assert_int_equal(back.rgb[i], grey[i / 3]);
    uint16_t deep[6] = {0, 255, 256, 4095, 4096, 65535};
    static const uint8_t upper[2][6] = {{0, 0, 1, 15, 16, 255}, {0, 15, 16, 255, 255, 255}};
    for (int channels = 1; channels <= 3; channels += 2)
        for (int twelve = 0; twelve <= 1; twelve++) {
            struct sb_decoding how = {.bits = twelve ? 12 : 0};
            t = (struct sb_tensor){SB_U16, 3, {1, 6 / channels, channels}, deep};
            sb_set_tensor(&r, "image", &t);
            assert_int_equal(sb_image_get_as(&r, "image", &back, &how), 1);
            assert_int_equal(back.width, 6 / channels);
            for (int i = 0; i < 6; i++) assert_int_equal(back.rgb[channels == 3 ? i : 3 * i], upper[twelve][i]);
        }
    float real[12] = {0};
    t = (struct sb_tensor){SB_F32, 3, {2, 2, 3}, real};
    sb_set_tensor(&r, "image", &t);
    assert_int_equal(sb_image_get(&r, "image", &back), -1);
    assert_non_null(strstr(sb_error_message(), "f32 [2,2,3]"));
    sb_set_int(&r, "image", 5);
    assert_int_equal(sb_image_get(&r, "image", &back), -1);
    sb_record_free(&r);
    sb_picture_free(&p);
    sb_picture_free(&back);
    free(scratch.data);
}

static void transform_keeps_the_middle(void **state)
{
    (void)state;
    struct sb_picture in = {0}, scratch = {0}, whole = {0};
    /* 75 x 50 to 40 of 50: 75 x 50 again, offsets 17.5 (to the even 18) and 5. */
    struct sb_transform t = {.size = 40, .crop = 0.8, .bgr = true};
    static uint8_t out[3 * 40 * 40];
    fill_noise(&in, 75, 50, 3);
    assert_int_equal(sb_transform(&t, &in, &scratch, out), 0);
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 40; x++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(out[((2 - c) * 40 + y) * 40 + x], in.rgb[((y + 5) * 75 + x + 18) * 3 + c]);
    t = (struct sb_transform){.size = 20, .crop = 1, .fit = SB_FIT_STRETCH, .filter = SB_BILINEAR};
    assert_int_equal(sb_transform(&t, &in, &scratch, out), 0);
    assert_int_equal(sb_resize(&in, &whole, 20, 20, SB_BILINEAR), 0);
    for (int i = 0; i < 400; i++) assert_int_equal(out[i], whole.rgb[3 * i]);
    float real[3], mean[3] = {0.5f, 0, 0.25f}, std[3] = {0.5f, 1, 2};
    sb_transform_normalize((const uint8_t[]){255, 255, 0}, real, 1, mean, std);
    assert_true(real[0] == 1 && real[1] == 1 && real[2] == -0.125f);
    sb_picture_free(&in);
    sb_picture_free(&scratch);
    sb_picture_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizes_as_pillow),
        cmocka_unit_test(ways_agree),
        cmocka_unit_test(window_is_a_crop),
        cmocka_unit_test(crop_outside_is_black),
        cmocka_unit_test(decodes_as_pillow),
        cmocka_unit_test(decodes_as_asked),
        cmocka_unit_test(encodes_what_it_decodes),
        cmocka_unit_test(broken_files_are_errors),
        cmocka_unit_test(lies_about_size_are_refused),
        cmocka_unit_test(corpus_is_answered),
        cmocka_unit_test(records_carry_pictures),
        cmocka_unit_test(transform_keeps_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
