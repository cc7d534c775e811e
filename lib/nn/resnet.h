/* The residual network (He et al. 2016) under the names of torchvision and timm, with the stride in a bottleneck's 3x3;
 * and the small form for CIFAR, under the names of the trained ones that are about (akamaster's
 * pytorch_resnet_cifar10). */
#ifndef SB_NN_RESNET_H
#define SB_NN_RESNET_H

#include "nn/layer_conv.h"

struct sb_resnet_block {
    struct sb_conv_norm conv[3];
    int convs;
    enum { SB_SHORTCUT_PLAIN, SB_SHORTCUT_CONV, SB_SHORTCUT_PAD } shortcut;
    struct sb_conv_norm down; /* SB_SHORTCUT_CONV */
    struct sb_tensor taken;   /* saved, SB_SHORTCUT_PAD: the pixels taken */
    int layer;
};

struct sb_resnet {
    struct sb_resnet_config config;
    struct sb_conv_norm stem;
    struct sb_resnet_block *block;
    int depth;
    struct sb_linear head;                 /* weight -1: none */
    struct sb_tensor winners, first, last; /* saved: of the stem's pooling; shapes of what blocks take and give */
};

int sb_resnet_depth(const struct sb_resnet_config *c);   /* residual blocks */
int64_t sb_resnet_dim(const struct sb_resnet_config *c); /* of the embedding: channels of the last stage */

void sb_resnet_build(struct sb_resnet *n, struct sb_model *m); /* of m->resnet; declares its parameters */
void sb_resnet_free(struct sb_resnet *n);

/* pictures act [B,3,S,S] to the embedding [B,D], the mean over the last block's pixels. */
struct sb_tensor sb_resnet_forward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *pictures);
void sb_resnet_backward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *dembedding);

/* x and y NHWC. dx is overwritten. */
void sb_resnet_block_forward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *x,
                             const struct sb_tensor *y);
void sb_resnet_block_backward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *dy,
                              const struct sb_tensor *dx);

#endif
