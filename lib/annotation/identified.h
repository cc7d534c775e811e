/* Which models named what a stream's records hold, out of its header's histories. */
#ifndef SB_ANNOTATION_IDENTIFIED_H
#define SB_ANNOTATION_IDENTIFIED_H

#include "base/record.h"

/* "reef.safetensors (XXH3-128 fd1788f2...), sb-classify 0.1.0": the model of the last sb-classify of the history, and
 * of each history that went into it, another once, with " | " between them; "" where there is none. The caller frees
 * it. */
char *sb_identified_by(struct sb_record *header);

#endif
