/* What of a record says which group it belongs to. */
#ifndef SB_SELECT_GROUP_H
#define SB_SELECT_GROUP_H

#include "base/buffer.h"
#include "base/record.h"

enum sb_group_kind { SB_BY_GROUP, SB_BY_SOURCE, SB_BY_ID, SB_BY_TIME };

/* A zeroed one takes the field `group`. */
struct sb_group_by {
    enum sb_group_kind kind;
    double seconds; /* SB_BY_TIME: the length of a window */
};

/* "group", "source", "id", or "time:SECONDS". -1 with a message. */
int sb_group_by_parse(struct sb_group_by *by, const char *text);

/* Writes the name of the record's group over key: the field's text or number; for windows of time the number of the
 * window that `time` falls in, or, without it, `source` and the number of the window that `pts` falls in.
 * 1, 0 if the record lacks what is needed (or it is empty), -1 with a message if that is of another type. */
int sb_group_key(const struct sb_group_by *by, const struct sb_record *rec, struct sb_buffer *key);

#endif
