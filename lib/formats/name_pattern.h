/* Names of files by a pattern: "{group}_{time}_{pts}_{id8}" becomes "dive7_20260703T140509Z_000012.345_1a2b3c4d".
 *
 * In braces stand columns (cell.h): `time` is written as 20260703T140509.25Z, `pts` as seconds with three places and
 * zeros in front, so that names sort; `source` loses its extension; id8 is the first eight characters of the id. Where
 * a record has no such value, the separators ('_', '-', '.', blanks) before it go, too, or those behind it where it is
 * the first. */
#ifndef SB_FORMATS_NAME_PATTERN_H
#define SB_FORMATS_NAME_PATTERN_H

#include <stdbool.h>

#include "formats/cell.h"

struct sb_name_part {
    char *text; /* owned */
    bool column;
};

/* A zeroed one is valid, and empty. */
struct sb_name_pattern {
    struct sb_name_part *part;
    size_t count, cap;
    struct sb_cell cell;
    struct sb_buffer name;
};

/* -1 with a message: a brace that does not close, or nothing between two; a slash. */
int sb_name_pattern_parse(struct sb_name_pattern *p, const char *text);
/* The record's name, not checked to be safe, valid until the next call; "picture" where nothing is left. NULL with a
 * message if a value can't be read. */
const char *sb_name_pattern_text(struct sb_name_pattern *p, struct sb_record *rec);
void sb_name_pattern_free(struct sb_name_pattern *p);

#endif
