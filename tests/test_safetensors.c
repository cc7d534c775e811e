/* Safetensors: what is written is read again; what is hostile is refused with a message before anything is believed. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "folder.h"
#include "formats/safetensors.h"

/* A file of this header and so many bytes of data. The caller frees. */
static uint8_t *make_file(const char *header, size_t data, size_t *size)
{
    size_t n = strlen(header);
    uint8_t *file = sb_calloc(8 + n + data, 1);
    for (int i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)n >> 8 * i);
    memcpy(file + 8, header, n);
    for (size_t i = 0; i < data; i++) file[8 + n + i] = (uint8_t)i;
    *size = 8 + n + data;
    return file;
}

#define T(name, dtype, shape, begin, end)                                                                              \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static const struct {
    const char *header;
    size_t data;
    const char *says;
} hostile[] = {
    {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 4, 12) "}", 12, "tensor 'b': it overlaps another"},
    {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 0, 8) "}", 8, "it overlaps another"},
    {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[2]", 12, 20) "}", 20,
     "tensor 'b': a hole of 4 bytes lies before it"},
    {"{" T("a", "F32", "[2]", 4, 12) "}", 12, "a hole of 4 bytes"},
    {"{" T("a", "F32", "[2]", 0, 8) "}", 7, "tensor 'a': it ends at byte 8 of 7: the file is cut off"},
    {"{" T("a", "F32", "[2]", 0, 8) "}", 9, "1 bytes after the last tensor"},
    {"{}", 1, "1 bytes after the last tensor"},
    {"{" T("a", "F32", "[2]", 0, 8) "," T("a", "F32", "[2]", 8, 16) "}", 16, "not valid JSON: duplicate"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "duplicate"},
    {"{" T("a", "F32", "[3]", 0, 8) "}", 8, "its shape takes 12 bytes, its range has 8"},
    {"{" T("a", "F32", "[4294967296,4294967296,4]", 0, 8) "}", 8, "its shape overflows"},
    {"{" T("a", "F32", "[0,9223372036854775807,9223372036854775807]", 0, 0) "}", 0, NULL}, /* zero times anything */
    {"{" T("a", "F32", "[9223372036854775807,2,0]", 0, 0) "}", 0, "its shape overflows"},
    {"{" T("a", "F32", "[99999999999999999999]", 0, 8) "}", 8, "not valid JSON"},
    {"{" T("a", "F32", "[-1]", 0, 8) "}", 8, "not a count"},
    {"{" T("a", "F32", "[2.0]", 0, 8) "}", 8, "not a count"},
    {"{" T("a", "F32", "2", 0, 8) "}", 8, "no shape"},
    {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,2]", 0, 8) "}", 8, "9 dimensions"},
    {"{" T("a", "F33", "[2]", 0, 8) "}", 8, "dtype 'F33'"},
    {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "no dtype"},
    {"{" T("a", "F32", "[2]", 8, 0) "}", 8, "bad data_offsets"},
    {"{" T("a", "F32", "[2]", -8, 0) "}", 8, "bad data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "bad data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "bad data_offsets"},
    {"{\"a\":7}", 0, "not an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ 'k' is not a text"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
    {"{\"a\xff\":1}", 0, "not valid JSON"},
    {"{\"a\\u0000b\":1}", 0, "not valid JSON"},
    {"{\"a\":", 0, "not valid JSON"},
    {"{} x", 0, "not valid JSON"},
    {"[]", 0, "no header"},
    {" {}", 0, "no header"},
    {"", 0, "no header"},
};

static void hostile_files_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        size_t size;
        uint8_t *file = make_file(hostile[i].header, hostile[i].data, &size);
        struct sb_weights w;
        int rc = sb_weights_parse(&w, file, size, "x.safetensors");
        if (!hostile[i].says) {
            assert_int_equal(rc, 0);
            sb_weights_close(&w);
        } else {
            if (rc != -1) fail_msg("%s was taken", hostile[i].header);
            const char *said = sb_error_message();
            if (strncmp(said, "x.safetensors: ", 15) || !strstr(said, hostile[i].says)) {
                fail_msg("%s: said '%s', wanted '%s'", hostile[i].header, said, hostile[i].says);
            }
        }
        free(file);
    }
}

static void headers_larger_than_the_file_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[10];
        size_t size;
        const char *says;
    } cases[] = {
        {{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 7, "only 7 bytes"},
        {{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 10, "cut off"},
        {{255, 255, 255, 255, 255, 255, 255, 255, '{', '}'}, 10, "18446744073709551615 bytes"},
        {{0, 225, 245, 5, 0, 0, 0, 0, '{', '}'}, 10, "cut off: the header has 100000000"},
        {{1, 225, 245, 5, 0, 0, 0, 0, '{', '}'}, 10, "would have 100000001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sb_weights w;
        assert_int_equal(sb_weights_parse(&w, cases[i].bytes, cases[i].size, "x"), -1);
        if (!strstr(sb_error_message(), cases[i].says))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), cases[i].says);
    }
}

