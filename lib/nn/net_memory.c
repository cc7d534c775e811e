/* The device memory of a net: what it takes, and what is said where there is too little. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_inner.h"

#define COUNTED ((void *)(uintptr_t)64) /* what is counted has no memory: any address but NULL */

/* Zeroed device memory that lives as long as the net, or while counting its size alone. */
static void *hold(struct sb_net *n, size_t bytes, bool *refused)
{
    n->bytes += bytes;
    if (n->counts) return COUNTED;
    n->held = sb_realloc(n->held, n->nheld + 1, sizeof *n->held);
    void *p = *refused ? NULL : n->run.ops->alloc(n->run.dev, bytes);
    if (p)
        n->held[n->nheld++] = p;
    else
        *refused = true;
    return p;
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

/* Stops at the first that is refused. */
static bool take(struct sb_net *n)
{
    bool refused = false;
    take_weights(n, &refused);
    take_packed(n, &refused);
    take_small(n, &refused);
    if (refused) return false;
    n->run.size = sb_run_plan(&n->run, plan_pass, n);
    n->run.memory = hold(n, n->run.size, &refused);
    return !refused;
}

/* Bytes with this batch, those of its pictures too: they are taken when the first come, as u8 or f32, and as u8 up to
 * twice as large a side, which is then warped. */
static size_t need(const struct sb_net *n, int batch)
{
    struct sb_net counted = *n;
    size_t side = (size_t)sb_model_size(n->model);
    counted.options.batch = batch;
    counted.counts = true;
    counted.bytes = 0;
    take(&counted);
    free(counted.run.packed);
    return counted.bytes + SB_NET_UNDER_WAY * (size_t)batch * 3 * side * side * sizeof(float);
}

/* The largest batch below the net's own that fits, 0 if none does: of 8 and more a multiple of 8, else a power of two,
 * which is what devices are quick at. */
static int largest(const struct sb_net *n, size_t left)
{
    int batch = n->options.batch - 1, least = n->options.train && n->model->family == SB_RESNET ? 2 : 1;
    int fits = 0, refused = batch / 8 + 1; /* in eights */
    while (refused - fits > 1) {
        int middle = fits + (refused - fits) / 2;
        if (need(n, middle * 8) <= left)
            fits = middle;
        else
            refused = middle;
    }
    if (fits) return fits * 8;
    for (int few = 4; few >= least; few /= 2)
        if (few <= batch && need(n, few) <= left) return few;
    return 0;
}

static int too_little(const struct sb_net *n, size_t wanted, size_t left)
{
    const char *option = n->options.batch_option ? n->options.batch_option : "a batch of";
    int fits = largest(n, left);
    char advice[64] = "no smaller one would fit";
    if (fits) snprintf(advice, sizeof advice, "%s %d would fit", option, fits);
    return sb_error("not enough memory: device %s has %.0f MB left, %s %d wants %.0f MB: %s", n->run.ops->name,
                    (double)left / 1e6, option, n->options.batch, (double)wanted / 1e6, advice);
}

int sb_net_take_memory(struct sb_net *n)
{
    const struct sb_ops *ops = n->run.ops;
    size_t left = ops->memory(n->run.dev, NULL), wanted = ops->host ? 0 : need(n, n->options.batch);
    if (wanted > left) return too_little(n, wanted, left);
    if (!take(n)) {
        wanted = need(n, n->options.batch);
        return too_little(n, wanted, wanted > left ? left : wanted / 8 * 7);
    }
    n->host_ids = sb_calloc(n->rows, sizeof *n->host_ids);
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) n->flight[i].target = sb_calloc(n->rows, sizeof(int32_t));
    return 0;
}
