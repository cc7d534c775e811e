/* lib/stream: the scanner under hostile bytes, reader and writer, a stream cut or changed at every byte, the spool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "stream/batches.h"
#include "stream/scan.h"
#include "stream/spool.h"
#include "stream/stream.h"
#include "tests/files.h"

static const struct sb_opt no_opts[] = {SB_OPT_END};
static const struct sb_tool tool = {"sb-test", "", "", no_opts, false};
static const struct sb_args no_args;

/* ---- scanner ---- */

static int scan(const void *bytes, size_t size, size_t *end)
{
    struct sb_scan s;
    sb_scan_start(&s);
    int rc = sb_scan_more(&s, bytes, size);
    if (rc > 0) *end = s.at;
    return rc;
}

/* Feeds bytes as they might arrive, one by one; the scanner must never ask for more than there will be. */
static void scan_growing(const uint8_t *bytes, size_t size)
{
    struct sb_scan s;
    sb_scan_start(&s);
    for (size_t have = 0; have < size; have++) {
        assert_int_equal(sb_scan_more(&s, bytes, have), 0);
        assert_true(s.need > have && s.need <= size);
    }
    assert_int_equal(sb_scan_more(&s, bytes, size), 1);
    assert_int_equal(s.at, size);
}

static void test_scan_every_truncation(void **state)
{
    (void)state;
    struct sb_buffer b = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &b, sb_buffer_write);
    msgpack_pack_map(&pk, 4);
    msgpack_pack_str_with_body(&pk, "numbers", 7);
    msgpack_pack_array(&pk, 20);
    for (int i = 0; i < 5; i++) {
        msgpack_pack_int64(&pk, (int64_t)1 << (i * 12));
        msgpack_pack_int64(&pk, -((int64_t)1 << (i * 12)));
        msgpack_pack_double(&pk, i);
        msgpack_pack_float(&pk, (float)i);
    }
    msgpack_pack_str_with_body(&pk, "nested", 6);
    msgpack_pack_array(&pk, 2);
    msgpack_pack_array(&pk, 0);
    msgpack_pack_map(&pk, 1);
    msgpack_pack_nil(&pk);
    msgpack_pack_map(&pk, 0);
    msgpack_pack_str_with_body(&pk, "bin", 3);
    static char payload[70000];
    msgpack_pack_bin_with_body(&pk, payload, 300);
    msgpack_pack_str_with_body(&pk, "ext", 3);
    msgpack_pack_ext_with_body(&pk, payload, 3, 1);
    scan_growing(b.data, b.size);
    free(b.data);
}

