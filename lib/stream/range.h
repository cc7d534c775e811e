/* Some of a stream's records, as the option --records asks for them: "N", the first N; "A:B", from number A on to before
 * number B, counted from 0; "A:", from A on. */
#ifndef SB_STREAM_RANGE_H
#define SB_STREAM_RANGE_H

#include <stdint.h>

struct sb_range {
    uint64_t from, to; /* to: UINT64_MAX for the stream's end, which is then looked at */
};

#define SB_OPT_RECORDS(v)                                                                                           \
    {'n', "records", "RANGE", SB_TEXT, (v), 0,                                                                      \
     "only these records: N, the first N; A:B, from A to before B, counted from 0; A: from A on", 0, 0}

/* NULL: all. Wrong usage ends the program. */
struct sb_range sb_range_parse(const char *text);

#endif
