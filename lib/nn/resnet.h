/* The residual network (He et al. 2016) under the names of torchvision and timm, with the stride in a bottleneck's 3x3;
 * and the small form for CIFAR, under the names of the trained ones that are about (akamaster's
 * pytorch_resnet_cifar10). */
#ifndef SB_NN_RESNET_H
#define SB_NN_RESNET_H

#include "nn/model.h"

int sb_resnet_depth(const struct sb_resnet_config *c);   /* residual blocks */
int64_t sb_resnet_dim(const struct sb_resnet_config *c); /* of the embedding: channels of the last stage */

#endif
