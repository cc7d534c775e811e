/* The vision transformer (Dosovitskiy et al. 2021), under timm's names; with DINOv2's registers (Darcet et al. 2024)
 * and LayerScale. */
#ifndef SB_NN_VIT_H
#define SB_NN_VIT_H

#include "nn/layer.h"

struct sb_vit {
    struct sb_vit_config config;
    struct sb_patch patch;
    int class_token, registers, positions; /* parameter indices; -1: none */
    struct sb_block *block;
    struct sb_norm norm;
    struct sb_linear head; /* weight -1: none */
    int64_t batch;         /* of the last forward */
};

void sb_vit_build(struct sb_vit *v, struct sb_model *m); /* of m->vit; declares its parameters */
void sb_vit_free(struct sb_vit *v);
int64_t sb_vit_prefix(const struct sb_vit_config *c); /* tokens before the patches: class, registers */
bool sb_vit_mean(const struct sb_vit_config *c);      /* the embedding is the mean of the patches */
int64_t sb_vit_tokens(const struct sb_vit_config *c); /* all tokens */

/* pictures act [B,3,S,S] to tokens [B,T,D] before the last norm; of a classifier with a class token [B,1,D], that token
 * alone. */
struct sb_tensor sb_vit_forward(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *pictures);
/* dtokens [B,T,D] is used up; where forward gives the class token alone, the others' rows are not looked at. */
void sb_vit_backward(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *dtokens);

/* Tokens to the embedding [B,D]: the class token, or the mean of the patches, after the last norm; or the norm of
 * the mean. */
struct sb_tensor sb_vit_pool(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *tokens);
/* Gradient of the embedding to that of the tokens [B,T,D], which is overwritten whole. */
void sb_vit_pool_backward(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *dembedding,
                          const struct sb_tensor *dtokens);

#endif
