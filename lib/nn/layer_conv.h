/* A convolution, batch normalisation (Ioffe and Szegedy 2015) and, where asked for, the sum with a shortcut and a ReLU.
 *
 * Tensors are NHWC in the act dtype. In training the batch's statistics are used and the running ones move by a tenth;
 * in inference, and in a frozen layer, the running ones are used and stay. Gain, bias and running statistics are read
 * in f32 whatever the act dtype. */
#ifndef SB_NN_LAYER_CONV_H
#define SB_NN_LAYER_CONV_H

#include "nn/layer.h"

struct sb_conv_norm_config {
    const char *conv, *norm; /* names: "layer1.0.conv1", "layer1.0.bn1" */
    int64_t in, out;         /* channels */
    int64_t size, stride;    /* pixels; size is odd, padded so that stride 1 keeps the picture's size */
    bool relu;
    int layer;
};

struct sb_conv_norm {
    int weight, gain, bias, running; /* running: the mean; the variance lies right behind */
    int64_t out, size;
    struct sb_conv conv;
    bool relu;
    struct sb_tensor x, convolved, stats, y; /* saved */
};

void sb_conv_norm_build(struct sb_conv_norm *l, struct sb_model *m, const struct sb_conv_norm_config *c);
/* A tensor on the stack for what this layer makes of x. */
struct sb_tensor sb_conv_norm_take(struct sb_run *r, const struct sb_conv_norm *l, const struct sb_tensor *x);
/* residual may be NULL. */
void sb_conv_norm_forward(struct sb_run *r, struct sb_conv_norm *l, const struct sb_tensor *x,
                          const struct sb_tensor *residual, const struct sb_tensor *y);
/* dx and dresidual may be NULL. */
void sb_conv_norm_backward(struct sb_run *r, struct sb_conv_norm *l, const struct sb_tensor *dy,
                           const struct sb_tensor *dx, const struct sb_tensor *dresidual);

#endif
