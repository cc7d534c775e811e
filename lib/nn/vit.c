#include "nn/vit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const struct sb_block_names timm = {"norm1", "attn.qkv", "attn.proj", NULL, "norm2", "mlp.fc1", "mlp.fc2", NULL};
static const struct sb_block_names timm_scaled = {"norm1", "attn.qkv", "attn.proj", "ls1.gamma",
                                                  "norm2", "mlp.fc1",  "mlp.fc2",   "ls2.gamma"};

int64_t sb_vit_prefix(const struct sb_vit_config *c) { return (c->class_token ? 1 : 0) + c->registers; }

int64_t sb_vit_tokens(const struct sb_vit_config *c)
{
    int64_t side = c->size / c->patch;
    return sb_vit_prefix(c) + side * side;
}

bool sb_vit_mean(const struct sb_vit_config *c) { return c->fc_norm || !c->class_token; }

static int declare_tokens(struct sb_model *m, const char *name, int64_t count, int64_t dim, float deviation)
{
    struct sb_param p = {.name = (char *)(uintptr_t)name,
                         .shape = {1, count, dim},
                         .ndim = 3,
                         .init = SB_INIT_NORMAL,
                         .scale = deviation};
    return sb_param_declare(m, &p);
}

static void build_blocks(struct sb_vit *v, struct sb_model *m)
{
    const struct sb_vit_config *c = &v->config;
    v->block = sb_calloc((size_t)c->depth, sizeof *v->block);
    for (int i = 0; i < c->depth; i++) {
        char *prefix = sb_format("blocks.%d.", i);
        struct sb_block_config b = {
            .prefix = prefix,
            .names = c->layer_scale ? &timm_scaled : &timm,
            .dim = c->dim,
            .heads = c->heads,
            .hidden = c->hidden,
            .layer = i + 1,
            .eps = c->eps,
            .drop_path = c->depth > 1 ? c->drop_path * (float)i / (float)(c->depth - 1) : 0,
            .dropout = c->dropout,
            .act = SB_ACT_GELU,
            /* Of the last block a classifier reads the class token alone: ViT-B is spared 6 % of its operations. */
            .first = i == c->depth - 1 && !sb_vit_mean(c) && !m->decoder.words,
            .scale = 0.02f,
            .out_scale = 0.02f,
            .site = 4u * (uint32_t)i,
        };
        sb_block_build(&v->block[i], m, &b);
        free(prefix);
    }
}

void sb_vit_build(struct sb_vit *v, struct sb_model *m)
{
    const struct sb_vit_config *c = &m->vit;
    *v = (struct sb_vit){.config = *c, .class_token = -1, .registers = -1, .head.weight = -1};
    /* Class token and registers are neighbours in the flat buffer: the op takes them as one prefix. */
    sb_patch_build(&v->patch, m, "patch_embed.proj", c->patch, c->dim, 0);
    if (c->class_token) v->class_token = declare_tokens(m, "cls_token", 1, c->dim, 1e-6f);
    if (c->registers) v->registers = declare_tokens(m, "reg_token", c->registers, c->dim, 1e-6f);
    /* With registers timm gives positions to patches alone. */
    int64_t positions = sb_vit_tokens(c) - (c->registers ? sb_vit_prefix(c) : 0);
    v->positions = declare_tokens(m, "pos_embed", positions, c->dim, 0.02f);
    build_blocks(v, m);
    /* As in timm the norm learns, and is frozen, with the last block: the head's layer is the head alone. */
    sb_norm_build(&v->norm, m, c->fc_norm ? "fc_norm" : "norm", c->dim, c->depth, c->eps);
    if (c->classes) sb_linear_build(&v->head, m, "head", c->dim, c->classes, c->depth + 1, false, 0.02f);
}

void sb_vit_free(struct sb_vit *v)
{
    free(v->block);
    memset(v, 0, sizeof *v);
}

static int first_prefix(const struct sb_vit *v) { return v->class_token >= 0 ? v->class_token : v->registers; }

/* Without their leading 1, as the op wants them. */
static sb_out rows(struct sb_tensor *t, int64_t count, int64_t dim)
{
    *t = SB_VIEW(t, count, dim);
    return t;
}

