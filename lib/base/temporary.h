/* A file without a name in $TMPDIR (default /tmp), gone with the process. */
#ifndef SB_BASE_TEMPORARY_H
#define SB_BASE_TEMPORARY_H

#include <stdio.h>

int sb_temporary_open(void);    /* a descriptor to write and read, the caller's to close; -1 with a message */
FILE *sb_temporary_stdio(void); /* the same as a stdio stream; NULL with a message */

#endif
