#include "op_cases.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

void op_call_tokens(struct op_run *r)
{
    int64_t b = N(0), n = N(1), dim = N(2), p = N(3);
    sb_in x = NEW(x, IN, r->act, b, n, dim), prefix = p ? NEW(prefix, IN, r->act, p, dim) : NULL;
    sb_in pos = HAS("patchpos") ? NEW(pos, IN, r->act, n, dim) : MAY(pos, IN, r->act, p + n, dim);
    sb_out y = NEW(y, OUT, r->act, b, p + n, dim);
    if (!r->inventing) r->ops->tokens(r->dev, x, prefix, pos, y);
}

void op_call_tokens_bwd(struct op_run *r)
{
    int64_t b = N(0), n = N(1), dim = N(2), p = N(3);
    sb_in dy = NEW(dy, IN, r->act, b, p + n, dim);
    sb_out dx = UNLESS("nodx", dx, OUT, r->act, b, n, dim), dprefix = p ? NEW(dprefix, KEPT, SB_F32, p, dim) : NULL;
    sb_out dpos = HAS("patchpos") ? NEW(dpos, KEPT, SB_F32, n, dim) : MAY(dpos, KEPT, SB_F32, p + n, dim);
    if (!r->inventing) r->ops->tokens_bwd(r->dev, dy, dx, dprefix, dpos);
}

void op_call_embed(struct op_run *r)
{
    int64_t b = N(0), t = N(1), dim = N(2), words = N(3);
    sb_in id = NEW(id, IN, SB_I32, b, t), table = NEW(table, IN, r->act, words, dim),
          pos = MAY(pos, IN, r->act, t + 5, dim);
    sb_in start = MAY(start, IN, SB_I32, 1);
    sb_out y = NEW(y, OUT, r->act, b, t, dim);
    if (!r->inventing) {
        r->ops->embed(r->dev, id, table, pos, start ? start->data : NULL, y);
        return;
    }
    op_fill_integers(r, id, 0, (int32_t)words - 1);
    if (start) op_fill_integers(r, start, 3, 3);
}

void op_call_embed_bwd(struct op_run *r)
{
    int64_t b = N(0), t = N(1), dim = N(2), words = N(3);
    sb_in id = NEW(id, IN, SB_I32, b, t), dy = NEW(dy, IN, r->act, b, t, dim);
    sb_out dtable = UNLESS("frozen", dtable, KEPT, SB_F32, words, dim), dpos = MAY(dpos, KEPT, SB_F32, t + 5, dim);
    if (r->inventing) op_fill_integers(r, id, 0, (int32_t)words - 1);
    else r->ops->embed_bwd(r->dev, id, dy, dtable, dpos);
}

/* Rows of a sample that differ, in no order: n must be odd. */
static void fill_rows(sb_in index, int64_t n)
{
    int64_t k = index->shape[1];
    for (int64_t i = 0; i < index->shape[0] * k; i++)
        ((int32_t *)index->data)[i] = (int32_t)((i / k * 3 + i % k * 2 + 1) % n);
}

void op_call_gather(struct op_run *r)
{
    int64_t b = N(0), n = N(1), dim = N(2), k = N(3);
    sb_in x = NEW(x, IN, r->act, b, n, dim), index = NEW(index, IN, SB_I32, b, k);
    sb_out y = NEW(y, OUT, r->act, b, k, dim);
    if (r->inventing) fill_rows(index, n);
    else r->ops->gather(r->dev, x, index, y);
}

void op_call_gather_bwd(struct op_run *r)
{
    int64_t b = N(0), n = N(1), dim = N(2), k = N(3);
    sb_in index = NEW(index, IN, SB_I32, b, k), dy = NEW(dy, IN, r->act, b, k, dim);
    sb_out dx = NEW(dx, OUT, r->act, b, n, dim);
    if (r->inventing) fill_rows(index, n);
    else r->ops->gather_bwd(r->dev, index, dy, dx);
}

void op_call_patchify(struct op_run *r)
{
    int64_t b = N(0), s = N(1), p = N(2);
    sb_in x = NEW(x, IN, r->act, b, 3, s, s);
    sb_out y = NEW(y, OUT, r->act, b, (s / p) * (s / p), 3 * p * p);
    if (!r->inventing) r->ops->patchify(r->dev, x, p, y);
}

