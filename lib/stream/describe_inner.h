/* What describe.c gathers and describe_print.c prints. */
#ifndef SB_STREAM_DESCRIBE_INNER_H
#define SB_STREAM_DESCRIBE_INNER_H

#include "base/dictionary.h"
#include "stream/describe.h"

enum { FIELDS_MAX = 256, NAMES_MAX = 4096 };

/* What a value is, beyond msgpack's types. An array of dtype t is KIND_ARRAY + t. */
enum kind {
    KIND_NIL, KIND_BOOL, KIND_INT, KIND_F32, KIND_F64, KIND_STR, KIND_BIN, KIND_JPEG, KIND_PNG, KIND_LIST, KIND_MAP,
    KIND_EXT,
    KIND_SCALAR, /* a number of numpy's */
    KIND_UNREAD, /* an array that is not read: big-endian, of objects, of a wrong size */
    KIND_ARRAY,
    KINDS = KIND_ARRAY + SB_NDTYPES
};

struct range {
    double least, most;
    bool any;
};

struct field_stats {
    uint64_t present, kind[KINDS];
    struct range value, size; /* of numbers; of bytes or items */
    bool nan, dims_differ;
    int ndim; /* of arrays; -1: none seen */
    int64_t low[SB_DIMS], high[SB_DIMS];
};

struct tally {
    const char *title;
    struct sb_dictionary names;
    uint64_t *count;
    size_t cap;
    uint64_t total, others; /* others: of names past the cap */
};

struct source_stats {
    uint64_t records;
    struct range pts, time;
};

struct sb_description {
    uint64_t records;
    struct sb_dictionary names; /* of fields, at most FIELDS_MAX */
    struct field_stats *field;
    size_t field_cap;
    uint64_t unnamed; /* fields past the cap */
    struct tally label, predicted, split;
    struct sb_dictionary sources;
    struct source_stats *source;
    size_t source_cap;
    uint64_t unsourced; /* records of sources past the cap */
    struct sb_record memory;
};

#endif
