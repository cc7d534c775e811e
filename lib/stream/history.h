/* What a stream's header tells of where it came from (man/sb-stream.5): the steps of its `history`, and the histories of
 * other streams that went into it, as a list under `inputs`; the step that took them names their places in it. */
#ifndef SB_STREAM_HISTORY_H
#define SB_STREAM_HISTORY_H

#include "stream/stream.h"

/* The header that this program writes: *out (reset first) is `header` (may be NULL) with {"tool", "version", "args", "files"} of this
 * run at the end of its history. Dies if a file that an option named can't be read again for its hash. */
void sb_history_header(struct sb_record *out, const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args);

/* The same for a program with several inputs, whose headers are `input` (an empty one, of a foreign stream, has an empty
 * history). Where one of the streams goes on and the others add to it (sb-join), its header is `header`, and `input` are
 * the others'; where all are alike (sb-cat), all are in `input`. */
void sb_history_join(struct sb_record *out, const struct sb_record *header, const struct sb_record *const *input,
                     size_t inputs, const struct sb_tool *tool, const struct sb_args *args);

/* Whether `history` and `inputs` of a header, as far as they are there, are what they must be, so that the functions
 * above take them: -1 with a message. */
int sb_history_check(const struct sb_record *header);

#endif
