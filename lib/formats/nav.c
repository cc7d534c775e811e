/* Tracks from tables of fixes. See nav.h; which column is what is in nav_columns.c. */
#include "formats/nav.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/csv_read.h"

#define UNIX_LEAST 1e8  /* s: smaller numbers count from the start of a dive, or hours of a day */
#define HIGHEST (-10.0) /* m of depth: on deck */
#define DEEPEST 12000.0 /* m: the Challenger Deep is 10,935 m deep */

struct reading {
    struct sb_nav *nav;
    const struct sb_nav_names *names;
    struct sb_zone zone;
    size_t columns; /* 0: the header comes next */
    int at[SB_NAV_COLUMNS];
    uint64_t upwards; /* depths below 0 */
};

enum { FATAL = -2, BAD = -1, EMPTY = 0, FOUND = 1 };

/* ---- cells ---- */

static int bad(const char *cell, const char *what)
{
    sb_error("'%.40s' is %s", cell, what);
    return BAD;
}

static bool is_empty(const char *cell)
{
    return !*cell || strcasecmp(cell, "nan") == 0 || strcasecmp(cell, "na") == 0 || strcasecmp(cell, "null") == 0;
}

static bool has_decimal_comma(const char *cell)
{
    const char *p = cell + strspn(cell, "+-");
    size_t whole = strspn(p, "0123456789");
    return whole && p[whole] == ',' && p[whole + 1] && p[whole + 1 + strspn(p + whole + 1, "0123456789")] == 0;
}

/* Between semicolons or tabs 54,5 is 54.5; where commas separate it might be 1,234 for 1234. */
static int number(const struct sb_csv_row *row, const char *cell, double least, double most, const char *what,
                  double *v)
{
    char text[64], *end, *comma;
    if (is_empty(cell)) return EMPTY;
    if (has_decimal_comma(cell) && row->separator == ',') {
        sb_error("'%.40s' has a decimal comma in a table of commas: write points", cell);
        return FATAL;
    }
    snprintf(text, sizeof text, "%s", cell);
    if (has_decimal_comma(cell) && (comma = strchr(text, ','))) *comma = '.';
    *v = strtod(text, &end);
    if (*end || strspn(text, "+-.0123456789eE") != strlen(cell)) return bad(cell, "no number");
    return *v >= least && *v <= most ? FOUND : bad(cell, what);
}

static int moment(const struct reading *r, const struct sb_csv_row *row, const char *day, const char *cell,
                  double *time)
{
    char text[128];
    struct sb_date date;
    int n = snprintf(text, sizeof text, "%s%s%s", day ? day : "", day ? " " : "", cell);
    if (is_empty(cell) || (day && is_empty(day))) return bad(text, "no time");
    if ((size_t)n >= sizeof text) return bad(cell, "no time");
    if (sb_date_parse(text, (size_t)n, &date) == 0) {
        if (sb_date_unix(&date, &r->zone, time) == 0) return FOUND;
        if (date.zoned || r->zone.given) return BAD;
        sb_error("'%.40s' names no zone: give --nav-zone", text);
        return FATAL;
    }
    if (day || strspn(cell, "0123456789.") != strlen(cell)) return BAD;
    return number(row, cell, UNIX_LEAST, SB_CLOCK_MOST - 1, "no Unix time in seconds", time);
}

/* ---- rows ---- */

static void add(struct sb_nav_track *track, double time, double a, double b, uint64_t line)
{
    SB_GROW(track->fix, track->cap, track->count + 1);
    track->fix[track->count++] = (struct sb_nav_fix){time, {a, b}, line};
}

static const char *cell_of(const struct reading *r, const struct sb_csv_row *row, enum sb_nav_column column)
{
    return r->at[column] < 0 ? "" : row->cell[r->at[column]];
}

/* Nothing of a bad row is taken. */
static int take(struct reading *r, const struct sb_csv_row *row)
{
    double time, lat, lon, depth;
    bool extra = false;
    for (size_t i = r->columns; i < row->count; i++) extra |= *row->cell[i] != 0;
    if (row->count < r->columns || extra) {
        sb_error("it has %zu cells where the header has %zu", row->count, r->columns);
        return BAD;
    }
    const char *day = r->at[SB_NAV_DATE] < 0 ? NULL : cell_of(r, row, SB_NAV_DATE);
    int rc = moment(r, row, day, cell_of(r, row, SB_NAV_TIME), &time);
    if (rc < 0) return rc;
    int y = number(row, cell_of(r, row, SB_NAV_LAT), -90, 90, "no latitude in degrees", &lat);
    if (y < 0) return y;
    int x = number(row, cell_of(r, row, SB_NAV_LON), -180, 360, "no longitude in degrees", &lon);
    if (x < 0) return x;
    int z = number(row, cell_of(r, row, SB_NAV_DEPTH), HIGHEST, DEEPEST, "no depth in metres, positive down", &depth);
    if (z < 0) return z;
    if (y && x) add(&r->nav->position, time, lat, lon >= 180 ? lon - 360 : lon, row->line);
    if (z) add(&r->nav->depth, time, depth, 0, row->line);
    r->upwards += z && depth < 0;
    return FOUND;
}

