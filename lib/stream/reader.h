/* What the spool, and what runs a script, need to see of a reader. */
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

/* What a script writes to the pipe whose end fd is, which becomes the reader's: records, with a header and trailer, which
 * are then checked, or without, which is no reason to warn; or nothing at all. */
struct sb_reader *sb_reader_open_bare(int fd, const char *name);
/* After sb_reader_next() has failed: the input ended inside an object, or before its trailer; */
bool sb_reader_cut_off(const struct sb_reader *r);
/* and where the object began that it failed at, with its bytes, and those after it, as far as they were read; borrowed. */
const uint8_t *sb_reader_broken(const struct sb_reader *r, uint64_t *offset, size_t *size);

#endif
