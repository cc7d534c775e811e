/* For the programs that need the whole stream, or a part in the middle: random access to its records.
 *
 * A regular file is read in place; a pipe is spooled to an unlinked file in $TMPDIR (default /tmp), saying its size.
 * Offsets are kept in memory, 8 to 16 bytes a record. Either the stream has been verified whole when open returns, or it
 * has an index (index.h), with which only header and trailer have, and each record is when it is read: 16 bytes a record. */
#ifndef SB_STREAM_SPOOL_H
#define SB_STREAM_SPOOL_H

#include "stream/stream.h"

struct sb_spool;

/* `each` (may be NULL) is called once a record during the verifying pass, so that one pass can gather what it needs.
 * NULL with a message. */
struct sb_spool *sb_spool_open(const char *path, void (*each)(void *arg, uint64_t index, struct sb_record *rec),
                               void *arg);
/* The same for a file with an index, whose reader was just opened and becomes the spool's; NULL, and the reader stays the
 * caller's, if there is no such index. */
struct sb_spool *sb_spool_indexed(struct sb_reader *in);
const struct sb_record *sb_spool_header(const struct sb_spool *s);
const char *sb_spool_name(const struct sb_spool *s); /* for messages */
uint64_t sb_spool_count(const struct sb_spool *s);
/* The record at index; owned by the caller's rec until its next use. Safe from several threads with different recs. */
int sb_spool_get(struct sb_spool *s, uint64_t index, struct sb_record *rec);
/* XXH3-128 of the stream's bytes, trailer excluded: its identity. */
void sb_spool_hash(const struct sb_spool *s, char out[33]);
void sb_spool_close(struct sb_spool *s);

#endif
