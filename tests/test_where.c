/* Conditions on records: what holds, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "select/where.h"

static struct sb_record rec;

#define BYTES(text) text, sizeof text - 1

static int make_record(void **state)
{
    (void)state;
    static float box[4] = {10.1f, 20, 30, 40};
    static int64_t counts[2] = {3, -8};
    struct sb_tensor t = {.dtype = SB_F32, .ndim = 1, .shape = {4}, .data = box};
    sb_set_int(&rec, "cluster", 7);
    sb_set_int(&rec, "offset", -3);
    sb_set_real(&rec, "lat", 36.5);
    sb_set_real(&rec, "time", 1783087509.25); /* 2026-07-03T14:05:09.25Z */
    sb_set_f32(&rec, "distance", 0.1f);
    sb_set_bool(&rec, "good", true);
    sb_set_cstr(&rec, "label", "Sebastes sp. 1");
    sb_set_cstr(&rec, "group", "12");
    sb_set_cstr(&rec, "caf\xc3\xa9", "cr\xc3\xa8me");
    sb_set_cstr(&rec, "and", "or");
    sb_set_packed(&rec, "nothing", BYTES("\xc0"));
    sb_set_packed(&rec, "labels",
                  BYTES("\x92\xa4"
                        "crab\xa3"
                        "eel"));
    sb_set_packed(&rec, "predicted",
                  BYTES("\x92\x92\xa4"
                        "crab\xca\x3f\x66\x66\x66\x92\xa3"
                        "eel\xca\x3d\xcc\xcc\xcd"));
    sb_set_bin(&rec, "phash", "\xab\xcd", 2);
    sb_set_tensor(&rec, "box", &t);
    t = (struct sb_tensor){.dtype = SB_I64, .ndim = 1, .shape = {2}, .data = counts};
    sb_set_tensor(&rec, "counts", &t);
    sb_set_packed(&rec, "scalar",
                  BYTES("\x83\xc4\x02nd\xc2\xc4\x04type\xa3<f4\xc4\x04"
                        "data\xc4\x04\xcd\xcc\xcc\x3d"));
    return 0;
}

static int drop_record(void **state)
{
    (void)state;
    sb_record_free(&rec);
    return 0;
}

static void hold(const char *const *conditions, size_t count, int wanted)
{
    for (size_t i = 0; i < count; i++) {
        struct sb_where *w = sb_where_parse(conditions[i]);
        if (!w) fail_msg("%s", sb_error_message());
        for (int again = 0; again < 2; again++)
            if (sb_where_holds(w, &rec) != wanted) fail_msg("%s is not %d", conditions[i], wanted);
        sb_where_free(w);
    }
}

#define HOLD(wanted, ...)                                                                                              \
    do {                                                                                                               \
        static const char *const list[] = {__VA_ARGS__};                                                               \
        hold(list, sizeof list / sizeof *list, wanted);                                                                \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    HOLD(1, "cluster=7", "cluster = 7.0", "cluster != 8", "cluster<8", "cluster <= 7", "cluster>=7", "cluster>-1e3",
         "offset=-3", "lat>36", "lat < 36.6", "cluster = '7'", "offset<0", "cluster ~ '^7$'", "cluster != seven");
    HOLD(0, "cluster=8", "cluster != 7", "cluster<7", "cluster>7", "lat<=36", "cluster = 0x7", "cluster = seven",
         "cluster < seven", "cluster > seven", "cluster ~ '^77'", "cluster = nan", "cluster = ''");
    /* What an export prints of a 32-bit number is what it equals. */
    HOLD(1, "distance = 0.1", "distance <= 0.1", "x = 10.1", "box = 10.1", "probability = 0.9", "predicted = 0.1",
         "scalar = 0.1");
    HOLD(0, "distance > 0.1", "x != 10.1");
}

