/* What history.c needs of history_inputs.c. */
#ifndef SB_STREAM_HISTORY_INPUTS_H
#define SB_STREAM_HISTORY_INPUTS_H

#include "base/buffer.h"
#include "base/record.h"

/* Appends to `inputs`, which holds `count` packed histories, those that `header` (which was checked) has in its inputs,
 * then its history; returns how many there are then. */
uint64_t sb_history_gather(struct sb_buffer *inputs, uint64_t count, const struct sb_record *header);

#endif
