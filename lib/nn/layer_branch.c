#include "nn/layer.h"

static bool has_dropout(const struct sb_run *r, const struct sb_branch *b) { return r->chance && b->dropout > 0; }

static bool has_drop_path(const struct sb_run *r, const struct sb_branch *b) { return r->chance && b->drop_path > 0; }

/* Nothing stands between the linear and the sum, so that the op may add the residual itself. */
static bool is_plain(const struct sb_run *r, const struct sb_branch *b)
{
    return b->gain < 0 && !has_dropout(r, b) && !has_drop_path(r, b);
}

static struct sb_chance dropout_chance(const struct sb_run *r, const struct sb_branch *b)
{
    return (struct sb_chance){r->chance_state, b->site, b->dropout};
}

static struct sb_chance drop_path_chance(const struct sb_run *r, const struct sb_branch *b)
{
    return (struct sb_chance){r->chance_state, b->site + 1, has_drop_path(r, b) ? b->drop_path : 0};
}

void sb_branch_forward(struct sb_run *r, struct sb_branch *b, const struct sb_tensor *in, const struct sb_tensor *x,
                       const struct sb_tensor *y)
{
    if (is_plain(r, b)) {
        sb_linear_forward(r, &b->linear, in, x, y);
        return;
    }
    struct sb_tensor gain;
    bool keep = r->save && b->gain >= 0;
    size_t mark = sb_run_mark(r);
    b->last = sb_run_tensor(r, r->act, y->shape, y->ndim);
    if (keep) mark = sb_run_mark(r);
    sb_linear_forward(r, &b->linear, in, NULL, &b->last);
    if (has_dropout(r, b)) r->ops->dropout(r->dev, &b->last, dropout_chance(r, b), &b->last);
    r->ops->scale_add(r->dev, x, &b->last, sb_run_value(r, b->gain, &gain), drop_path_chance(r, b), y);
    sb_run_rewind(r, mark);
}

void sb_branch_backward(struct sb_run *r, struct sb_branch *b, const struct sb_tensor *dy, const struct sb_tensor *din)
{
    if (is_plain(r, b)) {
        sb_linear_backward(r, &b->linear, dy, din);
        return;
    }
    struct sb_tensor gain, dgain;
    size_t mark = sb_run_mark(r);
    struct sb_tensor d = sb_run_tensor(r, r->act, dy->shape, dy->ndim);
    r->ops->scale_add_bwd(r->dev, b->gain >= 0 ? &b->last : NULL, sb_run_value(r, b->gain, &gain),
                          drop_path_chance(r, b), dy, &d, sb_run_grad(r, b->gain, &dgain));
    if (has_dropout(r, b)) r->ops->dropout(r->dev, &d, dropout_chance(r, b), &d);
    sb_linear_backward(r, &b->linear, &d, din);
    sb_run_rewind(r, mark);
}
