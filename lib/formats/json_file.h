/* JSON files: those that other people's models have beside their weights, and of annotations. */
#ifndef SB_FORMATS_JSON_FILE_H
#define SB_FORMATS_JSON_FILE_H

#include <jansson.h>

/* The file `name` in the folder of the model file `path`, an object. 1 and *out, which the caller gives json_decref;
 * 0 there is no such file; -1 with a message: it can't be read, or is not a JSON object. *out is NULL where it is
 * not 1. */
int sb_json_beside(const char *path, const char *name, json_t **out);

/* The JSON in a file, an object or a list, which the caller gives json_decref; a byte order mark is passed over. A
 * key that an object has twice is warned of. -1 with a message. */
int sb_json_read(const char *path, json_t **out);

/* The first byte of a file that is neither blank nor part of a byte order mark; EOF where there is none; -2 with a
 * message. '{' and '[' begin JSON. */
int sb_json_first(const char *path);

/* An object's value, NULL if it is absent or null. */
const json_t *sb_json_get(const json_t *object, const char *key);

#endif
