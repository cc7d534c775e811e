#include "nn/layer_conv.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"

/* As torch, torchvision and timm have them. */
#define EPS 1e-5f
#define MOMENTUM 0.1f

static int declare(struct sb_model *m, const char *owner, const char *what, struct sb_param p)
{
    p.name = sb_format("%s.%s", owner, what);
    int index = sb_param_declare(m, &p);
    free(p.name);
    return index;
}

void sb_conv_norm_build(struct sb_conv_norm *l, struct sb_model *m, const struct sb_conv_norm_config *c)
{
    struct sb_param weight = {.shape = {c->out, c->in, c->size, c->size},
                              .ndim = 4,
                              .layer = c->layer,
                              .kernel = true,
                              .decay = true,
                              .init = SB_INIT_NORMAL,
                              .scale = sqrtf(2 / (float)(c->out * c->size * c->size))};
    struct sb_param zero = {.shape = {c->out}, .ndim = 1, .layer = c->layer}, one = zero, mean = zero, variance = zero;
    one.scale = variance.scale = 1;
    mean.statistic = variance.statistic = variance.joined = true;
    *l = (struct sb_conv_norm){
        .out = c->out, .size = c->size, .conv = {.stride = c->stride, .pad = c->size / 2}, .relu = c->relu};
    l->weight = declare(m, c->conv, "weight", weight);
    l->gain = declare(m, c->norm, "weight", one);
    l->bias = declare(m, c->norm, "bias", zero);
    l->running = declare(m, c->norm, "running_mean", mean);
    declare(m, c->norm, "running_var", variance);
}

static int64_t shrunk(const struct sb_conv_norm *l, int64_t side) { return (side - 1) / l->conv.stride + 1; }

struct sb_tensor sb_conv_norm_take(struct sb_run *r, const struct sb_conv_norm *l, const struct sb_tensor *x)
{
    return SB_TAKE(r, r->act, x->shape[0], shrunk(l, x->shape[1]), shrunk(l, x->shape[2]), l->out);
}

void sb_conv_norm_forward(struct sb_run *r, struct sb_conv_norm *l, const struct sb_tensor *x,
                          const struct sb_tensor *residual, const struct sb_tensor *y)
{
    struct sb_tensor weight, gain, bias, running;
    size_t mark = sb_run_mark(r);
    l->x = *x;
    l->y = *y;
    l->convolved = sb_run_tensor(r, r->act, y->shape, y->ndim);
    l->stats = SB_TAKE(r, SB_F32, 2, l->out);
    sb_run_master(r, l->running, &running);
    running = SB_VIEW(&running, 2, l->out);
    r->ops->conv2d(r->dev, x, sb_run_value(r, l->weight, &weight), NULL, l->conv, &l->convolved);
    r->ops->batchnorm(r->dev, &l->convolved, sb_run_master(r, l->gain, &gain), sb_run_master(r, l->bias, &bias),
                      residual, EPS, MOMENTUM, r->save, l->relu, &running, &l->stats, y);
    if (!r->save) sb_run_rewind(r, mark);
}

void sb_conv_norm_backward(struct sb_run *r, struct sb_conv_norm *l, const struct sb_tensor *dy,
                           const struct sb_tensor *dx, const struct sb_tensor *dresidual)
{
    struct sb_tensor weight, gain, dweight, dgain, dbias;
    size_t mark = sb_run_mark(r);
    struct sb_tensor dconvolved = sb_run_tensor(r, r->act, dy->shape, dy->ndim);
    r->ops->batchnorm_bwd(r->dev, &l->convolved, sb_run_master(r, l->gain, &gain), &l->stats, l->relu, &l->y, dy,
                          &dconvolved, dresidual, sb_run_grad(r, l->gain, &dgain), sb_run_grad(r, l->bias, &dbias));
    r->ops->conv2d_bwd(r->dev, &l->x, sb_run_value(r, l->weight, &weight), l->conv, &dconvolved, dx,
                       sb_run_grad(r, l->weight, &dweight), NULL);
    sb_run_rewind(r, mark);
}
