/* Other people's names of tensors turned into ours, which are timm's (and GPT-2's under "decoder."). */
#ifndef SB_WEIGHTS_NAMES_H
#define SB_WEIGHTS_NAMES_H

#include <stdbool.h>

#include "formats/safetensors.h"

struct sb_naming {
    bool transformers_vit; /* named as transformers' ViTModel, whose norms add 1e-12 */
    bool registers_later;  /* positions are added before the registers come: DINOv2 but timm's */
};

/* Renames w's tensors in place: those of timm, Meta's DINOv2, transformers (ViT, DINOv2, GPT-2) and torchvision; with
 * or without a prefix such as "module." or "vit.". What no model of ours has use for (mask tokens, poolers, counters)
 * is left out; queries, keys and values are stacked, which copies them. A name that is not known stays. What the file
 * calls a tensor, of queries, keys and values the queries, stays in `was`. Which model it is, is not asked. -1 with a
 * message if two tensors get the same name, or three do not stack. */
int sb_names_translate(struct sb_weights *w, const char *path, struct sb_naming *naming);

#endif
