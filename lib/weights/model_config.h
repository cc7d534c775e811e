/* What stands in a model file's __metadata__, as JSON: the configuration. */
#ifndef SB_WEIGHTS_MODEL_CONFIG_H
#define SB_WEIGHTS_MODEL_CONFIG_H

#include "nn/model.h"

/* The caller frees what these return. */
char *sb_model_config_json(const struct sb_model *m);

/* 0, or -1 with a message that the caller puts the file's name before. Sets the family, its configuration, the
 * decoder's and the switches; what was parsed makes sense. */
int sb_model_config_parse(struct sb_model *m, const char *text);

#endif
