/* Moments: what people and cameras write, zones and their odd hours, and back to text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"

#define NOON 1783087509.0 /* 2026-07-03T14:05:09Z */

static void takes(const char *text, const struct sb_zone *zone, double want)
{
    double got = 0;
    if (sb_clock_parse(text, strlen(text), zone, &got) < 0) fail_msg("%s: %s", text, sb_error_message());
    if (got != want) fail_msg("%s: %.9f, not %.9f", text, got, want);
}

static void refuses(const char *text, const struct sb_zone *zone, const char *why)
{
    double got = 0;
    if (sb_clock_parse(text, strlen(text), zone, &got) == 0) fail_msg("%s gave %.9f", text, got);
    if (!strstr(sb_error_message(), why)) fail_msg("%s: %s", text, sb_error_message());
}

static struct sb_zone zone_of(const char *name)
{
    struct sb_zone zone;
    if (sb_zone_parse(name, &zone) < 0) fail_msg("%s", sb_error_message());
    return zone;
}

static void written_forms(void **state)
{
    (void)state;
    static const char *const same[] = {
        "2026-07-03T14:05:09Z",      "2026-07-03 14:05:09Z",
        "2026-07-03t14:05:09z",      " 2026-07-03T14:05:09 UTC\n",
        "2026/07/03 14:05:09 GMT",   "2026:07:03 14:05:09+00:00",
        "2026.07.03_14.05.09Z",      "2026_07_03_14_05_09Z",
        "2026-07-03T14-05-09Z",      "20260703T140509Z",
        "20260703_140509Z",          "20260703-140509Z",
        "20260703140509Z",           "2026-07-03T16:05:09+02:00",
        "2026-07-03T16:05:09+0200",  "2026-07-03T16:05:09 +02",
        "20260703T043509-0930",      "2026-07-03T14:05:09.000Z",
        "2026-07-04T04:05:09+14:00", "2026-07-03T02:05:09-12:00",
        "20260703T140509-00:00",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) takes(same[i], NULL, NOON);
    takes("2026-07-03T14:05:09.25Z", NULL, NOON + 0.25);
    takes("20260703T140509,5Z", NULL, NOON + 0.5);
    takes("2026-07-03T14:05Z", NULL, NOON - 9);
    takes("20260703T1405Z", NULL, NOON - 9);
    takes("1969-12-31T23:59:59.5Z", NULL, -0.5);
    takes("1583-01-01T00:00:00Z", NULL, SB_CLOCK_LEAST);
    takes("9999-12-31T23:59:59Z", NULL, SB_CLOCK_MOST - 1);
    takes("2024-02-29T00:00:00Z", NULL, 1709164800);
}

static void nothing_is_guessed(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        "now",
        "2026-07-03",
        "14:05:09Z",
        "2026-07-03T",
        "2026-07-03T14Z",
        "03/07/2026 14:05:09Z",
        "26-07-03T14:05:09Z",
        "2026-7-3T14:05:09Z",
        "2026-07/03T14:05:09Z",
        "2026-07-0314:05:09Z",
        "2026-07-03T14:05:09.Z",
        "2026-07-03T14:05:9Z",
        "2026-07-03T14:05:09+2",
        "2026-07-03T14:05:09+02:",
        "2026-07-03T14:05:09+15:00",
        "2026-07-03T14:05:09-12:30",
        "2026-07-03T14:05:09+02:60",
        "2026-07-03T14:05:09 CEST",
        "2026-07-03T14:05:09Zulu",
        "20260703T140509250Z",
        "2026-W27-5T14:05:09Z",
        "2026-07-03T14:05-09:00Z",
        "1783087509",
        "1783082405.00",
        "2026070314:05:09Z",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) refuses(odd[i], NULL, "not a date and time");
    static const char *const absent[] = {
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-04-00T00:00:00Z", "2026-07-03T24:00:00Z", "2026-07-03T23:60:00Z",
        "2026-07-03T23:59:61Z", "1582-12-31T00:00:00Z", "0000-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) refuses(absent[i], NULL, "is in no calendar");
    struct sb_zone none = {0};
    refuses("2026-07-03T14:05:09", NULL, "names no zone");
    refuses("2026-07-03T14:05:09", &none, "names no zone");
}

static void leap_seconds(void **state)
{
    (void)state;
    struct sb_zone berlin = zone_of("Europe/Berlin");
    takes("2016-12-31T23:59:60Z", NULL, 1483228800);
    takes("2016-12-31T23:59:60.5Z", NULL, 1483228800.5);
    takes("2017-01-01T00:59:60+01:00", NULL, 1483228800);
    takes("2017-01-01T00:59:60", &berlin, 1483228800);
    refuses("2016-12-31T23:58:60Z", NULL, "no leap second");
    refuses("2016-12-30T23:59:60Z", NULL, "no leap second");
    refuses("2017-01-01T23:59:60", &berlin, "no leap second");
}

static void fixed_zones(void **state)
{
    (void)state;
    struct sb_zone zone;
    static const char *const bad[] = {"",          "Mars/Gale", "../../etc/passwd", "/etc/localtime",
                                      "localtime", "CET-1CEST", "right/UTC",        "+2",
                                      "Europe",    "2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (sb_zone_parse(bad[i], &zone) == 0 || zone.given) fail_msg("'%s' was taken", bad[i]);
        assert_non_null(strstr(sb_error_message(), "no time zone"));
    }
    struct sb_zone newfoundland = zone_of("-03:30"), utc = zone_of("Z"), kiritimati = zone_of("+1400");
    takes("2026-07-03T10:35:09", &newfoundland, NOON);
    takes("2026-07-03T14:05:09", &utc, NOON);
    takes("2026-07-04T04:05:09", &kiritimati, NOON);
    takes("2026-07-03T14:05:09Z", &newfoundland, NOON); /* what is written wins */
}

