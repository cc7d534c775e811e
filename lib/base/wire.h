/* The heads of msgpack values: what the scanner and the record look at before msgpack-c sees any of it. Reads only the
 * bytes it is given and allocates nothing. */
#ifndef SB_BASE_WIRE_H
#define SB_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SB_WIRE_DEPTH 32 /* nesting that msgpack-c can read */

enum sb_wire_type {
    SB_WIRE_NIL, SB_WIRE_BOOL, SB_WIRE_UINT, SB_WIRE_INT, SB_WIRE_REAL,
    SB_WIRE_STR, SB_WIRE_BIN, SB_WIRE_EXT, SB_WIRE_ARRAY, SB_WIRE_MAP
};

struct sb_wire {
    enum sb_wire_type type; /* SB_WIRE_INT: negative only */
    size_t head;            /* bytes of the head, an ext's type byte and a number's digits included */
    uint64_t size;          /* str, bin, ext: bytes that follow; array: values; map: pairs */
    int8_t ext;             /* the ext's type */
    bool single;            /* a real of 32 bits */
    union {
        bool truth;
        uint64_t u;
        int64_t i;
        double real;
    } v;
};

/* 1: *w is the head at p. 0: more than n bytes are needed. -1: no msgpack value begins like this. */
int sb_wire_head(const uint8_t *p, size_t n, struct sb_wire *w);
/* Bytes of the whole value at p, or 0 if n bytes do not hold it. */
size_t sb_wire_value(const uint8_t *p, size_t n);
/* "a str", "a list": for messages. */
const char *sb_wire_name(enum sb_wire_type type);

#endif
