#include <stdlib.h>

#include "base/err.h"
#include "nn/layer.h"

static void build_norm(struct sb_norm *n, struct sb_model *m, const struct sb_block_config *c, const char *part)
{
    char *name = sb_format("%s%s", c->prefix, part);
    sb_norm_build(n, m, name, c->dim, c->layer, c->eps);
    free(name);
}

static void build_linear(struct sb_linear *l, struct sb_model *m, const struct sb_block_config *c, const char *part,
                         int64_t in, int64_t out, float scale)
{
    char *name = sb_format("%s%s", c->prefix, part);
    sb_linear_build(l, m, name, in, out, c->layer, c->transposed, scale);
    free(name);
}

/* 1e-5: what DINOv2 and timm start LayerScale from. */
static int build_gain(struct sb_model *m, const struct sb_block_config *c, const char *part)
{
    if (!part) return -1;
    char *name = sb_format("%s%s", c->prefix, part);
    struct sb_param p = {.name = name, .shape = {c->dim}, .ndim = 1, .layer = c->layer, .scale = 1e-5f};
    int index = sb_param_declare(m, &p);
    free(name);
    return index;
}

static void build_branch(struct sb_branch *b, struct sb_model *m, const struct sb_block_config *c, const char *part,
                         const char *gain, int64_t in)
{
    build_linear(&b->linear, m, c, part, in, c->dim, c->out_scale);
    b->gain = build_gain(m, c, gain);
    b->drop_path = c->drop_path;
    b->dropout = c->dropout;
}

void sb_block_build(struct sb_block *b, struct sb_model *m, const struct sb_block_config *c)
{
    const struct sb_block_names *n = c->names;
    *b = (struct sb_block){.layer = c->layer, .first = c->first};
    struct sb_attention *a = &b->attention;
    build_norm(&a->norm, m, c, n->norm1);
    build_linear(&a->qkv, m, c, n->qkv, c->dim, 3 * c->dim, c->scale);
    build_branch(&a->out, m, c, n->proj, n->gain1, c->dim);
    a->out.site = c->site;
    a->heads = c->heads;
    a->causal = c->causal;
    struct sb_mlp *p = &b->mlp;
    build_norm(&p->norm, m, c, n->norm2);
    build_linear(&p->up, m, c, n->up, c->dim, c->hidden, c->scale);
    p->up.act = c->act;
    build_branch(&p->down, m, c, n->down, n->gain2, c->hidden);
    p->down.site = c->site + 2;
    p->hidden = c->hidden;
}

/* [B,T,D] to [B,1,D]. */
static struct sb_tensor first_token(struct sb_run *r, const struct sb_tensor *x)
{
    struct sb_tensor first = SB_TAKE(r, r->act, x->shape[0], x->shape[2]);
    r->ops->pool(r->dev, SB_POOL_FIRST, 0, x, &first);
    return SB_VIEW(&first, x->shape[0], 1, x->shape[2]);
}

void sb_attention_forward(struct sb_run *r, struct sb_attention *a, const struct sb_tensor *x,
                          const struct sb_cache *cache, int index, const struct sb_tensor *y)
{
    int64_t b = x->shape[0], t = x->shape[1], d = x->shape[2], e = d / a->heads;
    size_t mark = sb_run_mark(r);
    struct sb_tensor normed = SB_TAKE(r, r->act, b, t, d);
    sb_norm_forward(r, &a->norm, x, &normed);
    a->packed = SB_TAKE(r, r->act, b, t, 3, a->heads, e);
    struct sb_tensor qkv = SB_VIEW(&a->packed, b, t, 3 * d);
    sb_linear_forward(r, &a->qkv, &normed, NULL, &qkv);
    a->mixed = SB_TAKE(r, r->act, b, t, a->heads, e);
    if (r->save) a->lse = SB_TAKE(r, SB_F32, b, a->heads, t);
    r->ops->attention(r->dev, &a->packed, a->causal, cache ? &cache->layer[index] : NULL, cache ? cache->length : NULL,
                      r->save ? &a->lse : NULL, &a->mixed);
    struct sb_tensor mixed = SB_VIEW(&a->mixed, b, t, d), from = *x;
    if (y->shape[1] < t) {
        mixed = first_token(r, &mixed);
        from = first_token(r, x);
    }
    sb_branch_forward(r, &a->out, &mixed, &from, y);
    if (!r->save) sb_run_rewind(r, mark);
}

