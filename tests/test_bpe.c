/* The captioner's tokenizers: GPT-2's byte pairs against transformers', and what both kinds make of captions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "folder.h"
#include "text/tokenizer.h"
#include "text/words.h"

static char *below_root(const char *path)
{
    const char *root = getenv("ROOT");
    return sb_format("%s/%s", root ? root : ".", path);
}

/* GPT-2's own vocabulary is not in the tree. */
static struct sb_bpe *open_vocabulary(bool tiny)
{
    char *vocabulary = below_root(tiny ? "tests/golden/gpt2" : "../shared/data/tokenizer/gpt2");
    struct sb_bpe *b = sb_bpe_open(vocabulary);
    if (!b && tiny) fail_msg("%s", sb_error_message());
    free(vocabulary);
    return b;
}

/* ---- against transformers ---- */

static void encode_is(const struct sb_bpe *b, const json_t *want)
{
    const char *text = json_string_value(json_object_get(want, "text"));
    const json_t *ids = json_object_get(want, "ids");
    size_t count, size;
    int32_t *got = sb_bpe_encode(b, text, strlen(text), &count);
    if (count != json_array_size(ids)) fail_msg("'%s' is %zu tokens, wanted %zu", text, count, json_array_size(ids));
    for (size_t i = 0; i < count; i++) {
        int want_id = (int)json_integer_value(json_array_get(ids, i));
        if (got[i] != want_id) fail_msg("token %zu of '%s' is %d, wanted %d", i, text, (int)got[i], want_id);
    }
    char *back = sb_bpe_decode(b, got, count, &size);
    assert_string_equal(back, text);
    assert_int_equal(size, strlen(text));
    free(back);
    free(got);
}

static void decode_is(const struct sb_bpe *b, const json_t *want)
{
    const json_t *ids = json_object_get(want, "ids");
    size_t count = json_array_size(ids);
    int32_t *token = sb_calloc(count + 1, sizeof *token);
    for (size_t i = 0; i < count; i++) token[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    char *got = sb_bpe_decode(b, token, count, NULL);
    assert_string_equal(got, json_string_value(json_object_get(want, "text")));
    free(got);
    free(token);
}

static void is_transformers(bool tiny)
{
    struct sb_bpe *b = open_vocabulary(tiny);
    if (!b) skip();
    char *path = below_root("tests/golden/bpe.json");
    json_t *file = json_load_file(path, 0, NULL), *golden = json_object_get(file, tiny ? "tiny" : "gpt2"), *want;
    size_t i;
    assert_true(json_array_size(json_object_get(golden, "encode")) > 20);
    json_array_foreach(json_object_get(golden, "encode"), i, want) encode_is(b, want);
    assert_true(json_array_size(json_object_get(golden, "decode")) > 20);
    json_array_foreach(json_object_get(golden, "decode"), i, want) decode_is(b, want);
    json_decref(file);
    free(path);
    sb_bpe_free(b);
}

static void a_tiny_vocabulary_is_used_as_transformers_does(void **state)
{
    (void)state;
    is_transformers(true);
}

static void gpt2s_vocabulary_is_used_as_transformers_does(void **state)
{
    (void)state;
    is_transformers(false);
}

/* ---- any bytes, any length ---- */

/* Text, bytes, or both mixed. */
static size_t draw_text(struct sb_rng *r, char *text, size_t most)
{
    static const char *const pieces[] = {" ",  "  ", "\n", "fish", "Ω",        "魚",   "🐠",
                                         "'s", "12", "é",  "...",  "\xF0\x9F", "\x80", "sand"};
    size_t size = 0, count = sb_rng_below(r, 24);
    uint32_t kind = sb_rng_below(r, 3);
    for (size_t i = 0; i < count && size + 8 < most; i++) {
        const char *piece = pieces[sb_rng_below(r, sizeof pieces / sizeof *pieces)];
        if (kind && sb_rng_below(r, kind + 1))
            text[size++] = (char)sb_rng_below(r, 256);
        else
            size = (size_t)(stpcpy(text + size, piece) - text);
    }
    return size;
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    struct sb_bpe *b = open_vocabulary(true);
    struct sb_rng r;
    sb_rng_init(&r, 1, 2);
    for (int turn = 0; turn < 3000; turn++) {
        char text[256];
        int32_t single[256];
        size_t size = draw_text(&r, text, sizeof text), count, back_size, bytes_size;
        int32_t *token = sb_bpe_encode(b, text, size, &count);
        assert_true(count <= size);
        for (size_t i = 0; i < size; i++) {
            size_t one;
            int32_t *id = sb_bpe_encode(b, text + i, 1, &one);
            assert_int_equal(one, 1);
            single[i] = *id;
            free(id);
        }
        /* Merged or not, the bytes are the same, and the text where they are one. */
        char *back = sb_bpe_decode(b, token, count, &back_size), *bytes = sb_bpe_decode(b, single, size, &bytes_size);
        assert_int_equal(back_size, bytes_size);
        assert_memory_equal(back, bytes, back_size);
        assert_true(sb_utf8_valid(back, back_size));
        if (sb_utf8_valid(text, size)) {
            assert_int_equal(back_size, size);
            assert_memory_equal(back, text, size);
        }
        free(back);
        free(bytes);
        free(token);
    }
    sb_bpe_free(b);
}

/* Were a merge to look at the whole word again, this would take hours. */
static void long_words_are_encoded(void **state)
{
    (void)state;
    struct sb_bpe *b = open_vocabulary(true);
    static const char *const unit[] = {"sand", "a", " ", "\xE9", "🐠", "7", "\xF0\x9F\x90"};
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
        size_t n = strlen(unit[u]), size = (1 << 20) / n * n, count;
        char *text = sb_malloc(size + 1);
        for (size_t i = 0; i < size; i += n) memcpy(text + i, unit[u], n);
        text[size] = 0;
        int32_t *token = sb_bpe_encode(b, text, size, &count);
        assert_true(count > 0 && count <= size);
        if (sb_utf8_valid(text, n)) {
            char *back = sb_bpe_decode(b, token, count, NULL);
            assert_string_equal(back, text);
            free(back);
        }
        free(token);
        free(text);
    }
    sb_bpe_free(b);
}