void op_call_pool(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1), N(2));
    sb_out y = NEW(y, OUT, r->act, N(0), N(2));
    if (!r->inventing) r->ops->pool(r->dev, HAS("mean") ? SB_POOL_MEAN : SB_POOL_FIRST, N(3), x, y);
}

void op_call_pool_bwd(struct op_run *r)
{
    sb_in dy = NEW(dy, IN, r->act, N(0), N(2));
    sb_out dx = NEW(dx, OUT, r->act, N(0), N(1), N(2));
    if (!r->inventing) r->ops->pool_bwd(r->dev, HAS("mean") ? SB_POOL_MEAN : SB_POOL_FIRST, N(3), dy, dx);
}

/* ---- convolution: sizes are B, H, W, channels in, channels out, window ------------------------------------------- */

static struct sb_conv conv(const struct op_run *r)
{
    return (struct sb_conv){.stride = HAS("stride2")   ? 2
                                      : HAS("stride3") ? 3
                                                       : 1,
                            .pad = HAS("pad3")   ? 3
                                   : HAS("pad1") ? 1
                                                 : 0};
}

static int64_t out(const struct op_run *r, int64_t size)
{
    return (size + 2 * conv(r).pad - N(5)) / conv(r).stride + 1;
}

void op_call_conv2d(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1), N(2), N(3)), w = NEW(w, IN, r->act, N(4), N(3), N(5), N(5)),
          b = MAY(bias, IN, r->act, N(4));
    sb_out y = NEW(y, OUT, r->act, N(0), out(r, N(1)), out(r, N(2)), N(4));
    if (!r->inventing) r->ops->conv2d(r->dev, x, w, b, conv(r), y);
}

void op_call_conv2d_bwd(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1), N(2), N(3)), w = NEW(w, IN, r->act, N(4), N(3), N(5), N(5));
    sb_in dy = NEW(dy, IN, r->act, N(0), out(r, N(1)), out(r, N(2)), N(4));
    sb_out dx = UNLESS("nodx", dx, OUT, r->act, N(0), N(1), N(2), N(3)),
           dw = UNLESS("frozen", dw, KEPT, SB_F32, N(4), N(3), N(5), N(5));
    sb_out db = MAY(bias, KEPT, SB_F32, N(4));
    if (!r->inventing) r->ops->conv2d_bwd(r->dev, x, w, conv(r), dy, dx, dw, db);
}

void op_call_maxpool(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1), N(2), N(3));
    sb_out index = NEW(index, OUT, SB_I32, N(0), out(r, N(1)), out(r, N(2)), N(3));
    sb_out y = NEW(y, OUT, r->act, N(0), out(r, N(1)), out(r, N(2)), N(3));
    if (r->inventing) op_fill_integers(r, x, -9, -4); /* equals; and padding, were it 0, would win */
    else r->ops->maxpool(r->dev, x, N(5), conv(r), index, y);
}

void op_call_maxpool_bwd(struct op_run *r)
{
    sb_in index = NEW(index, IN, SB_I32, N(0), out(r, N(1)), out(r, N(2)), N(3));
    sb_in dy = NEW(dy, IN, r->act, N(0), out(r, N(1)), out(r, N(2)), N(3));
    sb_out dx = NEW(dx, OUT, r->act, N(0), N(1), N(2), N(3));
    if (!r->inventing) {
        r->ops->maxpool_bwd(r->dev, index, N(5), conv(r), dy, dx);
        return;
    }
    sb_ops_ref.maxpool(r->dev, dx, N(5), conv(r), index, dy); /* of what dx holds by chance */
    op_fill(r, dy, -1, 1);
}

/* ---- losses ------------------------------------------------------------------------------------------------------ */

