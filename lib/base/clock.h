/* Moments: dates and times of day as people, cameras and instruments write them, and Unix time.
 *
 * Unix time is seconds since 1970-01-01T00:00:00Z as POSIX counts them, without leap seconds. Nothing is guessed: a
 * time that names no zone needs one from the caller, and a local time that a zone's clocks showed twice or never is
 * refused. Functions return 0, or -1 with a message that quotes the text. */
#ifndef SB_BASE_CLOCK_H
#define SB_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SB_CLOCK_LEAST (-12212553600.0) /* 1583-01-01T00:00:00Z, the Gregorian calendar's first year */
#define SB_CLOCK_MOST 253402300800.0    /* 10000-01-01T00:00:00Z, the first moment with no four-digit year */

/* A fixed distance from UTC, or a zone of the IANA database. A zeroed one is no zone. */
struct sb_zone {
    bool given;
    int offset;    /* seconds east of UTC, where there is no name */
    char name[64]; /* "Europe/Berlin"; "" */
};

/* "Z", "UTC", "+02:00", "-0330" or a name of the IANA database, which must be installed (tzdata). */
int sb_zone_parse(const char *text, struct sb_zone *zone);

/* A moment as it was written. */
struct sb_date {
    int year, month, day, hour, minute, second, ns;
    bool zoned;
    int offset; /* seconds east of UTC, if zoned */
};

/* ISO 8601 and its relatives: the date as 2026-07-03, 2026/07/03, 2026:07:03 (EXIF), 2026_07_03, 2026.07.03 or
 * 20260703; then T, a space, '_', '-' (or nothing, between digits alone); 14:05:09, 14-05-09, 14_05_09, 14.05.09 or
 * 140509, the seconds may be absent; a fraction after '.' or ',', kept to a nanosecond; Z, UTC, +02:00, +0200, +02 or
 * no zone. */
int sb_date_parse(const char *text, size_t size, struct sb_date *date);

/* The Unix time of a date whose numbers may be anything: they are checked. `zone` is used if the date names none; NULL
 * or one that is not given: refused. 23:59:60 UTC is taken at a month's end only and counts as the second after it, as
 * in POSIX. With a zone that has a name the process's TZ changes: not where other threads may read the environment,
 * unless that zone was the one parsed or used last. */
int sb_date_unix(const struct sb_date *date, const struct sb_zone *zone, double *unix_time);

/* Both in one. */
int sb_clock_parse(const char *text, size_t size, const struct sb_zone *zone, double *unix_time);

/* "2026-07-03T14:05:09.25Z" into buf, which is returned: `digits` behind the point, cut (not rounded); with -1 as many,
 * up to nine, as sb_clock_parse() needs to give the same number. A time out of range is given as a number. */
#define SB_CLOCK_TEXT 48
const char *sb_clock_text(double unix_time, int digits, char buf[SB_CLOCK_TEXT]);

#endif
