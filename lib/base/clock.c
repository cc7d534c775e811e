/* Moments. See clock.h. */
#include "base/clock.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

enum { DAY = 86400, QUOTED = 64 };

struct cursor {
    const char *at, *end;
};

/* ---- reading ---- */

static char peek(const struct cursor *c) { return c->at < c->end ? *c->at : 0; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Exactly n digits. */
static bool digits(struct cursor *c, int n, int *value)
{
    *value = 0;
    if (c->end - c->at < n) return false;
    for (int i = 0; i < n; i++, c->at++) {
        if (!is_digit(*c->at)) return false;
        *value = *value * 10 + (*c->at - '0');
    }
    return true;
}

/* One of these characters, or 0 where a digit follows at once. */
static bool separator(struct cursor *c, const char *any, char *found)
{
    *found = 0;
    if (is_digit(peek(c))) return true;
    if (!peek(c) || !strchr(any, peek(c))) return false;
    *found = *c->at++;
    return true;
}

static bool date_part(struct cursor *c, struct sb_date *d, bool *compact)
{
    char a, b;
    bool whole = digits(c, 4, &d->year) && separator(c, "-/:_.", &a) && digits(c, 2, &d->month) &&
                 separator(c, "-/:_.", &b) && digits(c, 2, &d->day);
    *compact = whole && !a;
    return whole && a == b;
}

static void fraction(struct cursor *c, int *ns)
{
    int scale = 100000000;
    for (; is_digit(peek(c)); c->at++, scale /= 10) *ns += (*c->at - '0') * scale;
}

/* `digits_alone`: it follows the date at once, and "1783087509.25" is no date. */
static bool time_part(struct cursor *c, bool digits_alone, struct sb_date *d)
{
    char a;
    if (!digits(c, 2, &d->hour) || !separator(c, ":-_.", &a) || (a && digits_alone) || !digits(c, 2, &d->minute))
        return false;
    bool more = a ? peek(c) == a : is_digit(peek(c));
    if (!more) return true;
    if (a) c->at++;
    if (!digits(c, 2, &d->second)) return false;
    if ((peek(c) == '.' || peek(c) == ',') && c->end - c->at > 1 && is_digit(c->at[1])) {
        c->at++;
        fraction(c, &d->ns);
    }
    return true;
}

static bool word(struct cursor *c, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(c->end - c->at) < n || strncasecmp(c->at, text, n) != 0) return false;
    c->at += n;
    return true;
}

/* A zone as an offset, up to the end; *zoned is false where nothing stands. */
static bool offset_part(struct cursor *c, bool *zoned, int *offset)
{
    int hours, minutes = 0;
    *offset = 0;
    while (peek(c) == ' ') c->at++;
    *zoned = c->at < c->end;
    if (!*zoned) return true;
    if (word(c, "UTC") || word(c, "GMT") || word(c, "Z")) return c->at == c->end;
    char sign = *c->at++;
    if ((sign != '+' && sign != '-') || !digits(c, 2, &hours)) return false;
    if (c->at < c->end && peek(c) == ':') c->at++;
    if (c->at < c->end && !digits(c, 2, &minutes)) return false;
    *offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return c->at == c->end && c->at[-1] != ':' && minutes < 60 && *offset >= -12 * 3600 && *offset <= 14 * 3600;
}

int sb_date_parse(const char *text, size_t size, struct sb_date *date)
{
    struct cursor c = {text, text + size};
    bool compact;
    char between;
    memset(date, 0, sizeof *date);
    while (c.at < c.end && isspace((unsigned char)*c.at)) c.at++;
    while (c.end > c.at && isspace((unsigned char)c.end[-1])) c.end--;
    if (date_part(&c, date, &compact) && separator(&c, "Tt _-", &between) && (between || compact) &&
        time_part(&c, !between, date) && offset_part(&c, &date->zoned, &date->offset))
        return 0;
    return sb_error("'%.*s' is not a date and time such as 2026-07-03T14:05:09Z", (int)(size < QUOTED ? size : QUOTED),
                    text);
}

/* ---- zones ---- */

/* What libc does not find it takes for UTC, so that must be known before. */
static bool is_installed(const char *name)
{
    const char *folder = getenv("TZDIR");
    char magic[4] = "";
    if (!isalpha((unsigned char)name[0]) || strstr(name, "..")) return false;
    if (strncmp(name, "right/", 6) == 0 || strcmp(name, "localtime") == 0) return false; /* not POSIX; not one zone */
    char *path = sb_format("%s/%s", folder && *folder ? folder : "/usr/share/zoneinfo", name);
    FILE *f = fopen(path, "rbe");
    bool is = f && fread(magic, 1, 4, f) == 4 && memcmp(magic, "TZif", 4) == 0;
    if (f) fclose(f);
    free(path);
    return is;
}

/* Seconds east of UTC at a moment. libc knows one zone at a time. */
static int64_t offset_at(const struct sb_zone *zone, int64_t unix_time)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char set[sizeof zone->name];
    struct tm tm = {0};
    time_t t = (time_t)unix_time;
    pthread_mutex_lock(&lock);
    if (strcmp(set, zone->name) != 0) {
        char value[sizeof zone->name + 1];
        snprintf(value, sizeof value, ":%s", zone->name);
        setenv("TZ", value, 1);
        tzset();
        strcpy(set, zone->name);
    }
    localtime_r(&t, &tm);
    pthread_mutex_unlock(&lock);
    return tm.tm_gmtoff;
}

