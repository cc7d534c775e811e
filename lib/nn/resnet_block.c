#include "nn/resnet.h"

static const struct sb_conv every_second = {.stride = 2, .pad = 0};

/* The channels of a wide tensor's middle half, where a shortcut without weights leads to: rows of `channels` at a
 * stride of twice that. */
static struct sb_tensor middle(const struct sb_tensor *wide, int64_t channels)
{
    struct sb_tensor t = SB_VIEW(wide, sb_tensor_count(wide) / (2 * channels), channels);
    t.data = (char *)wide->data + (size_t)(channels / 2) * sb_dtype_size(wide->dtype);
    return t;
}

/* Every second pixel, with as many zero channels before and behind as make it twice as wide. A window of one pixel
 * picks what is under it. */
static struct sb_tensor pad_forward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *x,
                                    const struct sb_tensor *y)
{
    int64_t channels = x->shape[3];
    struct sb_tensor wide = sb_run_tensor(r, r->act, y->shape, y->ndim);
    b->taken = SB_TAKE(r, SB_I32, y->shape[0], y->shape[1], y->shape[2], channels);
    size_t mark = sb_run_mark(r);
    struct sb_tensor small = sb_run_tensor(r, r->act, b->taken.shape, 4), to = middle(&wide, channels);
    r->ops->maxpool(r->dev, x, 1, every_second, &b->taken, &small);
    r->ops->fill(r->dev, 0, &wide);
    small = sb_rows(&small);
    r->ops->copy(r->dev, &small, channels, 2 * channels, &to);
    sb_run_rewind(r, mark);
    return wide;
}

static void pad_backward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *dy,
                         const struct sb_tensor *dx)
{
    int64_t channels = dx->shape[3];
    struct sb_tensor small = sb_run_tensor(r, r->act, b->taken.shape, 4), rows = sb_rows(&small);
    struct sb_tensor from = middle(dy, channels);
    r->ops->copy(r->dev, &from, 2 * channels, channels, &rows);
    r->ops->maxpool_bwd(r->dev, &b->taken, 1, every_second, &small, dx);
}

static struct sb_tensor shortcut_forward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *x,
                                         const struct sb_tensor *y)
{
    if (b->shortcut == SB_SHORTCUT_PLAIN) return *x;
    if (b->shortcut == SB_SHORTCUT_PAD) return pad_forward(r, b, x, y);
    struct sb_tensor down = sb_conv_norm_take(r, &b->down, x);
    sb_conv_norm_forward(r, &b->down, x, NULL, &down);
    return down;
}

void sb_resnet_block_forward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *x,
                             const struct sb_tensor *y)
{
    size_t mark = sb_run_mark(r);
    struct sb_tensor residual = shortcut_forward(r, b, x, y), now = *x;
    for (int i = 0; i < b->convs - 1; i++) {
        struct sb_tensor next = sb_conv_norm_take(r, &b->conv[i], &now);
        sb_conv_norm_forward(r, &b->conv[i], &now, NULL, &next);
        now = next;
    }
    sb_conv_norm_forward(r, &b->conv[b->convs - 1], &now, &residual, y);
    if (!r->save) sb_run_rewind(r, mark);
}

void sb_resnet_block_backward(struct sb_run *r, struct sb_resnet_block *b, const struct sb_tensor *dy,
                              const struct sb_tensor *dx)
{
    size_t mark = sb_run_mark(r);
    struct sb_tensor around = sb_run_tensor(r, r->act, dy->shape, dy->ndim), now = *dy;
    for (int i = b->convs - 1; i > 0; i--) {
        struct sb_tensor before = sb_run_tensor(r, r->act, b->conv[i].x.shape, 4);
        sb_conv_norm_backward(r, &b->conv[i], &now, &before, i == b->convs - 1 ? &around : NULL);
        now = before;
    }
    sb_conv_norm_backward(r, &b->conv[0], &now, dx, NULL);
    if (b->shortcut != SB_SHORTCUT_PLAIN) {
        struct sb_tensor through = sb_run_tensor(r, r->act, dx->shape, dx->ndim);
        if (b->shortcut == SB_SHORTCUT_PAD)
            pad_backward(r, b, &around, &through);
        else
            sb_conv_norm_backward(r, &b->down, &around, &through, NULL);
        around = through;
    }
    r->ops->scale_add(r->dev, dx, &around, NULL, (struct sb_chance){0}, dx);
    sb_run_rewind(r, mark);
}
