#include "nn/gpt2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const struct sb_block_names names = {"ln_1", "attn.c_attn", "attn.c_proj", NULL,
                                            "ln_2", "mlp.c_fc",    "mlp.c_proj",  NULL};

#define EPS 1e-5f

static int declare_table(struct sb_model *m, const char *name, int64_t rows, int64_t dim, int layer, bool decay)
{
    struct sb_param p = {.name = (char *)(uintptr_t)name,
                         .shape = {rows, dim},
                         .ndim = 2,
                         .layer = layer,
                         .decay = decay,
                         .init = SB_INIT_NORMAL,
                         .scale = 0.02f};
    return sb_param_declare(m, &p);
}

void sb_gpt2_build(struct sb_gpt2 *g, struct sb_model *m)
{
    const struct sb_decoder_config *c = &m->decoder;
    int layer = m->vit.depth + 1; /* all of it is the ViT's head, as freezing goes */
    *g = (struct sb_gpt2){.config = *c};
    sb_linear_build(&g->project, m, "project", m->vit.dim, c->dim, layer, false, 0.02f);
    g->words = declare_table(m, "decoder.wte.weight", c->words, c->dim, layer, true);
    g->positions = declare_table(m, "decoder.wpe.weight", c->length, c->dim, layer, false);
    g->block = sb_calloc((size_t)c->depth, sizeof *g->block);
    for (int i = 0; i < c->depth; i++) {
        char *prefix = sb_format("decoder.h.%d.", i);
        struct sb_block_config b = {
            .prefix = prefix,
            .names = &names,
            .dim = c->dim,
            .heads = c->heads,
            .hidden = c->hidden,
            .layer = layer,
            .eps = EPS,
            .dropout = c->dropout,
            .act = SB_ACT_GELU_TANH,
            .causal = true,
            .transposed = true,
            .scale = 0.02f,
            .out_scale = 0.02f / sqrtf(2 * (float)c->depth),
            .site = 4u * (uint32_t)(m->vit.depth + i),
        };
        sb_block_build(&g->block[i], m, &b);
        free(prefix);
    }
    sb_norm_build(&g->norm, m, "decoder.ln_f", c->dim, layer, EPS);
    g->head = (struct sb_linear){.weight = g->words, .bias = -1};
}

void sb_gpt2_free(struct sb_gpt2 *g)
{
    free(g->block);
    memset(g, 0, sizeof *g);
}

/* Tokens `first` .. of each sequence in x [B,T,D] to or from part [B,K,D]. */
static void copy_part(struct sb_run *r, const struct sb_tensor *x, int64_t first, const struct sb_tensor *part,
                      bool out)
{
    int64_t b = x->shape[0], row = x->shape[1] * x->shape[2], d = part->shape[1] * part->shape[2];
    struct sb_tensor inside = SB_VIEW(x, b, d), dense = SB_VIEW(part, b, d);
    inside.data = (char *)x->data + (size_t)(first * x->shape[2]) * sb_dtype_size(x->dtype);
    if (out)
        r->ops->copy(r->dev, &inside, row, d, &dense);
    else
        r->ops->copy(r->dev, &dense, d, row, &inside);
}

/* [B,P+W,D]: the projected tokens, if any, then the words. */
static struct sb_tensor embed(struct sb_run *r, struct sb_gpt2 *g, const struct sb_tensor *tokens,
                              const struct sb_tensor *ids, const int32_t *start)
{
    int64_t b = ids->shape[0], w = ids->shape[1], d = g->config.dim, p = g->prefix;
    struct sb_tensor x = SB_TAKE(r, r->act, b, p + w, d), table, positions;
    size_t mark = sb_run_mark(r);
    struct sb_tensor words = p ? SB_TAKE(r, r->act, b, w, d) : x;
    r->ops->embed(r->dev, ids, sb_run_value(r, g->words, &table), sb_run_value(r, g->positions, &positions), start,
                  &words);
    if (p) {
        struct sb_tensor prefix = SB_TAKE(r, r->act, b, p, d);
        sb_linear_forward(r, &g->project, tokens, NULL, &prefix);
        copy_part(r, &x, 0, &prefix, false);
        copy_part(r, &x, p, &words, false);
    }
    sb_run_rewind(r, mark);
    return x;
}

struct sb_tensor sb_gpt2_forward(struct sb_run *r, struct sb_gpt2 *g, const struct sb_tensor *tokens,
                                 const struct sb_tensor *ids, const int32_t *start, const struct sb_cache *cache)
{
    int64_t b = ids->shape[0], w = ids->shape[1], d = g->config.dim;
    g->ids = *ids;
    g->prefix = tokens ? tokens->shape[1] : 0;
    struct sb_tensor logits = SB_TAKE(r, r->act, b * w, g->config.words);
    size_t mark = sb_run_mark(r);
    struct sb_tensor x = embed(r, g, tokens, ids, start);
    x = sb_blocks_forward(r, g->block, g->config.depth, &x, cache);
    struct sb_tensor tail = x;
    if (g->prefix) {
        tail = SB_TAKE(r, r->act, b, w, d);
        copy_part(r, &x, g->prefix, &tail, true);
    }
    struct sb_tensor normed = SB_TAKE(r, r->act, b, w, d);
    sb_norm_forward(r, &g->norm, &tail, &normed);
    sb_linear_forward(r, &g->head, &normed, NULL, &logits);
    if (!r->save) sb_run_rewind(r, mark);
    return logits;
}

void sb_gpt2_backward(struct sb_run *r, struct sb_gpt2 *g, const struct sb_tensor *dlogits,
                      const struct sb_tensor *dtokens)
{
    int64_t b = g->ids.shape[0], w = g->ids.shape[1], d = g->config.dim, p = g->prefix;
    size_t mark = sb_run_mark(r);
    struct sb_tensor dx = SB_TAKE(r, r->act, b, p + w, d), dtail = SB_TAKE(r, r->act, b, w, d);
    struct sb_tensor dnormed = SB_TAKE(r, r->act, b, w, d), dtable, dpositions;
    sb_linear_backward(r, &g->head, dlogits, &dnormed);
    sb_norm_backward(r, &g->norm, &dnormed, NULL, &dtail);
    r->ops->fill(r->dev, 0, &dx);
    copy_part(r, &dx, p, &dtail, false);
    if (sb_blocks_backward(r, g->block, g->config.depth, &dx)) {
        copy_part(r, &dx, p, &dtail, true);
        r->ops->embed_bwd(r->dev, &g->ids, &dtail, sb_run_grad(r, g->words, &dtable),
                          sb_run_grad(r, g->positions, &dpositions));
        struct sb_tensor dprefix = SB_TAKE(r, r->act, b, p, d);
        copy_part(r, &dx, 0, &dprefix, true);
        sb_linear_backward(r, &g->project, &dprefix, dtokens);
    }
    sb_run_rewind(r, mark);
}
