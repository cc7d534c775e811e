#include "nn/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_inner.h"

/* Zeroed device memory that lives as long as the net. All of it is asked for even when some was refused, so that the
 * message can tell the whole need. */
static void *hold(struct sb_net *n, size_t bytes, bool *refused)
{
    n->held = sb_realloc(n->held, n->nheld + 1, sizeof *n->held);
    void *p = n->run.ops->alloc(n->run.dev, bytes);
    n->bytes += bytes;
    if (p)
        n->held[n->nheld++] = p;
    else
        *refused = true;
    return p;
}

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

static void take_weights(struct sb_net *n, bool *refused)
{
    size_t total = (size_t)n->model->total;
    n->direct = !n->options.train && n->run.ops->host;
    n->master = n->direct ? n->model->master : hold(n, total * sizeof(float), refused);
    if (n->options.bf16) n->copy = hold(n, total * sizeof(uint16_t), refused);
    n->run.value = n->options.bf16 ? n->copy : n->master;
    n->run.master = n->master;
    n->run.mapped = n->direct && !n->options.bf16;
    if (!n->options.train) return;
    n->run.grad = hold(n, total * sizeof(float), refused);
    n->moment1 = hold(n, total * sizeof(float), refused);
    n->moment2 = hold(n, total * sizeof(float), refused);
    if (n->options.average > 0) n->average = hold(n, total * sizeof(float), refused);
}

/* Every matrix but a convolution's kernel is a linear's weight; those are what decays. */
static void take_packed(struct sb_net *n, bool *refused)
{
    const struct sb_model *m = n->model;
    n->run.packed = sb_calloc(m->params, sizeof *n->run.packed);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        if (!p->decay || p->kernel) continue;
        size_t bytes = n->run.ops->linear_pack_size(n->run.dev, p->shape[0], p->count / p->shape[0], n->run.act,
                                                    sb_net_trains(n, p));
        if (bytes) n->run.packed[i] = hold(n, bytes, refused);
    }
}

static void take_inputs(struct sb_net *n, bool *refused)
{
    size_t batch = (size_t)n->options.batch, classes = (size_t)sb_model_classes(n->model);
    n->mean_std = hold(n, 6 * sizeof *n->mean_std, refused);
    n->matrix = hold(n, batch * 6 * sizeof *n->matrix, refused);
    n->colour = hold(n, batch * 2 * sizeof *n->colour, refused);
    if (n->options.train) {
        n->partner = hold(n, batch * sizeof *n->partner, refused);
        n->mix_weight = hold(n, batch * sizeof *n->mix_weight, refused);
        n->box = hold(n, batch * 4 * sizeof *n->box, refused);
    }
    n->target = hold(n, n->rows * sizeof *n->target, refused);
    n->ids = hold(n, n->rows * sizeof *n->ids, refused);
    if (classes) n->soft = hold(n, batch * classes * sizeof *n->soft, refused);
    if (n->options.class_weight) n->class_weight = hold(n, classes * sizeof *n->class_weight, refused);
    n->token = hold(n, batch * sizeof *n->token, refused);
    n->host_ids = sb_calloc(n->rows, sizeof *n->host_ids);
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) n->flight[i].target = sb_calloc(n->rows, sizeof(int32_t));
}

static void take_results(struct sb_net *n, bool *refused)
{
    size_t told = sb_net_told_bytes(n), losses = 2 * sb_net_part(n->rows * sizeof(float));
    n->results = hold(n, told > losses ? told : losses, refused);
}

static void take_small(struct sb_net *n, bool *refused)
{
    size_t length = n->model->decoder.words ? (size_t)n->model->decoder.length : 2;
    n->rows = (size_t)n->options.batch * (length - 1);
    n->chance = hold(n, 4 * sizeof *n->chance, refused);
    n->adamw = hold(n, sizeof *n->adamw, refused);
    n->one = hold(n, sizeof *n->one, refused);
    n->norm2 = hold(n, sizeof *n->norm2, refused);
    n->decoded = hold(n, 2 * sizeof *n->decoded, refused);
    n->run.chance_state = n->chance;
    n->cache.length = n->decoded;
    take_inputs(n, refused);
    take_results(n, refused);
}

/* Every kind of call at its largest: the full batch, warped. */
static void plan_pass(void *net)
{
    struct sb_net *n = net;
    int size = sb_model_size(n->model);
    n->input = (struct sb_net_input){.count = n->options.batch,
                                     .height = size,
                                     .width = size,
                                     .dtype = SB_U8,
                                     .matrix = true,
                                     .colour = true,
                                     .mix = n->options.train,
                                     .soft = n->model->several};
    n->pictures[n->turn] = n->master; /* any address: nothing is read */
    sb_net_classify_pass(n);
    if (n->model->decoder.words) {
        sb_net_caption_begin(n);
        sb_net_prefix_pass(n);
        sb_net_word_pass(n);
    }
    if (n->model->decoder.words || sb_model_classes(n->model)) {
        sb_net_evaluate_pass(n);
        if (n->options.train) sb_net_gradient_pass(n);
    }
    n->pictures[n->turn] = NULL;
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

static int take_memory(struct sb_net *n)
{
    bool refused = false;
    take_weights(n, &refused);
    take_packed(n, &refused);
    take_small(n, &refused);
    n->run.size = sb_run_plan(&n->run, plan_pass, n);
    n->run.memory = hold(n, n->run.size, &refused);
    return refused ? sb_error("not enough memory: wanted %zu bytes", n->bytes) : 0;
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
    if (take_memory(n)) {
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
