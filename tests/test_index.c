/* lib/stream/index: what is read through an index is what a reader reads, and an index that is not the file's, or that is
 * broken in any byte, is not used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/index.h"
#include "stream/spool.h"
#include "tests/files.h"

static const struct sb_opt no_opts[] = {SB_OPT_END};
static const struct sb_tool tool = {"sb-test", "", "", no_opts, false};
static const struct sb_args no_args;

static void write_stream(const char *path, int records, int64_t first)
{
    struct sb_record rec = {0};
    struct sb_writer *w = sb_writer_open(path);
    sb_writer_header(w, NULL, &tool, &no_args);
    for (int i = 0; i < records; i++) {
        char text[300];
        memset(text, 'a' + i % 26, sizeof text);
        sb_record_reset(&rec);
        sb_set_int(&rec, "n", first + i);
        sb_set_text(&rec, "text", text, (size_t)(i * 37 % 300));
        sb_writer_put(w, &rec);
    }
    sb_writer_close(w);
    sb_record_free(&rec);
}

/* Reads the stream, and writes its index: 0, or what sb_index_save() says. */
static int make_index(const char *path)
{
    struct sb_index x = {0};
    struct sb_record rec = {0};
    struct sb_reader *in = sb_reader_open(path);
    assert_non_null(in);
    sb_index_begin(&x, in);
    while (sb_reader_next(in, &rec) > 0) sb_index_add(&x, in);
    int rc = sb_index_save(&x, in, &tool, &no_args);
    sb_index_free(&x);
    sb_record_free(&rec);
    sb_reader_close(in);
    return rc;
}

/* Whether the file's index is taken. */
static bool loads(const char *path)
{
    struct sb_reader *in = sb_reader_open(path);
    struct sb_index x;
    assert_non_null(in);
    bool good = sb_index_load(&x, in);
    sb_index_free(&x);
    sb_reader_close(in);
    return good;
}

static void test_same_records(void **state)
{
    enum { RECORDS = 200 };
    struct sb_record want = {0}, got = {0};
    char hash[33], indexed[33];
    (void)state;
    write_stream("a.sb", RECORDS, 0);
    struct sb_spool *whole = sb_spool_open("a.sb", NULL, NULL);
    assert_int_equal(make_index("a.sb"), 0);
    struct sb_spool *part = sb_spool_indexed(sb_reader_open("a.sb"));
    assert_non_null(whole);
    assert_non_null(part);
    assert_int_equal(sb_spool_count(part), RECORDS);
    sb_spool_hash(whole, hash);
    sb_spool_hash(part, indexed);
    assert_string_equal(hash, indexed);
    for (uint64_t k = 0; k < RECORDS; k++) {
        uint64_t i = k * 77 % RECORDS; /* each once, in no order */
        assert_int_equal(sb_spool_get(whole, i, &want), 0);
        assert_int_equal(sb_spool_get(part, i, &got), 0);
        assert_int_equal(got.count, want.count);
        for (size_t f = 0; f < want.count; f++) {
            assert_int_equal(got.field[f].size, want.field[f].size);
            assert_memory_equal(got.field[f].value, want.field[f].value, want.field[f].size);
        }
    }
    assert_int_equal(sb_spool_get(part, RECORDS, &got), -1);
    sb_spool_close(whole);
    sb_spool_close(part);
    sb_record_free(&want);
    sb_record_free(&got);
}

static void test_no_records(void **state)
{
    (void)state;
    write_stream("a.sb", 0, 0);
    assert_int_equal(make_index("a.sb"), 0);
    struct sb_spool *s = sb_spool_indexed(sb_reader_open("a.sb"));
    assert_non_null(s);
    assert_int_equal(sb_spool_count(s), 0);
    sb_spool_close(s);
}

/* Any byte of the index changed, and the index cut anywhere. */
static void test_broken_index(void **state)
{
    size_t size;
    (void)state;
    write_stream("a.sb", 9, 0);
    assert_int_equal(make_index("a.sb"), 0);
    uint8_t *bytes = slurp("a.sb.idx", &size);
    assert_true(loads("a.sb"));
    sb_quiet = true;
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x10;
        spill("a.sb.idx", bytes, size);
        assert_false(loads("a.sb"));
        bytes[i] ^= 0x10;
        spill("a.sb.idx", bytes, i);
        assert_false(loads("a.sb"));
    }
    sb_quiet = false;
    spill("a.sb.idx", bytes, size);
    assert_true(loads("a.sb"));
    free(bytes);
}

