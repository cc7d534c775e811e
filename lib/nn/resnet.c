#include "nn/resnet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const struct sb_conv pooling = {.stride = 2, .pad = 1};

static void build_conv(struct sb_conv_norm *l, struct sb_model *m, const char *prefix, int number,
                       struct sb_conv_norm_config c)
{
    char *conv = sb_format("%sconv%d", prefix, number), *norm = sb_format("%sbn%d", prefix, number);
    c.conv = conv;
    c.norm = norm;
    sb_conv_norm_build(l, m, &c);
    free(conv);
    free(norm);
}

static void build_down(struct sb_conv_norm *l, struct sb_model *m, const char *prefix, struct sb_conv_norm_config c)
{
    char *conv = sb_format("%sdownsample.0", prefix), *norm = sb_format("%sdownsample.1", prefix);
    c.conv = conv;
    c.norm = norm;
    sb_conv_norm_build(l, m, &c);
    free(conv);
    free(norm);
}

/* A block whose 3x3 convolution has `width` channels, over `in` channels. */
static void build_block(struct sb_resnet_block *b, struct sb_model *m, const char *prefix, int64_t in, int64_t width,
                        int64_t stride, int layer)
{
    const struct sb_resnet_config *c = &m->resnet;
    int64_t out = c->bottleneck ? 4 * width : width;
    struct sb_conv_norm_config conv = {
        .in = in, .out = width, .size = 3, .stride = stride, .relu = true, .layer = layer};
    struct sb_conv_norm_config first = conv, last = conv;
    if (c->bottleneck) first.size = first.stride = last.size = 1;
    conv.in = last.in = width;
    last.stride = 1;
    last.out = out;
    *b = (struct sb_resnet_block){.convs = c->bottleneck ? 3 : 2, .layer = layer};
    build_conv(&b->conv[0], m, prefix, 1, first);
    if (c->bottleneck) build_conv(&b->conv[1], m, prefix, 2, conv);
    build_conv(&b->conv[b->convs - 1], m, prefix, b->convs, last);
    if (stride == 1 && in == out) return;
    b->shortcut = c->cifar ? SB_SHORTCUT_PAD : SB_SHORTCUT_CONV;
    struct sb_conv_norm_config down = {.in = in, .out = out, .size = 1, .stride = stride, .layer = layer};
    if (!c->cifar) build_down(&b->down, m, prefix, down);
}

static void build_blocks(struct sb_resnet *n, struct sb_model *m)
{
    const struct sb_resnet_config *c = &n->config;
    int64_t in = c->width;
    int at = 0;
    for (int stage = 0; stage < 4; stage++) {
        for (int i = 0; i < c->stage[stage]; i++, at++) {
            char *prefix = sb_format("layer%d.%d.", stage + 1, i);
            int64_t width = (int64_t)c->width << stage;
            build_block(&n->block[at], m, prefix, in, width, stage && !i ? 2 : 1, at + 1);
            in = n->block[at].conv[n->block[at].convs - 1].out;
            free(prefix);
        }
    }
}

void sb_resnet_build(struct sb_resnet *n, struct sb_model *m)
{
    const struct sb_resnet_config *c = &m->resnet;
    *n = (struct sb_resnet){.config = *c, .depth = sb_resnet_depth(c), .head.weight = -1};
    n->block = sb_calloc((size_t)n->depth, sizeof *n->block);
    struct sb_conv_norm_config stem = {.in = 3, .out = c->width, .size = 7, .stride = 2, .relu = true};
    if (c->cifar) {
        stem.size = 3;
        stem.stride = 1;
    }
    build_conv(&n->stem, m, "", 1, stem);
    build_blocks(n, m);
    if (!c->classes) return;
    int64_t dim = sb_resnet_dim(c);
    float bound = 1 / sqrtf((float)dim);
    sb_linear_build(&n->head, m, sb_model_head(m), dim, c->classes, n->depth + 1, false, bound);
    struct sb_param *bias = &m->param[n->head.bias];
    m->param[n->head.weight].init = bias->init = SB_INIT_UNIFORM;
    bias->scale = bound;
}

void sb_resnet_free(struct sb_resnet *n)
{
    free(n->block);
    memset(n, 0, sizeof *n);
}

static int64_t half(int64_t side) { return (side + 1) / 2; }

