/* Names of files that are written for sources and records: one plain name each, inside of the folder that was asked
 * for, whatever the source is called, and never the same name twice in a run. */
#ifndef SB_FORMATS_NAMES_H
#define SB_FORMATS_NAMES_H

#include <stddef.h>

#include "base/dictionary.h"
#include "base/record.h"

/* "a/dive 1.mp4" to "a_dive 1.mp4": no folders, no leading dot, no control bytes, at most 150 bytes. The caller frees
 * it. */
char *sb_name_safe(const char *text, size_t size);
char *sb_name_stem(const char *source, size_t size); /* the same without the extension: "a_dive 1" */

char *sb_name_join(const char *folder, const char *name); /* with one slash between them; the caller frees it */

/* stem + suffix; where that was taken before, stem-<8 digits of the hash of `whole`> + suffix. `whole` tells apart what
 * the stem does not. The caller frees it. A zeroed dictionary is where names are remembered. */
char *sb_name_take(struct sb_dictionary *taken, const char *stem, const char *whole, size_t whole_size,
                   const char *suffix);

/* A name for a record's picture: "dive_000012.345.png", with the id too where a region was cut out, so that pts does
 * not tell it from its neighbours. The caller frees it. NULL: source, id or pts are of a wrong type. */
char *sb_name_record(struct sb_dictionary *taken, struct sb_record *rec, const char *suffix);

#endif