static void named_zones(void **state)
{
    (void)state;
    struct sb_zone berlin = zone_of("Europe/Berlin"), auckland = zone_of("Pacific/Auckland");
    takes("2026-07-03T16:05:09", &berlin, NOON);
    takes("2026-01-03T15:05:09", &berlin, 1767449109);
    takes("2026-07-04T02:05:09", &auckland, NOON); /* taken in turn */
    takes("2026-07-03T16:05:09", &berlin, NOON);
    /* Clocks go from 02:00 to 03:00 on the last Sunday of March, and back from 03:00 on that of October. */
    takes("2026-03-29T01:59:59.5", &berlin, 1774745999.5);
    takes("2026-03-29T03:00:00", &berlin, 1774746000);
    refuses("2026-03-29T02:00:00", &berlin, "does not exist in Europe/Berlin");
    refuses("2026-03-29T02:59:59", &berlin, "does not exist in Europe/Berlin");
    takes("2026-10-25T01:59:59", &berlin, 1792886399);
    refuses("2026-10-25T02:00:00", &berlin, "came twice in Europe/Berlin");
    refuses("2026-10-25T02:59:59", &berlin, "came twice in Europe/Berlin");
    takes("2026-10-25T03:00:00", &berlin, 1792893600);
    takes("2026-10-25T02:30:00+02:00", &berlin, 1792888200);
    /* A day that Samoa left out, when it changed sides of the date line. */
    struct sb_zone apia = zone_of("Pacific/Apia");
    takes("2011-12-29T23:00:00", &apia, 1325235600);
    refuses("2011-12-30T12:00:00", &apia, "does not exist");
    takes("2011-12-31T01:00:00", &apia, 1325242800);
}

/* In any hour of some years, what a zone's clocks show either gives that moment again or is refused. */
static void zones_hold_everywhere(void **state)
{
    (void)state;
    static const char *const names[] = {"America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "America/Adak"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sb_zone zone = zone_of(names[i]);
        int unclear = 0;
        for (int64_t t = 1704067200; t < 1767225600; t += 1800) {
            struct tm tm;
            char text[SB_CLOCK_TEXT];
            double got = 0;
            time_t when = (time_t)t;
            localtime_r(&when, &tm); /* TZ is that of the zone parsed last */
            strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
            if (sb_clock_parse(text, strlen(text), &zone, &got) < 0)
                unclear++;
            else if (got != (double)t)
                fail_msg("%s in %s: %.0f, not %lld", text, names[i], got, (long long)t);
        }
        assert_in_range(unclear, 1, 20);
    }
}

static void back_to_text(void **state)
{
    (void)state;
    char buf[SB_CLOCK_TEXT];
    assert_string_equal(sb_clock_text(NOON, -1, buf), "2026-07-03T14:05:09Z");
    assert_string_equal(sb_clock_text(NOON + 0.25, -1, buf), "2026-07-03T14:05:09.25Z");
    assert_string_equal(sb_clock_text(NOON + 0.1, -1, buf), "2026-07-03T14:05:09.1Z");
    assert_string_equal(sb_clock_text(NOON + 0.999, 0, buf), "2026-07-03T14:05:09Z");
    assert_string_equal(sb_clock_text(NOON + 0.2625, 3, buf), "2026-07-03T14:05:09.262Z");
    assert_string_equal(sb_clock_text(-0.5, -1, buf), "1969-12-31T23:59:59.5Z");
    assert_string_equal(sb_clock_text(-0.5, 0, buf), "1969-12-31T23:59:59Z");
    assert_string_equal(sb_clock_text(SB_CLOCK_MOST, -1, buf), "2.53402e+11");
    assert_string_equal(sb_clock_text(1e300, 0, buf), "1e+300");
    assert_string_equal(sb_clock_text(0.0 / 0.0, 0, buf)[0] == '-' ? buf + 1 : buf, "nan");
}

/* A number written and read again is the same number, to the last bit, since 2004 (before, to the nanosecond). */
static void text_and_number_agree(void **state)
{
    (void)state;
    struct sb_rng rng;
    sb_rng_init(&rng, 7, 0);
    for (int i = 0; i < 100000; i++) {
        double t = sb_rng_range(&rng, 1.1e9, i % 2 ? 5e9 : SB_CLOCK_MOST) + sb_rng_uniform(&rng), got = 0;
        char buf[SB_CLOCK_TEXT];
        sb_clock_text(t, -1, buf);
        assert_int_equal(sb_clock_parse(buf, strlen(buf), NULL, &got), 0);
        if (got != t) fail_msg("%s: %.9f, not %.9f", buf, got, t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_forms), cmocka_unit_test(nothing_is_guessed),
        cmocka_unit_test(leap_seconds),  cmocka_unit_test(fixed_zones),
        cmocka_unit_test(named_zones),   cmocka_unit_test(zones_hold_everywhere),
        cmocka_unit_test(back_to_text),  cmocka_unit_test(text_and_number_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
