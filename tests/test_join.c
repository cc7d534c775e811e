/* Cells that come back from spreadsheets, and which rows of a table match a record. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "join/rows.h"

static struct sb_cell_reading reading;

static int read_cell(struct sb_record *rec, const char *column, const char *text)
{
    return sb_cell_read(&reading, rec, column, text);
}

static void titles_are_fields(void **state)
{
    (void)state;
    const char *const pairs[][2] = {{"Label", "label"},         {"  LAT ", "lat"},  {"ID", "id"},
                                    {"Notes", "Notes"},         {"a,b/c", "a_b_c"}, {"seabot", "_eabot"},
                                    {"Länge [m]", "Länge [m]"}, {"X", "x"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *name = sb_column_name(pairs[i][0]);
        assert_string_equal(name, pairs[i][1]);
        free(name);
    }
    assert_null(sb_column_name(""));
    assert_null(sb_column_name(" \t"));
}

/* What a cell makes of a record that has the field (NAN: has not). */
static void numbers_that_were_rounded_change_nothing(void **state)
{
    (void)state;
    const struct {
        const char *column, *text;
        double have, want;
        int rc;
    } cases[] = {
        {"time", "1783087509.25", 1783087509.25, 1783087509.25, 0},
        {"time", "1783087509", 1783087509.25, 1783087509.25, 0},
        {"time", "1783087509,3", 1783087509.25, 1783087509.25, 0},
        {"time", "1.78309E+09", 1783087509.25, 1783087509.25, 0},
        {"time", "1783087510", 1783087509.25, 1783087510, 1},
        {"time", "2026-07-03T14:05:09.25Z", 1783087509.25, 1783087509.25, 0},
        {"time", "2026-07-03T16:05:09+02:00", NAN, 1783087509, 1},
        {"lat", "36.7894", 36.78941234, 36.78941234, 0},
        {"lat", "36.79", 36.78941234, 36.79, 1}, /* so few digits were typed */
        {"lat", "37", 36.7, 37, 1},
        {"lon", "-122,5", NAN, -122.5, 1},
        {"pts", "1:30", NAN, 90, 1},
        {"pts", "0:01:30.5", 90.5, 90.5, 0},
        {"pts", "33.3667", 33.366666666666667, 33.366666666666667, 0},
        {"depth", "812", 812, 812, 0},
        {"depth", "NaN", 812, 812, 0},
        {"depth", "", 812, 812, 0},
        {"cluster", "7.0", 3, 7, 1},
        {"labelled_at", "1783087509.25", NAN, 1783087509.25, 1},
        {"frame", "12", NAN, 12, 1},
        {"segment", "0", NAN, 0, 1},
        {"length", "1,5", NAN, 1.5, 1},
        {"fps", "29.97", NAN, 29.97, 1},
        {"altitude", "2.5", 3.25, 2.5, 1}, /* a field that nobody knows, but a number in the record */
    };
    struct sb_record rec = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double v = NAN;
        sb_record_reset(&rec);
        if (!isnan(cases[i].have)) sb_set_real(&rec, cases[i].column, cases[i].have);
        int rc = read_cell(&rec, cases[i].column, cases[i].text);
        if (rc != cases[i].rc) fail_msg("%s '%s': %d", cases[i].column, cases[i].text, rc);
        assert_int_equal(sb_get_real(&rec, cases[i].column, &v), 1);
        if (v != cases[i].want) fail_msg("%s '%s': %.17g", cases[i].column, cases[i].text, v);
    }
    sb_record_free(&rec);
}

