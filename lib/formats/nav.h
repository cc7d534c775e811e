/* Where a vehicle was: a track from a table of fixes, asked for by time.
 *
 * A table has a header that names its columns. Position and depth are two tracks, since a depth sensor may go on where
 * positions are lost: a row with an empty cell (or NaN, NA, null) says nothing of that one. Between two fixes all is
 * linear in time, longitudes the shorter way round; a gap is not bridged, and nothing is known outside the track.
 *
 * lat, lon: degrees, north and east positive. depth: metres, positive down. Times: Unix seconds. */
#ifndef SB_FORMATS_NAV_H
#define SB_FORMATS_NAV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/record.h"

enum sb_nav_column { SB_NAV_TIME, SB_NAV_DATE, SB_NAV_LAT, SB_NAV_LON, SB_NAV_DEPTH, SB_NAV_COLUMNS };

/* What columns are called, where that is not left to their usual names; "" is none: without that column. */
struct sb_nav_names {
    const char *name[SB_NAV_COLUMNS]; /* NULL: the usual names */
    char *text;                       /* owns them; the caller frees it */
};

/* "time=UTC,lat=Y,lon=X,depth=": -1 with a message for what is no such list. */
int sb_nav_names_parse(const char *text, struct sb_nav_names *names);

/* The header's columns into at[], -1 where there is none: -1 with a message if the table can't be used. */
int sb_nav_columns_find(const struct sb_nav_names *names, const char *const *title, size_t count,
                        int at[SB_NAV_COLUMNS]);
/* A column whose title says UTC, GMT or Unix names the zone of its times. */
bool sb_nav_says_utc(const char *title);

struct sb_nav_fix {
    double time, value[2]; /* lat and lon, or depth alone */
    uint64_t line;
};

struct sb_nav_track {
    struct sb_nav_fix *fix; /* in order of time, no time twice */
    size_t count, cap;
};

struct sb_nav {
    struct sb_nav_track position, depth;
    uint64_t rows, bad; /* below the header; of them left out */
    uint64_t clashes;   /* times that came again with other values: the first row counts */
    char why[512];      /* what was wrong with the first bad row */
};

/* Reads a table into nav, which the caller frees, also after an error. `zone` is for times that name none; one that is
 * not given refuses them. Rows that can't be understood or are out of range are counted; a table without a good one,
 * with commas both between cells and in numbers, or with depths that count upwards is refused: -1 with a message. */
int sb_nav_read(struct sb_nav *nav, FILE *f, const struct sb_nav_names *names, const struct sb_zone *zone);
/* The same of a file. */
int sb_nav_load(struct sb_nav *nav, const char *path, const struct sb_nav_names *names, const struct sb_zone *zone);
void sb_nav_free(struct sb_nav *nav);

void sb_nav_span(const struct sb_nav *nav, double *from, double *to); /* of both tracks together */

/* A track's values at a time, from fixes at most `gap` seconds apart; false if there are none. */
bool sb_nav_position(const struct sb_nav *nav, double time, double gap, double *lat, double *lon);
bool sb_nav_depth(const struct sb_nav *nav, double time, double gap, double *depth);

/* Sets lat and lon, and depth, of a record that has a time, as far as they are known: false if none is. */
bool sb_nav_place(const struct sb_nav *nav, double gap, struct sb_record *rec);

#endif
