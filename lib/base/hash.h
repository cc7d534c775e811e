/* XXH3-128, the hash of ids, integrity and files. Text form: 32 lower-case hex digits, canonical (big-endian) order. */
#ifndef SB_BASE_HASH_H
#define SB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SB_HEX 33 /* 32 digits and a NUL */

struct sb_hash {
    uint64_t hi, lo;
};

struct sb_hash sb_hash_bytes(const void *data, size_t size);
void sb_hash_hex(struct sb_hash h, char out[SB_HEX]);
int sb_hash_file(const char *path, char out[SB_HEX]); /* -1 with a message if it can't be read */

/* A record's id: hash of source, pts in whole nanoseconds or index, and box (x y w h) or NULL. */
void sb_hash_id(const char *source, int64_t pts_ns_or_index, const float box[4], char out[SB_HEX]);

#endif