static void texts(void **state)
{
    (void)state;
    HOLD(1, "label = 'Sebastes sp. 1'", "label = \"Sebastes sp. 1\"", "group = 12", "group != 13", "group ~ 1",
         "label ~ ^Seb", "label ~ 'sp\\. [0-9]+$'", "label < Sebastesa", "label > Sebastes",
         "label >= 'Sebastes sp. 1'", "good = true", "good != false", "phash = abcd", "phash ~ ^ab",
         "'caf\xc3\xa9' ~ me$", "caf\xc3\xa9 = cr\xc3\xa8me", "'and' = 'or'", "label != ''");
    HOLD(0, "label = Sebastes", "label = 'sebastes sp. 1'", "group = 12.0", "label ~ '^sp'",
         "label > 'Sebastes sp. 10'", "good = 1", "label = ''");
}

static void absent(void **state)
{
    (void)state;
    HOLD(0, "depth = 3", "depth != 3", "depth < 3", "depth ~ .", "nothing = 1", "nothing != 1", "has nothing",
         "has depth", "not has cluster", "nothing ~ .");
    HOLD(1, "not depth = 3", "not depth != 3", "has lat", "has x", "has h", "has predicted_label", "has probability",
         "not has depth", "has box", "has 'and'", "not not has lat", "not nothing = 1");
}

static void derived(void **state)
{
    (void)state;
    HOLD(1, "y=20", "w >= 30", "h > 39", "predicted_label = crab", "predicted_label ~ ^c", "probability > 0.5",
         "probability ~ '^0.9$'");
    HOLD(0, "y=21", "predicted_label = eel", "probability < 0.5");
}

static void lists(void **state)
{
    (void)state;
    HOLD(1, "labels = crab", "labels = eel", "labels ~ ^e", "labels != crab", "predicted = eel", "counts = 3",
         "counts < -7", "counts = -8");
    HOLD(0, "labels = 'crab; eel'", "labels = squid", "labels ~ ';'", "not labels = crab", "counts > 3",
         "predicted ~ x", "labels = 3");
}

static void moments(void **state)
{
    (void)state;
    HOLD(1, "time > 2026-07-03T14:05:09Z", "time < 2026-07-03T14:05:10Z", "time >= '2026-07-03 16:05:09.25+02:00'",
         "time = 1783087509.25", "time ~ '^2026-07-03T14:'");
    HOLD(0, "time < 2026-07-03T14:05:09Z", "time ~ ^178");
}

static void words(void **state)
{
    (void)state;
    HOLD(1, "cluster=7 and lat>36", "cluster=8 or lat>36", "cluster=8 and lat>99 or good=true",
         "good=true or cluster=8 and lat>99", "not (cluster=8 or lat>99)", "NOT cluster=8 AND HAS lat",
         "((((cluster=7))))", "(cluster=7)and(lat>36)", "not not cluster=7", "cluster=1 or cluster=2 or cluster=7",
         "cluster=7 and lat>1 and good=true and not has depth", " cluster\t=\n7 ");
    HOLD(0, "cluster=7 and lat>99", "(good=true or cluster=8) and lat>99", "not (cluster=7 and lat>36)",
         "not cluster=7 or lat>99", "cluster=1 and cluster=7 and cluster=7");
}

