/* The options that say when and where footage was taken (whereabouts.h). */
#ifndef SB_FOOTAGE_WHEREABOUTS_OPTIONS_H
#define SB_FOOTAGE_WHEREABOUTS_OPTIONS_H

#include "base/opt.h"
#include "footage/whereabouts.h"

struct sb_whereabouts_options { /* NULL and 0: not given */
    const char *start_time, *time_regex, *clock_offset, *zone, *nav, *nav_columns, *nav_zone;
    double nav_gap;
    bool trust_container;
};

/* clang-format off */
#define SB_OPT_WHEREABOUTS(o) \
    {0, "start-time", "TIME", SB_TEXT, &(o).start_time, 0, \
     "when the first frame was taken: 2026-07-03T14:05:09Z (one input only)", 0, 0}, \
    {0, "time-regex", "REGEX", SB_TEXT, &(o).time_regex, 0, \
     "the time stands in the names of files: groups named year, month, day, hour, minute, second, or one group around it", 0, 0}, \
    {0, "trust-container", NULL, SB_FLAG, &(o).trust_container, 0, \
     "believe what files say of when they were taken", 0, 0}, \
    {0, "clock-offset", "SECONDS", SB_TEXT, &(o).clock_offset, 0, \
     "add this to all times: seconds, M:SS or H:MM:SS, with - before it if the camera's clock was fast", 0, 0}, \
    {0, "zone", "ZONE", SB_TEXT, &(o).zone, 0, \
     "of times that name none: Z, +02:00 or Europe/Berlin", 0, 0}, \
    {0, "nav", "FILE", SB_TEXT, &(o).nav, SB_OPT_FILE, \
     "add lat, lon and depth at that time from a CSV table of fixes", 0, 0}, \
    {0, "nav-columns", "LIST", SB_TEXT, &(o).nav_columns, 0, \
     "which column is which, where names are not the usual ones: time=NAME,date=NAME,lat=NAME,lon=NAME,depth=NAME", 0, 0}, \
    {0, "nav-zone", "ZONE", SB_TEXT, &(o).nav_zone, 0, \
     "of the table's times, if they name none", 0, 0}, \
    {0, "nav-gap", "SECONDS", SB_REAL, &(o).nav_gap, 0, \
     "do not interpolate between fixes further apart (default 60)", 1e-3, 1e9}
/* clang-format on */

/* Reads the table of fixes into nav, and finds out when each input began: wrong usage and failure end the program, but
 * with `go_on` an input that does not tell is a warning. */
void sb_whereabouts_options_begin(const struct sb_whereabouts_options *o, struct sb_whereabouts *where,
                                  struct sb_nav *nav, const struct sb_inputs *inputs, bool go_on);
void sb_whereabouts_options_check(const struct sb_whereabouts_options *o); /* wrong usage ends the program */

#endif