static void cells_that_make_no_sense_are_named(void **state)
{
    (void)state;
    const char *const cases[][3] = {
        {"pts", "01. Mai", "column 'pts': '01. Mai' is no number"},
        {"lat", "367", "column 'lat': '367' is no latitude in degrees"},
        {"time", "46206.58", "column 'time': '46206.58' is no Unix time in seconds"},
        {"time", "2026-07-03 14:05:09", "column 'time': 2026-07-03T14:05:09 names no zone"},
        {"time", "03.07.2026 14:05", "column 'time': '03.07.2026 14:05' is not a date and time"},
        {"cluster", "2.5", "column 'cluster': '2.5' is no whole number"},
        {"fold", "1e300", "column 'fold': '1e300' is too large"},
        {"confidence", "1.2.3", "column 'confidence': '1.2.3' is no number"},
        {"confidence", "--1", "column 'confidence': '--1' is no number"},
        {"confidence", "1e999", "column 'confidence': '1e999' is no number"},
        {"label", "M\xfcller", "column 'label': it is not UTF-8"},
        {"parent_size", "1920", "column 'parent_size': '1920' is no size"},
    };
    struct sb_record rec = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_cell(&rec, cases[i][0], cases[i][1]), -1);
        if (!strstr(sb_error_message(), cases[i][2]))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), cases[i][2]);
        assert_int_equal(rec.count, 0);
    }
    sb_zone_parse("+02:00", &reading.zone);
    assert_int_equal(read_cell(&rec, "time", "2026-07-03 14:05:09"), 1);
    reading.zone = (struct sb_zone){0};
    sb_record_free(&rec);
}

static void texts_lists_hashes_and_boxes(void **state)
{
    (void)state;
    struct sb_record rec = {0};
    struct sb_cell cell = {0};
    struct sb_tensor box;
    msgpack_object list;
    sb_set_cstr(&rec, "label", " sea star ");
    assert_int_equal(read_cell(&rec, "label", "sea star"), 0); /* tables keep no blanks at the ends */
    assert_int_equal(read_cell(&rec, "labels", "crab; sea star;; fish ;"), 1);
    assert_int_equal(sb_cell_text(&cell, &rec, "labels"), 1);
    assert_string_equal(cell.text, "crab; sea star; fish");
    assert_int_equal(read_cell(&rec, "labels", "crab; sea star; fish"), 0);
    const char *const quoted = "\"\"; \"cod; Gadus\"; fish; \" a\\nb \"; \"\\\"x\"; \"y\" z";
    assert_int_equal(read_cell(&rec, "labels", quoted), 1);
    assert_int_equal(sb_cell_text(&cell, &rec, "labels"), 1);
    assert_string_equal(cell.text, "\"\"; \"cod; Gadus\"; fish; \" a\\nb \"; \"\\\"x\"; \"\\\"y\\\" z\"");
    assert_int_equal(sb_get_object(&rec, "labels", &list), 1);
    assert_int_equal(list.via.array.size, 6);
    assert_int_equal(list.via.array.ptr[1].via.str.size, 10);
    assert_int_equal(read_cell(&rec, "phash", "1.23457E+15"), 0);
    assert_null(sb_record_find(&rec, "phash"));
    assert_int_equal(read_cell(&rec, "phash", "00ff00ff00ff00ff"), 1);
    assert_int_equal(read_cell(&rec, "phash", "0123456789012345"), 0); /* nobody types one */
    assert_int_equal(read_cell(&rec, "parent_size", "1920; 1080"), 1);
    assert_int_equal(read_cell(&rec, "parent_size", "1920; 1080"), 0);
    sb_set_bool(&rec, "mine", true);
    assert_int_equal(read_cell(&rec, "mine", "TRUE"), 0);
    assert_int_equal(read_cell(&rec, "mine", "False"), 1);
    assert_int_equal(read_cell(&rec, "occluded", "perhaps"), -1);
    assert_int_equal(read_cell(&rec, "id", "x"), 0);
    assert_int_equal(read_cell(&rec, "predicted_label", "x"), 0);
    assert_int_equal(read_cell(&rec, "notes", "3 of them"), 1);
    const char *const sides[][4] = {{"1.5", "2", "3", "4"}, {"1,50000", "2", "3", "4"}, {"", "", "", ""}};
    assert_int_equal(sb_cell_read_box(&reading, &rec, sides[0]), 1);
    assert_int_equal(sb_cell_read_box(&reading, &rec, sides[1]), 0);
    assert_int_equal(sb_cell_read_box(&reading, &rec, sides[2]), 0);
    assert_int_equal(sb_get_tensor(&rec, "box", &box), 1);
    assert_true(((float *)box.data)[0] == 1.5f && ((float *)box.data)[3] == 4);
    const char *const bad[][4] = {
        {"1", "2", "", "4"}, {"1", "2", "0", "4"}, {"1", "2", "3", "-4"}, {"a", "2", "3", "4"}};
    for (int i = 0; i < 4; i++) assert_int_equal(sb_cell_read_box(&reading, &rec, bad[i]), -1);
    sb_cell_free(&cell);
    sb_record_free(&rec);
}

