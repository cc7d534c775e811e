/* What the spool needs to see of a reader. */
#ifndef SB_STREAM_READER_H
#define SB_STREAM_READER_H

#include "base/hash.h"
#include "stream/stream.h"

/* The bytes of the record that sb_reader_next() gave, or of the header before that; borrowed. */
const uint8_t *sb_reader_bytes(const struct sb_reader *r, size_t *size);
/* A descriptor that can be pread, and the place of the stream's first byte in it; -1 if the input is not
 * a regular file. */
int sb_reader_seekable(const struct sb_reader *r, uint64_t *base);
/* XXH3-128 of the bytes so far, without a trailer. */
struct sb_hash sb_reader_hash(const struct sb_reader *r);

#endif
