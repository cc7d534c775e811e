/* Output files that appear only when they are whole.
 *
 * A regular file, or one that is not there yet, is written as a sibling ".NAME.PID.tmp" and renamed by commit; what is not
 * committed is removed when the process ends, also by SIGINT, SIGTERM or SIGHUP. Anything else (/dev/full, a FIFO) is written directly. */
#ifndef SB_BASE_FILE_H
#define SB_BASE_FILE_H

#include <stdio.h>

struct sb_file {
    FILE *f;         /* to write to */
    char *path;      /* the final name */
    char *temporary; /* NULL: written directly */
};

/* path NULL or "-": standard output. -1 with a message. */
int sb_file_create(struct sb_file *out, const char *path);
/* Flushes, closes, renames; every failure to write so far shows here: -1 with a message, and the old file is as it was. */
int sb_file_commit(struct sb_file *out);
/* Closes and removes what was written; the old file is as it was. */
void sb_file_abandon(struct sb_file *out);

#endif