/* Pictures to what the first block takes. */
static struct sb_tensor stem_forward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *pictures)
{
    const struct sb_resnet_config *c = &n->config;
    int64_t b = pictures->shape[0], size = c->size, side = c->cifar ? size : half(size), pooled = half(side);
    bool save = r->save;
    r->save = save && r->frozen < 1;
    struct sb_tensor out =
        c->cifar ? SB_TAKE(r, r->act, b, side, side, c->width) : SB_TAKE(r, r->act, b, pooled, pooled, c->width);
    size_t mark = sb_run_mark(r);
    struct sb_tensor pixels = SB_TAKE(r, r->act, b, size * size, 3), y = out;
    r->ops->patchify(r->dev, pictures, 1, &pixels);
    pixels = SB_VIEW(&pixels, b, size, size, 3);
    if (!c->cifar) {
        y = SB_TAKE(r, r->act, b, side, side, c->width);
        n->winners = sb_run_tensor(r, SB_I32, out.shape, out.ndim);
    }
    sb_conv_norm_forward(r, &n->stem, &pixels, NULL, &y);
    if (!c->cifar) r->ops->maxpool(r->dev, &y, 3, pooling, &n->winners, &out);
    if (!r->save) sb_run_rewind(r, mark);
    r->save = save;
    return out;
}

static void stem_backward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *dy)
{
    size_t mark = sb_run_mark(r);
    if (n->config.cifar) {
        sb_conv_norm_backward(r, &n->stem, dy, NULL, NULL);
    } else {
        struct sb_tensor dstem = sb_run_tensor(r, r->act, n->stem.y.shape, n->stem.y.ndim);
        r->ops->maxpool_bwd(r->dev, &n->winners, 3, pooling, dy, &dstem);
        sb_conv_norm_backward(r, &n->stem, &dstem, NULL, NULL);
    }
    sb_run_rewind(r, mark);
}

/* What a block makes of x, without memory. */
static struct sb_tensor output_of(const struct sb_resnet_block *b, const struct sb_tensor *x)
{
    struct sb_tensor y = *x;
    for (int i = 0; i < b->convs; i++) {
        int64_t stride = b->conv[i].conv.stride;
        y.shape[1] = (y.shape[1] - 1) / stride + 1;
        y.shape[2] = (y.shape[2] - 1) / stride + 1;
    }
    y.shape[3] = b->conv[b->convs - 1].out;
    y.data = NULL;
    return y;
}

/* Two buffers, each for the largest tensor between blocks, of which the first is x. */
static void take_turns(struct sb_run *r, const struct sb_resnet *n, const struct sb_tensor *x, void *turn[2])
{
    struct sb_tensor now = *x;
    size_t largest = sb_tensor_bytes(x);
    for (int i = 0; i < n->depth; i++) {
        now = output_of(&n->block[i], &now);
        if (sb_tensor_bytes(&now) > largest) largest = sb_tensor_bytes(&now);
    }
    turn[0] = sb_run_take(r, largest);
    turn[1] = sb_run_take(r, largest);
}

static struct sb_tensor blocks_forward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *x)
{
    struct sb_tensor now = *x;
    void *turn[2] = {NULL};
    bool save = r->save;
    if (!save || r->frozen > 1) take_turns(r, n, x, turn);
    for (int i = 0; i < n->depth; i++) {
        struct sb_tensor y = output_of(&n->block[i], &now);
        r->save = save && n->block[i].layer >= r->frozen;
        y.data = r->save ? sb_run_take(r, sb_tensor_bytes(&y)) : turn[i % 2];
        sb_resnet_block_forward(r, &n->block[i], &now, &y);
        now = y;
    }
    r->save = save;
    return now;
}

/* All pixels of each picture as one dimension. */
static struct sb_tensor pixels_of(const struct sb_tensor *x)
{
    return SB_VIEW(x, x->shape[0], x->shape[1] * x->shape[2], x->shape[3]);
}

struct sb_tensor sb_resnet_forward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *pictures)
{
    struct sb_tensor embedding = SB_TAKE(r, r->act, pictures->shape[0], sb_resnet_dim(&n->config));
    size_t mark = sb_run_mark(r);
    n->first = stem_forward(r, n, pictures);
    n->last = blocks_forward(r, n, &n->first);
    struct sb_tensor pixels = pixels_of(&n->last);
    r->ops->pool(r->dev, SB_POOL_MEAN, 0, &pixels, &embedding);
    if (!r->save) sb_run_rewind(r, mark);
    return embedding;
}

void sb_resnet_backward(struct sb_run *r, struct sb_resnet *n, const struct sb_tensor *dembedding)
{
    size_t mark = sb_run_mark(r);
    void *turn[2];
    take_turns(r, n, &n->first, turn);
    struct sb_tensor dy = n->last, pixels;
    dy.data = turn[0];
    pixels = pixels_of(&dy);
    r->ops->pool_bwd(r->dev, SB_POOL_MEAN, 0, dembedding, &pixels);
    for (int i = n->depth - 1; i >= 0 && n->block[i].layer >= r->frozen; i--) {
        struct sb_tensor dx = n->block[i].conv[0].x;
        dx.data = turn[dy.data == turn[0]];
        sb_resnet_block_backward(r, &n->block[i], &dy, &dx);
        dy = dx;
    }
    if (r->frozen < 1) stem_backward(r, n, &dy);
    sb_run_rewind(r, mark);
}
