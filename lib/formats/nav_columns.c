/* Which column of a navigation table is what. See nav.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/nav.h"

enum { TITLE = 64 };

static const char *const keys[SB_NAV_COLUMNS] = {"time", "date", "lat", "lon", "depth"};

/* Titles as they stand once all but letters and digits is taken away. A unit that is not ours is no usual name: neither
 * "Depth (ft)" nor "Water depth", which is the sea floor's. */
static const char *const usual[SB_NAV_COLUMNS][20] = {
    {"time", "timestamp", "datetime", "timeutc", "utctime", "utc", "datetimeutc", "utcdatetime", "timestamputc",
     "utctimestamp", "eventdate", "unix", "unixtime", "timeunix", "epoch", "unixtimestamp", "timestampunix", NULL},
    {"date", "dateutc", "utcdate", NULL},
    {"lat", "latitude", "decimallatitude", "latdeg", "latitudedeg", "latitudedegrees", "latitudedecimaldegrees",
     "latdd", NULL},
    {"lon", "long", "lng", "longitude", "decimallongitude", "londeg", "longdeg", "longitudedeg", "longitudedegrees",
     "longitudedecimaldegrees", "londd", "longdd", NULL},
    {"depth", "depthm", "depthmeter", "depthmeters", "depthmetre", "depthmetres", "vehicledepth", "vehicledepthm",
     "depthinmeters", "depthinmetres", NULL},
};

/* Letters and digits of a title, in lower case. */
static const char *bare(const char *title, char out[TITLE])
{
    size_t n = 0;
    for (; *title && n < TITLE - 1; title++)
        if (isalnum((unsigned char)*title)) out[n++] = (char)tolower((unsigned char)*title);
    out[n] = 0;
    return out;
}

bool sb_nav_says_utc(const char *title)
{
    char text[TITLE];
    bare(title, text);
    return strstr(text, "utc") || strstr(text, "gmt") || strstr(text, "unix") || strstr(text, "epoch");
}

static bool is_usual(enum sb_nav_column column, const char *title)
{
    char text[TITLE];
    bare(title, text);
    for (int i = 0; usual[column][i]; i++)
        if (strcmp(text, usual[column][i]) == 0) return true;
    return false;
}

int sb_nav_names_parse(const char *text, struct sb_nav_names *names)
{
    memset(names, 0, sizeof *names);
    names->text = sb_strdup(text);
    for (char *at = names->text, *next; at && *text; at = next) {
        next = strchr(at, ',');
        if (next) *next++ = 0;
        char *name = strchr(at, '=');
        int i = 0;
        if (name) *name++ = 0;
        while (i < SB_NAV_COLUMNS && strcmp(at, keys[i]) != 0) i++;
        if (!name || i == SB_NAV_COLUMNS)
            return sb_error("'%s' does not name time, date, lat, lon or depth, such as lat=Latitude", at);
        if (names->name[i]) return sb_error("%s is named twice", at);
        names->name[i] = name;
    }
    return 0;
}

static int find_one(const struct sb_nav_names *names, enum sb_nav_column column, const char *const *title, size_t count)
{
    const char *name = names->name[column];
    int found = -1;
    if (name && !*name) return -1;
    for (size_t i = 0; i < count; i++) {
        if (name ? strcasecmp(name, title[i]) != 0 : !is_usual(column, title[i])) continue;
        if (found >= 0) {
            sb_error("both '%s' and '%s' could be its %s: name the column", title[found], title[i], keys[column]);
            return -2;
        }
        found = (int)i;
    }
    if (name && found < 0) {
        sb_error("it has no column '%s'", name);
        return -2;
    }
    return found;
}

int sb_nav_columns_find(const struct sb_nav_names *names, const char *const *title, size_t count,
                        int at[SB_NAV_COLUMNS])
{
    char text[TITLE];
    for (int c = 0; c < SB_NAV_COLUMNS; c++)
        if ((at[c] = find_one(names, (enum sb_nav_column)c, title, count)) == -2) return -1;
    int *time = &at[SB_NAV_TIME], *date = &at[SB_NAV_DATE];
    if (*time < 0) { /* a date may hold the time of day, too */
        *time = *date;
        *date = -1;
    }
    if (*time < 0) return sb_error("none of its columns is called time: name it");
    /* A date of its own belongs to a time of day, which is called no more than that. */
    if (*date >= 0 && !names->name[SB_NAV_DATE] && !names->name[SB_NAV_TIME]) {
        bare(title[*time], text);
        if (strcmp(text, "time") && strcmp(text, "timeutc") && strcmp(text, "utctime") && strcmp(text, "utc"))
            *date = -1;
    }
    if ((at[SB_NAV_LAT] < 0) != (at[SB_NAV_LON] < 0))
        return sb_error("it has a %s and no %s: name the columns", at[SB_NAV_LAT] < 0 ? "longitude" : "latitude",
                        at[SB_NAV_LAT] < 0 ? "latitude" : "longitude");
    if (at[SB_NAV_LAT] < 0 && at[SB_NAV_DEPTH] < 0)
        return sb_error("it has neither latitude and longitude nor depth: name the columns");
    return 0;
}
