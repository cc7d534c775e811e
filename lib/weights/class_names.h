/* What the classes of other people's models are called. */
#ifndef SB_WEIGHTS_CLASS_NAMES_H
#define SB_WEIGHTS_CLASS_NAMES_H

#include "base/opt.h"

/* From config.json beside the model file: transformers' id2label, or timm's label_names (label_descriptions, where a
 * name has one, since timm's names are identifiers like "n01440764"). transformers' LABEL_0, LABEL_1 are no names.
 * Appended to `names`, whose texts the caller frees. 1 found, 0 there are none, -1 with a message. */
int sb_class_names_find(struct sb_texts *names, const char *path);

#endif
