/* Records in batches: a thread reads ahead while the caller computes.
 *
 * With a longest wait, a part-filled batch is given out once its oldest record has waited so long, so that a live source is
 * answered in time; without one, only the last batch is part-filled. */
#ifndef SB_STREAM_BATCHES_H
#define SB_STREAM_BATCHES_H

#include "stream/stream.h"

struct sb_batches;

/* size: records in a batch. held: so many batches' records are valid at a time. max_wait: seconds from a record's arrival, negative for no limit. idle(arg) is called in the caller's
 * thread before sb_batches_next waits: flush there. The reader stays the caller's, who must not touch it before close. */
struct sb_batches *sb_batches_open(struct sb_reader *in, int size, int held, double max_wait, void (*idle)(void *arg),
                                   void *arg);
/* The next batch, its records valid until `held` more calls; returns how many, 0 at the verified end, -1 with a message. */
int sb_batches_next(struct sb_batches *b, struct sb_record **record);
void sb_batches_close(struct sb_batches *b); /* at the end, or not before: it waits for the reading thread */

#endif
