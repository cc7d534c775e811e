/* What names a record has: its `label` and its `labels`; and lists of names. */
#ifndef SB_BASE_LABELS_H
#define SB_BASE_LABELS_H

#include "base/opt.h"
#include "base/record.h"

/* Calls fn for the record's `label` and for each of its `labels`, each text once. -1 with a message if they are of
 * another type. */
int sb_labels_each(struct sb_record *rec, void (*fn)(void *arg, const char *label, size_t size), void *arg);

/* Appends the names in a text file, one a line, empty lines left out. -1 with a message if it can't be read or holds
 * none. */
int sb_labels_read(struct sb_texts *labels, const char *path);

#endif
