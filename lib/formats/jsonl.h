/* Records as JSON: one object a record, for jq, Python and databases.
 *
 * Every msgpack value has a form: text whose bytes are no UTF-8 gets U+FFFD, NaN and infinities become null, integers
 * are exact, reals the shortest decimal that reads back. An array of at most SB_JSON_SMALL elements becomes nested
 * lists, a larger one {"dtype":"f32","shape":[768]}; bin of at most SB_JSON_SMALL bytes becomes hex, a longer one
 * {"bytes":n}, with "format" for a picture; an ext type {"ext":type,"hex":"..."}. Keys that are no text become text. */
#ifndef SB_FORMATS_JSONL_H
#define SB_FORMATS_JSONL_H

#include <stdio.h>

#include "base/record.h"

#define SB_JSON_SMALL 64

/* The record as one line, with its line feed. -1 with a message if a value is not whole or nests too deep. The record's
 * memory is used. Whether writing worked is the caller's to ask of `out`. */
int sb_jsonl_write(FILE *out, struct sb_record *rec);

/* One msgpack value; `memory` may be used for what is decoded. Returns its end, or NULL with a message. */
const uint8_t *sb_json_value(FILE *out, struct sb_record *memory, const uint8_t *value, size_t size);

void sb_json_text(FILE *out, const char *s, size_t size); /* with its quotes */

/* The element at `index` of an array as JSON. */
void sb_json_element(FILE *out, const struct sb_tensor *t, int64_t index);

#endif
