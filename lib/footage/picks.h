/* Records that were chosen earlier get their full pictures again, from the footage that they name. */
#ifndef SB_FOOTAGE_PICKS_H
#define SB_FOOTAGE_PICKS_H

#include "media/harvest.h"
#include "stream/stream.h"

/* Goes through the stream in its order: of each record h->take gets a copy whose image is the picture that the input of
 * its `source` shows at its `pts` (or is, without one), sized and encoded by h->style; its other fields stay. What
 * can't be fetched is given as unreadable, with `input` NULL where no input is the source. h->how is not used. Ends the
 * program where the stream is broken. */
void sb_picks_run(const struct sb_harvest *h, struct sb_reader *picks);

#endif
