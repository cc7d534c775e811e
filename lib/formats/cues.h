/* Subtitles, WebVTT (W3C) and SubRip, out of texts at times.
 *
 * What is said at one moment stands in one cue, a line each; a moment that says the same as the one before it, without
 * a gap between them, prolongs its cue. */
#ifndef SB_FORMATS_CUES_H
#define SB_FORMATS_CUES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buffer.h"
#include "formats/cell.h"

enum sb_cue_style { SB_CUES_VTT, SB_CUES_SRT };

struct sb_cues {
    FILE *out; /* the caller's */
    enum sb_cue_style style;
    uint64_t number; /* of cues written, which SubRip counts */
    bool has_moment, has_cue;
    double pts, duration; /* of the moment, s; duration 0: not known */
    struct sb_buffer now; /* what the moment says: lines, escaped */
    int64_t start, end;   /* of the cue that is not written yet, ms */
    struct sb_buffer cue;
};

void sb_cues_begin(struct sb_cues *cues, FILE *out, enum sb_cue_style style);
/* Text (UTF-8, may be empty) shown from pts for `duration` s, but never longer than until the next pts; without a
 * duration (0) until the next pts, the last one for 1 s. 1: it is shown, 0: it is empty or blank, -1 with a message if
 * time runs backwards or is no time. */
int sb_cues_add(struct sb_cues *cues, double pts, double duration, const char *text, size_t size);
/* The same with a record's pts, duration and words (sb_cell_words()). 1: it had words, 0: none, -1 with a message. */
int sb_cues_record(struct sb_cues *cues, struct sb_record *rec, const char *column, struct sb_cell *cell);
void sb_cues_end(struct sb_cues *cues); /* writes what is left */
void sb_cues_free(struct sb_cues *cues);

#endif
