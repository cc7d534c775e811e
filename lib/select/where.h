/* Conditions on records, as sb-pick's --where has them:
 *
 *     cluster = 7 and (lat > 36 or not has lat) and label ~ '^Sebastes'
 *
 *     condition  = both { "or" both }
 *     both       = single { "and" single }
 *     single     = "not" single | "(" condition ")" | "has" FIELD | FIELD OPERATOR VALUE
 *     OPERATOR   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
 *
 * FIELD is a column as formats/cell.h has them. FIELD and VALUE are a bare word or stand in quotes, '..' or "..", which
 * keep them together and make no text of a number: the record's type decides. Numbers are compared as numbers (32-bit
 * ones with VALUE rounded likewise), texts byte for byte; ~ is a POSIX extended regular expression that matches
 * anywhere in the text. A number is unlike a VALUE that is none, and neither less nor more. A VALUE for `time` is Unix
 * seconds or a moment as base/clock.h reads it, with a zone; ~ sees "2026-07-03T14:05:09Z". Of a list or an array one
 * element that fits is enough. What a record does not have fits nothing, != included. */
#ifndef SB_SELECT_WHERE_H
#define SB_SELECT_WHERE_H

#include "base/record.h"

struct sb_where;

/* NULL with a message that quotes the text and says at which column it is wrong. */
struct sb_where *sb_where_parse(const char *text);
/* 1 or 0: whether it holds for a record; -1 with a message where a field can't be read. Not from two threads at once.
 */
int sb_where_holds(struct sb_where *w, struct sb_record *rec);
void sb_where_free(struct sb_where *w);

#endif
