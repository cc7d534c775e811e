/* When footage was taken: times in names, in Exif blocks of pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "media/exif.h"
#include "media/taken.h"
#include "tests/folder.h"

#define NOON 1783087509.0 /* 2026-07-03T14:05:09Z */
#define DATE "(?<year>\\d{4})(?<month>\\d\\d)(?<day>\\d\\d)"

static int find(const char *regex, const char *name, const char *zone, double *time)
{
    struct sb_zone z = {0};
    struct sb_name_time *t = sb_name_time_open(regex);
    if (!t) fail_msg("%s: %s", regex, sb_error_message());
    if (zone) assert_int_equal(sb_zone_parse(zone, &z), 0);
    int rc = sb_name_time_find(t, name, &z, time);
    sb_name_time_close(t);
    return rc;
}

static void finds(const char *regex, const char *name, const char *zone, double want)
{
    double got;
    if (find(regex, name, zone, &got) < 0) fail_msg("%s in %s: %s", regex, name, sb_error_message());
    if (got != want) fail_msg("%s in %s: %.9f", regex, name, got);
}

static void fails(const char *regex, const char *name, const char *why)
{
    double got;
    if (find(regex, name, NULL, &got) == 0) fail_msg("%s in %s: %.9f", regex, name, got);
    if (!strstr(sb_error_message(), why) || strncmp(sb_error_message(), name, strlen(name)))
        fail_msg("%s in %s: %s", regex, name, sb_error_message());
}

static void names(void **state)
{
    (void)state;
    finds("(\\d{8}T\\d{6}(?:\\.\\d+)?Z)", "leg1/CAM_20260703T140509.250Z.mp4", NULL, NOON + 0.25);
    finds("(\\d{8}-\\d{6})", "GX01_20260703-160509.MP4", "Europe/Berlin", NOON);
    finds(DATE "_(?<hour>..)(?<minute>..)(?<second>..)", "dive 20260703_140509.mkv", "UTC", NOON);
    finds(DATE "_(?<hour>..)(?<minute>..)(?<second>\\d\\d)?", "dive 20260703_1405.mkv", "UTC", NOON - 9);
    finds(DATE "T(?<hour>..)(?<minute>..)(?<second>..)(?<fraction>\\d*)(?<zone>Z|[+-]\\d{4})",
          "20260703T16050925+0200.avi", NULL, NOON + 0.25);
    finds("(?<day>\\d+)\\.(?<month>\\d+)\\.(?<year>\\d+) (?<hour>\\d+)h(?<minute>\\d+)", "3.7.2026 14h05.mp4", "Z",
          NOON - 9);
    finds("(?<unix>\\d{10})(?<fraction>\\d{3})", "img_1783087509250.jpg", NULL, NOON + 0.25);
    finds("(?<unix>\\d+)", "1783087509", "+02:00", NOON);
    finds("^(.*)/", "2026-07-03T14-05-09Z/a.mp4", NULL, NOON);
}

static void names_that_do_not_tell(void **state)
{
    (void)state;
    fails("(\\d{8}T\\d{6}Z)", "dive.mp4", "does not match");
    fails("x(\\d+)?", "x.mp4", "matches nothing");
    fails("(\\d{8})", "20260703.mp4", "not a date and time");
    fails("(\\d{8}T\\d{6})", "20260703T140509.mp4", "names no zone");
    fails("(\\d{8}T\\d{6}Z)", "20260732T140509Z.mp4", "in no calendar");
    fails("(?<year>\\d\\d)(?<month>..)(?<day>..)(?<hour>..)(?<minute>..)", "2607031405",
          "its year is '26', not 4 digits");
    fails(DATE "(?<hour>..)(?<minute>..)", "202607031x05", "its hour is '1x'");
    fails(DATE "(?<hour>..)(?<minute>..)(?<zone>.*)", "202607031405CEST", "its zone is 'CEST'");
    fails(DATE "(?<hour>..)(?<minute>..)(?<zone>.*)", "202607031405Europe/Berlin", "its zone is");
    fails("(?<unix>\\d+)", "1783087509250.jpg", "its unix is '1783087509250'");
    fails("(?:(a+)+)$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "match limit exceeded");
}

static void expressions_that_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"(\\d", "at its character"},
        {"\\d+", "it has 0 groups"},
        {"(a)(b)", "it has 2 groups"},
        {"(?<jahr>....)", "a group is named 'jahr'"},
        {DATE, "no group is named hour"},
        {"(?<unix>.*)(?<year>....)", "unix says all"},
        {DATE "(?<hour>..)(?<minute>..)(?<fraction>.)", "no group is named second"},
        {"(?J)(?<unix>a)|(?<unix>b)", "two groups are named unix"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (sb_name_time_open(wrong[i][0])) fail_msg("%s was taken", wrong[i][0]);
        if (!strstr(sb_error_message(), wrong[i][1])) fail_msg("%s: %s", wrong[i][0], sb_error_message());
    }
}

/* ---- Exif ---- */

struct block {
    uint8_t data[512];
    size_t size;
    bool big;
};

static void put(struct block *b, size_t at, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) b->data[at + (size_t)i] = (uint8_t)(v >> 8 * (b->big ? bytes - 1 - i : i));
}

