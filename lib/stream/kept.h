/* Files of hashes: what sb-dedup kept, so that later streams are compared with it. A stream of small records: `id`,
 * `xxh3` (bin 16, of the picture's exact bytes) and, unless exact duplicates alone were looked for, `phash` (bin 8 or
 * 32). The header's `phash_of` says what that is of, the "whole" picture or its "middle". */
#ifndef SB_STREAM_KEPT_H
#define SB_STREAM_KEPT_H

#include "base/hash.h"
#include "stream/stream.h"

struct sb_kept {
    const char *id; /* not NUL-terminated; borrowed until the next record */
    size_t id_size;
    struct sb_hash exact;
    uint64_t hash[4]; /* as many words as there are bits */
};

/* As a record's field: most significant byte first. */
void sb_kept_set_phash(struct sb_record *rec, const uint64_t *hash, int bits);
void sb_kept_set_phash_of(struct sb_record *header, bool middle);
void sb_kept_write(struct sb_writer *w, const struct sb_kept *kept, int bits);
/* Calls `each` with every record of a file, whose hashes must have `bits` at least (0: must be exact ones) and be of the
 * middle or not. -1 with a message that begins with the file's name. */
int sb_kept_read(const char *path, int bits, bool middle, void (*each)(void *arg, const struct sb_kept *kept), void *arg);

#endif
