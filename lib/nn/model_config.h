/* What stands in a model file's __metadata__, as JSON: the configuration, and lists of texts. */
#ifndef SB_NN_MODEL_CONFIG_H
#define SB_NN_MODEL_CONFIG_H

#include "nn/model.h"

/* The caller frees what these return. */
char *sb_model_config_json(const struct sb_model *m);
char *sb_texts_json(const struct sb_texts *t);

/* 0, or -1 with a message that the caller puts the file's name before. A configuration that was parsed makes sense. */
int sb_model_config_parse(const char *text, struct sb_vit_config *vit, struct sb_decoder_config *decoder);
int sb_texts_parse(const char *text, struct sb_texts *out);

#endif
