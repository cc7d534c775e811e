/* Text formats: JSON of hostile values, CSV's quotes, WebVTT's cues, names of files, COCO with holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "annotation/format.h"
#include "formats/contact.h"
#include "formats/csv.h"
#include "formats/jsonl.h"
#include "formats/names.h"
#include "formats/text.h"
#include "formats/cues.h"
#include "media/sheet.h"

static char *written;
static size_t written_size;

static FILE *begin(void)
{
    free(written);
    written = NULL;
    return open_memstream(&written, &written_size);
}

#define assert_written(f, text)                                                                                        \
    do {                                                                                                               \
        fclose(f);                                                                                                     \
        assert_int_equal(written_size, sizeof(text) - 1);                                                              \
        assert_memory_equal(written, text, sizeof(text) - 1);                                                          \
    } while (0)

#define assert_json(bytes, text)                                                                                       \
    do {                                                                                                               \
        struct sb_record memory = {0};                                                                                 \
        FILE *f_ = begin();                                                                                            \
        const uint8_t *p_ = (const uint8_t *)(bytes);                                                                  \
        assert_ptr_equal(sb_json_value(f_, &memory, p_, sizeof(bytes) - 1), p_ + sizeof(bytes) - 1);                   \
        assert_written(f_, text);                                                                                      \
        sb_record_free(&memory);                                                                                       \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    char buf[SB_NUMBER];
    static const double hard[] = {0.1, 1 / 3.0, 1e22, 5e-324, 1.7976931348623157e308, -0.0, 9007199254740993.0};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++)
        assert_true(strtod(sb_text_f64(hard[i], buf), NULL) == hard[i]);
    assert_string_equal(sb_text_f64(0.1, buf), "0.1");
    assert_string_equal(sb_text_f32(0.1f, buf), "0.1");
    assert_string_equal(sb_text_f32(16777216.0f, buf), "16777216");
    for (uint32_t bits = 1; bits < 0x7f800000u; bits += 40000003u) {
        float v;
        memcpy(&v, &bits, 4);
        assert_true(strtof(sb_text_f32(v, buf), NULL) == v);
    }
}

static void json_scalars(void **state)
{
    (void)state;
    assert_json("\xc0", "null");
    assert_json("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
    assert_json("\xd3\x80\0\0\0\0\0\0\0", "-9223372036854775808");
    assert_json("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1");
    assert_json("\xca\x3d\xcc\xcc\xcd", "0.1");
    assert_json("\xcb\x3f\xf0\0\0\0\0\0\0", "1.0");
    assert_json("\xcb\x44\xb5\x2d\x02\xc7\xe1\x4a\xf6", "1e+23");
    assert_json("\xcb\x7f\xf8\0\0\0\0\0\0", "null");
    assert_json("\xca\xff\x80\0\0", "null");
    assert_json("\xc4\x03\x01\x02\xff", "\"0102ff\"");
    assert_json("\xd6\xff\x01\x02\x03\x04", "{\"ext\":-1,\"hex\":\"01020304\"}");
}

static void json_text(void **state)
{
    (void)state;
    assert_json("\xa6"
                "a\"\\\n\x01\x7f",
                "\"a\\\"\\\\\\n\\u0001\x7f\"");
    assert_json("\xa3\x61\0b", "\"a\\u0000b\"");
    assert_json("\xa4"
                "a\xff"
                "b\xc3",
                "\"a\xEF\xBF\xBD"
                "b\xEF\xBF\xBD\"");                                              /* a stray byte, a cut character */
    assert_json("\xa3\xed\xa0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* a surrogate */
    assert_json("\xa2\xc0\xaf", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                 /* a long form of '/' */
    assert_json("\xa4\xf0\x9f\x90\x9f", "\"\xf0\x9f\x90\x9f\"");                 /* a fish */
}

static void json_nested(void **state)
{
    (void)state;
    /* {1: [nil, {"a": {}}], bin "k": true, bin ff: 2, [1]: 3, nil: 4, -1.5: 5} */
    assert_json("\x86\x01\x92\xc0\x81\xa1"
                "a\x80\xc4\x01k\xc3\xc4\x01\xff\x02\x91\x01\x03\xc0\x04\xca\xbf\xc0\0\0\x05",
                "{\"1\":[null,{\"a\":{}}],\"k\":true,\"ff\":2,\"[1]\":3,\"null\":4,\"-1.5\":5}");
    uint8_t deep[64];
    struct sb_record memory = {0};
    memset(deep, 0x91, sizeof deep);
    deep[63] = 1;
    FILE *f = begin();
    assert_null(sb_json_value(f, &memory, deep, sizeof deep));
    assert_null(
        sb_json_value(f, &memory, (const uint8_t *)"\xdd\xff\xff\xff\xff", 5)); /* 4 billion values in 5 bytes */
    assert_null(sb_json_value(f, &memory,
                              (const uint8_t *)"\xa5"
                                               "abc",
                              4));
    fclose(f);
    sb_record_free(&memory);
}

static void json_arrays(void **state)
{
    (void)state;
    struct sb_record rec = {0};
    float few[4] = {0.5f, 0.1f, -1, 3e38f}, many[100] = {0};
    uint16_t half[3] = {0x3f80, 0xc000, 0x7fc0};
    struct sb_tensor t = {SB_F32, 2, {2, 2}, few}, big = {SB_F32, 2, {10, 10}, many}, bf16 = {SB_BF16, 1, {3}, half};
    struct sb_tensor empty = {SB_U8, 3, {0, INT64_C(1) << 40, 3}, few}, scalar = {SB_F32, 0, {0}, few};
    sb_set_tensor(&rec, "few", &t);
    sb_set_tensor(&rec, "big", &big);
    sb_set_tensor(&rec, "bf16", &bf16);
    sb_set_tensor(&rec, "empty", &empty);
    sb_set_tensor(&rec, "scalar", &scalar);
    sb_set_bin(&rec, "jpeg", "\xff\xd8\xff 0123456789012345678901234567890123456789012345678901234567890123456789", 70);
    FILE *f = begin();
    assert_int_equal(sb_jsonl_write(f, &rec), 0);
    assert_written(
        f, "{\"few\":[[0.5,0.1],[-1.0,3e+38]],\"big\":{\"dtype\":\"f32\",\"shape\":[10,10]},\"bf16\":[1.0,-2.0,null],"
           "\"empty\":{\"dtype\":\"u8\",\"shape\":[0,1099511627776,3]},\"scalar\":0.5,"
           "\"jpeg\":{\"format\":\"jpeg\",\"bytes\":70}}\n");
    sb_record_free(&rec);
    /* What numpy writes for np.int64(-2) and for an array of complex numbers, which stays a map. */
    assert_json("\x83\xc4\x02nd\xc2\xc4\x04type\xa3<i8\xc4\x04"
                "data\xc4\x08\xfe\xff\xff\xff\xff\xff\xff\xff",
                "-2");
    assert_json("\x84\xc4\x02nd\xc3\xc4\x04type\xa3<c8\xc4\x05shape\x90\xc4\x04"
                "data\xc4\x02\x01\x02",
                "{\"nd\":true,\"type\":\"<c8\",\"shape\":[],\"data\":\"0102\"}");
}

static void csv_cells(void **state)
{
    (void)state;
    struct sb_csv csv;
    struct sb_record rec = {0};
    float box[4] = {1, 2.5f, 3, 4};
    struct sb_tensor t = {SB_F32, 1, {4}, box};
    assert_int_equal(sb_csv_init(&csv, "a,label,x,h,box,predicted_label,probability,labels,no,\"q\""), 0);
    sb_set_text(&rec, "a", "1,2\r\n\"3\"\0", 9);
    sb_set_cstr(&rec, "label", " plain ");
    sb_set_tensor(&rec, "box", &t);
    sb_set_packed(&rec, "predicted",
                  "\x92\x92\xa4"
                  "crab\xca\x3f\x40\0\0\x92\xa1x\x00",
                  16);
    sb_set_packed(&rec, "labels",
                  "\x93\xa1"
                  "a\xc0\x92\x01\xa1"
                  "b",
                  8);
    FILE *f = begin();
    sb_csv_head(&csv, f);
    assert_int_equal(sb_csv_write(&csv, f, &rec), 0);
    assert_written(
        f, "a,label,x,h,box,predicted_label,probability,labels,no,\"\"\"q\"\"\"\r\n"
           "\"1,2\r\n\"\"3\"\"\xEF\xBF\xBD\",\" plain \",1,4,1; 2.5; 3; 4,crab,0.75,\"a; ; [1,\"\"b\"\"]\",,\r\n");
    assert_true(csv.seen[2]);
    assert_false(csv.seen[8]);
    sb_set_cstr(&rec, "predicted", "crab");
    f = begin();
    assert_int_equal(sb_csv_write(&csv, f, &rec), -1);
    fclose(f);
    sb_csv_free(&csv);
    assert_int_equal(sb_csv_init(&csv, ",,"), -1);
    sb_csv_free(&csv);
    sb_record_free(&rec);
}

static void say(struct sb_cues *vtt, double pts, double duration, const char *text)
{
    assert_int_equal(sb_cues_add(vtt, pts, duration, text, strlen(text)), strspn(text, " \r\n") < strlen(text));
}

static void vtt_cues(void **state)
{
    (void)state;
    struct sb_cues vtt;
    FILE *f = begin();
    sb_cues_begin(&vtt, f, SB_CUES_VTT);
    say(&vtt, 0, 1.0 / 3, "fish");
    say(&vtt, 1.0 / 3, 1.0 / 3, "fish");  /* prolongs */
    say(&vtt, 2.0 / 3, 5, "a <b> & -->"); /* shown until the next, not for 5 s */
    say(&vtt, 2, 0.5, "crab");
    say(&vtt, 2, 0.5, "crab"); /* the same at the same time */
    say(&vtt, 2, 0.75, "line\n\nbreaks");
    say(&vtt, 3, 0, "crab"); /* after a gap: a new cue, until the next */
    say(&vtt, 4, 0, "  \n"); /* nothing */
    say(&vtt, 5, 0, "crab");
    say(&vtt, 3600 * 123 + 59.9996, 0, "late");
    sb_cues_end(&vtt);
    assert_written(f, "WEBVTT\n\n"
                      "00:00:00.000 --> 00:00:00.667\nfish\n\n"
                      "00:00:00.667 --> 00:00:02.000\na &lt;b&gt; &amp; --&gt;\n\n"
                      "00:00:02.000 --> 00:00:02.750\ncrab\nline  breaks\n\n"
                      "00:00:03.000 --> 00:00:04.000\ncrab\n\n"
                      "00:00:05.000 --> 123:01:00.000\ncrab\n\n"
                      "123:01:00.000 --> 123:01:01.000\nlate\n\n");
    sb_cues_free(&vtt);
}

static void srt_cues(void **state)
{
    (void)state;
    struct sb_cues srt;
    FILE *f = begin();
    sb_cues_begin(&srt, f, SB_CUES_SRT);
    say(&srt, 0, 1, "2 < 3 & <b>bold</b>");
    say(&srt, 1, 1, "{\\an8}{y:i} {a}");
    say(&srt, 1, 1, "9\r\n\r\n00:00:00,000 --> 00:00:09,000\r\n");
    say(&srt, 3600 * 123 + 59.9996, 0, "\xc3\xa4\xff");
    sb_cues_end(&srt);
    assert_written(f, "1\r\n00:00:00,000 --> 00:00:01,000\r\n2 < 3 & \u2039b>bold\u2039/b>\r\n\r\n"
                      "2\r\n00:00:01,000 --> 00:00:02,000\r\n(\\an8}(y:i} {a}\r\n"
                      "9    00:00:00,000 \u2013-> 00:00:09,000\r\n\r\n"
                      "3\r\n123:01:00,000 --> 123:01:01,000\r\n\u00e4\ufffd\r\n\r\n");
    sb_cues_free(&srt);
}

static void vtt_refusals(void **state)
{
    (void)state;
    struct sb_cues vtt;
    struct sb_record rec = {0};
    struct sb_cell cell = {0};
    FILE *f = begin();
    sb_cues_begin(&vtt, f, SB_CUES_VTT);
    say(&vtt, 5, 1, "fish");
    assert_int_equal(sb_cues_add(&vtt, 4.9, 1, "fish", 4), -1);
    assert_int_equal(sb_cues_add(&vtt, -1, 1, "fish", 4), -1);
    assert_int_equal(sb_cues_add(&vtt, strtod("nan", NULL), 1, "fish", 4), -1);
    assert_int_equal(sb_cues_add(&vtt, 1e300, 1, "fish", 4), -1);
    assert_int_equal(sb_cues_record(&vtt, &rec, NULL, &cell), -1);
    assert_non_null(strstr(sb_error_message(), "pts"));
    sb_set_real(&rec, "pts", 6);
    assert_int_equal(sb_cues_record(&vtt, &rec, NULL, &cell), 0); /* it has no words */
    sb_set_packed(&rec, "predicted",
                  "\x91\x92\xa4"
                  "crab\xca\x3f\x7e\xb8\x52",
                  12);
    assert_int_equal(sb_cues_record(&vtt, &rec, NULL, &cell), 1);
    assert_string_equal(cell.text, "crab 100 %");
    sb_set_cstr(&rec, "caption", "a crab");
    assert_int_equal(sb_cues_record(&vtt, &rec, NULL, &cell), 1);
    assert_string_equal(cell.text, "a crab");
    assert_int_equal(sb_cues_record(&vtt, &rec, "predicted", &cell), 1);
    assert_string_equal(cell.text, "crab 100 %");
    assert_int_equal(sb_cues_record(&vtt, &rec, "nothing", &cell), 0);
    sb_cues_end(&vtt);
    fclose(f);
    sb_cues_free(&vtt);
    sb_cell_free(&cell);
    sb_record_free(&rec);
}

static void file_names(void **state)
{
    (void)state;
    static const char *const pair[][2] = {{"dive 1.mp4", "dive 1"},
                                          {"a/b/dive.mp4", "a_b_dive"},
                                          {"../../etc/passwd", "_._.._etc_passwd"},
                                          {"..", "_."},
                                          {"/", "_"},
                                          {"", "_"},
                                          {".hidden", "_hidden"},
                                          {"-rf.mp4", "_rf"},
                                          {"dive 2024.01.05", "dive 2024.01.05"},
                                          {"a\n\x01\xff.png", "a___"},
                                          {"a\\b.png", "a_b"},
                                          {"d\xc3\xa9j\xc3\xa0.mov", "d\xc3\xa9j\xc3\xa0"}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        char *stem = sb_name_stem(pair[i][0], strlen(pair[i][0]));
        assert_string_equal(stem, pair[i][1]);
        assert_null(strchr(stem, '/'));
        free(stem);
    }
    char longest[1000];
    memset(longest, 'x', sizeof longest);
    char *stem = sb_name_stem(longest, sizeof longest);
    assert_int_equal(strlen(stem), 150);
    free(stem);

    struct sb_dictionary taken = {0}, seen = {0};
    for (int i = 0; i < 20; i++) { /* names are never given twice, even if what tells them apart is the same */
        char *name = sb_name_take(&taken, "dive", i < 3 ? "abc" + i : "same", i < 3 ? 1 : 4, ".csv");
        assert_int_equal(sb_dictionary_add(&seen, name, strlen(name)), i);
        if (i == 0) assert_string_equal(name, "dive.csv");
        free(name);
    }
    sb_dictionary_free(&taken);
    sb_dictionary_free(&seen);
}

static void read_coco(const char *json, int want, struct sb_annotated_list *list)
{
    char path[] = "/tmp/test_formats.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, json, strlen(json)) == (ssize_t)strlen(json));
    close(fd);
    memset(list, 0, sizeof *list);
    struct sb_annotation_options options = {0};
    assert_int_equal(sb_coco.read(path, &options, list), want);
    if (want) assert_non_null(strstr(sb_error_message(), path));
    unlink(path);
}

static void coco(void **state)
{
    (void)state;
    struct sb_annotated_list list;
    read_coco(
        "{\"images\": [{\"id\": 2, \"file_name\": \"a/x.png\", \"coco_url\": null}, {\"id\": \"2\", \"file_name\": "
        "\"y.png\"}],"
        "\"annotations\": [{\"image_id\": 2, \"category_id\": 1, \"bbox\": [1, 2, 3.5, 4]}, {\"image_id\": \"2\", "
        "\"bbox\": [1, 2, 3, 4]},"
        "{\"image_id\": 2, \"category_id\": null, \"bbox\": [0, 0, 1, 1]}, {\"image_id\": 2, \"bbox\": [0, 0, 0, 1]},"
        "{\"image_id\": 2, \"bbox\": [0, 0, 1]}, {\"image_id\": 2, \"bbox\": [0, 0, 1, \"1\"]}, {\"image_id\": null}, "
        "5],"
        "\"categories\": [{\"id\": 1, \"name\": \"Beroe\"}]}",
        0, &list);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.item[0].source, "a/x.png");
    const struct sb_annotation *one = &list.annotation[list.item[0].first - 1], *two = &list.annotation[one->next - 1];
    struct sb_record fields = {0};
    const char *label;
    size_t size;
    sb_annotated_fields(&list, one->at, one->size, &fields);
    assert_true(sb_get_text(&fields, "label", &label, &size) == 1 && size == 5 && !memcmp(label, "Beroe", 5));
    assert_true(one->boxed && one->box[2] == 3.5);
    sb_annotated_fields(&list, two->at, two->size, &fields);
    assert_int_equal(sb_get_text(&fields, "label", &label, &size), 0);
    assert_int_equal(two->next, 0);
    assert_int_equal(list.annotations, 3);
    assert_int_equal(list.unusable, 5);
    assert_int_equal(list.nameless, 0);
    sb_record_free(&fields);
    assert_int_equal(sb_annotated_group(&list, "x|y"), 0);
    assert_string_equal(list.item[1].group, "y");
    assert_int_equal(sb_annotated_group(&list, "a/(.)"), -1);
    assert_non_null(strstr(sb_error_message(), "y.png"));
    sb_annotated_free(&list);

    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"images\": 5}",
        "{\"images\": [], \"annotations\": [], \"categories\": {}}",
        "{\"images\": [{\"id\": 1}], \"annotations\": [], \"categories\": []}",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 1, \"file_name\": \"b\"}], \"annotations\": [], "
        "\"categories\": []}",
        "{\"images\": [], \"annotations\": [], \"categories\": [{\"id\": 1, \"name\": null}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        read_coco(bad[i], -1, &list);
        sb_annotated_free(&list);
    }
}

