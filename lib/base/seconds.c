#include "base/seconds.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int sb_seconds_parse(const char *text, double *seconds)
{
    double total = 0;
    const char *p = text;
    for (int part = 0; part < 3; part++, p++) {
        char *stopped;
        size_t digits = strspn(p, "0123456789.");
        double v = strtod(p, &stopped);
        if (digits == 0 || stopped != p + digits || (part > 0 && v >= 60)) break;
        total = total * 60 + v;
        p = stopped;
        if (*p == 0) {
            *seconds = total;
            return 0;
        }
        if (*p != ':') break;
    }
    return sb_error("'%s' is not a time (seconds, M:SS or H:MM:SS)", text);
}
