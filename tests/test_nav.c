/* Tracks: tables as loggers write them, and what lies between fixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "formats/nav.h"

#define NOON 1783087509.0 /* 2026-07-03T14:05:09Z */

static int read_table(struct sb_nav *nav, const char *table, size_t size, const char *columns, const char *zone)
{
    struct sb_nav_names names;
    struct sb_zone z = {0};
    FILE *f = fmemopen((void *)table, size, "rb");
    assert_int_equal(sb_nav_names_parse(columns, &names), 0);
    if (zone) assert_int_equal(sb_zone_parse(zone, &z), 0);
    int rc = sb_nav_read(nav, f, &names, &z);
    fclose(f);
    free(names.text);
    return rc;
}

static void takes(struct sb_nav *nav, const char *table, const char *columns, const char *zone)
{
    if (read_table(nav, table, strlen(table), columns, zone) < 0) fail_msg("%s: %s", table, sb_error_message());
}

static void refuses_with(const char *table, const char *columns, const char *zone, const char *why)
{
    struct sb_nav nav;
    if (read_table(&nav, table, strlen(table), columns, zone) == 0) fail_msg("'%s' was taken", table);
    if (!strstr(sb_error_message(), why)) fail_msg("'%s' said: %s", table, sb_error_message());
    sb_nav_free(&nav);
}

static void refuses(const char *table, const char *why) { refuses_with(table, "", NULL, why); }

static void at(const struct sb_nav *nav, double time, double gap, double lat, double lon)
{
    double y, x;
    if (!sb_nav_position(nav, time, gap, &y, &x)) fail_msg("nothing at %.3f", time - NOON);
    if (fabs(y - lat) > 1e-9 || fabs(x - lon) > 1e-9) fail_msg("at %.3f: %.12g %.12g", time - NOON, y, x);
}

static void at_depth(const struct sb_nav *nav, double time, double gap, double depth)
{
    double z;
    assert_true(sb_nav_depth(nav, time, gap, &z));
    if (fabs(z - depth) > 1e-9) fail_msg("at %.3f: %.12g m", time - NOON, z);
}

static bool lost(const struct sb_nav *nav, double time, double gap)
{
    double y, x;
    return !sb_nav_position(nav, time, gap, &y, &x);
}

/* The same three fixes in many hands. */
static void dialects(void **state)
{
    (void)state;
    static const struct {
        const char *table, *columns, *zone;
    } same[] = {
        {"time,lat,lon,depth\n2026-07-03T14:05:09Z,10,20,5\n2026-07-03T14:05:19Z,11,22,7\n2026-07-03T14:05:29Z,12,24,"
         "9\n",
         "", NULL},
        {"\xef\xbb\xbf"
         "Timestamp;Latitude;Longitude;Depth_m\r\n2026-07-03T16:05:09+02:00;10.0;20.0;5.0\r\n"
         "2026-07-03T16:05:19+02:00;11.0;22.0;7.0\r\n2026-07-03T16:05:29+02:00;12.0;24.0;9.0\r\n",
         "", NULL},
        {"unix\tdecimalLatitude\tdecimalLongitude\tdepth\n1783087509\t10\t20\t5\n1783087519."
         "0\t11\t22\t7\n1783087529\t12\t24\t9",
         "", NULL},
        {"Date (UTC),Time (UTC),Lat [\xc2\xb0],Long [\xc2\xb0],Depth "
         "[m]\r2026-07-03,14:05:09,10,20,5\r2026-07-03,14:05:19,11,22,7\r2026-07-03,14:05:29,12,24,9\r",
         "", NULL},
        {"\n\n\"time\",\"lat\",\"lon\",\"depth\",\"altitude\"\n\"2026-07-03 14:05:09\",\"10\",\"20\",\"5\",\"2\"\n\n"
         "2026-07-03 14:05:29, 12 , 24 , 9 ,2,\n2026-07-03 14:05:19,11,22,7,2\n",
         "", "UTC"},
        {"when,what,Y,X,Z\n20260703140509,\"a, "
         "\"\"b\"\"\n\",10,20,5\n20260703140519,,11,22,7\n20260703140529,,12,24,9\n",
         "time=when,lat=y,lon=x,depth=z", "+00:00"},
        {"datetime_utc,lat,lon,depth,date\n2026-07-03T14:05:09,10,20,5,x\n2026-07-03T14:05:19,11,22,7,x\n2026-07-03T14:"
         "05:29,12,24,9,x\n",
         "", NULL},
        {"date,lat,lon,depth\n2026/07/03 14:05:09.000Z,10,20,5\n2026/07/03 14:05:19Z,11,22,7\n2026/07/03 "
         "14:05:29Z,12,24,9\n",
         "", NULL},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct sb_nav nav;
        takes(&nav, same[i].table, same[i].columns, same[i].zone);
        if (nav.bad || nav.rows != 3 || nav.clashes) fail_msg("%s: %s", same[i].table, nav.why);
        at(&nav, NOON, 60, 10, 20);
        at(&nav, NOON + 15, 60, 11.5, 23);
        at_depth(&nav, NOON + 2.5, 60, 5.5);
        at_depth(&nav, NOON + 20, 60, 9);
        sb_nav_free(&nav);
    }
}