static void numbers_without_a_token_are_left_out(void **state)
{
    (void)state;
    struct sb_bpe *b = open_vocabulary(true);
    size_t count;
    int32_t *token = sb_bpe_encode(b, "a crab", 6, &count);
    int32_t more[16] = {-1, INT32_MAX, 100000};
    memcpy(more + 3, token, count * sizeof *token);
    char *text = sb_bpe_decode(b, more, count + 3, NULL);
    assert_string_equal(text, "a crab");
    free(text);
    free(token);
    sb_bpe_free(b);
}

/* ---- files that are none ---- */

static void write_text(const char *name, const char *text)
{
    char *path = sb_format("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

/* The vocabulary of single bytes, and "th" as 256. */
static char *byte_tokens(void)
{
    struct sb_bpe *b = open_vocabulary(true);
    json_t *o = json_object();
    const struct sb_dictionary *d = sb_bpe_tokens(b);
    for (size_t i = 1; i <= 256; i++) json_object_set_new(o, d->text[i], json_integer((json_int_t)i - 1));
    json_object_set_new(o, "th", json_integer(256));
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    sb_bpe_free(b);
    return text;
}

static void bad_vocabularies_are_refused(void **state)
{
    (void)state;
    char *good = byte_tokens();
    const struct {
        const char *tokens, *merges, *says;
    } bad[] = {
        {"", "", "vocab.json: not valid JSON"},
        {"[1]", "", "not an object of tokens"},
        {"{}", "", "not an object of tokens"},
        {"{\"a\": 0, \"a\": 1}", "", "duplicate"},
        {"{\"a\": 0, \"b\": 2}", "", "'b': not a number from 0 to 1"},
        {"{\"a\": 0, \"b\": 0}", "", "'a' and 'b' have one number"},
        {"{\"a\": 0, \"b\": 1.5}", "", "'b': not a number"},
        {"{\"a\": 0}", "", "no token '"},
        {good, "t h\nt", "merge 2, 't', is not two tokens"},
        {good, "t h\n\nt h\n", "merge 2, '', is not two tokens"},
        {good, "t h h\n", "merge 1, 't h h', is not two tokens"},
        {good, "#version: 0.2\nt i\n", "merge 1, 't i', has a token that is not in the vocabulary"},
        {good, "t h\r\nt h\r\n", "merge 2 is merge 1 once more"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text("vocab.json", bad[i].tokens);
        write_text("merges.txt", bad[i].merges);
        assert_null(sb_bpe_open(folder));
        if (!strstr(sb_error_message(), bad[i].says) || strncmp(sb_error_message(), folder, strlen(folder)))
            fail_msg("said '%s', wanted '%s'", sb_error_message(), bad[i].says);
    }
    write_text("merges.txt", "#version: 0.2\r\nt h\r\n");
    struct sb_bpe *b = sb_bpe_open(folder);
    if (!b) fail_msg("%s", sb_error_message());
    sb_bpe_free(b);
    struct sb_tokenizer t;
    assert_int_equal(sb_tokenizer_open(&t, folder), -1);
    assert_non_null(strstr(sb_error_message(), "no token '<|endoftext|>'"));
    free(good);
    assert_null(sb_bpe_open("no/such/folder"));
    assert_non_null(strstr(sb_error_message(), "no/such/folder/vocab.json: No such file"));
}

/* ---- captions ---- */

static void captions_are_put_between_begin_and_end(void **state)
{
    (void)state;
    struct sb_tokenizer t;
    char *vocabulary = below_root("tests/golden/gpt2");
    assert_int_equal(sb_tokenizer_open(&t, vocabulary), 0);
    int32_t token[12];
    sb_tokenizer_encode(&t, "an orange fish over sand", token, 12); /* seven tokens */
    assert_int_equal(token[0], t.begin);
    assert_int_equal(token[8], t.end);
    for (int i = 1; i < 8; i++) assert_int_not_equal(token[i], t.end);
    char *text = sb_tokenizer_decode(&t, token + 1, 11);
    assert_string_equal(text, "an orange fish over sand");
    free(text);
    sb_tokenizer_encode(&t, "an orange fish over sand", token, 5);
    assert_int_equal(token[4], t.end);
    text = sb_tokenizer_decode(&t, token + 1, 4);
    assert_string_equal(text, "an orange");
    free(text);
    text = sb_tokenizer_decode(&t, (int32_t[]){-1, token[1]}, 2);
    assert_string_equal(text, "");
    free(text);
    sb_tokenizer_free(&t);
    free(vocabulary);
}

static void tokenizers_travel_as_text(void **state)
{
    (void)state;
    for (int bytes = 0; bytes <= 1; bytes++) {
        struct sb_tokenizer t, l;
        char *vocabulary = below_root("tests/golden/gpt2");
        if (!bytes) {
            sb_tokenizer_start(&t);
            sb_words_add(&t.words, "a caf\u00e9 \"under\" the sea");
        } else {
            assert_int_equal(sb_tokenizer_open(&t, vocabulary), 0);
        }
        char *json = sb_tokenizer_json(&t);
        assert_int_equal(sb_tokenizer_parse(&l, json, sb_tokenizer_merges(&t)), 0);
        assert_int_equal(sb_tokenizer_count(&l), sb_tokenizer_count(&t));
        assert_int_equal(l.begin, t.begin);
        assert_int_equal(l.end, t.end);
        assert_true(sb_tokenizer_is(&l, json, sb_tokenizer_merges(&t)));
        assert_false(sb_tokenizer_is(&l, json, bytes ? NULL : ""));
        assert_false(sb_tokenizer_is(&l, "[\"a\",\"b\",\"c\",\"d\"]", sb_tokenizer_merges(&t)));
        int32_t a[16], b[16];
        sb_tokenizer_encode(&t, "a caf\u00e9 under sand", a, 16);
        sb_tokenizer_encode(&l, "a caf\u00e9 under sand", b, 16);
        assert_memory_equal(a, b, sizeof a);
        free(json);
        free(vocabulary);
        sb_tokenizer_free(&t);
        sb_tokenizer_free(&l);
    }
    struct sb_tokenizer t;
    assert_int_equal(sb_tokenizer_parse(&t, "[\"a\",\"b\",\"c\",\"a\"]", NULL), -1);
    assert_non_null(strstr(sb_error_message(), "'a' stands there twice"));
    assert_int_equal(sb_tokenizer_parse(&t, "[\"a\",\"b\",\"c\"]", NULL), -1);
    assert_int_equal(sb_tokenizer_parse(&t, "[\"a\",\"b\",\"c\",\"d\"]", ""), -1);
}

int main(void)
{
    sb_quiet = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tiny_vocabulary_is_used_as_transformers_does),
        cmocka_unit_test(gpt2s_vocabulary_is_used_as_transformers_does),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(long_words_are_encoded),
        cmocka_unit_test(numbers_without_a_token_are_left_out),
        cmocka_unit_test(bad_vocabularies_are_refused),
        cmocka_unit_test(captions_are_put_between_begin_and_end),
        cmocka_unit_test(tokenizers_travel_as_text),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
