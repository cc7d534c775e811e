#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/xxh3.h"

static struct sb_hash from_xxh(XXH128_hash_t h)
{
    struct sb_hash r = {h.high64, h.low64};
    return r;
}

struct sb_hash sb_hash_bytes(const void *data, size_t size)
{
    return from_xxh(XXH3_128bits(data, size));
}

void sb_hash_hex(struct sb_hash h, char out[SB_HEX])
{
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[i] = digit[h.hi >> (60 - 4 * i) & 15];
        out[16 + i] = digit[h.lo >> (60 - 4 * i) & 15];
    }
    out[32] = 0;
}

int sb_hash_file(const char *path, char out[SB_HEX])
{
    enum { CHUNK = 1 << 18 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return sb_error("%s: %s", path, strerror(errno));
    XXH3_state_t *state = XXH3_createState();
    if (!state) sb_die("out of memory");
    uint8_t *chunk = sb_malloc(CHUNK);
    XXH3_128bits_reset(state);
    ssize_t n;
    while ((n = read(fd, chunk, CHUNK)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        XXH3_128bits_update(state, chunk, (size_t)n);
    }
    int rc = n < 0 ? sb_error("%s: %s", path, strerror(errno)) : 0;
    sb_hash_hex(from_xxh(XXH3_128bits_digest(state)), out);
    free(chunk);
    XXH3_freeState(state);
    close(fd);
    return rc;
}

void sb_hash_id(const char *source, int64_t pts_ns_or_index, const float box[4], char out[SB_HEX])
{
    /* The source's NUL ends it, so that no two (source, number) pairs spell the same bytes. */
    size_t n = strlen(source) + 1;
    uint8_t *bytes = sb_malloc(n + 8 + 16);
    memcpy(bytes, source, n);
    for (int i = 0; i < 8; i++) bytes[n + i] = (uint8_t)((uint64_t)pts_ns_or_index >> 8 * i);
    n += 8;
    if (box) {
        memcpy(bytes + n, box, 16);
        n += 16;
    }
    sb_hash_hex(sb_hash_bytes(bytes, n), out);
    free(bytes);
}
