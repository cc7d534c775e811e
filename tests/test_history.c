/* Histories of several inputs: places in a header's list stay those of the right histories, however often streams are
 * put together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "stream/history.h"

static const struct sb_opt no_opts[] = {SB_OPT_END};
static const struct sb_args no_args;

/* The header that a program of this name writes, given others'. The caller frees it. */
static struct sb_record *made(const char *name, const struct sb_record *header, size_t inputs, ...)
{
    const struct sb_tool tool = {name, "", "", no_opts, false};
    const struct sb_record *input[4];
    struct sb_record *out = sb_calloc(1, sizeof *out);
    va_list ap;
    va_start(ap, inputs);
    for (size_t i = 0; i < inputs; i++) input[i] = va_arg(ap, const struct sb_record *);
    va_end(ap);
    sb_history_join(out, header, input, inputs, &tool, &no_args);
    assert_int_equal(sb_history_check(out), 0);
    return out;
}

/* "a b(x, y c)": the steps of a history, with their inputs'. */
static void tell(const msgpack_object *history, const msgpack_object *inputs, char *text)
{
    for (uint32_t i = 0; i < history->via.array.size; i++) {
        const msgpack_object *step = &history->via.array.ptr[i], *name = sb_object_value(step, "tool", 4);
        const msgpack_object *places = sb_object_value(step, "inputs", 6);
        sprintf(text + strlen(text), "%s%.*s", i ? " " : "", (int)name->via.str.size, name->via.str.ptr);
        for (uint32_t k = 0; places && k < places->via.array.size; k++) {
            strcat(text, k ? ", " : "(");
            tell(&inputs->via.array.ptr[places->via.array.ptr[k].via.u64], inputs, text);
        }
        if (places) strcat(text, ")");
    }
}

static void assert_told(struct sb_record *header, const char *wanted)
{
    char text[512] = "";
    msgpack_object history, inputs = {0};
    assert_int_equal(sb_get_object(header, "history", &history), 1);
    assert_true(sb_get_object(header, "inputs", &inputs) >= 0);
    tell(&history, &inputs, text);
    assert_string_equal(text, wanted);
}

static void of_several(void **state)
{
    (void)state;
    struct sb_record none = {0};
    struct sb_record *a = made("a", NULL, 0), *b = made("b", a, 0), *c = made("c", NULL, 0);
    struct sb_record *ab = made("cat", NULL, 2, a, b), *more = made("d", ab, 0);
    struct sb_record *all = made("cat", NULL, 3, c, more, ab), *joined = made("join", all, 1, more);
    struct sb_record *foreign = made("cat", NULL, 2, &none, b), *last = made("e", joined, 1, foreign);
    assert_told(a, "a");
    assert_null(sb_record_find(b, "inputs"));
    assert_told(ab, "cat(a, a b)");
    assert_told(more, "cat(a, a b) d");
    assert_told(all, "cat(c, cat(a, a b) d, cat(a, a b))");
    assert_told(joined, "cat(c, cat(a, a b) d, cat(a, a b)) join(cat(a, a b) d)");
    assert_told(foreign, "cat(, a b)");
    assert_told(last, "cat(c, cat(a, a b) d, cat(a, a b)) join(cat(a, a b) d) e(cat(, a b))");
    struct sb_record *every[] = {a, b, c, ab, more, all, joined, foreign, last};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        sb_record_free(every[i]);
        free(every[i]);
    }
}

/* A stream that grows by one every night for years nests no deeper for it. */
static void grown_nightly(void **state)
{
    (void)state;
    msgpack_object inputs;
    struct sb_record *night = made("frames", NULL, 0), *all = made("cat", NULL, 1, night);
    for (int i = 0; i < 500; i++) {
        struct sb_record *both = made("cat", NULL, 2, all, night);
        sb_record_free(all);
        free(all);
        all = both;
    }
    assert_int_equal(sb_get_object(all, "inputs", &inputs), 1);
    assert_int_equal(inputs.via.array.size, 1001);
    sb_record_free(night);
    sb_record_free(all);
    free(night);
    free(all);
}

static void other_keys(void **state)
{
    (void)state;
    struct sb_record first = {0}, second = {0};
    sb_set_cstr(&first, "note", "kept");
    sb_set_cstr(&second, "other", "not this one's");
    struct sb_record *out = made("join", &first, 1, &second);
    assert_non_null(sb_record_find(out, "note"));
    assert_null(sb_record_find(out, "other"));
    sb_record_free(out);
    free(out);
    sb_record_free(&first);
    sb_record_free(&second);
}

#define BYTES(text) text, sizeof text - 1

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *bytes;
        size_t size;
    } bad[] = {
        {"history", BYTES("\xa1x")},                              /* a str */
        {"inputs", BYTES("\x80")},                                /* a map */
        {"inputs", BYTES("\x91\x01")},                            /* [1] */
        {"history", BYTES("\x91\x81\xa6inputs\x91\x00")},        /* names the first of none */
        {"history", BYTES("\x91\x81\xa6inputs\x00")},             /* no list */
        {"inputs", BYTES("\x91\x91\x81\xa6inputs\x91\x00")},     /* its own input */
        {"inputs", BYTES("\x92\x90\x91\x81\xa6inputs\x91\xff")}, /* -1 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sb_record header = {0};
        sb_set_packed(&header, bad[i].key, bad[i].bytes, bad[i].size);
        assert_int_equal(sb_history_check(&header), -1);
        sb_record_free(&header);
    }
    struct sb_record odd = {0};
    sb_set_packed(&odd, "history", BYTES("\x92\x05\x81\xa1x\x90")); /* steps of a foreign program pass */
    assert_int_equal(sb_history_check(&odd), 0);
    sb_record_free(&odd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_several),
        cmocka_unit_test(grown_nightly),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
