#include <stdlib.h>

#include "base/err.h"
#include "nn/layer.h"

void sb_norm_build(struct sb_norm *n, struct sb_model *m, const char *name, int64_t dim, int layer, float eps)
{
    char *weight = sb_format("%s.weight", name), *bias = sb_format("%s.bias", name);
    struct sb_param g = {.name = weight, .shape = {dim}, .ndim = 1, .layer = layer, .scale = 1};
    struct sb_param b = {.name = bias, .shape = {dim}, .ndim = 1, .layer = layer};
    *n = (struct sb_norm){.gain = sb_param_declare(m, &g), .bias = sb_param_declare(m, &b), .eps = eps};
    free(weight);
    free(bias);
}

void sb_norm_forward(struct sb_run *r, struct sb_norm *n, const struct sb_tensor *x, const struct sb_tensor *y)
{
    struct sb_tensor gain, bias, rows_y = sb_rows(y);
    n->x = sb_rows(x);
    if (r->save) n->stats = SB_TAKE(r, SB_F32, n->x.shape[0], 2);
    r->ops->norm(r->dev, &n->x, sb_run_value(r, n->gain, &gain), sb_run_value(r, n->bias, &bias), n->eps,
                 r->save ? &n->stats : NULL, &rows_y);
}

void sb_norm_backward(struct sb_run *r, struct sb_norm *n, const struct sb_tensor *dy, const struct sb_tensor *add,
                      const struct sb_tensor *dx)
{
    struct sb_tensor gain, dgain, dbias, rows_dy = sb_rows(dy), rows_dx = sb_rows(dx), rows_add;
    if (add) rows_add = sb_rows(add);
    r->ops->norm_bwd(r->dev, &n->x, sb_run_value(r, n->gain, &gain), &n->stats, &rows_dy, add ? &rows_add : NULL,
                     &rows_dx, sb_run_grad(r, n->gain, &dgain), sb_run_grad(r, n->bias, &dbias));
}