int sb_zone_parse(const char *text, struct sb_zone *zone)
{
    struct cursor c = {text, text + strlen(text)};
    *zone = (struct sb_zone){0};
    if (offset_part(&c, &zone->given, &zone->offset) && zone->given) return 0;
    if (strlen(text) >= sizeof zone->name || !is_installed(text)) {
        *zone = (struct sb_zone){0};
        return sb_error(
            "'%s' is no time zone: it is Z, an offset such as +02:00, or a name such as Europe/Berlin that this "
            "machine knows (tzdata)",
            text);
    }
    *zone = (struct sb_zone){.given = true};
    strcpy(zone->name, text);
    offset_at(zone, 0);
    return 0;
}

/* ---- Unix time ---- */

static const char *as_written(const struct sb_date *d, char *text, size_t size)
{
    snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d", d->year, d->month, d->day, d->hour, d->minute, d->second);
    return text;
}

static bool in_calendar(const struct sb_date *d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (d->year < 1583 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1) return false;
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
    if (d->day > days[d->month - 1] + (d->month == 2 && leap)) return false;
    return d->hour >= 0 && d->hour < 24 && d->minute >= 0 && d->minute < 60 && d->second >= 0 && d->second <= 60 &&
           d->ns >= 0 && d->ns < 1000000000;
}

/* A local time in a named zone. What its clocks said the day before and the day after are all that can hold. */
static int resolve(const struct sb_date *d, const struct sb_zone *zone, int64_t local, int64_t *unix_time)
{
    int64_t before = offset_at(zone, local - DAY), after = offset_at(zone, local + DAY);
    bool first = offset_at(zone, local - before) == before, second = offset_at(zone, local - after) == after;
    char text[SB_CLOCK_TEXT * 2];
    as_written(d, text, sizeof text);
    if (!first && !second)
        return sb_error("%s does not exist in %s: its clocks were put forward over it", text, zone->name);
    if (first && second && before != after)
        return sb_error("%s came twice in %s, where clocks were put back: only a time with an offset (+02:00) is clear",
                        text, zone->name);
    *unix_time = local - (first ? before : after);
    return 0;
}

static bool begins_month(int64_t unix_time)
{
    struct tm tm;
    time_t t = (time_t)unix_time;
    return unix_time % DAY == 0 && gmtime_r(&t, &tm) && tm.tm_mday == 1;
}

int sb_date_unix(const struct sb_date *date, const struct sb_zone *zone, double *unix_time)
{
    char text[SB_CLOCK_TEXT * 2];
    bool leap = date->second == 60;
    if (!in_calendar(date)) return sb_error("%s is in no calendar", as_written(date, text, sizeof text));
    struct tm tm = {.tm_year = date->year - 1900,
                    .tm_mon = date->month - 1,
                    .tm_mday = date->day,
                    .tm_hour = date->hour,
                    .tm_min = date->minute,
                    .tm_sec = leap ? 59 : date->second};
    int64_t local = timegm(&tm), at = local;
    if (date->zoned)
        at = local - date->offset;
    else if (!zone || !zone->given)
        return sb_error("%s names no zone: write Z or +02:00 behind it, or give --zone",
                        as_written(date, text, sizeof text));
    else if (!*zone->name)
        at = local - zone->offset;
    else if (resolve(date, zone, local, &at) < 0)
        return -1;
    if (leap && !begins_month(++at)) return sb_error("%s is no leap second", as_written(date, text, sizeof text));
    *unix_time = (double)((long double)at + date->ns / 1e9L);
    return 0;
}

int sb_clock_parse(const char *text, size_t size, const struct sb_zone *zone, double *unix_time)
{
    struct sb_date date;
    return sb_date_parse(text, size, &date) < 0 ? -1 : sb_date_unix(&date, zone, unix_time);
}

const char *sb_clock_text(double unix_time, int digits_wanted, char buf[SB_CLOCK_TEXT])
{
    struct tm tm;
    if (!(unix_time >= SB_CLOCK_LEAST && unix_time < SB_CLOCK_MOST)) {
        snprintf(buf, SB_CLOCK_TEXT, "%.6g", unix_time);
        return buf;
    }
    int64_t whole = (int64_t)floor(unix_time), scale = 1;
    long double part = (long double)unix_time - whole;
    int n = 0;
    int64_t ticks = 0;
    for (; n < 9; n++, scale *= 10) {
        ticks = digits_wanted < 0 ? (int64_t)roundl(part * scale) : (int64_t)(part * scale);
        if (digits_wanted < 0 ? (double)(whole + ticks / (long double)scale) == unix_time : n == digits_wanted) break;
    }
    if (n == 9) ticks = (int64_t)roundl(part * scale);
    if (ticks == scale) whole++, ticks = 0, n = 0;
    time_t t = (time_t)whole;
    gmtime_r(&t, &tm);
    size_t used = strftime(buf, SB_CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    if (n) used += (size_t)snprintf(buf + used, SB_CLOCK_TEXT - used, ".%0*lld", n, (long long)ticks);
    snprintf(buf + used, SB_CLOCK_TEXT - used, "Z");
    return buf;
}
