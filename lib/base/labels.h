/* What names a record has: its `label` and its `labels`. */
#ifndef SB_BASE_LABELS_H
#define SB_BASE_LABELS_H

#include "base/record.h"

/* Calls fn for the record's `label` and for each of its `labels`, each text once. -1 with a message if they are of
 * another type. */
int sb_labels_each(struct sb_record *rec, void (*fn)(void *arg, const char *label, size_t size), void *arg);

#endif
