#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "nn/layer.h"

void sb_patch_build(struct sb_patch *p, struct sb_model *m, const char *name, int64_t patch, int64_t dim, int layer)
{
    float bound = 1 / sqrtf((float)(3 * patch * patch));
    char *weight = sb_format("%s.weight", name), *bias = sb_format("%s.bias", name);
    struct sb_param w = {.name = weight,
                         .shape = {dim, 3, patch, patch},
                         .ndim = 4,
                         .layer = layer,
                         .decay = true,
                         .init = SB_INIT_UNIFORM,
                         .scale = bound};
    struct sb_param b = {
        .name = bias, .shape = {dim}, .ndim = 1, .layer = layer, .init = SB_INIT_UNIFORM, .scale = bound};
    *p = (struct sb_patch){.patch = patch,
                           .linear = {.weight = sb_param_declare(m, &w), .bias = sb_param_declare(m, &b)}};
    free(weight);
    free(bias);
}

void sb_patch_forward(struct sb_run *r, struct sb_patch *p, const struct sb_tensor *pictures, const struct sb_tensor *y)
{
    size_t mark = sb_run_mark(r);
    struct sb_tensor rows = SB_TAKE(r, r->act, y->shape[0], y->shape[1], 3 * p->patch * p->patch);
    r->ops->patchify(r->dev, pictures, p->patch, &rows);
    sb_linear_forward(r, &p->linear, &rows, NULL, y);
    if (!r->save) sb_run_rewind(r, mark);
}

void sb_patch_backward(struct sb_run *r, struct sb_patch *p, const struct sb_tensor *dy)
{
    sb_linear_backward(r, &p->linear, dy, NULL);
}
