/* The part of a model that sees, of whatever family it is: pictures in, an embedding out. */
#ifndef SB_NN_BACKBONE_H
#define SB_NN_BACKBONE_H

#include "nn/resnet.h"
#include "nn/vit.h"

struct sb_backbone {
    enum sb_family family;
    struct sb_vit vit; /* of that family */
    struct sb_resnet resnet;
};

void sb_backbone_build(struct sb_backbone *b, struct sb_model *m); /* declares its parameters */
void sb_backbone_free(struct sb_backbone *b);
struct sb_linear *sb_backbone_head(struct sb_backbone *b); /* from the embedding to the classes, where it has some */

/* pictures act [B,3,S,S] to the embedding [B,D] that the head takes, and the gradient of it back. */
struct sb_tensor sb_backbone_forward(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *pictures);
void sb_backbone_backward(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *dembedding);

/* The same with all tokens [B,T,D], for a captioner: a ViT alone has them. */
struct sb_tensor sb_backbone_tokens(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *pictures);
void sb_backbone_tokens_backward(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *dtokens);

#endif