static void between_fixes(void **state)
{
    (void)state;
    struct sb_nav nav;
    takes(&nav,
          "time,lat,lon,depth\n2026-07-03T14:05:09Z,10,20,\n2026-07-03T14:06:09Z,16,26,100\n"
          "2026-07-03T14:07:10Z,20,20,NaN\n2026-07-03T14:07:20Z,,,120\n2026-07-03T14:07:21Z,22,,NA\n",
          "", NULL);
    assert_int_equal(nav.bad, 0);
    assert_int_equal(nav.position.count, 3);
    assert_int_equal(nav.depth.count, 2);
    at(&nav, NOON + 30, 60, 13, 23); /* a gap of exactly 60 s is bridged */
    assert_true(lost(&nav, NOON + 30, 59.9));
    assert_true(lost(&nav, NOON + 61, 60)); /* one of 61 s is not */
    at(&nav, NOON + 60 + 30.5, 61, 18, 23);
    at(&nav, NOON + 60, 1, 16, 26); /* on a fix no gap matters */
    at(&nav, NOON + 121, 1, 20, 20);
    assert_true(lost(&nav, NOON - 1e-3, 1e9)); /* nothing is known outside */
    assert_true(lost(&nav, NOON + 121.001, 1e9));
    at_depth(&nav, NOON + 60 + 35.5, 100, 110); /* depth goes on where positions are lost */
    double depth, from, to;
    assert_false(sb_nav_depth(&nav, NOON + 59, 100, &depth));
    sb_nav_span(&nav, &from, &to);
    assert_true(from == NOON && to == NOON + 131);
    sb_nav_free(&nav);
}

static void across_the_date_line(void **state)
{
    (void)state;
    struct sb_nav nav;
    takes(&nav,
          "unix,lat,lon\n1783087509,0,179.9\n1783087519,0,-179.7\n1783087529,0,178.5\n1783087539,0,181.5\n1783087549,0,"
          "180\n",
          "", NULL);
    at(&nav, NOON + 2.5, 60, 0, -180);
    at(&nav, NOON + 1, 60, 0, 179.94);
    at(&nav, NOON + 5, 60, 0, -179.9);
    at(&nav, NOON + 15, 60, 0, 179.4);
    at(&nav, NOON + 25, 60, 0, -180); /* 181.5 east is 178.5 west */
    at(&nav, NOON + 30, 60, 0, -178.5);
    at(&nav, NOON + 40, 60, 0, -180);
    sb_nav_free(&nav);
    takes(&nav, "unix,lat,lon\n1783087509,0,359.5\n1783087519,0,0.5\n", "", NULL); /* nor is Greenwich a wall */
    at(&nav, NOON + 5, 60, 0, 0);
    sb_nav_free(&nav);
}

