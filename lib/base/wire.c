#include "base/wire.h"

#include <string.h>

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | p[i];
    return v;
}

static int sized(const uint8_t *p, size_t n, size_t digits, enum sb_wire_type type, struct sb_wire *w)
{
    w->type = type;
    w->head = 1 + digits + (type == SB_WIRE_EXT);
    if (n < w->head) return 0;
    w->size = big_endian(p + 1, digits);
    if (type == SB_WIRE_EXT) w->ext = (int8_t)p[1 + digits];
    return 1;
}

static int fixed_ext(const uint8_t *p, size_t n, struct sb_wire *w)
{
    w->type = SB_WIRE_EXT;
    w->head = 2;
    if (n < 2) return 0;
    w->size = 1u << (p[0] - 0xd4);
    w->ext = (int8_t)p[1];
    return 1;
}

static int number(const uint8_t *p, size_t n, size_t digits, bool is_signed, struct sb_wire *w)
{
    w->head = 1 + digits;
    if (n < w->head) return 0;
    uint64_t v = big_endian(p + 1, digits);
    int64_t extended = (int64_t)(v << (64 - 8 * digits)) >> (64 - 8 * digits);
    w->type = is_signed && extended < 0 ? SB_WIRE_INT : SB_WIRE_UINT;
    if (w->type == SB_WIRE_INT) {
        w->v.i = extended;
    } else {
        w->v.u = v;
    }
    return 1;
}

static int real(const uint8_t *p, size_t n, size_t digits, struct sb_wire *w)
{
    w->type = SB_WIRE_REAL;
    w->head = 1 + digits;
    if (n < w->head) return 0;
    uint64_t bits = big_endian(p + 1, digits);
    w->single = digits == 4;
    if (w->single) {
        uint32_t low = (uint32_t)bits;
        float f;
        memcpy(&f, &low, 4);
        w->v.real = f;
    } else {
        memcpy(&w->v.real, &bits, 8);
    }
    return 1;
}

int sb_wire_head(const uint8_t *p, size_t n, struct sb_wire *w)
{
    memset(w, 0, sizeof *w);
    w->head = 1;
    if (n < 1) return 0;
    uint8_t c = p[0];
    if (c <= 0x7f || c >= 0xe0) {
        w->type = c <= 0x7f ? SB_WIRE_UINT : SB_WIRE_INT;
        w->v.i = (int8_t)c;
        return 1;
    }
    if (c <= 0xbf) {
        w->type = c <= 0x8f ? SB_WIRE_MAP : c <= 0x9f ? SB_WIRE_ARRAY : SB_WIRE_STR;
        w->size = c <= 0x9f ? c & 15 : c & 31;
        return 1;
    }
    switch (c) {
    case 0xc0: w->type = SB_WIRE_NIL; return 1;
    case 0xc1: return -1;
    case 0xc2:
    case 0xc3:
        w->type = SB_WIRE_BOOL;
        w->v.truth = c == 0xc3;
        return 1;
    case 0xc4: case 0xc5: case 0xc6: return sized(p, n, (size_t)1 << (c - 0xc4), SB_WIRE_BIN, w);
    case 0xc7: case 0xc8: case 0xc9: return sized(p, n, (size_t)1 << (c - 0xc7), SB_WIRE_EXT, w);
    case 0xca: return real(p, n, 4, w);
    case 0xcb: return real(p, n, 8, w);
    case 0xcc: case 0xcd: case 0xce: case 0xcf: return number(p, n, (size_t)1 << (c - 0xcc), false, w);
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: return number(p, n, (size_t)1 << (c - 0xd0), true, w);
    case 0xd9: case 0xda: case 0xdb: return sized(p, n, (size_t)1 << (c - 0xd9), SB_WIRE_STR, w);
    case 0xdc: case 0xdd: return sized(p, n, (size_t)2 << (c - 0xdc), SB_WIRE_ARRAY, w);
    case 0xde: case 0xdf: return sized(p, n, (size_t)2 << (c - 0xde), SB_WIRE_MAP, w);
    default: return fixed_ext(p, n, w); /* 0xd4 to 0xd8 */
    }
}

size_t sb_wire_value(const uint8_t *p, size_t n)
{
    size_t at = 0;
    uint64_t left = 1; /* values still to come; each takes at least a byte, so left > n - at can't be whole */
    while (left) {
        struct sb_wire w;
        if (left > n - at || sb_wire_head(p + at, n - at, &w) != 1) return 0;
        at += w.head;
        left--;
        if (w.type == SB_WIRE_ARRAY) {
            left += w.size;
        } else if (w.type == SB_WIRE_MAP) {
            left += 2 * w.size;
        } else {
            if (w.size > n - at) return 0;
            at += w.size;
        }
    }
    return at;
}

const char *sb_wire_name(enum sb_wire_type type)
{
    static const char *const name[] = {"nil",   "a bool", "an integer", "an integer", "a number",
                                       "a str", "bin",    "an ext",     "a list",     "a map"};
    return name[type];
}