/* ---- finding ---- */

static const char *text_of(uint32_t n) { return n ? n == 1 ? "b" : "c" : "a"; }

static void make_key(struct sb_join_keys *keys, const char *source, double pts, struct sb_join_key *key)
{
    struct sb_record rec = {0};
    sb_set_cstr(&rec, "source", source);
    sb_set_real(&rec, "pts", pts);
    assert_int_equal(sb_join_key_of(keys, &rec, key), 1);
    sb_record_free(&rec);
}

/* Rows at whole tenths of a second, several at a time, in no order; each answer is held to a search through all. */
static void the_nearest_moment_as_a_plain_search_finds_it(void **state)
{
    (void)state;
    enum { ROWS = 60, PLACES = 40 };
    struct sb_rng rng;
    sb_rng_init(&rng, 5, 0);
    for (int round = 0; round < 60; round++) {
        struct sb_join_keys keys = {0};
        assert_int_equal(sb_join_keys_parse(&keys, "source,pts"), 0);
        char path[] = "/tmp/seabot-rows-XXXXXX";
        int fd = mkstemp(path);
        FILE *f = fdopen(fd, "w");
        uint32_t source[ROWS], tenth[ROWS];
        fputs("source;PTS;label\r\n", f);
        for (int i = 0; i < ROWS; i++) {
            source[i] = sb_rng_below(&rng, 3);
            tenth[i] = sb_rng_below(&rng, PLACES);
            fprintf(f, "%s;%u,%u;%d\r\n", text_of(source[i]), tenth[i] / 10, tenth[i] % 10, i);
        }
        fclose(f);
        struct sb_join_rows rows = {.keys = &keys};
        assert_int_equal(sb_join_rows_load(&rows, path), 0);
        remove(path);
        assert_int_equal(rows.count, ROWS);
        for (uint32_t at = 0; at < PLACES; at++) {
            uint32_t from = sb_rng_below(&rng, 3), within = sb_rng_below(&rng, 6), nearest = 0, count = 0;
            int best = 1000;
            for (int i = 0; i < ROWS; i++) {
                int off = abs((int)tenth[i] - (int)at);
                bool nearer = off < best || (off == best && tenth[i] < nearest);
                if (source[i] == from && off <= (int)within && nearer) best = off, nearest = tenth[i];
            }
            for (int i = 0; i < ROWS && best < 1000; i++) count += source[i] == from && tenth[i] == nearest;
            struct sb_join_key key;
            size_t first = 0;
            make_key(&keys, text_of(from), at / 10.0, &key);
            assert_int_equal(sb_join_rows_find(&rows, &key, within / 10.0, &first), count);
            for (size_t i = first; i < first + count; i++) {
                uint64_t row = rows.row[i].number - 2; /* the header is line 1 */
                assert_int_equal(source[row], from);
                assert_int_equal(tenth[row], nearest);
                if (i > first) assert_true(rows.row[i].number > rows.row[i - 1].number);
            }
        }
        sb_join_rows_free(&rows);
        sb_join_keys_free(&keys);
    }
}

static void release(void) { sb_cell_reading_free(&reading); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_are_fields),
        cmocka_unit_test(numbers_that_were_rounded_change_nothing),
        cmocka_unit_test(cells_that_make_no_sense_are_named),
        cmocka_unit_test(texts_lists_hashes_and_boxes),
        cmocka_unit_test(the_nearest_moment_as_a_plain_search_finds_it),
    };
    atexit(release);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
