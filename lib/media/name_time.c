/* Times in names, with PCRE2. See name_time.h. */
#include "media/name_time.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum part { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FRACTION, ZONE, UNIX, PARTS };

static const char *const names[PARTS] = {"year",   "month",    "day",  "hour", "minute",
                                         "second", "fraction", "zone", "unix"};

struct sb_name_time {
    pcre2_code *code;
    int group[PARTS]; /* its number; 0: not in the expression */
    bool whole;       /* group 1 holds all */
};

/* What PCRE2 has to say. */
static const char *pcre2_says(int error, char text[256])
{
    pcre2_get_error_message(error, (PCRE2_UCHAR *)text, 256);
    return text;
}

static int find_groups(struct sb_name_time *t)
{
    uint32_t groups = 0, named = 0, entry = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(t->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_pattern_info(t->code, PCRE2_INFO_NAMECOUNT, &named);
    pcre2_pattern_info(t->code, PCRE2_INFO_NAMEENTRYSIZE, &entry);
    pcre2_pattern_info(t->code, PCRE2_INFO_NAMETABLE, &table);
    t->whole = named == 0;
    if (t->whole && groups != 1)
        return sb_error("it has %u groups and none is named: one around the time, or names such as (?<year>....)",
                        groups);
    for (uint32_t i = 0; i < named; i++, table += entry) {
        const char *name = (const char *)table + 2;
        int part = 0;
        while (part < PARTS && strcmp(name, names[part]) != 0) part++;
        if (part == PARTS)
            return sb_error(
                "a group is named '%s': names are year, month, day, hour, minute, second, fraction, zone, unix", name);
        if (t->group[part]) return sb_error("two groups are named %s", name);
        t->group[part] = table[0] << 8 | table[1];
    }
    if (t->whole || t->group[UNIX]) {
        for (int i = 0; i < UNIX; i++)
            if (t->group[i] && i != FRACTION) return sb_error("unix says all, and a group is named %s, too", names[i]);
        return 0;
    }
    for (int i = YEAR; i <= MINUTE; i++)
        if (!t->group[i]) return sb_error("no group is named %s", names[i]);
    return t->group[FRACTION] && !t->group[SECOND] ? sb_error("a fraction, and no group is named second") : 0;
}

struct sb_name_time *sb_name_time_open(const char *regex)
{
    struct sb_name_time *t = sb_calloc(1, sizeof *t);
    char text[256];
    int error;
    PCRE2_SIZE where;
    t->code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, 0, &error, &where, NULL);
    if (!t->code) sb_error("at its character %zu: %s", where + 1, pcre2_says(error, text));
    if (t->code && find_groups(t) == 0) return t;
    sb_name_time_close(t);
    return NULL;
}

void sb_name_time_close(struct sb_name_time *t)
{
    if (!t) return;
    pcre2_code_free(t->code);
    free(t);
}

/* ---- a match ---- */

struct match {
    const struct sb_name_time *t;
    const char *name;
    pcre2_match_data *data;
};

/* What a part's group matched; false if it took no part. */
static bool matched(const struct match *m, int group, const char **text, size_t *size)
{
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(m->data) + 2 * group;
    if (!group || span[0] == PCRE2_UNSET || span[1] < span[0]) return false;
    *text = m->name + span[0];
    *size = span[1] - span[0];
    return true;
}

/* A whole number of `least` to `most` digits: 1 found, 0 not there, -1 something else. */
static int number(const struct match *m, enum part part, size_t least, size_t most, int64_t *value)
{
    const char *text;
    size_t size;
    *value = 0;
    if (!matched(m, m->t->group[part], &text, &size)) return 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || size > most)
            return sb_error("its %s is '%.*s'", names[part], (int)size, text);
        *value = *value * 10 + (text[i] - '0');
    }
    return size >= least ? 1 : sb_error("its %s is '%.*s', not %zu digits", names[part], (int)size, text, least);
}

static int read_fraction(const struct match *m, int *ns)
{
    const char *text;
    size_t size;
    *ns = 0;
    if (!matched(m, m->t->group[FRACTION], &text, &size)) return 0;
    int scale = 100000000;
    for (size_t i = 0; i < size; i++, scale /= 10) {
        if (text[i] < '0' || text[i] > '9') return sb_error("its fraction is '%.*s'", (int)size, text);
        *ns += (text[i] - '0') * scale;
    }
    return 0;
}

static int read_zone(const struct match *m, struct sb_date *date)
{
    const char *text;
    size_t size;
    char zone[16];
    struct sb_zone found;
    if (!matched(m, m->t->group[ZONE], &text, &size) || size == 0) return 0;
    snprintf(zone, sizeof zone, "%.*s", (int)size, text);
    if (size >= sizeof zone || sb_zone_parse(zone, &found) < 0 || *found.name)
        return sb_error("its zone is '%.*s', not Z or an offset such as +02:00", (int)size, text);
    date->zoned = true;
    date->offset = found.offset;
    return 0;
}

static int read_parts(const struct match *m, const struct sb_zone *zone, double *unix_time)
{
    int64_t value[PARTS];
    struct sb_date date = {0};
    if (read_fraction(m, &date.ns) < 0) return -1;
    if (m->t->group[UNIX]) {
        int rc = number(m, UNIX, 1, 11, &value[UNIX]);
        if (rc <= 0) return rc < 0 ? -1 : sb_error("it has no unix");
        *unix_time = (double)((long double)value[UNIX] + date.ns / 1e9L);
        return *unix_time < SB_CLOCK_MOST ? 0 : sb_error("its unix is no time in seconds");
    }
    for (int i = YEAR; i <= SECOND; i++) {
        int rc = number(m, (enum part)i, i == YEAR ? 4 : 1, i == YEAR ? 4 : 2, &value[i]);
        if (rc < 0 || (rc == 0 && i != SECOND)) return rc < 0 ? -1 : sb_error("it has no %s", names[i]);
    }
    date.year = (int)value[YEAR], date.month = (int)value[MONTH], date.day = (int)value[DAY];
    date.hour = (int)value[HOUR], date.minute = (int)value[MINUTE], date.second = (int)value[SECOND];
    return read_zone(m, &date) < 0 ? -1 : sb_date_unix(&date, zone, unix_time);
}

static int find(const struct match *m, const struct sb_zone *zone, double *unix_time)
{
    const char *text;
    size_t size;
    char said[256];
    int rc = pcre2_match(m->t->code, (PCRE2_SPTR)m->name, strlen(m->name), 0, 0, m->data, NULL);
    if (rc == PCRE2_ERROR_NOMATCH) return sb_error("no time in its name: --time-regex does not match");
    if (rc < 0) return sb_error("--time-regex: %s", pcre2_says(rc, said));
    if (!m->t->whole) return read_parts(m, zone, unix_time);
    if (!matched(m, 1, &text, &size)) return sb_error("no time in its name: the group of --time-regex matches nothing");
    return sb_clock_parse(text, size, zone, unix_time);
}

int sb_name_time_find(const struct sb_name_time *t, const char *name, const struct sb_zone *zone, double *unix_time)
{
    struct match m = {t, name, pcre2_match_data_create_from_pattern(t->code, NULL)};
    char why[768];
    if (!m.data) sb_die("out of memory: no room for a match");
    int rc = find(&m, zone, unix_time);
    pcre2_match_data_free(m.data);
    if (rc == 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", name, why);
}
