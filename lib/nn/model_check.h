/* Whether a configuration, maybe out of a stranger's file, makes sense. 0, or -1 with a message. */
#ifndef SB_NN_MODEL_CHECK_H
#define SB_NN_MODEL_CHECK_H

#include "nn/model.h"

int sb_vit_config_check(const struct sb_vit_config *c);
int sb_resnet_config_check(const struct sb_resnet_config *c);
/* Of the model's family. The decoder may be absent (0 words); with one, the model is a ViT without a head. */
int sb_model_config_check(const struct sb_model *m);

#endif
