/* Finds where a msgpack object ends, in bytes that may not all have arrived yet, and refuses one that can't be a
 * record: it nests deeper than msgpack-c reads, or declares more than SB_RECORD_MAX bytes could hold. Allocates
 * nothing.
 *
 *     sb_scan_start(&scan);
 *     while ((rc = sb_scan_more(&scan, bytes, have)) == 0) read until have >= scan.need;
 */
#ifndef SB_STREAM_SCAN_H
#define SB_STREAM_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

struct sb_scan {
    size_t at;        /* bytes looked at; when done, the object's size */
    size_t need;      /* when more is wanted: at least this many bytes in all */
    uint64_t pending; /* values still to come, at all depths */
    int depth;
    uint64_t left[SB_WIRE_DEPTH + 1]; /* values still to come, a depth */
};

void sb_scan_start(struct sb_scan *s);
/* `bytes` always begins at the object. 1: whole, s->at bytes. 0: s->need bytes are needed. -1 with a message. */
int sb_scan_more(struct sb_scan *s, const uint8_t *bytes, size_t have);

#endif
