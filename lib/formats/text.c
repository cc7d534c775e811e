#include "formats/text.h"

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"

static const char *not_finite(double v) { return isnan(v) ? "NaN" : v > 0 ? "Inf" : "-Inf"; }

/* %g drops trailing zeros, so the first precision that reads back is also the shortest text. */
const char *sb_text_f64(double v, char buf[SB_NUMBER])
{
    if (!isfinite(v)) {
        snprintf(buf, SB_NUMBER, "%s", not_finite(v));
        return buf;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, SB_NUMBER, "%.*g", digits, v);
        if (strtod(buf, NULL) == v) break;
    }
    return buf;
}

const char *sb_text_f32(float v, char buf[SB_NUMBER])
{
    if (!isfinite(v)) {
        snprintf(buf, SB_NUMBER, "%s", not_finite(v));
        return buf;
    }
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(buf, SB_NUMBER, "%.*g", digits, (double)v);
        if (strtof(buf, NULL) == v) break;
    }
    return buf;
}

const char *sb_text_real(double v, char buf[SB_NUMBER])
{
    return isfinite(v) && fabs(v) < 1e30 && (double)(float)v == v ? sb_text_f32((float)v, buf) : sb_text_f64(v, buf);
}

const char *sb_text_end(float begin, float length, char buf[SB_NUMBER])
{
    double from = strtod(sb_text_f32(begin, buf), NULL), end = from + (double)length;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(buf, SB_NUMBER, "%.*g", digits, end);
        if ((float)(strtod(buf, NULL) - from) == length) break;
    }
    return buf;
}

void sb_text_hex(FILE *out, const void *bytes, size_t size)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++) {
        putc(digit[p[i] >> 4], out);
        putc(digit[p[i] & 15], out);
    }
}

void sb_text_utf8(FILE *out, const char *s, size_t size)
{
    while (size > 0) {
        size_t good = 0, n;
        while (good < size && (n = sb_utf8_length(s + good, size - good)) > 0) good += n;
        fwrite(s, 1, good, out);
        s += good;
        size -= good;
        if (size > 0) {
            fputs(SB_UTF8_REPLACEMENT, out);
            s++;
            size--;
        }
    }
}