void op_call_xent(struct op_run *r)
{
    int64_t m = N(0), n = N(1);
    bool spread = HAS("distribution");
    sb_in logits = NEW(logits, HAS("inplace") ? INOUT : IN, r->act, m, n);
    sb_in target = spread ? NEW(target, IN, SB_F32, m, n) : NEW(target, IN, SB_I32, m);
    sb_in weight = MAY(weight, IN, SB_F32, n);
    sb_in scale = UNLESS("noscale", scale, IN, SB_F32, 1);
    sb_out loss = NEW(loss, OUT, SB_F32, m);
    sb_out dlogits = HAS("noscale") ? NULL : HAS("inplace") ? logits : NEW(dlogits, OUT, r->act, m, n);
    if (!r->inventing) {
        r->ops->xent(r->dev, logits, target, weight, HAS("smooth") ? 0.1f : 0, scale, loss, dlogits);
        return;
    }
    op_fill(r, logits, HAS("large") ? -300 : -4, HAS("large") ? 300 : 4);
    if (weight) op_fill(r, weight, 0.2, 3);
    if (scale) op_fill(r, scale, 0.3, 0.4);
    if (!spread) {
        op_fill_integers(r, target, -1, (int32_t)n - 1);
        return;
    }
    struct sb_tensor soft = *target;
    sb_ops_ref.softmax(r->dev, target, &soft);
}

void op_call_bce(struct op_run *r)
{
    int64_t m = N(0), n = N(1);
    sb_in logits = NEW(logits, HAS("inplace") ? INOUT : IN, r->act, m, n), target = NEW(target, IN, SB_F32, m, n);
    sb_in weight = MAY(weight, IN, SB_F32, n), scale = UNLESS("noscale", scale, IN, SB_F32, 1);
    sb_out loss = NEW(loss, OUT, SB_F32, m);
    sb_out dlogits = HAS("noscale") ? NULL : HAS("inplace") ? logits : NEW(dlogits, OUT, r->act, m, n);
    if (!r->inventing) {
        r->ops->bce(r->dev, logits, target, weight, scale, loss, dlogits);
        return;
    }
    op_fill(r, logits, HAS("large") ? -200 : -4, HAS("large") ? 200 : 4);
    op_fill_integers(r, target, 0, 1);
    if (weight) op_fill(r, weight, 0.2, 3);
}

void op_call_mse(struct op_run *r)
{
    int64_t m = N(0), n = N(1);
    sb_in x = NEW(x, HAS("inplace") ? INOUT : IN, r->act, m, n), target = NEW(target, IN, r->act, m, n);
    sb_in weight = MAY(weight, IN, SB_F32, m), scale = UNLESS("noscale", scale, IN, SB_F32, 1);
    sb_out loss = NEW(loss, OUT, SB_F32, m), dx = HAS("noscale")   ? NULL
                                                  : HAS("inplace") ? x
                                                                   : NEW(dx, OUT, r->act, m, n);
    if (!r->inventing) r->ops->mse(r->dev, x, target, weight, scale, loss, dx);
}

void op_call_softmax(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1));
    sb_out y = NEW(y, OUT, SB_F32, N(0), N(1));
    if (r->inventing) op_fill(r, x, HAS("large") ? -300 : -4, HAS("large") ? 300 : 4);
    else r->ops->softmax(r->dev, x, y);
}

void op_call_argmax(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1));
    sb_out y = NEW(y, OUT, SB_I32, N(0));
    if (r->inventing) op_fill_integers(r, x, -9, HAS("equals") ? -9 : -2);
    else r->ops->argmax(r->dev, x, y);
}

/* ---- optimiser --------------------------------------------------------------------------------------------------- */

/* Segments with gaps that must stay as they are: three, or 300 of some elements each. */
static int64_t cut_segments(const struct op_run *r, struct sb_segment segment[300])
{
    int64_t n = N(0), each = n / 300;
    struct sb_segment three[] = {
        {0, n / 2, 1, 0.05f}, {n / 2, n / 4, 0.5f, 0}, {n / 2 + n / 4 + 1, n - n / 2 - n / 4 - 1, 1, 0.1f}};
    memcpy(segment, three, sizeof three);
    if (!HAS("many")) return 3;
    for (int i = 0; i < 300; i++)
        segment[i] =
            (struct sb_segment){i * each, i % 5 ? each - i % 3 : 0, 1 + 0.01f * (float)i, 0.1f * (float)(i % 2)};
    return 300;
}