/* A file that was written anew, grew, lost its end, or another stream's file. */
static void test_not_its_file(void **state)
{
    size_t size;
    (void)state;
    write_stream("a.sb", 9, 0);
    assert_int_equal(make_index("a.sb"), 0);
    uint8_t *bytes = slurp("a.sb", &size);
    sb_quiet = true;
    write_stream("a.sb", 9, 1); /* of the same size, with the same offsets */
    assert_false(loads("a.sb"));
    write_stream("a.sb", 10, 0);
    assert_false(loads("a.sb"));
    spill("a.sb", bytes, size - 1);
    assert_false(loads("a.sb"));
    bytes[12] ^= 1; /* in the header */
    spill("a.sb", bytes, size);
    assert_false(loads("a.sb"));
    bytes[12] ^= 1;
    spill("a.sb", bytes, size);
    assert_true(loads("a.sb"));
    spill("a.sb.idx", bytes, size); /* a stream, but no index */
    assert_false(loads("a.sb"));
    sb_quiet = false;
    unlink("a.sb.idx");
    assert_false(loads("a.sb"));
    free(bytes);
}

/* With an index a file is opened without being read: what is damaged is noticed when it is read. */
static void test_damaged_record(void **state)
{
    size_t size, damaged = 0;
    (void)state;
    write_stream("a.sb", 9, 0);
    assert_int_equal(make_index("a.sb"), 0);
    uint8_t *bytes = slurp("a.sb", &size);
    struct sb_record rec = {0};
    for (size_t i = 70; i < size - 60; i += 5) {
        int bad = 0;
        bytes[i] ^= 1;
        spill("a.sb", bytes, size);
        bytes[i] ^= 1;
        sb_quiet = true;
        struct sb_reader *in = sb_reader_open("a.sb");
        struct sb_spool *s = in ? sb_spool_indexed(in) : NULL;
        sb_quiet = false;
        if (!s) { /* it was in the header */
            sb_reader_close(in);
            continue;
        }
        for (uint64_t k = 0; k < 9; k++) {
            if (sb_spool_get(s, k, &rec) == 0) continue;
            bad++;
            char *want = sb_format("a.sb: record %d is damaged, or the file was written to", (int)k + 1);
            assert_string_equal(sb_error_message(), want);
            assert_int_equal(rec.count, 0);
            free(want);
        }
        assert_int_equal(bad, 1);
        damaged++;
        sb_spool_close(s);
    }
    assert_true(damaged > 100);
    sb_record_free(&rec);
    free(bytes);
}

static void test_not_indexed(void **state)
{
    (void)state;
    spill("foreign.sb", "\x81\xa1n\x01", 4);
    unlink("foreign.sb.idx");
    sb_quiet = true;
    assert_int_equal(make_index("foreign.sb"), -1);
    sb_quiet = false;
    assert_int_equal(access("foreign.sb.idx", F_OK), -1);
}

static void test_many_blocks(void **state)
{
    enum { RECORDS = (1 << 20) + 3 }; /* one more record of the index */
    struct sb_record rec = {0};
    int64_t n;
    (void)state;
    struct sb_writer *w = sb_writer_open("many.sb");
    sb_writer_header(w, NULL, &tool, &no_args);
    for (int i = 0; i < RECORDS; i++) {
        sb_record_reset(&rec);
        sb_set_int(&rec, "n", i);
        sb_writer_put(w, &rec);
    }
    sb_writer_close(w);
    assert_int_equal(make_index("many.sb"), 0);
    struct sb_spool *s = sb_spool_indexed(sb_reader_open("many.sb"));
    assert_non_null(s);
    const uint64_t some[] = {0, (1 << 20) - 1, 1 << 20, RECORDS - 1, 5};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        assert_int_equal(sb_spool_get(s, some[i], &rec), 0);
        assert_int_equal(sb_get_int(&rec, "n", &n), 1);
        assert_int_equal(n, some[i]);
    }
    sb_spool_close(s);
    sb_record_free(&rec);
    unlink("many.sb");
    unlink("many.sb.idx");
}

int main(void)
{
    char dir[] = "/tmp/test_index.XXXXXX";
    sb_program = "test_index";
    if (!mkdtemp(dir) || chdir(dir)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_records),   cmocka_unit_test(test_no_records),  cmocka_unit_test(test_broken_index),
        cmocka_unit_test(test_not_its_file),   cmocka_unit_test(test_not_indexed), cmocka_unit_test(test_many_blocks),
        cmocka_unit_test(test_damaged_record),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    for (const char *const *f = (const char *const[]){"a.sb", "a.sb.idx", "foreign.sb", NULL}; *f; f++) unlink(*f);
    if (chdir("/") == 0) rmdir(dir);
    return rc;
}