void sb_attention_backward(struct sb_run *r, struct sb_attention *a, const struct sb_tensor *dy,
                           const struct sb_tensor *dx)
{
    int64_t b = dx->shape[0], t = dx->shape[1], d = dx->shape[2];
    size_t mark = sb_run_mark(r);
    struct sb_tensor inner = SB_TAKE(r, r->act, b, t, d); /* first of what was mixed, then of what was normed */
    if (dy->shape[1] < t) {
        struct sb_tensor first = SB_TAKE(r, r->act, b, d);
        sb_branch_backward(r, &a->out, dy, &first);
        r->ops->pool_bwd(r->dev, SB_POOL_FIRST, 0, &first, &inner);
        first = SB_VIEW(dy, b, d);
        r->ops->pool_bwd(r->dev, SB_POOL_FIRST, 0, &first, dx);
    } else {
        sb_branch_backward(r, &a->out, dy, &inner);
    }
    struct sb_tensor dmixed = sb_view(&inner, a->mixed.shape, a->mixed.ndim);
    struct sb_tensor dpacked = sb_run_tensor(r, r->act, a->packed.shape, a->packed.ndim);
    r->ops->attention_bwd(r->dev, &a->packed, a->causal, &a->lse, &a->mixed, &dmixed, &dpacked);
    struct sb_tensor dqkv = SB_VIEW(&dpacked, b, t, 3 * d);
    sb_linear_backward(r, &a->qkv, &dqkv, &inner);
    sb_norm_backward(r, &a->norm, &inner, dx, dx);
    sb_run_rewind(r, mark);
}

void sb_mlp_forward(struct sb_run *r, struct sb_mlp *m, const struct sb_tensor *x, const struct sb_tensor *y)
{
    int64_t b = x->shape[0], t = x->shape[1], d = x->shape[2];
    size_t mark = sb_run_mark(r);
    struct sb_tensor normed = SB_TAKE(r, r->act, b, t, d);
    sb_norm_forward(r, &m->norm, x, &normed);
    struct sb_tensor hidden = SB_TAKE(r, r->act, b, t, m->hidden);
    sb_linear_forward(r, &m->up, &normed, NULL, &hidden);
    sb_branch_forward(r, &m->down, &hidden, x, y);
    if (!r->save) sb_run_rewind(r, mark);
}

void sb_mlp_backward(struct sb_run *r, struct sb_mlp *m, const struct sb_tensor *dx)
{
    int64_t b = dx->shape[0], t = dx->shape[1], d = dx->shape[2];
    size_t mark = sb_run_mark(r);
    struct sb_tensor inner = SB_TAKE(r, r->act, b, t, d), dhidden = SB_TAKE(r, r->act, b, t, m->hidden);
    sb_branch_backward(r, &m->down, dx, &dhidden);
    sb_linear_backward(r, &m->up, &dhidden, &inner);
    sb_norm_backward(r, &m->norm, &inner, dx, dx);
    sb_run_rewind(r, mark);
}

/* y: may be x where nothing is saved and the shapes agree. */
static void block_forward(struct sb_run *r, struct sb_block *b, const struct sb_tensor *x, const struct sb_cache *cache,
                          int index, const struct sb_tensor *y)
{
    struct sb_tensor middle = r->save ? sb_run_tensor(r, r->act, y->shape, y->ndim) : *y;
    sb_attention_forward(r, &b->attention, x, cache, index, &middle);
    sb_mlp_forward(r, &b->mlp, &middle, y);
}

static struct sb_tensor take_result(struct sb_run *r, const struct sb_block *b, const struct sb_tensor *x)
{
    return SB_TAKE(r, r->act, x->shape[0], b->first ? 1 : x->shape[1], x->shape[2]);
}

/* Where blocks are recomputed, what one saved is given up at once, but for its input. It saves all the same, so that it
 * computes the same bytes the second time. */
struct sb_tensor sb_blocks_forward(struct sb_run *r, struct sb_block *block, int depth, const struct sb_tensor *x,
                                   const struct sb_cache *cache)
{
    struct sb_tensor now = *x;
    bool save = r->save, chance = r->chance;
    for (int i = 0; i < depth; i++) {
        bool trained = block[i].layer >= r->frozen;
        r->save = save && trained;
        r->chance = chance && trained;
        struct sb_tensor y = r->save || block[i].first ? take_result(r, &block[i], &now) : now;
        size_t mark = sb_run_mark(r);
        block[i].x = now;
        block_forward(r, &block[i], &now, cache, i, &y);
        if (r->recompute) sb_run_rewind(r, mark);
        now = y;
    }
    r->save = save;
    r->chance = chance;
    return now;
}

bool sb_blocks_backward(struct sb_run *r, struct sb_block *block, int depth, const struct sb_tensor *dx)
{
    for (int i = depth - 1; i >= 0; i--) {
        if (block[i].layer < r->frozen) return false;
        size_t mark = sb_run_mark(r);
        if (r->recompute) {
            struct sb_tensor y = take_result(r, &block[i], &block[i].x);
            block_forward(r, &block[i], &block[i].x, NULL, i, &y);
        }
        struct sb_tensor dy = block[i].first ? first_token(r, dx) : *dx;
        sb_mlp_backward(r, &block[i].mlp, &dy);
        sb_attention_backward(r, &block[i].attention, &dy, dx);
        sb_run_rewind(r, mark);
    }
    return true;
}