void op_call_adamw(struct op_run *r)
{
    int64_t n = N(0);
    struct sb_segment segment[300];
    int64_t segments = cut_segments(r, segment);
    struct sb_adamw_step s = {.lr = 0.01f,
                              .beta1 = 0.9f,
                              .beta2 = 0.99f,
                              .eps = 1e-8f,
                              .correction1 = 0.271f,
                              .correction2 = 0.0297f,
                              .max_norm = HAS("norm2") ? 1.5f : 0,
                              .grad_scale = 0.25f,
                              .average = 0.9f,
                              .decoupled = !HAS("adam")};
    sb_in step = NEW(step, IN, SB_F32, sizeof s / sizeof(float)), norm2 = MAY(norm2, IN, SB_F32, 1);
    sb_out master = NEW(master, KEPT, SB_F32, n), grad = NEW(grad, KEPT, SB_F32, n), m = NEW(m, KEPT, SB_F32, n),
           v = NEW(v, KEPT, SB_F32, n);
    sb_out average = MAY(average, KEPT, SB_F32, n), copy = MAY(copy, KEPT, SB_BF16, n);
    if (!r->inventing) {
        r->ops->adamw(r->dev, segment, segments, step->data, norm2, master, grad, m, v, average, copy);
        return;
    }
    memcpy(step->data, &s, sizeof s);
    op_fill(r, v, 0, 1);
    if (norm2) op_fill(r, norm2, HAS("small") ? 1 : 900, HAS("small") ? 2 : 1000);
}

void op_call_sumsq(struct op_run *r)
{
    sb_in x = NEW(x, IN, SB_F32, N(0));
    sb_out y = NEW(y, OUT, SB_F32, 1);
    if (!r->inventing) r->ops->sumsq(r->dev, x, y);
}

/* ---- moving data ------------------------------------------------------------------------------------------------- */

void op_call_lerp(struct op_run *r)
{
    sb_in a = NEW(a, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1)), b = NEW(b, IN, r->act, N(0), N(1));
    sb_in t = NEW(t, IN, SB_F32, HAS("each") ? N(0) : 1);
    sb_out y = HAS("inplace") ? a : NEW(y, OUT, r->act, N(0), N(1));
    if (!r->inventing) r->ops->lerp(r->dev, a, b, t, y);
}

/* From the case's own dtype: f32 or bf16, or what "from_" names. */
void op_call_cast(struct op_run *r)
{
    enum sb_dtype from = HAS("from_u8") ? SB_U8 : HAS("from_i32") ? SB_I32 : r->act;
    enum sb_dtype to = HAS("u8") ? SB_U8 : HAS("i32") ? SB_I32 : HAS("bf16") ? SB_BF16 : SB_F32;
    sb_in x = NEW(x, IN, from, N(0), N(1));
    sb_out y = NEW(y, OUT, to, N(0), N(1));
    if (!r->inventing) {
        r->ops->cast(r->dev, x, y);
        return;
    }
    if (from != SB_U8) op_fill_integers(r, x, -300, 900);
    if (from != SB_F32) return;
    float *v = x->data; /* halves, and what an integer can't hold */
    for (int64_t i = 0; i < N(0) * N(1); i++) v[i] = v[i] * 0.5f * (i % 17 == 0 ? 1e9f : 1);
}

void op_call_fill(struct op_run *r)
{
    sb_out y = NEW(y, OUT, HAS("u8") ? SB_U8 : HAS("i32") ? SB_I32 : r->act, N(0), N(1));
    if (!r->inventing) r->ops->fill(r->dev, HAS("negative") ? -2.5f : 2.5f, y);
}