static void text_entry(struct block *b, size_t at, uint32_t tag, const char *text)
{
    size_t n = strlen(text) + 1;
    put(b, at, tag, 2);
    put(b, at + 2, 2, 2);
    put(b, at + 4, (uint32_t)n, 4);
    put(b, at + 8, (uint32_t)b->size, 4);
    memcpy(b->data + (n <= 4 ? at + 8 : b->size), text, n);
    if (n > 4) b->size += n;
}

/* A TIFF header, a directory with orientation and the way to the Exif directory, and that one's three texts. */
static struct block make_block(bool big, const char *taken, const char *fraction, const char *offset)
{
    struct block b = {.big = big};
    memcpy(b.data, big ? "MM\0*" : "II*\0", 4);
    put(&b, 4, 8, 4);
    put(&b, 8, 2, 2);
    put(&b, 10, 0x0112, 2);
    put(&b, 12, 3, 2);
    put(&b, 14, 1, 4);
    put(&b, 18, 6, 2);
    put(&b, 22, 0x8769, 2);
    put(&b, 24, 4, 2);
    put(&b, 26, 1, 4);
    put(&b, 30, 40, 4);
    put(&b, 40, 3, 2);
    b.size = 42 + 3 * 12 + 4;
    text_entry(&b, 42, 0x9003, taken);
    text_entry(&b, 54, 0x9011, offset);
    text_entry(&b, 66, 0x9291, fraction);
    return b;
}

static void exif_blocks(void **state)
{
    (void)state;
    char text[SB_EXIF_TAKEN];
    for (int big = 0; big < 2; big++) {
        struct block b = make_block(big, "2026:07:03 16:05:09", "25 ", "+02:00");
        assert_true(sb_exif_taken(b.data, b.size, text));
        assert_string_equal(text, "2026:07:03 16:05:09.25+02:00");
        assert_int_equal(sb_exif_orientation(b.data, b.size), 6);
        for (size_t n = 0; n < b.size; n++) { /* cut anywhere, and put where a read beyond it would be seen */
            uint8_t *cut = malloc(n + 1);
            memcpy(cut, b.data, n);
            sb_exif_taken(cut, n, text);
            free(cut);
        }
        for (size_t i = 0; i < b.size; i++) { /* any byte wrong */
            struct block broken = b;
            broken.data[i] ^= 0xff;
            uint8_t *exact = malloc(b.size);
            memcpy(exact, broken.data, b.size);
            sb_exif_taken(exact, b.size, text);
            free(exact);
        }
        b = make_block(big, "    :  :     :  :  ", "", "");
        assert_false(sb_exif_taken(b.data, b.size, text));
        b = make_block(big, "", "", "");
        assert_false(sb_exif_taken(b.data, b.size, text));
    }
}

/* The input of a file of these bytes and the block. */
static struct sb_input write_file(const char *name, const char *before, size_t size, const struct block *b)
{
    char *path = sb_format("%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(before, 1, size, f);
    fwrite(b->data, 1, b->size, f);
    assert_int_equal(fclose(f), 0);
    return (struct sb_input){.path = path, .source = path, .picture = true};
}

static void pictures(void **state)
{
    (void)state;
    struct sb_taken taken = {.file = true, .offset = -1.5};
    struct block b = make_block(true, "2026:07:03 16:05:09", "250", "+02:00"),
                 local = make_block(false, "2026:07:03 14:05:09", "", "");
    char jpeg[] = "\xff\xd8\xff\xe0\0\x04xx\xff\xe1\0\0Exif\0",
         png[] = "\x89PNG\r\n\x1a\n\0\0\0\x02tEXtxxcccc\0\0\0\0eXIf";
    jpeg[10] = (char)((b.size + 8) >> 8), jpeg[11] = (char)(b.size + 8);
    png[24] = (char)(b.size >> 8), png[25] = (char)b.size;
    double time;
    struct sb_input a = write_file("a.jpg", jpeg, sizeof jpeg, &b);
    assert_int_equal(sb_taken_at(&taken, &a, &time), 0);
    assert_true(time == NOON + 0.25 - 1.5);
    unlink(a.path);
    struct sb_input c = write_file("c.png", png, sizeof png - 1, &b);
    assert_int_equal(sb_taken_at(&taken, &c, &time), 0);
    assert_true(time == NOON + 0.25 - 1.5);
    unlink(c.path);
    jpeg[10] = (char)((local.size + 8) >> 8), jpeg[11] = (char)(local.size + 8);
    struct sb_input d = write_file("d.jpg", jpeg, sizeof jpeg, &local);
    assert_int_equal(sb_taken_at(&taken, &d, &time), -1);
    assert_non_null(strstr(sb_error_message(), "d.jpg: 2026-07-03T14:05:09 names no zone"));
    assert_int_equal(sb_zone_parse("UTC", &taken.zone), 0);
    assert_int_equal(sb_taken_at(&taken, &d, &time), 0);
    assert_true(time == NOON - 1.5);
    unlink(d.path);
    free(a.path);
    free(c.path);
    free(d.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(names_that_do_not_tell),
        cmocka_unit_test(expressions_that_are_refused),
        cmocka_unit_test(exif_blocks),
        cmocka_unit_test(pictures),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
