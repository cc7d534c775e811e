#include "stream/scan.h"

#include <string.h>

#include "base/err.h"
#include "stream/stream.h"

void sb_scan_start(struct sb_scan *s)
{
    memset(s, 0, sizeof *s);
    s->pending = 1;
    s->left[0] = 1;
}

/* Counts one value done and opens a container of `children` values. */
static int step(struct sb_scan *s, uint64_t children)
{
    s->pending += children - 1;
    s->left[s->depth]--;
    if (children) {
        if (s->depth == SB_WIRE_DEPTH) return sb_error("values nest deeper than %d", SB_WIRE_DEPTH);
        s->left[++s->depth] = children;
    }
    while (s->depth > 0 && s->left[s->depth] == 0) s->depth--;
    return 0;
}

int sb_scan_more(struct sb_scan *s, const uint8_t *bytes, size_t have)
{
    while (s->pending) {
        struct sb_wire w;
        int rc = sb_wire_head(bytes + s->at, have - s->at, &w);
        if (rc < 0) return sb_error("byte 0x%02x begins no msgpack value", bytes[s->at]);
        bool container = w.type == SB_WIRE_ARRAY || w.type == SB_WIRE_MAP;
        uint64_t children = rc == 0 || !container ? 0 : w.type == SB_WIRE_MAP ? 2 * w.size : w.size;
        uint64_t end = s->at + w.head + (rc == 0 || container ? 0 : w.size);
        /* Each value takes a byte at least: what is declared tells how long the object must become. */
        uint64_t least = end + s->pending - 1 + children;
        if (least > SB_RECORD_MAX)
            return sb_error("a record of %llu bytes or more: the limit is %u", (unsigned long long)least,
                            SB_RECORD_MAX);
        if (rc == 0 || end > have) {
            s->need = least;
            return 0;
        }
        s->at = end;
        if (step(s, children)) return -1;
    }
    return 1;
}
