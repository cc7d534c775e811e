/* What could not be used: said on stderr, the first few of each kind, and all of them in a CSV table (what, picture,
 * said) where one is asked for. */
#ifndef SB_ANNOTATION_PROBLEMS_H
#define SB_ANNOTATION_PROBLEMS_H

#include <stdint.h>
#include <stdio.h>

enum { SB_PROBLEMS_SAID = 20, SB_PROBLEM_KINDS = 8 };

/* A zeroed one is valid: no table. */
struct sb_problems {
    FILE *table;
    struct {
        const char *what; /* static text: "missing" */
        uint64_t count;
    } kind[SB_PROBLEM_KINDS];
};

void sb_problems_open(struct sb_problems *p, const char *path); /* NULL: no table */
void sb_problems_add(struct sb_problems *p, const char *what, const char *picture, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void sb_problems_close(struct sb_problems *p); /* the table appears; what was not said is counted */

#endif