static void sheet(void **state)
{
    (void)state;
    struct sb_sheet s;
    struct sb_picture red = {0}, out = {0};
    sb_picture_size(&red, 20, 10);
    for (int i = 0; i < 200; i++) memcpy(red.rgb + i * 3, "\xff\0\0", 3);
    sb_sheet_init(&s, 2, 40);
    static const char *const heading[] = {"row 10", "row 2"};
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3 - i; k++) {
            assert_int_equal(sb_sheet_add(&s, sb_sheet_part(&s, heading[i]), &red,
                                          "a long word: Acanthurus \xff\xc3\xa9\n\n", SB_SHEET_RIGHT, 0),
                             0);
        }
    }
    assert_int_equal(sb_sheet_draw(&s, &out), 0);
    assert_string_equal(s.part[0].heading, "row 2"); /* sorted as people do */
    assert_int_equal(out.width, 8 + 2 * 48);
    int reds = 0, greens = 0;
    for (int i = 0; i < out.width * out.height; i++) {
        reds += !memcmp(out.rgb + i * 3, "\xff\0\0", 3);
        greens += !memcmp(out.rgb + i * 3, "\x50\xc8\x78", 3);
    }
    assert_int_equal(reds, 5 * 40 * 20); /* five pictures, twice as large */
    assert_int_equal(greens, 5 * (46 * 26 - 40 * 20));
    sb_sheet_free(&s);
    sb_picture_free(&red);
    sb_picture_free(&out);
}

