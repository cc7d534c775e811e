#include <stdlib.h>

#include "base/err.h"
#include "nn/layer.h"

void sb_linear_build(struct sb_linear *l, struct sb_model *m, const char *name, int64_t in, int64_t out, int layer,
                     bool transposed, float scale)
{
    char *weight = sb_format("%s.weight", name), *bias = sb_format("%s.bias", name);
    struct sb_param w = {.name = weight,
                         .shape = {out, in},
                         .ndim = 2,
                         .layer = layer,
                         .decay = true,
                         .transposed = transposed,
                         .init = SB_INIT_NORMAL,
                         .scale = scale};
    struct sb_param b = {.name = bias, .shape = {out}, .ndim = 1, .layer = layer};
    *l = (struct sb_linear){.weight = sb_param_declare(m, &w), .bias = sb_param_declare(m, &b)};
    free(weight);
    free(bias);
}

/* The weight as the op wants it: [out,in], also where it is a convolution's [out,3,p,p]. */
static struct sb_tensor weight_rows(const struct sb_tensor *w)
{
    return SB_VIEW(w, w->shape[0], sb_tensor_count(w) / w->shape[0]);
}

void sb_linear_forward(struct sb_run *r, struct sb_linear *l, const struct sb_tensor *x,
                       const struct sb_tensor *residual, const struct sb_tensor *y)
{
    struct sb_tensor weight, bias, rows_x = sb_rows(x), rows_y = sb_rows(y), rows_residual, w;
    w = weight_rows(sb_run_value(r, l->weight, &weight));
    if (residual) rows_residual = sb_rows(residual);
    l->x = rows_x;
    bool keep = r->save && l->act != SB_ACT_NONE;
    if (keep) l->pre = SB_TAKE(r, r->act, rows_y.shape[0], rows_y.shape[1]);
    r->ops->linear(r->dev, &rows_x, &w, r->packed[l->weight], sb_run_value(r, l->bias, &bias), l->act,
                   residual ? &rows_residual : NULL, keep ? &l->pre : NULL, &rows_y);
}

void sb_linear_backward(struct sb_run *r, struct sb_linear *l, const struct sb_tensor *dy, const struct sb_tensor *dx)
{
    struct sb_tensor weight, dweight, dbias, rows_dy = sb_rows(dy), rows_dx, w, dw;
    w = weight_rows(sb_run_value(r, l->weight, &weight));
    bool trained = sb_run_grad(r, l->weight, &dweight) != NULL;
    if (trained) dw = weight_rows(&dweight);
    if (dx) rows_dx = sb_rows(dx);
    r->ops->linear_bwd(r->dev, &l->x, &w, r->packed[l->weight], l->act, l->act == SB_ACT_NONE ? NULL : &l->pre,
                       &rows_dy, dx ? &rows_dx : NULL, trained ? &dw : NULL, sb_run_grad(r, l->bias, &dbias));
}