void op_call_copy(struct op_run *r)
{
    enum sb_dtype dtype = HAS("u8") ? SB_U8 : HAS("i32") ? SB_I32 : r->act;
    sb_in x = NEW(x, IN, dtype, N(0), N(2));
    sb_out y = NEW(y, INOUT, dtype, N(0), N(3));
    struct sb_tensor from = *x, to = *y;
    from.shape[1] = to.shape[1] = N(1);
    if (!r->inventing) r->ops->copy(r->dev, &from, N(2), N(3), &to);
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

void op_call_normalize(struct op_run *r)
{
    sb_in x = NEW(x, IN, SB_U8, N(0), 3, N(1), N(1)), mean_std = NEW(mean_std, IN, SB_F32, 2, 3);
    sb_out y = NEW(y, OUT, r->act, N(0), 3, N(1), N(1));
    if (r->inventing) op_fill(r, mean_std, 0.2, 0.6);
    else r->ops->normalize(r->dev, x, mean_std, y);
}

void op_call_warp(struct op_run *r)
{
    int64_t b = N(0);
    sb_in x = NEW(x, IN, SB_U8, b, 3, N(1), N(2)), matrix = NEW(matrix, IN, SB_F32, b, 6),
          colour = MAY(colour, IN, SB_F32, b, 2);
    sb_out y = NEW(y, OUT, SB_U8, b, 3, N(3), N(3));
    if (!r->inventing) {
        r->ops->warp(r->dev, x, matrix, colour, y);
        return;
    }
    for (int64_t i = 0; i < b; i++) {
        float *m = (float *)matrix->data + 6 * i;
        if (HAS("flip")) memcpy(m, (float[]){-1, 0, (float)N(2) - 1, 0, 1, 0}, 6 * sizeof *m);
        else
            memcpy(m, (float[]){0.9f, -0.4f, 1.3f + (float)i, 0.4f, 0.9f, HAS("outside") ? -1000 : -2.2f},
                   6 * sizeof *m);
        if (colour) memcpy((float *)colour->data + 2 * i, (float[]){1.5f, -20}, 2 * sizeof(float));
    }
}

/* Boxes lie inside, reach over the edges, or hold everything. */
void op_call_mix(struct op_run *r)
{
    int64_t b = N(0), s = N(1);
    sb_in x = NEW(x, IN, r->act, b, 3, s, s), partner = NEW(partner, IN, SB_I32, b),
          weight = NEW(weight, IN, SB_F32, b), box = NEW(box, IN, SB_I32, b, 4);
    sb_out y = NEW(y, OUT, r->act, b, 3, s, s);
    if (!r->inventing) {
        r->ops->mix(r->dev, x, partner, weight, box, y);
        return;
    }
    for (int64_t i = 0; i < b; i++) {
        int32_t side = (int32_t)s, step = (int32_t)i;
        int32_t edge[][4] = {{3, 5, side / 2, side - 1}, {-4, side / 2, side / 3, side + 9}, {0, 0, side, side}};
        ((int32_t *)partner->data)[i] = (int32_t)((i + 2) % b);
        ((float *)weight->data)[i] = HAS("cut") ? 1 : 0.3f * (float)(step % 4);
        if (HAS("box")) memcpy((int32_t *)box->data + 4 * i, edge[step % 3], sizeof *edge);
    }
}

/* ---- clustering -------------------------------------------------------------------------------------------------- */

void op_call_nearest(struct op_run *r)
{
    sb_in x = NEW(x, IN, SB_F32, N(0), N(2)), c = NEW(c, IN, SB_F32, N(1), N(2));
    sb_out index = NEW(index, OUT, SB_I32, N(0)), distance = NEW(distance, OUT, SB_F32, N(0));
    if (!r->inventing) {
        r->ops->nearest(r->dev, x, c, index, distance);
    } else if (HAS("equals")) { /* exact in f32 however it is computed, and many centres are equally near */
        op_fill_integers(r, x, -2, 2);
        op_fill_integers(r, c, -1, 1);
    } else if (HAS("alike")) { /* far from the origin, as embeddings are */
        op_fill(r, x, 100, 101);
        op_fill(r, c, 100, 101);
    }
}

void op_call_nearest_sum(struct op_run *r)
{
    sb_in x = NEW(x, IN, SB_F32, N(0), N(2)), index = NEW(index, IN, SB_I32, N(0));
    sb_out sum = NEW(sum, OUT, SB_F32, N(1), N(2)), count = NEW(count, OUT, SB_F32, N(1));
    if (r->inventing) op_fill_integers(r, index, 0, (int32_t)N(1) - (HAS("empty") ? 2 : 1));
    else r->ops->nearest_sum(r->dev, x, index, sum, count);
}

void op_call_centroids(struct op_run *r)
{
    sb_in sum = NEW(sum, IN, SB_F32, N(0), N(1)), count = NEW(count, IN, SB_F32, N(0));
    sb_in c = HAS("place") ? NEW(c, INOUT, SB_F32, N(0), N(1)) : NEW(c, IN, SB_F32, N(0), N(1));
    sb_out y = HAS("place") ? c : NEW(y, OUT, SB_F32, N(0), N(1));
    if (r->inventing) op_fill_integers(r, count, 0, 3);
    else r->ops->centroids(r->dev, sum, count, c, y);
}
