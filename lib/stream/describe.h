/* What a stream holds, for a human reader: each field's types, shapes, share and range, the commonest labels, the
 * sources with their times. Memory is bounded whatever the stream holds: past a cap, further fields, labels and sources
 * are only counted. */
#ifndef SB_STREAM_DESCRIBE_H
#define SB_STREAM_DESCRIBE_H

#include <stdio.h>

#include "base/record.h"

struct sb_description;

struct sb_description *sb_description_new(void);
void sb_description_add(struct sb_description *d, struct sb_record *rec);
void sb_description_print(const struct sb_description *d, FILE *out);
void sb_description_free(struct sb_description *d);

/* The header's history, one command a line with the files it named, and the header's further values. */
void sb_history_print(const struct sb_record *header, FILE *out);

#endif
