/* lib/base's record and wire: what is set comes back, what a stranger wrote is read or refused, bytes pass as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/record.h"
#include "base/wire.h"

static void test_set_and_get(void **state)
{
    (void)state;
    struct sb_record r = {0};
    const char *text;
    const uint8_t *data;
    size_t size;
    double real;
    int64_t whole;
    bool truth;
    sb_set_cstr(&r, "label", "fish");
    sb_set_bin(&r, "phash", "\0\1", 2);
    sb_set_real(&r, "pts", 1.5);
    sb_set_f32(&r, "distance", 0.25f);
    sb_set_int(&r, "low", INT64_MIN);
    sb_set_int(&r, "high", INT64_MAX);
    sb_set_bool(&r, "mark", true);
    sb_set_packed(&r, "nothing", "\xc0", 1);
    assert_int_equal(sb_get_text(&r, "label", &text, &size), 1);
    assert_int_equal(size, 4);
    assert_memory_equal(text, "fish", 4);
    assert_int_equal(sb_get_bin(&r, "phash", &data, &size), 1);
    assert_memory_equal(data, "\0\1", 2);
    assert_int_equal(sb_get_real(&r, "pts", &real), 1);
    assert_true(real == 1.5);
    assert_int_equal(sb_get_real(&r, "distance", &real), 1);
    assert_true(real == 0.25);
    assert_int_equal(sb_get_int(&r, "low", &whole), 1);
    assert_true(whole == INT64_MIN);
    assert_int_equal(sb_get_int(&r, "high", &whole), 1);
    assert_true(whole == INT64_MAX);
    assert_int_equal(sb_get_bool(&r, "mark", &truth), 1);
    assert_true(truth);
    assert_int_equal(sb_get_text(&r, "nothing", &text, &size), 0);
    assert_int_equal(sb_get_text(&r, "absent", &text, &size), 0);
    /* Wrong types are said. */
    assert_int_equal(sb_get_real(&r, "label", &real), -1);
    assert_string_equal(sb_error_message(), "field 'label' is a str, not a number");
    assert_int_equal(sb_get_text(&r, "pts", &text, &size), -1);
    assert_int_equal(sb_get_bin(&r, "label", &data, &size), -1);
    assert_int_equal(sb_get_int(&r, "pts", &whole), -1);
    assert_int_equal(sb_get_real(&r, "mark", &real), -1);
    assert_int_equal(sb_get_bool(&r, "low", &truth), -1);
    sb_set_packed(&r, "huge", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    assert_int_equal(sb_get_int(&r, "huge", &whole), -1);
    /* Replace, remove, copy as C text. */
    sb_set_cstr(&r, "label", "urchin");
    assert_int_equal(sb_get_cstr(&r, "label", &text), 1);
    assert_string_equal(text, "urchin");
    sb_set_text(&r, "label", "a\0b", 3);
    assert_int_equal(sb_get_cstr(&r, "label", &text), -1);
    size = r.count;
    sb_record_remove(&r, "label");
    sb_record_remove(&r, "label");
    assert_int_equal(r.count, size - 1);
    assert_null(sb_record_find(&r, "label"));
    sb_record_free(&r);
}

static void test_tensors(void **state)
{
    (void)state;
    struct sb_record r = {0}, copy = {0};
    for (int dtype = 0; dtype < SB_NDTYPES; dtype++) {
        for (int ndim = 0; ndim <= SB_DIMS; ndim += 2) {
            struct sb_tensor t = {.dtype = (enum sb_dtype)dtype, .ndim = ndim}, back;
            for (int i = 0; i < ndim; i++) t.shape[i] = i == 0 ? 3 : i;
            sb_record_reset(&r);
            sb_set_cstr(&r, "before", "x");
            sb_set_tensor_space(&r, "t", &t);
            assert_int_equal((uintptr_t)t.data % 64, 0);
            memset(t.data, 7, sb_tensor_bytes(&t));
            assert_true(sb_field_is_tensor(sb_record_find(&r, "t")));
            sb_record_copy(&copy, &r);
            assert_int_equal(sb_get_tensor(&copy, "t", &back), 1);
            assert_int_equal(back.dtype, dtype);
            assert_int_equal(back.ndim, ndim);
            assert_memory_equal(back.shape, t.shape, sizeof t.shape);
            assert_memory_equal(back.data, t.data, sb_tensor_bytes(&t));
            assert_int_equal((uintptr_t)back.data % sb_dtype_size(back.dtype), 0);
        }
    }
    sb_record_free(&r);
    sb_record_free(&copy);
}

