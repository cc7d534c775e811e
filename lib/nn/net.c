#include "nn/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_state.h"

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

static bool is_trained(const struct sb_net *n, const struct sb_param *p)
{
    return p->layer >= n->options.frozen_layers;
}

/* Neighbours that decay alike make one segment. The gaps between parameters hold zeros, which the optimiser keeps. */
static void make_segments(struct sb_net *n)
{
    const struct sb_model *m = n->model;
    n->segment = sb_calloc(m->params, sizeof *n->segment);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        if (!is_trained(n, p)) continue;
        float decay = p->decay ? n->options.decay : 0;
        bool grows = n->segments && i && is_trained(n, p - 1) && n->segment[n->segments - 1].decay == decay;
        struct sb_segment *s = &n->segment[grows ? n->segments - 1 : n->segments++];
        if (!grows) *s = (struct sb_segment){.offset = p->offset, .lr_scale = 1, .decay = decay};
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
    n->run.mapped = n->direct && !n->options.bf16;
    if (!n->options.train) return;
    n->run.grad = hold(n, total * sizeof(float), refused);
    n->moment1 = hold(n, total * sizeof(float), refused);
    n->moment2 = hold(n, total * sizeof(float), refused);
}

/* Every matrix is a linear's weight; those are what decays. */
static void take_packed(struct sb_net *n, bool *refused)
{
    const struct sb_model *m = n->model;
    n->run.packed = sb_calloc(m->params, sizeof *n->run.packed);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        if (!p->decay) continue;
        size_t bytes =
            n->run.ops->linear_pack_size(n->run.dev, p->shape[0], p->count / p->shape[0], n->run.act, n->options.train);
        if (bytes) n->run.packed[i] = hold(n, bytes, refused);
    }
}

static void take_small(struct sb_net *n, bool *refused)
{
    size_t batch = (size_t)n->options.batch, length = n->model->decoder.words ? (size_t)n->model->decoder.length : 2;
    n->rows = batch * (length - 1);
    n->chance = hold(n, 4 * sizeof *n->chance, refused);
    n->adamw = hold(n, sizeof *n->adamw, refused);
    n->scale = hold(n, sizeof *n->scale, refused);
    n->norm2 = hold(n, sizeof *n->norm2, refused);
    n->mean_std = hold(n, 6 * sizeof *n->mean_std, refused);
    if (n->options.class_weight) n->class_weight = hold(n, (size_t)sb_model_classes(n->model) * sizeof(float), refused);
    n->matrix = hold(n, batch * 6 * sizeof *n->matrix, refused);
    n->colour = hold(n, batch * 2 * sizeof *n->colour, refused);
    n->target = hold(n, n->rows * sizeof *n->target, refused);
    n->ids = hold(n, n->rows * sizeof *n->ids, refused);
    n->decoded = hold(n, 2 * sizeof *n->decoded, refused);
    if (sb_model_classes(n->model)) n->probability = hold(n, batch * (size_t)sb_model_classes(n->model) * sizeof(float), refused);
    n->embedding = hold(n, batch * (size_t)sb_model_dim(n->model) * sizeof(float), refused);
    n->loss = hold(n, n->rows * sizeof *n->loss, refused);
    n->predicted = hold(n, n->rows * sizeof *n->predicted, refused);
    n->token = hold(n, batch * sizeof *n->token, refused);
    n->run.chance_state = n->chance;
    n->cache.length = n->decoded;
    n->host_loss = sb_calloc(n->rows, sizeof *n->host_loss);
    n->host_target = sb_calloc(n->rows, sizeof *n->host_target);
    n->host_ids = sb_calloc(n->rows, sizeof *n->host_ids);
    n->host_predicted = sb_calloc(n->rows, sizeof *n->host_predicted);
}

/* Every kind of call at its largest: the full batch, warped. */
static void plan_pass(void *net)
{
    struct sb_net *n = net;
    int size = sb_model_size(n->model);
    n->input = (struct sb_net_input){
        .count = n->options.batch, .height = size, .width = size, .dtype = SB_U8, .matrix = true, .colour = true};
    n->pictures = n->master; /* any address: nothing is read */
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
    n->pictures = NULL;
}

static void upload_weights(struct sb_net *n)
{
    const struct sb_model *m = n->model;
    struct sb_run *r = &n->run;
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        const float *weights = sb_param_weights(m, p);
        if (!n->direct) r->ops->upload(r->dev, n->master + p->offset, weights, (size_t)p->count * sizeof(float));
        if (!n->copy) continue;
        struct sb_tensor from = {.dtype = SB_F32, .ndim = 1, .shape = {p->count}}, to = from;
        from.data = n->direct ? (float *)(uintptr_t)weights : n->master + p->offset;
        to.dtype = SB_BF16;
        to.data = (uint16_t *)n->copy + p->offset;
        r->ops->cast(r->dev, &from, &to);
    }
    sb_net_pack(n);
    float mean_std[6];
    memcpy(mean_std, m->preprocess.mean, 3 * sizeof(float));
    memcpy(mean_std + 3, m->preprocess.std, 3 * sizeof(float));
    r->ops->upload(r->dev, n->mean_std, mean_std, sizeof mean_std);
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
    if (o->frozen_layers < 0 || o->frozen_layers > below) {
        return sb_error("%d frozen layers: the model has %d below its head", o->frozen_layers, below);
    }
    if (o->train && !sb_model_classes(m) && !m->decoder.words)
        return sb_error("the model has neither classes nor words to learn");
    if (o->class_weight && !sb_model_classes(m)) return sb_error("class weights for a model without classes");
    return 0;
}

struct sb_net *sb_net_open(struct sb_backend *b, struct sb_model *m, const struct sb_net_options *o)
{
    if (check_options(m, o)) return NULL;
    struct sb_net *n = sb_calloc(1, sizeof *n);
    n->model = m;
    n->options = *o;
    n->run = (struct sb_run){
        .ops = b->ops, .dev = b->dev, .act = o->bf16 ? SB_BF16 : SB_F32, .model = m, .frozen = o->frozen_layers};
    sb_vit_build(&n->vit, m);
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
    return n;
}

void sb_net_close(struct sb_net *n)
{
    if (!n) return;
    struct sb_run *r = &n->run;
    for (size_t i = 0; i < n->nheld; i++) r->ops->release(r->dev, n->held[i]);
    if (n->pictures) r->ops->release(r->dev, n->pictures);
    sb_vit_free(&n->vit);
    sb_gpt2_free(&n->gpt2);
    free(n->cache.layer);
    free(n->held);
    free(r->packed);
    free(n->segment);
    free(n->host_loss);
    free(n->host_target);
    free(n->host_ids);
    free(n->host_predicted);
    free(n);
}

size_t sb_net_bytes(const struct sb_net *n) { return n->bytes + n->pictures_size; }

void sb_net_repeat(struct sb_net *n, uint32_t kind, void (*fn)(void *net))
{
    const struct sb_net_input *in = &n->input;
    uint64_t form = (uint64_t)in->height << 40 ^ (uint64_t)in->width << 24 ^ (uint64_t)in->count << 8 ^
                    (uint64_t)(in->dtype == SB_U8) << 6 ^ (uint64_t)in->matrix << 5 ^ (uint64_t)in->colour << 4;
    n->run.ops->repeat(n->run.dev, form ^ (uint64_t)n->generation << 56 ^ kind, fn, n);
}