/* By what they hold: a zip archive or a bare pickle, but not a header that is just so long. */
static void pickles_are_refused_with_what_converts_them(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *name, *says, *to;
    } cases[] = {
        {"PK\3\4\0\0\10\10\0\0", "a/net.pth.tar", "a/net.pth.tar: a pickle", "}, \"a/net.safetensors\")"},
        {"\200\2\212\12l\374\234F\371\40", "net.bin", "net.bin: a pickle", "}, \"net.safetensors\")"},
        {"\200\4\225\0\0\0\0\0\0\0", ".pt", ".pt: a pickle", "}, \".pt.safetensors\")"},
        {"PK\3\4\0\0\0\0{}", "x", "cut off: the header has 67324752 bytes", NULL},
        {"\200\1\0\0\0\0\0\0\0\0", "x", "cut off: the header has 384 bytes", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sb_weights w;
        assert_int_equal(sb_weights_parse(&w, cases[i].bytes, 10, cases[i].name), -1);
        if (!strstr(sb_error_message(), cases[i].says))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), cases[i].says);
        const char *advice = sb_error_advised(), *second = strchr(advice, '\n');
        if (!cases[i].to)
            assert_string_equal(advice, "");
        else if (!second || strchr(second + 1, '\n') || !strstr(second, cases[i].to))
            fail_msg("advised '%s', wanted two lines and '%s'", advice, cases[i].to);
    }
}

static struct sb_weight weight(const char *name, enum sb_dtype dtype, int64_t count, void *data)
{
    return (struct sb_weight){.name = (char *)(uintptr_t)name,
                              .tensor = {.dtype = dtype, .ndim = 1, .shape = {count}, .data = data}};
}

static void what_is_saved_is_read(void **state)
{
    (void)state;
    char *path = sb_format("%s/w.safetensors", folder);
    float f[3] = {1.5f, -2, 3e-9f}, scalar = 7;
    uint8_t u[5] = {1, 2, 3, 4, 255};
    uint16_t h[2] = {0x3f80, 0xc000};
    struct sb_weight in[] = {
        weight("b", SB_U8, 5, u),
        weight("zwölf", SB_BF16, 2, h),
        weight("a", SB_F32, 3, f),
        weight("none", SB_F32, 0, f),
        {.name = (char *)(uintptr_t) "s", .tensor = {.dtype = SB_F32, .ndim = 0, .data = &scalar}}};
    const char *key[] = {"two", "one"}, *value[] = {"\"quoted\"\n", "1"};
    if (sb_weights_save(path, in, 5, key, value, 2)) fail_msg("%s", sb_error_message());
    struct sb_weights w;
    if (sb_weights_open(&w, path)) fail_msg("%s", sb_error_message());
    assert_int_equal(w.count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct sb_tensor *t = sb_weights_find(&w, in[i].name);
        assert_non_null(t);
        assert_int_equal(t->dtype, in[i].tensor.dtype);
        assert_int_equal(t->ndim, in[i].tensor.ndim);
        assert_int_equal(sb_tensor_count(t), sb_tensor_count(&in[i].tensor));
        assert_memory_equal(t->data, in[i].tensor.data, sb_tensor_bytes(t));
        if (sb_tensor_bytes(t)) assert_int_equal((uintptr_t)t->data % sb_dtype_size(t->dtype), 0);
    }
    assert_null(sb_weights_find(&w, "c"));
    assert_string_equal(sb_weights_metadata(&w, "two"), "\"quoted\"\n");
    assert_string_equal(sb_weights_metadata(&w, "one"), "1");
    assert_null(sb_weights_metadata(&w, "three"));
    /* Every shorter file is refused. */
    for (size_t size = 0; size < w.map_size; size++) {
        struct sb_weights cut;
        assert_int_equal(sb_weights_parse(&cut, w.map, size, "cut"), -1);
    }
    sb_weights_close(&w);
    free(path);
}

static void a_set_that_is_none_leaves_the_old_file(void **state)
{
    (void)state;
    char *kept = sb_format("%s/kept.safetensors", folder);
    float f[1 << 16] = {1};
    struct sb_weight in[] = {weight("a", SB_F32, 1 << 16, f), weight("a", SB_U8, 1, f), weight("\xff", SB_U8, 1, f)};
    assert_int_equal(sb_weights_save(kept, in, 1, NULL, NULL, 0), 0);
    assert_int_equal(sb_weights_save(kept, in, 2, NULL, NULL, 0), -1);
    assert_non_null(strstr(sb_error_message(), "two entries named 'a'"));
    assert_int_equal(sb_weights_save(kept, in + 2, 1, NULL, NULL, 0), -1);
    struct sb_weights w;
    assert_int_equal(sb_weights_open(&w, kept), 0); /* the old file is whole */
    assert_int_equal(w.count, 1);
    sb_weights_close(&w);
    assert_int_equal(sb_weights_open(&w, folder), -1);
    assert_int_equal(sb_weights_open(&w, "/dev/null"), -1);
    free(kept);
}

/* The fuzzer's corpus: none of it may end otherwise than in an answer. */
static void corpus_is_answered(void **state)
{
    (void)state;
    const char *place = "tests/corpus/safetensors"; /* when run from the project's root, as make does */
    DIR *d = opendir(place);
    int seen = 0;
    struct dirent *e;
    if (!d) skip();
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        char *path = sb_format("%s/%s", place, e->d_name);
        struct sb_weights w;
        bool valid = !strncmp(e->d_name, "good", 4);
        if (sb_weights_open(&w, path) != (valid ? 0 : -1))
            fail_msg("%s was %s", path, valid ? sb_error_message() : "taken");
        sb_weights_close(&w);
        free(path);
        seen++;
    }
    closedir(d);
    assert_true(seen > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(headers_larger_than_the_file_are_refused),
        cmocka_unit_test(pickles_are_refused_with_what_converts_them),
        cmocka_unit_test(what_is_saved_is_read),
        cmocka_unit_test(a_set_that_is_none_leaves_the_old_file),
        cmocka_unit_test(corpus_is_answered),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
