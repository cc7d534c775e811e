/* What a run says on stderr: a line that is redrawn while it works, and counts at its end. Silent with -q. */
#ifndef SB_BASE_PROGRESS_H
#define SB_BASE_PROGRESS_H

#include <stdint.h>

/* Redraws (terminal: at most ten times a second; otherwise a line every 30 s) "sb-x: <text>, N left". */
void sb_progress(double done, double total, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sb_progress_end(void); /* clears the redrawn line */

double sb_seconds(void); /* monotonic clock */

struct sb_counts {
    uint64_t in, out;
    struct {
        const char *why; /* static text: "exact duplicate" */
        uint64_t count;
    } skipped[8];
};

void sb_counts_skip(struct sb_counts *c, const char *why); /* counts one more under why */
/* "sb-dedup: 812 in, 640 out, 172 skipped: 150 exact duplicate, 22 near duplicate" */
void sb_counts_print(const struct sb_counts *c);

#endif
