/* Preprocessings in the JSON forms of other people's models. Each: 0, or -1 with a message. */
#ifndef SB_PREPROCESS_PREPROCESS_FOREIGN_H
#define SB_PREPROCESS_PREPROCESS_FOREIGN_H

#include <jansson.h>

#include "preprocess/preprocess.h"

/* timm's config.json: under "pretrained_cfg", or, as it was once, flat. */
int sb_preprocess_from_timm(struct sb_preprocess *p, const json_t *config);

/* transformers' preprocessor_config.json, of the image processors of ViT, DeiT, Bit (DINOv2 has that), CLIP and
 * ConvNext (ResNet has that), or the feature extractors that they were once. */
int sb_preprocess_from_transformers(struct sb_preprocess *p, const json_t *config);

#endif
