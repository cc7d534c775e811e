/* What a stream's header tells of where it came from. */
#ifndef SB_STREAM_HISTORY_H
#define SB_STREAM_HISTORY_H

#include "stream/stream.h"

/* The header that this program writes: *out (reset first) is `header` (may be NULL) with {"tool", "version", "args", "files"} of this
 * run at the end of its history. Dies if a file that an option named can't be read again for its hash. */
void sb_history_header(struct sb_record *out, const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args);

#endif
