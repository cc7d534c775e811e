/* libFuzzer target: any bytes as a table of fixes, and as a date and time. Run:
 * make fuzz && build/fuzz_nav -max_len=4096 tests/corpus/nav */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "formats/nav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct sb_nav *nav)
{
    double from, to, lat, lon, depth;
    sb_nav_span(nav, &from, &to);
    if (!(from <= to)) __builtin_trap();
    for (int i = -1; i <= 9; i++) {
        double time = from + (to - from) * i / 8;
        if (sb_nav_position(nav, time, INFINITY, &lat, &lon) && !(lat >= -90 && lat <= 90 && lon >= -180 && lon < 180))
            __builtin_trap();
        if (sb_nav_depth(nav, time, INFINITY, &depth) && !(depth >= -10 && depth <= 12000)) __builtin_trap();
    }
}

static void read_date(const uint8_t *data, size_t size)
{
    char text[SB_CLOCK_TEXT];
    double time, again;
    struct sb_zone zone = {.given = true, .offset = 3600};
    if (sb_clock_parse((const char *)data, size, &zone, &time) < 0) return;
    sb_clock_text(time, -1, text);
    if (time < SB_CLOCK_LEAST || time >= SB_CLOCK_MOST) return; /* near the ends an offset leads out of the calendar */
    if (sb_clock_parse(text, strlen(text), NULL, &again) < 0 || fabs(again - time) > 1e-5) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_nav_names names = {0};
    struct sb_zone zone = {.given = size % 2};
    struct sb_nav nav;
    sb_quiet = true;
    read_date(data, size);
    FILE *f = fmemopen((void *)data, size ? size : 1, "rb");
    if (!f) return 0;
    if (sb_nav_read(&nav, f, &names, &zone) == 0) ask(&nav);
    sb_nav_free(&nav);
    fclose(f);
    return 0;
}
