#include "nn/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_inner.h"

bool sb_net_trains(const struct sb_net *n, const struct sb_param *p)
{
    return n->options.train && p->layer >= n->options.frozen_layers;
}

/* The head learns at the full rate, the embedding at layer_decay^(layers - 1) of it. Statistics do not learn: they have
 * a segment for the average's sake alone. */
static float rate_of(const struct sb_net *n, const struct sb_param *p)
{
    if (p->statistic) return 0;
    double step = (double)n->options.layer_decay;
    return step > 0 ? (float)pow(step, sb_model_layers(n->model) - 1 - p->layer) : 1;
}

/* Neighbours that learn and decay alike make one segment. The gaps between parameters hold zeros, which the optimiser
 * keeps. */
static void make_segments(struct sb_net *n)
{
    const struct sb_model *m = n->model;
    n->segment = sb_calloc(m->params, sizeof *n->segment);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        if (!sb_net_trains(n, p)) continue;
        float decay = p->decay ? n->options.decay : 0, rate = rate_of(n, p);
        const struct sb_segment *last = n->segments ? &n->segment[n->segments - 1] : NULL;
        bool grows = last && sb_net_trains(n, p - 1) && last->decay == decay && last->lr_scale == rate;
        struct sb_segment *s = &n->segment[grows ? n->segments - 1 : n->segments++];
        if (!grows) *s = (struct sb_segment){.offset = p->offset, .lr_scale = rate, .decay = decay};
        s->count = p->offset + p->count - s->offset;
    }
}

static void upload_weights(struct sb_net *n)
{
    const struct sb_model *m = n->model;
    struct sb_run *r = &n->run;
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        size_t bytes = (size_t)p->count * sizeof(float);
        if (!n->direct) r->ops->upload(r->dev, n->master + p->offset, sb_param_weights(m, p), bytes);
        if (n->average) r->ops->upload(r->dev, n->average + p->offset, sb_param_weights(m, p), bytes);
    }
    sb_net_refresh(n);
}

static void upload_constants(struct sb_net *n)
{
    const struct sb_model *m = n->model;
    struct sb_run *r = &n->run;
    float mean_std[6], one = 1;
    memcpy(mean_std, m->preprocess.mean, 3 * sizeof(float));
    memcpy(mean_std + 3, m->preprocess.std, 3 * sizeof(float));
    r->ops->upload(r->dev, n->mean_std, mean_std, sizeof mean_std);
    r->ops->upload(r->dev, n->one, &one, sizeof one);
    if (n->class_weight) {
        r->ops->upload(r->dev, n->class_weight, n->options.class_weight, (size_t)sb_model_classes(m) * sizeof(float));
    }
}

static int check_options(const struct sb_model *m, const struct sb_net_options *o)
{
    int below = sb_model_layers(m) - 1;
    if (o->batch < 1) return sb_error("a batch of %d", o->batch);
    if (o->train && m->family == SB_RESNET && o->batch < 2)
        return sb_error("batch norms need pictures to compare: train with batches of 2 at least");
    if (o->frozen_layers < 0 || o->frozen_layers > below) {
        return sb_error("%d frozen layers: the model has %d below its head", o->frozen_layers, below);
    }
    if (o->train && !sb_model_classes(m) && !m->decoder.words)
        return sb_error("the model has neither classes nor words to learn");
    if (o->class_weight && !sb_model_classes(m)) return sb_error("class weights for a model without classes");
    if (o->recompute && m->family != SB_VIT) return sb_error("recomputation is for transformers");
    if (o->layer_decay < 0 || o->layer_decay > 1) return sb_error("a layer decay of %g", (double)o->layer_decay);
    if (o->average < 0 || o->average >= 1) return sb_error("a weight average of %g", (double)o->average);
    return 0;
}

struct sb_net *sb_net_open(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o)
{
    if (check_options(m, o)) return NULL;
    struct sb_net *n = sb_calloc(1, sizeof *n);
    n->model = m;
    n->options = *o;
    n->run = (struct sb_run){.ops = b->ops,
                             .dev = b->dev,
                             .act = o->bf16 ? SB_BF16 : SB_F32,
                             .recompute = o->recompute,
                             .model = m,
                             .frozen = o->frozen_layers};
    sb_backbone_build(&n->backbone, m);
    if (m->decoder.words) {
        sb_gpt2_build(&n->gpt2, m);
        n->cache = (struct sb_cache){.layer = sb_calloc((size_t)m->decoder.depth, sizeof *n->cache.layer)};
    }
    if (sb_net_take_memory(n)) {
        sb_net_close(n);
        return NULL;
    }
    if (o->train) make_segments(n);
    upload_weights(n);
    upload_constants(n);
    return n;
}

void sb_net_close(struct sb_net *n)
{
    if (!n) return;
    struct sb_run *r = &n->run;
    for (size_t i = 0; i < n->nheld; i++) r->ops->release(r->dev, n->held[i]);
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) {
        if (n->pictures[i]) r->ops->release(r->dev, n->pictures[i]);
        free(n->flight[i].target);
    }
    sb_backbone_free(&n->backbone);
    sb_gpt2_free(&n->gpt2);
    free(n->cache.layer);
    free(n->held);
    free(r->packed);
    free(n->segment);
    free(n->host_ids);
    free(n);
}

size_t sb_net_bytes(const struct sb_net *n) { return n->bytes + SB_NET_UNDER_WAY * n->pictures_size; }

/* Fields that do not overlap: kind and what is read below, then count, width, height. Of what an update reads only
 * the contents change. */
void sb_net_repeat(struct sb_net *n, uint32_t kind, void (*fn)(void *net))
{
    const struct sb_net_input *in = &n->input;
    const bool flag[] = {in->dtype == SB_U8, in->matrix, in->colour, in->mix, in->soft, n->averaged, n->turn != 0};
    uint64_t form = (uint64_t)in->height << 42 ^ (uint64_t)in->width << 28 ^ (uint64_t)in->count << 12 ^ kind;
    for (size_t i = 0; i < sizeof flag / sizeof *flag; i++) form ^= (uint64_t)flag[i] << (4 + i);
    if (kind == SB_REPEAT_UPDATE) form = kind;
    n->run.ops->repeat(n->run.dev, form, fn, n);
}
