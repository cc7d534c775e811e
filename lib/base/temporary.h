/* A file without a name in $TMPDIR (default /tmp), gone with the process; and pieces that wait in one. */
#ifndef SB_BASE_TEMPORARY_H
#define SB_BASE_TEMPORARY_H

#include <stdio.h>

#include "base/buffer.h"

int sb_temporary_open(void);    /* a descriptor to write and read, the caller's to close; -1 with a message */
FILE *sb_temporary_stdio(void); /* the same as a stdio stream; NULL with a message */

/* Adds a piece: a struct of a fixed size, and text of any. After sb_temporary_rewind() they are got in their order. -1
 * with a message. */
int sb_temporary_put(FILE *f, const void *head, size_t size, const struct sb_buffer *text);
int sb_temporary_rewind(FILE *f);
int sb_temporary_get(FILE *f, void *head, size_t size, struct sb_buffer *text);

#endif
