/* YAML files (libyaml) as the same values that JSON has: data sets' data.yaml, iFDOs. */
#ifndef SB_FORMATS_YAML_FILE_H
#define SB_FORMATS_YAML_FILE_H

#include <jansson.h>

/* The first document of a file, which the caller gives json_decref. Plain scalars are what YAML 1.2's core schema makes
 * of them (null, true, false, decimal numbers; "no" and dates stay text); keys are text. -1 with a message, "a.yaml:
 * line 3: ...": it can't be read, is not YAML, is nested too deep, has a key twice, or uses aliases, which can make
 * little much. */
int sb_yaml_read(const char *path, json_t **out);

/* The same of a file that is JSON where it begins with a brace or a bracket, else YAML. */
int sb_yaml_or_json_read(const char *path, json_t **out);

#endif