/* All truth tables of three comparisons and two words, with and without not and parentheses, against C. */
static void logic(void **state)
{
    (void)state;
    char text[128];
    for (int bits = 0; bits < 8; bits++)
        for (int form = 0; form < 32; form++) {
            bool a = bits & 1, b = bits & 2, c = bits & 4, and1 = form & 1, and2 = form & 2, n = form & 4,
                 left = form & 8, right = form & 16;
            if (left && right) continue;
            snprintf(text, sizeof text, "%s%scluster=%d %s cluster=%d%s %s %scluster=%d%s", n && !left ? "not " : "",
                     left ? (n ? "not (" : "(") : "", a ? 7 : 8, and1 ? "and" : "or", b ? 7 : 8, left ? ")" : "",
                     and2 ? "and" : "or", "", c ? 7 : 8, "");
            if (right)
                snprintf(text, sizeof text, "%scluster=%d %s (cluster=%d %s cluster=%d)", n ? "not " : "", a ? 7 : 8,
                         and1 ? "and" : "or", b ? 7 : 8, and2 ? "and" : "or", c ? 7 : 8);
            bool na = n && !left ? !a : a;
            bool inner = left ? (n ? !(and1 ? a && b : a || b) : (and1 ? a && b : a || b)) : false;
            bool want = left           ? (and2 ? inner && c : inner || c)
                        : right        ? (and1 ? na && (and2 ? b && c : b || c) : na || (and2 ? b && c : b || c))
                        : and1 && and2 ? na && b && c
                        : and1         ? (na && b) || c
                        : and2         ? na || (b && c)
                                       : na || b || c;
            const char *list[] = {text};
            hold(list, 1, want);
        }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "'': at its end: a field's name is wanted"},
        {"lat>", "'lat>': at its end: a value is wanted"},
        {"lat", "at its end: one of = != < <= > >= ~ is wanted"},
        {"lat 36", "column 5, at '36': one of ="},
        {"cluster=7 lat>36", "column 11, at 'lat>36': and, or or the end is wanted"},
        {"cluster=7 and", "at its end: a field's name"},
        {"cluster=7 and and lat>3", "column 15, at 'and lat>3': a field's name"},
        {"label = and x=1",
         "column 9, at 'and x=1': a value is wanted (a text that is a word of the language stands in quotes)"},
        {"(lat>3", "at its end: and, or or ) is wanted"},
        {"lat>3)", "column 6, at ')': and, or or the end"},
        {"lat==3", "column 5, at '=3': a value is wanted"},
        {"lat=>3", "column 5, at '>3': a value"},
        {"lat ! 3", "column 5, at '! 3': unlike is written !="},
        {"label='x", "column 7, at ''x': this quote is not closed"},
        {"caf\xc3\xa9 3", "column 6, at '3'"},
        {"'' = 3", "column 1, at ''' = 3': a field has a name"},
        {"label ~ '['", "column 9, at ''['': "},
        {"has", "at its end: a field's name"},
        {"has (lat)", "column 5, at '(lat)'"},
        {"()", "column 2, at ')'"},
        {"time > yesterday", "column 8, at 'yesterday': 'yesterday' is not a date and time"},
        {"time > 2026-07-03T14:05:09", "column 8, at '2026-07-03T14:05:09': "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sb_where *w = sb_where_parse(bad[i].text);
        if (w) fail_msg("%s was taken", bad[i].text);
        if (!strstr(sb_error_message(), bad[i].why)) fail_msg("%s: said %s", bad[i].text, sb_error_message());
    }
}

static void deep(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *text = sb_calloc(1, 20 * N + 100);
    for (int i = 0; i < 99; i++) strcat(text, "(");
    strcat(text, "lat>3");
    for (int i = 0; i < 99; i++) strcat(text, ")");
    HOLD(1, "lat>3");
    const char *list[] = {text};
    hold(list, 1, 1);
    memset(text, '(', N);
    assert_null(sb_where_parse(text));
    assert_non_null(strstr(sb_error_message(), "column 101"));
    assert_non_null(strstr(sb_error_message(), "nest too deep"));
    /* A long one is not a deep one. */
    char *end = text;
    for (int i = 0; i < N / 10; i++) end += sprintf(end, "%snot lat<%d", i ? " and " : "", i % 30);
    hold(list, 1, 1);
    memset(text, 0, 20 * N);
    for (int i = 0; i < N; i++) memcpy(text + 4 * i, "not ", 4);
    strcpy(text + 4 * N, "lat>3");
    hold(list, 1, 1);
    free(text);
}

static void unreadable(void **state)
{
    (void)state;
    struct sb_record odd = {0};
    sb_set_cstr(&odd, "predicted", "crab");
    sb_set_cstr(&odd, "box", "none");
    static const char *const conditions[] = {"probability > 0.5", "has predicted_label", "x = 3", "has x"};
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        struct sb_where *w = sb_where_parse(conditions[i]);
        assert_int_equal(sb_where_holds(w, &odd), -1);
        sb_where_free(w);
    }
    sb_record_free(&odd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(texts),   cmocka_unit_test(absent),     cmocka_unit_test(derived),
        cmocka_unit_test(lists),   cmocka_unit_test(moments), cmocka_unit_test(words),      cmocka_unit_test(logic),
        cmocka_unit_test(refused), cmocka_unit_test(deep),    cmocka_unit_test(unreadable),
    };
    return cmocka_run_group_tests(tests, make_record, drop_record);
}