/* What msgpack-numpy 0.4.8 writes for np.array([[0,1,2],[3,4,5]], '<f4'), a numpy scalar, and a bool scalar. */
static void test_numpy(void **state)
{
    (void)state;
    const uint8_t array[] = "\x85\xc4\x02nd\xc3\xc4\x04type\xa3<f4\xc4\x04kind\xc4\x00\xc4\x05shape\x92\x02\x03\xc4\x04"
                            "data\xc4\x18\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40";
    const uint8_t scalar[] = "\x83\xc4\x02nd\xc2\xc4\x04type\xa3<i2\xc4\x04"
                             "data\xc4\x02\xfe\xff";
    const uint8_t truth[] = "\x83\xc4\x02nd\xc2\xc4\x04type\xa3|b1\xc4\x04"
                            "data\xc4\x01\x01";
    struct sb_record r = {0};
    struct sb_tensor t;
    double real;
    int64_t whole;
    bool yes;
    sb_set_packed(&r, "a", array, sizeof array - 1);
    sb_set_packed(&r, "s", scalar, sizeof scalar - 1);
    sb_set_packed(&r, "b", truth, sizeof truth - 1);
    assert_int_equal(sb_get_tensor(&r, "a", &t), 1);
    assert_int_equal(t.dtype, SB_F32);
    assert_int_equal(t.shape[1], 3);
    assert_true(((float *)t.data)[5] == 5.0f);
    assert_int_equal(sb_get_int(&r, "s", &whole), 1);
    assert_int_equal(whole, -2);
    assert_int_equal(sb_get_real(&r, "s", &real), 1);
    assert_true(real == -2);
    assert_int_equal(sb_get_bool(&r, "b", &yes), 1);
    assert_true(yes);
    assert_int_equal(sb_get_tensor(&r, "s", &t), -1);
    assert_int_equal(sb_get_real(&r, "a", &real), -1);
    assert_false(sb_field_is_tensor(sb_record_find(&r, "s")));
    assert_true(sb_field_is_scalar(sb_record_find(&r, "s")));
    sb_record_free(&r);
}

/* An array map of str keys with these parts; shape and data are packed msgpack. */
static int get_array(const char *type, const char *kind, const char *shape, size_t shape_size, size_t data_size,
                     const char *dtype)
{
    struct sb_buffer b = {0};
    struct sb_record r = {0};
    struct sb_tensor t;
    msgpack_packer pk;
    uint8_t zero[64] = {0};
    msgpack_packer_init(&pk, &b, sb_buffer_write);
    msgpack_pack_map(&pk, 5 + (dtype != NULL));
    msgpack_pack_str_with_body(&pk, "data", 4);
    msgpack_pack_bin_with_body(&pk, zero, data_size);
    msgpack_pack_str_with_body(&pk, "shape", 5);
    sb_buffer_add(&b, shape, shape_size);
    msgpack_pack_str_with_body(&pk, "kind", 4);
    msgpack_pack_bin_with_body(&pk, kind, strlen(kind));
    msgpack_pack_str_with_body(&pk, "nd", 2);
    msgpack_pack_true(&pk);
    msgpack_pack_str_with_body(&pk, "type", 4);
    msgpack_pack_str_with_body(&pk, type, strlen(type));
    if (dtype) {
        msgpack_pack_str_with_body(&pk, "dtype", 5);
        msgpack_pack_str_with_body(&pk, dtype, strlen(dtype));
    }
    sb_set_packed(&r, "x", b.data, b.size);
    int rc = sb_get_tensor(&r, "x", &t);
    sb_record_free(&r);
    free(b.data);
    return rc;
}

