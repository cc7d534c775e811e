/* The captioner's decoder: GPT-2 (Radford et al. 2019) under transformers' names, with picture tokens as a prefix.
 *
 * The ViT's tokens after its last norm, projected to the decoder's width, stand before the words; words carry
 * positions, the prefix has its own from the ViT. Attention is causal over all. The head is tied to the word table.
 * Dropout lies on the residual branches. */
#ifndef SB_NN_GPT2_H
#define SB_NN_GPT2_H

#include "nn/layer.h"

struct sb_gpt2 {
    struct sb_decoder_config config;
    struct sb_linear project;
    int words, positions; /* parameter indices */
    struct sb_block *block;
    struct sb_norm norm;
    struct sb_linear head;
    struct sb_tensor ids; /* saved */
    int64_t prefix;       /* tokens before the words in the last forward */
};

void sb_gpt2_build(struct sb_gpt2 *g, struct sb_model *m); /* of m->decoder, behind m->vit */
void sb_gpt2_free(struct sb_gpt2 *g);

/* tokens act [B,P,Dvit] or NULL (decoding: the prefix stands in the cache); ids i32 [B,W], the first at position *start
 * (device; NULL: 0). Logits act [B*W,V]. */
struct sb_tensor sb_gpt2_forward(struct sb_run *r, struct sb_gpt2 *g, const struct sb_tensor *tokens,
                                 const struct sb_tensor *ids, const int32_t *start, const struct sb_cache *cache);
/* dlogits to the gradient of the tokens (NULL: not wanted). */
void sb_gpt2_backward(struct sb_run *r, struct sb_gpt2 *g, const struct sb_tensor *dlogits,
                      const struct sb_tensor *dtokens);

#endif