static int release(void **state)
{
    (void)state;
    free(written);
    return 0;
}

/* Of each cluster the two nearest to its centroid, the nearer first, wherever they stood. */
static void a_contact_row_shows_what_is_typical(void **state)
{
    (void)state;
    static const float distance[] = {5, 1, 4, 2, 3, 0.5f};
    struct sb_contact c;
    struct sb_record rec = {0};
    uint8_t rgb[8 * 8 * 3] = {0};
    sb_contact_init(&c, 2, 16, 120, "cluster");
    for (int i = 0; i < 6; i++) {
        struct sb_tensor t = {.dtype = SB_U8, .ndim = 3, .shape = {8, 8, 3}, .data = rgb};
        sb_record_reset(&rec);
        sb_set_tensor(&rec, "image", &t);
        sb_set_int(&rec, "cluster", i == 4);
        sb_set_f32(&rec, "distance", distance[i]);
        assert_int_equal(sb_contact_add(&c, &rec), i < 2 || i == 4);
    }
    assert_int_equal(c.shown, 3);
    assert_int_equal(c.left_out, 3);
    assert_int_equal(c.sheet.part[0].count, 2);
    assert_int_equal(c.sheet.part[0].seen, 5);
    assert_true(c.sheet.part[0].cell[0].order == 0.5 && c.sheet.part[0].cell[1].order == 1);
    sb_set_cstr(&rec, "distance", "far");
    assert_int_equal(sb_contact_add(&c, &rec), -1);
    sb_contact_free(&c);
    sb_record_free(&rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(json_scalars),
        cmocka_unit_test(json_text),
        cmocka_unit_test(json_nested),
        cmocka_unit_test(json_arrays),
        cmocka_unit_test(csv_cells),
        cmocka_unit_test(vtt_cues),
        cmocka_unit_test(srt_cues),
        cmocka_unit_test(vtt_refusals),
        cmocka_unit_test(file_names),
        cmocka_unit_test(coco),
        cmocka_unit_test(sheet),
        cmocka_unit_test(a_contact_row_shows_what_is_typical),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
