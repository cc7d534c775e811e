/* See whereabouts_options.h. */
#include "footage/whereabouts_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/seconds.h"

static struct sb_zone zone_of(const char *option, const char *text)
{
    struct sb_zone found = {0};
    if (text && sb_zone_parse(text, &found) < 0) sb_usage("--%s: %s", option, sb_error_message());
    return found;
}

static double offset_of(const char *text)
{
    double seconds = 0;
    if (text && sb_seconds_parse(text + (*text == '-' || *text == '+'), &seconds) < 0)
        sb_usage("--clock-offset: %s", sb_error_message());
    return text && *text == '-' ? -seconds : seconds;
}

void sb_whereabouts_options_check(const struct sb_whereabouts_options *o)
{
    int sources = (o->start_time != NULL) + (o->time_regex != NULL) + o->trust_container;
    if (sources > 1) sb_usage("--start-time, --time-regex and --trust-container exclude each other");
    if (!sources && (o->clock_offset || o->zone || o->nav))
        sb_usage("--%s wants --start-time, --time-regex or --trust-container",
                 o->clock_offset ? "clock-offset" : o->zone ? "zone" : "nav");
    if (!o->nav && (o->nav_columns || o->nav_zone || o->nav_gap > 0))
        sb_usage("--%s wants --nav", o->nav_columns ? "nav-columns" : o->nav_zone ? "nav-zone" : "nav-gap");
}

/* The zone of the table comes first, so that --zone is the one that stays. */
static void read_nav(const struct sb_whereabouts_options *o, struct sb_whereabouts *where, struct sb_nav *nav)
{
    struct sb_nav_names names;
    if (!o->nav) return;
    if (sb_nav_names_parse(o->nav_columns ? o->nav_columns : "", &names) < 0)
        sb_usage("--nav-columns: %s", sb_error_message());
    struct sb_zone z = zone_of("nav-zone", o->nav_zone);
    if (sb_nav_load(nav, o->nav, &names, &z) < 0) sb_die_error();
    where->nav = nav;
    where->nav_name = o->nav;
    where->gap = o->nav_gap > 0 ? o->nav_gap : 60;
    free(names.text);
}

void sb_whereabouts_options_begin(const struct sb_whereabouts_options *o, struct sb_whereabouts *where,
                                  struct sb_nav *nav, const struct sb_inputs *inputs, bool go_on)
{
    double given;
    read_nav(o, where, nav);
    struct sb_taken taken = {
        .file = o->trust_container, .zone = zone_of("zone", o->zone), .offset = offset_of(o->clock_offset)};
    if (o->start_time) {
        if (sb_clock_parse(o->start_time, strlen(o->start_time), &taken.zone, &given) < 0)
            sb_usage("--start-time: %s", sb_error_message());
        if (inputs->count > 1)
            sb_usage(
                "--start-time is of one input, and there are %zu: --time-regex or --trust-container tell them apart",
                inputs->count);
        taken.given = &given;
    }
    struct sb_name_time *name = o->time_regex ? sb_name_time_open(o->time_regex) : NULL;
    if (o->time_regex && !name) sb_usage("--time-regex: %s", sb_error_message());
    taken.name = name;
    if (sb_whereabouts_begin(where, &taken, inputs, go_on) < 0) sb_die_error();
    sb_name_time_close(name);
}