static void test_scan_hostile(void **state)
{
    (void)state;
    size_t end;
    const struct {
        const char *bytes;
        size_t size;
    } refused[] = {
        {"\xdd\x7f\xff\xff\xff", 5},             /* a list of two billion */
        {"\xdf\xff\xff\xff\xff", 5},             /* a map of four */
        {"\xdf\x03\x20\x00\x00", 5},             /* a map whose keys alone fit the limit, with values not */
        {"\xc6\x7f\xff\xff\xff", 5},             /* 2 GB of bin */
        {"\xdb\xff\xff\xff\xff", 5},             /* 4 GB of str */
        {"\xc9\x06\x40\x00\x00\x01", 6},         /* 100 MiB of ext, and its head */
        {"\x81\xa1z\xdd\xff\xff\xff\xff", 8},    /* inside a record */
        {"\x92\xdd\x03\x20\x00\x00\xdd\x03\x20\x00\x00", 11}, /* each fits, both do not */
        {"\xc1", 1},
        {"\x91\xc1", 2},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(scan(refused[i].bytes, refused[i].size, &end), -1);
    assert_int_equal(scan("\xdd\x00\xff\xff\xff", 5, &end), 0); /* could still come */
    assert_int_equal(scan("", 0, &end), 0);

    uint8_t deep[64];
    memset(deep, 0x91, sizeof deep);
    deep[SB_WIRE_DEPTH] = 0x01;
    scan_growing(deep, SB_WIRE_DEPTH + 1);
    deep[SB_WIRE_DEPTH] = 0x90;
    scan_growing(deep, SB_WIRE_DEPTH + 1); /* an empty list is a value */
    memset(deep, 0x91, sizeof deep);
    assert_int_equal(scan(deep, sizeof deep, &end), -1);
    memset(deep, 0x81, sizeof deep); /* maps as keys */
    assert_int_equal(scan(deep, sizeof deep, &end), -1);
}

/* ---- streams ---- */

static void set_record(struct sb_record *rec, int i, size_t payload)
{
    struct sb_tensor t = {.dtype = SB_U8, .ndim = 1, .shape = {(int64_t)payload}};
    sb_record_reset(rec);
    sb_set_int(rec, "n", i);
    sb_set_cstr(rec, "label", i % 2 ? "fish" : "urchin");
    sb_set_tensor_space(rec, "image", &t);
    for (size_t k = 0; k < payload; k++) ((uint8_t *)t.data)[k] = (uint8_t)(k * 7 + (size_t)i);
    sb_set_packed(rec, "odd", "\x92\xc0\xd4\x07\x09", 5);
}

static void write_stream(const char *path, int records, size_t payload)
{
    struct sb_record rec = {0};
    struct sb_writer *w = sb_writer_open(path);
    sb_writer_header(w, NULL, &tool, &no_args);
    for (int i = 0; i < records; i++) {
        set_record(&rec, i, payload);
        sb_writer_put(w, &rec);
    }
    sb_writer_close(w);
    sb_record_free(&rec);
}

/* Records read before the end (0) or the failure (-1), in *rc. */
static uint64_t read_stream(const char *path, int *rc)
{
    struct sb_record rec = {0};
    struct sb_reader *r = sb_reader_open(path);
    uint64_t n = 0;
    *rc = -1;
    if (!r) return 0;
    while ((*rc = sb_reader_next(r, &rec)) > 0) n++;
    assert_int_equal(sb_reader_next(r, &rec), *rc); /* the answer stays */
    sb_reader_close(r);
    sb_record_free(&rec);
    return n;
}

static void same_fields(const struct sb_record *got, const struct sb_record *want)
{
    assert_int_equal(got->count, want->count);
    for (size_t k = 0; k < want->count; k++) {
        assert_int_equal(got->field[k].size, want->field[k].size);
        assert_memory_equal(got->field[k].value, want->field[k].value, want->field[k].size);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    const size_t payloads[] = {0, 10, 40000, 3000000};
    for (int p = 0; p < 4; p++) {
        struct sb_record want = {0}, got = {0};
        write_stream("a.sb", 7, payloads[p]);
        struct sb_reader *r = sb_reader_open("a.sb");
        assert_non_null(r);
        assert_int_equal(sb_reader_header(r)->count, 2);
        for (int i = 0; i < 7; i++) {
            set_record(&want, i, payloads[p]);
            assert_int_equal(sb_reader_next(r, &got), 1);
            same_fields(&got, &want);
        }
        assert_false(sb_reader_verified(r));
        assert_int_equal(sb_reader_next(r, &got), 0);
        assert_true(sb_reader_verified(r));
        assert_int_equal(sb_reader_count(r), 7);
        sb_reader_close(r);
        sb_record_free(&want);
        sb_record_free(&got);
    }
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    size_t size;
    int rc;
    write_stream("a.sb", 3, 20);
    uint8_t *bytes = slurp("a.sb", &size);
    for (size_t n = 0; n < size; n++) {
        spill("cut.sb", bytes, n);
        uint64_t records = read_stream("cut.sb", &rc);
        assert_int_equal(rc, -1);
        char *want = n ? sb_format("cut.sb: stream cut off after %d record%s", (int)records, records == 1 ? "" : "s")
                       : sb_strdup("cut.sb: empty, not a SeaBot stream");
        assert_string_equal(sb_error_message(), want);
        free(want);
    }
    assert_int_equal(read_stream("a.sb", &rc), 3);
    assert_int_equal(rc, 0);
    free(bytes);
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    size_t size;
    int rc;
    write_stream("a.sb", 2, 20);
    uint8_t *bytes = slurp("a.sb", &size);
    sb_quiet = true; /* a changed header may look foreign, and warn */
    for (size_t i = 0; i < size * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        spill("bad.sb", bytes, size);
        read_stream("bad.sb", &rc);
        assert_int_equal(rc, -1);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    sb_quiet = false;
    free(bytes);
}

static void test_after_the_end(void **state)
{
    (void)state;
    size_t size;
    int rc;
    write_stream("a.sb", 2, 5);
    uint8_t *bytes = slurp("a.sb", &size), *twice = sb_malloc(2 * size);
    memcpy(twice, bytes, size);
    memcpy(twice + size, bytes, size);
    spill("b.sb", twice, size + 1);
    read_stream("b.sb", &rc);
    assert_int_equal(rc, -1);
    assert_string_equal(sb_error_message(), "b.sb: bytes after the stream's end at 2 records");
    spill("b.sb", twice, 2 * size);
    read_stream("b.sb", &rc);
    assert_int_equal(rc, -1);
    free(bytes);
    free(twice);
}

static void assert_refused(const char *bytes, size_t size, const char *why)
{
    int rc;
    spill("b.sb", bytes, size);
    read_stream("b.sb", &rc);
    assert_int_equal(rc, -1);
    assert_string_equal(sb_error_message(), why);
}

static void test_not_streams(void **state)
{
    (void)state;
    const char *header = "\x81\xa6seabot\x01";
    char with[64];
    assert_refused("hello\n", 6, "b.sb: not a SeaBot stream");
    assert_refused("\xdd\x7f\xff\xff\xff", 5, "b.sb: not a SeaBot stream");
    assert_refused("\x81\xa6seabot\x02", 9, "b.sb: a stream of version 2; this program reads version 1");
    assert_refused("\x81\xa6seabot\xc0", 9, "b.sb: a header without a version");
    memcpy(with, header, 9);
    memcpy(with + 9, "\x81\xa1z\xdd\x7f\xff\xff\xff", 8);
    assert_refused(with, 17,
                   "b.sb: damaged after 0 records: a record of 2147483655 bytes or more: the limit is 104857600");
    memcpy(with + 9, "\x82\xa1z\x01\xa1z\x02", 7);
    assert_refused(with, 16, "b.sb: damaged after 0 records: field 'z' stands twice");
    memcpy(with + 9, "\x81\xc4\x01z\x01", 5);
    assert_refused(with, 14, "b.sb: damaged after 0 records: a field's name is bin, not a str");
    memcpy(with + 9, "\x81\xa1z\x01", 4);
    memcpy(with + 13, header, 9);
    assert_refused(with, 22, "b.sb: a second header after 1 record: the stream before it was cut off");
    assert_null(sb_reader_open("absent.sb"));
    assert_string_equal(sb_error_message(), "absent.sb: No such file or directory");
    assert_null(sb_reader_open("."));
    assert_string_equal(sb_error_message(), ".: Is a directory");
}

static void test_foreign(void **state)
{
    (void)state;
    const char bytes[] = "\x81\xa1z\x01\x81\xa1z\x02\x80";
    int rc;
    sb_quiet = true;
    spill("f.sb", bytes, 9);
    assert_int_equal(read_stream("f.sb", &rc), 3);
    assert_int_equal(rc, 0);
    struct sb_reader *r = sb_reader_open("f.sb");
    assert_int_equal(sb_reader_header(r)->count, 0);
    assert_int_equal(sb_reader_offset(r), 0);
    struct sb_record rec = {0};
    assert_int_equal(sb_reader_next(r, &rec), 1);
    assert_int_equal(sb_reader_offset(r), 4);
    sb_record_free(&rec);
    sb_reader_close(r);
    assert_refused(bytes, 6, "b.sb: stream cut off after 1 record");
    /* A trailer is verified wherever it stands. */
    const char trailer[] = "\x81\xa1z\x01\x82\xa3"
                           "end\x01\xa4xxh3\xd9\x20"
                           "00000000000000000000000000000000";
    assert_refused(trailer, sizeof trailer - 1,
                   "b.sb: damaged: the hash of its 1 record is not the one in its trailer");
    sb_quiet = false;
}

static void test_history_grows(void **state)
{
    (void)state;
    char *recorded[] = {"--rate=2", "dive.mp4"};
    const char *file[] = {"model.bin", "./model.bin"};
    struct sb_args args = {.recorded = recorded, .nrecorded = 2, .file = file, .nfile = 2};
    struct sb_record header = {0}, rec = {0};
    msgpack_object o;
    spill("model.bin", "abc", 3);
    sb_set_cstr(&header, "note", "kept");
    for (int i = 0; i < 2; i++) {
        struct sb_writer *w = sb_writer_open("h.sb");
        sb_writer_header(w, &header, &tool, &args);
        sb_writer_close(w);
        struct sb_reader *r = sb_reader_open("h.sb");
        sb_record_copy(&header, sb_reader_header(r));
        assert_int_equal(sb_reader_next(r, &rec), 0);
        sb_reader_close(r);
    }
    assert_int_equal(sb_get_object(&header, "history", &o), 1);
    assert_int_equal(o.via.array.size, 2);
    assert_int_equal(o.via.array.ptr[1].via.map.size, 4);
    const msgpack_object *list = &o.via.array.ptr[1].via.map.ptr[2].val,
                         *files = &o.via.array.ptr[1].via.map.ptr[3].val;
    assert_memory_equal(list->via.array.ptr[0].via.str.ptr, "--rate=2", 8);
    assert_memory_equal(files->via.map.ptr[1].key.via.str.ptr, "model.bin (2)", 13);
    assert_memory_equal(files->via.map.ptr[0].val.via.str.ptr, "06b05ab6733a618578af5f94892f3950",
                        32); /* xxh128sum of "abc" */
    assert_non_null(sb_record_find(&header, "note"));
    sb_record_free(&header);
    sb_record_free(&rec);
}

/* ---- pipes ---- */

struct feed {
    int fd;
    const uint8_t *bytes;
    size_t size, step;
};

static void *feed_slowly(void *arg)
{
    struct feed *f = arg;
    for (size_t at = 0; at < f->size; at += f->step) {
        size_t n = f->size - at < f->step ? f->size - at : f->step;
        if (write(f->fd, f->bytes + at, n) != (ssize_t)n) break;
    }
    close(f->fd);
    return NULL;
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

/* A pipe that gives a few bytes at a time reads the same, and the reader says when it would wait. */
static void test_pipe(void **state)
{
    (void)state;
    size_t size;
    int end[2], waits = 0, rc;
    uint64_t n = 0;
    char path[32];
    struct sb_record rec = {0};
    write_stream("a.sb", 20, 200);
    uint8_t *bytes = slurp("a.sb", &size);
    assert_int_equal(pipe(end), 0);
    struct feed f = {end[1], bytes, size, 13};
    pthread_t thread;
    pthread_create(&thread, NULL, feed_slowly, &f);
    snprintf(path, sizeof path, "/dev/fd/%d", end[0]);
    struct sb_reader *r = sb_reader_open(path);
    assert_non_null(r);
    close(end[0]);
    sb_reader_idle(r, count_call, &waits);
    while ((rc = sb_reader_next(r, &rec)) > 0) n++;
    assert_int_equal(rc, 0);
    assert_int_equal(n, 20);
    pthread_join(thread, NULL);
    sb_reader_close(r);
    sb_record_free(&rec);
    free(bytes);
}

/* ---- batches ---- */

static size_t payload_of(int i)
{
    const size_t payloads[] = {150000, 150000, 70000, 10, 150000, 3000000, 150000, 40000, 150000};
    return payloads[i % 9];
}

/* Three batches' records are whole at a time, with the field that was added to each; those of large records are the
 * reader's former memory. */
static void check_batches(const char *path)
{
    struct sb_reader *r = sb_reader_open(path);
    assert_non_null(r);
    struct sb_batches *b = sb_batches_open(r, 4, 3, -1, NULL, NULL);
    struct sb_record *held[26] = {NULL}, want = {0};
    int n = 0;
    for (int count; (count = sb_batches_next(b, &held[n / 4])) > 0;) {
        for (int i = 0; i < count; i++, n++) sb_set_int(&held[n / 4][n % 4], "added", n);
        for (int i = n > 12 ? (n - 9) / 4 * 4 : 0; i < n; i++) {
            set_record(&want, i, payload_of(i));
            sb_set_int(&want, "added", i);
            same_fields(&held[i / 4][i % 4], &want);
        }
    }
    assert_int_equal(n, 97);
    assert_true(sb_reader_verified(r));
    sb_record_free(&want);
    sb_batches_close(b);
    sb_reader_close(r);
}

static void test_batches(void **state)
{
    (void)state;
    struct sb_record rec = {0};
    struct sb_writer *w = sb_writer_open("a.sb");
    sb_writer_header(w, NULL, &tool, &no_args);
    for (int i = 0; i < 97; i++) {
        set_record(&rec, i, payload_of(i));
        sb_writer_put(w, &rec);
    }
    sb_writer_close(w);
    sb_record_free(&rec);
    check_batches("a.sb");

    size_t size;
    int end[2];
    char path[32];
    uint8_t *bytes = slurp("a.sb", &size);
    assert_int_equal(pipe(end), 0);
    struct feed f = {end[1], bytes, size, 9973};
    pthread_t thread;
    pthread_create(&thread, NULL, feed_slowly, &f);
    snprintf(path, sizeof path, "/dev/fd/%d", end[0]);
    check_batches(path);
    pthread_join(thread, NULL);
    close(end[0]);
    free(bytes);
}

/* ---- spools ---- */

static void gather(void *arg, uint64_t index, struct sb_record *rec)
{
    int64_t n;
    assert_int_equal(sb_get_int(rec, "n", &n), 1);
    assert_int_equal(n, index);
    ++*(int *)arg;
}

static void check_spool(const char *path, int records, const char *hash)
{
    struct sb_record rec = {0}, want = {0};
    char hex[33];
    int seen = 0;
    struct sb_spool *s = sb_spool_open(path, gather, &seen);
    assert_non_null(s);
    assert_int_equal(seen, records);
    assert_int_equal(sb_spool_count(s), records);
    for (int i = records - 1; i >= 0; i -= 3) {
        set_record(&want, i, 500);
        assert_int_equal(sb_spool_get(s, (uint64_t)i, &rec), 0);
        assert_int_equal(rec.count, want.count);
        for (size_t k = 0; k < rec.count; k++)
            assert_memory_equal(rec.field[k].value, want.field[k].value, want.field[k].size);
    }
    assert_int_equal(sb_spool_get(s, (uint64_t)records, &rec), -1);
    sb_spool_hash(s, hex);
    if (hash) assert_string_equal(hex, hash);
    sb_spool_close(s);
    sb_record_free(&rec);
    sb_record_free(&want);
}

static void test_spool(void **state)
{
    (void)state;
    size_t size;
    int end[2];
    char path[32], hash[33];
    write_stream("a.sb", 50, 500);
    struct sb_spool *s = sb_spool_open("a.sb", NULL, NULL);
    assert_non_null(s);
    sb_spool_hash(s, hash);
    /* A record that changes under the reader is refused, not misread. */
    uint8_t *bytes = slurp("a.sb", &size);
    struct sb_record rec = {0};
    assert_int_equal(truncate("a.sb", (off_t)size / 2), 0);
    assert_int_equal(sb_spool_get(s, 49, &rec), -1);
    assert_string_equal(sb_error_message(), "a.sb: changed while it was being read");
    sb_spool_close(s);
    sb_record_free(&rec);
    assert_null(sb_spool_open("a.sb", NULL, NULL));
    spill("a.sb", bytes, size);

    check_spool("a.sb", 50, hash);
    assert_int_equal(pipe(end), 0);
    struct feed f = {end[1], bytes, size, 1000};
    pthread_t thread;
    pthread_create(&thread, NULL, feed_slowly, &f);
    snprintf(path, sizeof path, "/dev/fd/%d", end[0]);
    sb_quiet = true;
    check_spool(path, 50, hash);
    sb_quiet = false;
    pthread_join(thread, NULL);
    close(end[0]);
    free(bytes);
}

/* The fuzzer's corpus: none of it may end otherwise than in an answer. */
static void test_corpus(void **state)
{
    (void)state;
    const char *dir = *state;
    struct dirent *e;
    int rc, seen = 0;
    if (!dir) skip();
    DIR *d = opendir(dir);
    assert_non_null(d);
    sb_quiet = true;
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        char *path = sb_format("%s/%s", dir, e->d_name);
        read_stream(path, &rc);
        seen++;
        free(path);
    }
    sb_quiet = false;
    closedir(d);
    assert_true(seen > 10);
}

int main(void)
{
    char *corpus = realpath("tests/corpus/stream", NULL); /* when run from the project's root, as make does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_every_truncation),
        cmocka_unit_test(test_scan_hostile),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_after_the_end),
        cmocka_unit_test(test_not_streams),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_history_grows),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_spool),
        cmocka_unit_test_prestate(test_corpus, corpus),
    };
    char dir[] = "/tmp/test_stream.XXXXXX";
    if (!mkdtemp(dir) || chdir(dir)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char *clean = sb_format("rm -rf %s", dir);
    if (system(clean)) perror(dir);
    free(clean);
    free(corpus);
    return failed;
}