static int header(struct reading *r, const struct sb_csv_row *row)
{
    r->columns = row->count;
    while (r->columns > 1 && !*row->cell[r->columns - 1]) r->columns--; /* lines that end with a separator */
    if (sb_nav_columns_find(r->names, row->cell, r->columns, r->at) < 0) return -1;
    const char *time = row->cell[r->at[SB_NAV_TIME]];
    if (!r->zone.given && sb_nav_says_utc(time)) r->zone.given = true;
    return 0;
}

static int each_row(void *arg, const struct sb_csv_row *row)
{
    struct reading *r = arg;
    char why[256];
    if (!r->columns) return header(r, row);
    r->nav->rows++;
    int rc = take(r, row);
    if (rc >= 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    if (rc == FATAL) return sb_error("line %" PRIu64 ": %s", row->line, why);
    if (!r->nav->bad++) snprintf(r->nav->why, sizeof r->nav->why, "line %" PRIu64 ": %s", row->line, why);
    return 0;
}

/* ---- tracks ---- */

static int by_time(const void *a, const void *b)
{
    const struct sb_nav_fix *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Sorts, and keeps the first row of each time. */
static uint64_t settle(struct sb_nav_track *track)
{
    uint64_t clashes = 0;
    size_t kept = 0;
    if (track->count) qsort(track->fix, track->count, sizeof *track->fix, by_time);
    for (size_t i = 0; i < track->count; i++) {
        const struct sb_nav_fix *fix = &track->fix[i], *last = kept ? &track->fix[kept - 1] : NULL;
        if (last && last->time == fix->time) {
            clashes += last->value[0] != fix->value[0] || last->value[1] != fix->value[1];
            continue;
        }
        track->fix[kept++] = *fix;
    }
    track->count = kept;
    return clashes;
}

int sb_nav_read(struct sb_nav *nav, FILE *f, const struct sb_nav_names *names, const struct sb_zone *zone)
{
    struct reading r = {.nav = nav, .names = names, .zone = *zone};
    memset(nav, 0, sizeof *nav);
    if (sb_csv_read(f, each_row, &r) != 0) return -1;
    if (!r.columns) return sb_error("it is empty");
    if (!nav->position.count && !nav->depth.count)
        return sb_error("none of its %" PRIu64 " rows has a place%s%s", nav->rows, *nav->why ? "; " : "", nav->why);
    if (r.upwards * 2 > nav->depth.count)
        return sb_error("most of its depths are negative: they must be metres, positive down");
    nav->clashes = settle(&nav->position) + settle(&nav->depth);
    return 0;
}

int sb_nav_load(struct sb_nav *nav, const char *path, const struct sb_nav_names *names, const struct sb_zone *zone)
{
    char why[768];
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    int rc = sb_nav_read(nav, f, names, zone);
    fclose(f);
    if (rc == 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", path, why);
}

void sb_nav_free(struct sb_nav *nav)
{
    free(nav->position.fix);
    free(nav->depth.fix);
    memset(nav, 0, sizeof *nav);
}

void sb_nav_span(const struct sb_nav *nav, double *from, double *to)
{
    *from = INFINITY;
    *to = -INFINITY;
    for (const struct sb_nav_track *t = &nav->position; t; t = t == &nav->position ? &nav->depth : NULL) {
        if (!t->count) continue;
        *from = fmin(*from, t->fix[0].time);
        *to = fmax(*to, t->fix[t->count - 1].time);
    }
}

/* The fixes at or before and at or after a time, which may be one, and how far it is from the first to the second. */
static bool find(const struct sb_nav_track *track, double time, double gap, const struct sb_nav_fix **a,
                 const struct sb_nav_fix **b, double *way)
{
    size_t low = 0, high = track->count; /* the first fix after `time` is within [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (track->fix[middle].time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return false;
    *a = *b = &track->fix[low - 1];
    *way = 0;
    if ((*a)->time == time) return true;
    if (low == track->count) return false;
    *b = *a + 1;
    double apart = (*b)->time - (*a)->time;
    *way = (time - (*a)->time) / apart;
    return apart <= gap;
}

bool sb_nav_position(const struct sb_nav *nav, double time, double gap, double *lat, double *lon)
{
    const struct sb_nav_fix *a, *b;
    double way;
    if (!find(&nav->position, time, gap, &a, &b, &way)) return false;
    double east = b->value[1] - a->value[1];
    if (east > 180) east -= 360;
    if (east < -180) east += 360;
    *lat = a->value[0] + way * (b->value[0] - a->value[0]);
    *lon = a->value[1] + way * east;
    if (*lon >= 180) *lon -= 360;
    if (*lon < -180) *lon += 360;
    return true;
}

bool sb_nav_depth(const struct sb_nav *nav, double time, double gap, double *depth)
{
    const struct sb_nav_fix *a, *b;
    double way;
    if (!find(&nav->depth, time, gap, &a, &b, &way)) return false;
    *depth = a->value[0] + way * (b->value[0] - a->value[0]);
    return true;
}

bool sb_nav_place(const struct sb_nav *nav, double gap, struct sb_record *rec)
{
    double time, lat, lon, depth;
    if (sb_get_real(rec, "time", &time) != 1) return false;
    bool where = sb_nav_position(nav, time, gap, &lat, &lon), deep = sb_nav_depth(nav, time, gap, &depth);
    if (where) {
        sb_set_real(rec, "lat", lat);
        sb_set_real(rec, "lon", lon);
    }
    if (deep) sb_set_real(rec, "depth", depth);
    return where || deep;
}
