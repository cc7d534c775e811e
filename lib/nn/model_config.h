/* What stands in a model file's __metadata__, as JSON: the configuration, and lists of texts. */
#ifndef SB_NN_MODEL_CONFIG_H
#define SB_NN_MODEL_CONFIG_H

#include "nn/model.h"

/* The caller frees what these return. */
char *sb_model_config_json(const struct sb_model *m);
char *sb_texts_json(const struct sb_texts *t);

/* 0, or -1 with a message that the caller puts the file's name before. Sets the family, its configuration, the
 * decoder's and the switches; what was parsed makes sense. */
int sb_model_config_parse(struct sb_model *m, const char *text);
int sb_texts_parse(const char *text, struct sb_texts *out);
void sb_texts_free(struct sb_texts *t);

#endif