static void test_refused_arrays(void **state)
{
    (void)state;
    assert_int_equal(get_array("<f4", "", "\x92\x02\x02", 3, 16, NULL), 1);
    assert_int_equal(get_array("<u2", "", "\x91\x03", 2, 6, "bf16"), 1);
    assert_int_equal(get_array("|u1", "", "\x92\x00\x05", 3, 0, NULL), 1);
    assert_int_equal(get_array("<f4", "", "\x90", 1, 4, NULL), 1);
    assert_int_equal(get_array("|O", "O", "\x91\x01", 2, 8, NULL), -1);
    assert_int_equal(get_array("<f4", "V", "\x91\x01", 2, 4, NULL), -1);
    assert_int_equal(get_array(">f4", "", "\x91\x01", 2, 4, NULL), -1);
    assert_non_null(strstr(sb_error_message(), "big-endian"));
    assert_int_equal(get_array("<c8", "", "\x91\x01", 2, 8, NULL), -1);
    assert_int_equal(get_array("", "", "\x91\x01", 2, 2, NULL), -1);
    assert_int_equal(get_array("<f4", "", "\x91\x02", 2, 4, NULL), -1);  /* short */
    assert_int_equal(get_array("<f4", "", "\x91\x02", 2, 12, NULL), -1); /* surplus */
    assert_string_equal(sb_error_message(), "field 'x': 12 bytes of data where the array's shape asks for 8");
    assert_int_equal(get_array("<f4", "", "\x91\xff", 2, 4, NULL), -1); /* -1 */
    assert_int_equal(get_array("<f4", "", "\x91\xa1z", 3, 4, NULL), -1);
    assert_int_equal(get_array("<f4", "", "\x05", 1, 4, NULL), -1);
    assert_int_equal(get_array("<f4", "", "\x99\1\1\1\1\1\1\1\1\1", 10, 4, NULL), -1); /* nine dimensions */
    /* A product that overflows to the size that is there. */
    assert_int_equal(get_array("|u1", "", "\x92\xcf\x80\0\0\0\0\0\0\0\x02", 11, 0, NULL), -1);
    assert_int_equal(
        get_array("|u1", "", "\x93\xce\xff\xff\xff\xff\xce\xff\xff\xff\xff\xce\xff\xff\xff\xff", 16, 1, NULL), -1);
    assert_int_equal(get_array("<f4", "", "\x91\x01", 2, 4, "bf16"), -1);
}