struct sb_tensor sb_vit_forward(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *pictures)
{
    const struct sb_vit_config *c = &v->config;
    int64_t prefix = sb_vit_prefix(c), tokens = sb_vit_tokens(c);
    v->batch = pictures->shape[0];
    bool save = r->save;
    r->save = save && r->frozen < 1;
    struct sb_tensor x = SB_TAKE(r, r->act, v->batch, tokens, c->dim);
    size_t mark = sb_run_mark(r);
    struct sb_tensor patches = SB_TAKE(r, r->act, v->batch, tokens - prefix, c->dim), first, positions;
    sb_patch_forward(r, &v->patch, pictures, &patches);
    sb_run_value(r, prefix ? first_prefix(v) : -1, &first);
    sb_run_value(r, v->positions, &positions);
    r->ops->tokens(r->dev, &patches, prefix ? rows(&first, prefix, c->dim) : NULL,
                   rows(&positions, positions.shape[1], c->dim), &x);
    if (!r->save) sb_run_rewind(r, mark);
    r->save = save;
    return sb_blocks_forward(r, v->block, c->depth, &x, NULL);
}

void sb_vit_backward(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *dtokens)
{
    const struct sb_vit_config *c = &v->config;
    int64_t prefix = sb_vit_prefix(c), tokens = sb_vit_tokens(c);
    if (!sb_blocks_backward(r, v->block, c->depth, dtokens) || r->frozen > 0) return;
    size_t mark = sb_run_mark(r);
    struct sb_tensor dpatches = SB_TAKE(r, r->act, v->batch, tokens - prefix, c->dim), dfirst, dpositions;
    bool has_first = prefix && sb_run_grad(r, first_prefix(v), &dfirst);
    bool has_positions = sb_run_grad(r, v->positions, &dpositions) != NULL;
    r->ops->tokens_bwd(r->dev, dtokens, &dpatches, has_first ? rows(&dfirst, prefix, c->dim) : NULL,
                       has_positions ? rows(&dpositions, dpositions.shape[1], c->dim) : NULL);
    sb_patch_backward(r, &v->patch, &dpatches);
    sb_run_rewind(r, mark);
}

/* Of the class token or of the mean, where the norm comes after it, one row is normalised; norm and picking a row
 * commute. */
struct sb_tensor sb_vit_pool(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *tokens)
{
    const struct sb_vit_config *c = &v->config;
    int64_t b = tokens->shape[0], d = c->dim;
    struct sb_tensor embedding = SB_TAKE(r, r->act, b, d);
    size_t mark = sb_run_mark(r);
    if (!sb_vit_mean(c) || c->fc_norm) {
        struct sb_tensor one = SB_TAKE(r, r->act, b, d);
        r->ops->pool(r->dev, c->fc_norm ? SB_POOL_MEAN : SB_POOL_FIRST, c->fc_norm ? sb_vit_prefix(c) : 0, tokens,
                     &one);
        sb_norm_forward(r, &v->norm, &one, &embedding);
    } else {
        struct sb_tensor normed = sb_run_tensor(r, r->act, tokens->shape, tokens->ndim);
        sb_norm_forward(r, &v->norm, tokens, &normed);
        r->ops->pool(r->dev, SB_POOL_MEAN, sb_vit_prefix(c), &normed, &embedding);
    }
    if (!r->save) sb_run_rewind(r, mark);
    return embedding;
}

void sb_vit_pool_backward(struct sb_run *r, struct sb_vit *v, const struct sb_tensor *dembedding,
                          const struct sb_tensor *dtokens)
{
    const struct sb_vit_config *c = &v->config;
    size_t mark = sb_run_mark(r);
    if (!sb_vit_mean(c) || c->fc_norm) {
        struct sb_tensor done = SB_TAKE(r, r->act, dembedding->shape[0], c->dim);
        sb_norm_backward(r, &v->norm, dembedding, NULL, &done);
        r->ops->pool_bwd(r->dev, c->fc_norm ? SB_POOL_MEAN : SB_POOL_FIRST, c->fc_norm ? sb_vit_prefix(c) : 0, &done,
                         dtokens);
    } else {
        struct sb_tensor dnormed = sb_run_tensor(r, r->act, dtokens->shape, dtokens->ndim);
        r->ops->pool_bwd(r->dev, SB_POOL_MEAN, sb_vit_prefix(c), dembedding, &dnormed);
        sb_norm_backward(r, &v->norm, &dnormed, NULL, dtokens);
    }
    sb_run_rewind(r, mark);
}
