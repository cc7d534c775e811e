#include "annotation/ifdo_date.h"

#include <string.h>

#include "base/err.h"

/* At most `most` digits, and as Python does, as many as there are. */
static bool number(const char **text, int most, int *value)
{
    int n = 0;
    for (*value = 0; n < most && **text >= '0' && **text <= '9'; n++) *value = *value * 10 + (*(*text)++ - '0');
    return n > 0;
}

static bool fraction(const char **text, int *ns)
{
    int scale = 100000000;
    *ns = 0;
    if (**text < '0' || **text > '9') return false;
    for (; scale >= 1 && **text >= '0' && **text <= '9'; scale /= 10) *ns += (*(*text)++ - '0') * scale;
    return true;
}

/* "Z", "+0200", "+02:00" */
static bool zone_part(const char **text, struct sb_date *d)
{
    int hours, minutes, sign = **text == '-' ? -1 : 1;
    if (!**text) return false;
    char first = *(*text)++;
    d->zoned = true;
    if (first == 'Z') return true;
    if ((first != '+' && first != '-') || !number(text, 2, &hours)) return false;
    if (**text == ':') (*text)++;
    d->offset = sign * hours * 3600;
    if (number(text, 2, &minutes)) d->offset += sign * minutes * 60;
    return true;
}

static bool part(char directive, const char **text, struct sb_date *d)
{
    switch (directive) {
    case 'Y': return number(text, 4, &d->year);
    case 'm': return number(text, 2, &d->month);
    case 'd': return number(text, 2, &d->day);
    case 'H': return number(text, 2, &d->hour);
    case 'M': return number(text, 2, &d->minute);
    case 'S': return number(text, 2, &d->second);
    case 'f': return fraction(text, &d->ns);
    case 'z': return zone_part(text, d);
    case 'y':
        if (!number(text, 2, &d->year)) return false;
        d->year += d->year < 69 ? 2000 : 1900; /* as POSIX and Python have it */
        return true;
    case '%': return *(*text)++ == '%';
    default: return false;
    }
}

int sb_ifdo_date(const char *text, const char *format, const struct sb_zone *zone, double *unix_time)
{
    struct sb_date date = {0};
    if (!format) return sb_clock_parse(text, strlen(text), zone, unix_time);
    const char *at = text;
    for (const char *f = format; *f; f++) {
        bool good = *f == '%' ? *++f && strchr("YmdHMSfyz%", *f) && part(*f, &at, &date) : *at && *at++ == *f;
        if (!good) return sb_error("'%.60s' is not a date as '%.60s' has it", text, format);
    }
    if (*at) return sb_error("'%.60s' is not a date as '%.60s' has it", text, format);
    return sb_date_unix(&date, zone, unix_time);
}