static void test_parse_and_pass(void **state)
{
    (void)state;
    /* {"a": 1, "deep": [nil, {3: ext}], "b": "x"} */
    const uint8_t bytes[] = "\x83\xa1"
                            "a\x01\xa4"
                            "deep\x92\xc0\x81\x03\xd4\x07\x09\xa1"
                            "b\xa1x";
    size_t size = sizeof bytes - 1;
    struct sb_record r = {0};
    msgpack_object o;
    assert_int_equal(sb_record_parse(&r, bytes, size), 0);
    assert_int_equal(r.count, 3);
    assert_ptr_equal(r.field[1].value, bytes + 9); /* borrowed */
    assert_int_equal(r.field[1].size, 7);
    sb_record_keep(&r);
    assert_memory_equal(r.field[1].value, bytes + 9, 7);
    assert_int_equal(sb_get_object(&r, "deep", &o), 1);
    assert_int_equal(o.type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal(o.via.array.ptr[1].via.map.ptr[0].val.via.ext.type, 7);
    assert_int_equal(sb_get_object(&r, "none", &o), 0);

    const struct {
        const char *bytes;
        size_t size;
        const char *why;
    } bad[] = {
        {"\x91\x01", 2, "not a map but a list"},
        {"\x81\x01\x02", 3, "a field's name is an integer, not a str"},
        {"\x81\xc4\x01z\x02", 5, "a field's name is bin, not a str"},
        {"\x82\xa1z\x01\xa1z\x02", 7, "field 'z' stands twice"},
        {"\x82\xa1z\x01", 4, "cut off inside a field"},
        {"\x81\xa1z\xa5y", 5, "cut off inside a field"},
        {"\x81\xa1z\x01\x01", 5, "1 bytes after the last field"},
        {"\xdf\x7f\xff\xff\xff", 5, "more than 1024 fields"},
        {"\xc1", 1, "not a msgpack value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sb_record_reset(&r);
        assert_int_equal(sb_record_parse(&r, (const uint8_t *)bad[i].bytes, bad[i].size), -1);
        assert_string_equal(sb_error_message(), bad[i].why);
    }
    sb_record_free(&r);
}

static void test_nesting(void **state)
{
    (void)state;
    struct sb_record r = {0};
    msgpack_object o;
    uint8_t deep[64];
    memset(deep, 0x91, sizeof deep);
    deep[32] = 0xc0;
    sb_set_packed(&r, "x", deep, 33);
    assert_int_equal(sb_get_object(&r, "x", &o), -1);
    deep[31] = 0xc0;
    sb_set_packed(&r, "x", deep, 32);
    assert_int_equal(sb_get_object(&r, "x", &o), 1);
    sb_set_packed(&r, "x", "\xdd\x7f\xff\xff\xff", 5); /* 2 billion items that are not there */
    assert_int_equal(sb_get_object(&r, "x", &o), -1);
    sb_record_free(&r);
}

/* Heads of every kind that msgpack-c packs say what was packed, and no truncation passes for whole. */
static void test_wire(void **state)
{
    (void)state;
    const uint64_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536};
    static char body[65536];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int type = SB_WIRE_STR; type <= SB_WIRE_EXT; type++) {
            struct sb_buffer b = {0};
            struct sb_wire w;
            msgpack_packer pk;
            msgpack_packer_init(&pk, &b, sb_buffer_write);
            if (type == SB_WIRE_STR) msgpack_pack_str_with_body(&pk, body, sizes[i]);
            if (type == SB_WIRE_BIN) msgpack_pack_bin_with_body(&pk, body, sizes[i]);
            if (type == SB_WIRE_EXT) msgpack_pack_ext_with_body(&pk, body, sizes[i], -5);
            assert_int_equal(sb_wire_head(b.data, b.size, &w), 1);
            assert_int_equal(w.type, type);
            assert_int_equal(w.size, sizes[i]);
            assert_int_equal(w.head + w.size, b.size);
            assert_int_equal(w.ext, type == SB_WIRE_EXT ? -5 : 0);
            assert_int_equal(sb_wire_value(b.data, b.size), b.size);
            assert_int_equal(sb_wire_value(b.data, b.size - 1), 0);
            free(b.data);
        }
    }
    const int64_t numbers[] = {0,  127, 128, 255,  256,  65535,  65536,  INT64_MAX,
                               -1, -32, -33, -128, -129, -32768, -32769, INT64_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sb_record r = {0};
        int64_t v;
        sb_set_int(&r, "n", numbers[i]);
        assert_int_equal(sb_get_int(&r, "n", &v), 1);
        assert_true(v == numbers[i]);
        sb_record_free(&r);
    }
}

static void test_memory_is_reused(void **state)
{
    (void)state;
    struct sb_record r = {0};
    void *place = NULL;
    for (int i = 0; i < 5; i++) {
        sb_record_reset(&r);
        for (int k = 0; k < 100; k++) sb_record_alloc(&r, 5000);
        struct sb_tensor t = {.dtype = SB_U8, .ndim = 1, .shape = {100000}};
        sb_set_tensor_space(&r, "image", &t);
        if (i > 1) assert_ptr_equal(t.data, place);
        place = t.data;
    }
    sb_record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_get),    cmocka_unit_test(test_tensors),          cmocka_unit_test(test_numpy),
        cmocka_unit_test(test_refused_arrays), cmocka_unit_test(test_parse_and_pass),   cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_wire),           cmocka_unit_test(test_memory_is_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
