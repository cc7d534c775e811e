#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

static double started, last;

double sb_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void time_left(double seconds, char *out, size_t size)
{
    long s = (long)(seconds + 0.5);
    if (s < 60) {
        snprintf(out, size, ", %ld s left", s);
    } else if (s < 3600) {
        snprintf(out, size, ", %ld min %02ld s left", s / 60, s % 60);
    } else {
        snprintf(out, size, ", %ld h %02ld min left", s / 3600, s / 60 % 60);
    }
}

void sb_progress(double done, double total, const char *fmt, ...)
{
    if (sb_quiet) return;
    double now = sb_seconds();
    bool terminal = isatty(STDERR_FILENO);
    if (started == 0) {
        started = now;
        last = terminal ? 0 : now; /* a log gets its first line after 30 s: short runs say nothing */
    }
    if (now - last < (terminal ? 0.1 : 30.0)) return;
    last = now;

    char text[512], left[64] = "", line[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (total > 0 && done > 0 && done <= total) time_left((now - started) * (total - done) / done, left, sizeof left);
    int n = snprintf(line, sizeof line, terminal ? "\r\033[K%s: %s%s" : "%s: %s%s\n", sb_program, text, left);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0) return;
    sb_line_drawn = terminal;
}

void sb_progress_end(void)
{
    started = 0;
    if (!sb_line_drawn) return;
    sb_line_drawn = false;
    if (write(STDERR_FILENO, "\r\033[K", 4) < 0) return;
}

void sb_counts_skip(struct sb_counts *c, const char *why)
{
    size_t last_place = sizeof c->skipped / sizeof *c->skipped - 1;
    size_t i = 0;
    while (i < last_place && c->skipped[i].why && strcmp(c->skipped[i].why, why) != 0) i++;
    if (!c->skipped[i].why) c->skipped[i].why = i == last_place ? "other" : why;
    c->skipped[i].count++;
}

void sb_counts_print(const struct sb_counts *c)
{
    char text[900];
    uint64_t skipped = 0;
    for (size_t i = 0; i < sizeof c->skipped / sizeof *c->skipped; i++) skipped += c->skipped[i].count;
    unsigned long long in = c->in, out = c->out;
    size_t n = in ? (size_t)snprintf(text, sizeof text, "%llu in, ", in) : 0; /* a source takes nothing in */
    n += (size_t)snprintf(text + n, sizeof text - n, "%llu out", out);
    if (skipped) n += (size_t)snprintf(text + n, sizeof text - n, ", %llu skipped", (unsigned long long)skipped);
    for (size_t i = 0; i < sizeof c->skipped / sizeof *c->skipped && n < sizeof text; i++) {
        if (!c->skipped[i].count) break;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %llu %s", i ? "," : ":",
                              (unsigned long long)c->skipped[i].count, c->skipped[i].why);
    }
    sb_warn("%s", text);
}