static void bad_rows_are_counted(void **state)
{
    (void)state;
    struct sb_nav nav;
    takes(&nav,
          "time,lat,lon,depth\n# a remark\n2026-07-03T14:05:09Z,10,20,5\nlater,10,20,5\n,10,20,5\n"
          "2026-07-03T14:05:10Z,91,20,5\n2026-07-03T14:05:10Z,10,361,5\n2026-07-03T14:05:10Z,10,20,12001\n"
          "2026-07-03T14:05:10Z,10,20,5,9\n2026-07-03T14:05:10Z,10,20\n2026-07-03T14:05:10Z,0x10,20,5\n"
          "2026-07-03T14:05:10Z,inf,20,5\n2026-07-03T14:05:10Z,1e999,20,5\n1783087509250,10,20,5\n17.5,10,20,5\n"
          "2026-07-03T14:05:19Z,10 N,20,5\n2026-07-03T14:05:19Z,20,30,6\n2026-02-30T14:05:19Z,20,30,6\n",
          "", NULL);
    assert_int_equal(nav.rows, 17);
    assert_int_equal(nav.bad, 15);
    assert_string_equal(nav.why, "line 2: it has 1 cells where the header has 4");
    assert_int_equal(nav.position.count, 2);
    at(&nav, NOON + 5, 60, 15, 25);
    sb_nav_free(&nav);
    /* 2026-03-29 02:30 did not exist in Berlin, and 2026-10-25 02:30 came twice. */
    takes(&nav, "time,depth\n2026-03-29 02:30:00,4\n2026-10-25 02:30:00,4\n2026-07-03 16:05:09,4\n", "",
          "Europe/Berlin");
    assert_int_equal(nav.bad, 2);
    at_depth(&nav, NOON, 60, 4);
    sb_nav_free(&nav);
}

static void the_first_of_a_time_counts(void **state)
{
    (void)state;
    struct sb_nav nav;
    takes(&nav,
          "unix,lat,lon\n1783087519,12,22\n1783087509,10,20\n1783087509,10,20\n1783087509,50,60\n1783087519,12,22\n",
          "", NULL);
    assert_int_equal(nav.position.count, 2);
    assert_int_equal(nav.clashes, 1);
    at(&nav, NOON, 60, 10, 20);
    at(&nav, NOON + 5, 60, 11, 21);
    sb_nav_free(&nav);
}

static void tables_that_are_refused(void **state)
{
    (void)state;
    refuses("", "it is empty");
    refuses("\n\r\n", "it is empty");
    refuses("time,lat,lon\n", "none of its 0 rows has a place");
    refuses("time,lat,lon\nx,1,2\n", "none of its 1 rows has a place; line 2: 'x' is not a date");
    refuses("time,lat,lon\n1783087509,,\n", "none of its 1 rows");
    refuses("lat,lon\n1,2\n", "none of its columns is called time");
    refuses("time,lat\n1783087509,2\n", "a latitude and no longitude");
    refuses("time,altitude,Depth (ft),water depth\n1783087509,2,3,4\n", "neither latitude and longitude nor depth");
    refuses("time,utc,lat,lon\n1,1,1,1\n", "both 'time' and 'utc' could be its time");
    refuses("time,lat,lon\n2026-07-03T14:05:09Z,\"54,5\",10\n", "line 2: '54,5' has a decimal comma");
    refuses("time,lat,lon\n2026-07-03 14:05:09,54.5,10\n",
            "line 2: '2026-07-03 14:05:09' names no zone: give --nav-zone");
    refuses("unix,depth\n1783087509,-4\n1783087510,-5\n1783087511,1\n", "most of its depths are negative");
    refuses("\xff\xfet\0i\0m\0e\0", "it is UTF-16");
    refuses_with("time,lat,lon\n1783087509,1,2\n", "lat=breite", NULL, "it has no column 'breite'");
    refuses_with("time,lat,lon,depth\n1783087509,1,2,3\n", "depth=,lon=,lat=", NULL, "neither latitude");
    size_t size = (size_t)3 << 20;
    char *open = malloc(size + 1);
    memset(open, 'x', size);
    memcpy(open, "time,lat,lon\n\"", 14);
    open[size] = 0;
    refuses(open, "line 2: a cell has no end");
    memset(open + 13, ',', size - 13);
    refuses(open, "line 2: it is longer than");
    free(open);
}

