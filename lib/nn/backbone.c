#include "nn/backbone.h"

void sb_backbone_build(struct sb_backbone *b, struct sb_model *m)
{
    *b = (struct sb_backbone){.family = m->family};
    if (b->family == SB_VIT)
        sb_vit_build(&b->vit, m);
    else
        sb_resnet_build(&b->resnet, m);
}

void sb_backbone_free(struct sb_backbone *b)
{
    sb_vit_free(&b->vit);
    sb_resnet_free(&b->resnet);
}

struct sb_linear *sb_backbone_head(struct sb_backbone *b)
{
    return b->family == SB_VIT ? &b->vit.head : &b->resnet.head;
}

struct sb_tensor sb_backbone_forward(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *pictures)
{
    if (b->family == SB_RESNET) return sb_resnet_forward(r, &b->resnet, pictures);
    struct sb_tensor tokens = sb_vit_forward(r, &b->vit, pictures);
    return sb_vit_pool(r, &b->vit, &tokens);
}

static struct sb_tensor take_dtokens(struct sb_run *r, const struct sb_vit *v)
{
    return SB_TAKE(r, r->act, v->batch, sb_vit_tokens(&v->config), v->config.dim);
}

void sb_backbone_backward(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *dembedding)
{
    if (b->family == SB_RESNET) {
        sb_resnet_backward(r, &b->resnet, dembedding);
        return;
    }
    size_t mark = sb_run_mark(r);
    struct sb_tensor dtokens = take_dtokens(r, &b->vit);
    sb_vit_pool_backward(r, &b->vit, dembedding, &dtokens);
    sb_vit_backward(r, &b->vit, &dtokens);
    sb_run_rewind(r, mark);
}

struct sb_tensor sb_backbone_tokens(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *pictures)
{
    struct sb_tensor tokens = sb_vit_forward(r, &b->vit, pictures);
    struct sb_tensor normed = sb_run_tensor(r, r->act, tokens.shape, tokens.ndim);
    sb_norm_forward(r, &b->vit.norm, &tokens, &normed);
    return normed;
}

void sb_backbone_tokens_backward(struct sb_run *r, struct sb_backbone *b, const struct sb_tensor *dtokens)
{
    size_t mark = sb_run_mark(r);
    struct sb_tensor dbefore = take_dtokens(r, &b->vit);
    sb_norm_backward(r, &b->vit.norm, dtokens, NULL, &dbefore);
    sb_vit_backward(r, &b->vit, &dbefore);
    sb_run_rewind(r, mark);
}
