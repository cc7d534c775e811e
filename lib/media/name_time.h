/* The time that stands in the name of a file, found by a regular expression. */
#ifndef SB_MEDIA_NAME_TIME_H
#define SB_MEDIA_NAME_TIME_H

#include "base/clock.h"

struct sb_name_time;

/* A Perl-compatible regular expression with groups named year (four digits), month, day, hour, minute and, if wanted,
 * second, fraction and zone; or with one named unix, the seconds since 1970, and if wanted fraction; or with a single
 * group without a name, which holds a time as sb_clock_parse() takes it. NULL with a message for anything else. The
 * caller closes it. */
struct sb_name_time *sb_name_time_open(const char *regex);
void sb_name_time_close(struct sb_name_time *t);

/* The first place in the name that matches; `zone` is for a time that names none. 0, or -1 with a message that begins
 * with the name. Safe in threads, as far as the zone is. */
int sb_name_time_find(const struct sb_name_time *t, const char *name, const struct sb_zone *zone, double *unix_time);

#endif