static void names_of_columns(void **state)
{
    (void)state;
    struct sb_nav_names names;
    static const char *const wrong[] = {"lat", "latitude=Y", "lat=Y,lat=Z", "=x", ",", "time=T,"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (sb_nav_names_parse(wrong[i], &names) == 0) fail_msg("'%s' was taken", wrong[i]);
        free(names.text);
    }
    assert_int_equal(sb_nav_names_parse("time=Zeit (UTC),depth=", &names), 0);
    assert_string_equal(names.name[SB_NAV_TIME], "Zeit (UTC)");
    assert_string_equal(names.name[SB_NAV_DEPTH], "");
    assert_null(names.name[SB_NAV_LAT]);
    free(names.text);
}

/* Any order of any rows gives the track that a naive search in them gives. */
static void agrees_with_a_plain_search(void **state)
{
    (void)state;
    enum { FIXES = 300 };
    struct sb_rng rng;
    sb_rng_init(&rng, 11, 0);
    double time[FIXES], lat[FIXES], lon[FIXES];
    char *table = malloc(FIXES * 80), *end = stpcpy(table, "unix,lat,lon\n");
    for (int i = 0; i < FIXES; i++) {
        time[i] = NOON + (double)sb_rng_below(&rng, 4000) / 4;
        lat[i] = (double)sb_rng_below(&rng, 180000) / 1000 - 90;
        lon[i] = (double)sb_rng_below(&rng, 360000) / 1000 - 180;
        for (int j = 0; j < i; j++)
            if (time[j] == time[i]) lat[i] = lat[j], lon[i] = lon[j];
        end += sprintf(end, "%.2f,%.3f,%.3f\n", time[i], lat[i], lon[i]);
    }
    struct sb_nav nav;
    takes(&nav, table, "", NULL);
    assert_int_equal(nav.clashes, 0);
    for (double t = NOON - 1; t < NOON + 1001; t += 0.125) {
        int a = -1, b = -1;
        for (int i = 0; i < FIXES; i++) {
            if (time[i] <= t && (a < 0 || time[i] > time[a])) a = i;
            if (time[i] >= t && (b < 0 || time[i] < time[b])) b = i;
        }
        bool known = a >= 0 && b >= 0 && time[b] - time[a] <= 5;
        double y, x;
        assert_int_equal(sb_nav_position(&nav, t, 5, &y, &x), known);
        if (!known) continue;
        double way = a == b || time[a] == time[b] ? 0 : (t - time[a]) / (time[b] - time[a]);
        double east = remainder(lon[b] - lon[a], 360);
        if (fabs(fabs(east) - 180) < 1e-6) continue; /* either way round */
        assert_true(fabs(y - (lat[a] + way * (lat[b] - lat[a]))) < 1e-9);
        assert_true(fabs(remainder(x - (lon[a] + way * east), 360)) < 1e-9);
        assert_true(x >= -180 && x < 180);
    }
    sb_nav_free(&nav);
    free(table);
}

static void records_get_what_is_known(void **state)
{
    (void)state;
    struct sb_nav nav;
    struct sb_record rec = {0};
    double v;
    takes(&nav, "unix,lat,lon,depth\n1783087509,10,20,5\n1783087519,12,22,\n", "", NULL);
    assert_false(sb_nav_place(&nav, 60, &rec)); /* no time, no place */
    sb_set_real(&rec, "time", NOON + 5);
    assert_true(sb_nav_place(&nav, 60, &rec));
    assert_int_equal(sb_get_real(&rec, "lat", &v), 1);
    assert_true(v == 11);
    assert_int_equal(sb_get_real(&rec, "lon", &v), 1);
    assert_true(v == 21);
    assert_int_equal(sb_get_real(&rec, "depth", &v), 0);
    sb_record_free(&rec);
    sb_nav_free(&nav);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialects),
        cmocka_unit_test(between_fixes),
        cmocka_unit_test(across_the_date_line),
        cmocka_unit_test(bad_rows_are_counted),
        cmocka_unit_test(the_first_of_a_time_counts),
        cmocka_unit_test(tables_that_are_refused),
        cmocka_unit_test(names_of_columns),
        cmocka_unit_test(agrees_with_a_plain_search),
        cmocka_unit_test(records_get_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
