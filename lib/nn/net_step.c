#include <math.h>

#include "base/err.h"
#include "nn/net_inner.h"

static struct sb_tensor flat(const struct sb_net *n, enum sb_dtype dtype, void *data)
{
    return (struct sb_tensor){.dtype = dtype, .ndim = 1, .shape = {n->model->total}, .data = data};
}

void sb_net_update_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    struct sb_tensor master = flat(n, SB_F32, n->master), grad = flat(n, SB_F32, r->grad),
                     moment1 = flat(n, SB_F32, n->moment1), moment2 = flat(n, SB_F32, n->moment2),
                     average = flat(n, SB_F32, n->average), copy = flat(n, SB_BF16, n->copy),
                     norm2 = {.dtype = SB_F32, .ndim = 1, .shape = {1}, .data = n->norm2}, trained = grad;
    bool clips = n->options.max_norm > 0;
    trained.data = r->grad + n->segment->offset; /* what is frozen lies below */
    trained.shape[0] -= n->segment->offset;
    if (clips) r->ops->sumsq(r->dev, &trained, &norm2);
    r->ops->adamw(r->dev, n->segment, n->segments, n->adamw, clips ? &norm2 : NULL, &master, &grad, &moment1, &moment2,
                  n->average ? &average : NULL, n->copy ? &copy : NULL);
    sb_net_pack(n, n->options.frozen_layers);
}

void sb_net_update(struct sb_net *n, double lr)
{
    const struct sb_net_options *o = &n->options;
    double step = (double)(n->steps + 1);
    struct sb_adamw_step adamw = {
        .lr = (float)lr,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .eps = o->eps,
        .correction1 = (float)(1 - pow((double)o->beta1, step)),
        .correction2 = (float)(1 - pow((double)o->beta2, step)),
        .max_norm = o->max_norm,
        .grad_scale = n->weight > 0 ? (float)(1 / n->weight) : 0,
        .average = o->average,
        .decoupled = o->adam ? 0 : 1,
    };
    n->run.ops->upload(n->run.dev, n->adamw, &adamw, sizeof adamw);
    sb_net_repeat(n, SB_REPEAT_UPDATE, sb_net_update_pass);
    n->steps++;
    n->samples = 0;
    n->weight = 0;
}

double sb_net_step(struct sb_net *n, const struct sb_batch *b, double lr)
{
    double weight, sum = sb_net_accumulate(n, b, &weight);
    sb_net_update(n, lr);
    return weight > 0 ? sum / weight : 0;
}

double sb_net_gradient(struct sb_net *n, const struct sb_batch *b, float *out)
{
    struct sb_run *r = &n->run;
    double weight, sum = sb_net_accumulate(n, b, &weight), scale = weight > 0 ? 1 / weight : 0;
    r->ops->download(r->dev, out, r->grad, (size_t)n->model->total * sizeof(float));
    for (int64_t i = 0; i < n->model->total; i++) out[i] = (float)((double)out[i] * scale);
    struct sb_tensor grad = flat(n, SB_F32, r->grad);
    r->ops->fill(r->dev, 0, &grad);
    n->samples = 0;
    n->weight = 0;
    return sum * scale;
}

uint64_t sb_net_steps(const struct sb_net *n) { return n->steps; }

void sb_net_pack(struct sb_net *n, int layer)
{
    struct sb_run *r = &n->run;
    for (size_t i = 0; i < n->model->params; i++) {
        const struct sb_param *p = &n->model->param[i];
        if (!r->packed[i] || p->layer < layer) continue;
        struct sb_tensor value, rows;
        sb_run_value(r, (int)i, &value);
        rows = SB_VIEW(&value, value.shape[0], sb_tensor_count(&value) / value.shape[0]);
        r->ops->linear_pack(r->dev, &rows, sb_net_trains(n, p), r->packed[i]);
    }
}

void sb_net_refresh(struct sb_net *n)
{
    struct sb_run *r = &n->run;
    const struct sb_model *m = n->model;
    float *from = n->averaged ? n->average : n->master;
    r->master = from;
    if (!n->copy) r->value = from;
    for (size_t i = 0; n->copy && i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        struct sb_tensor wide = {.dtype = SB_F32, .ndim = 1, .shape = {p->count}}, narrow = wide;
        wide.data = n->direct ? (float *)(uintptr_t)sb_param_weights(m, p) : from + p->offset;
        narrow.dtype = SB_BF16;
        narrow.data = (uint16_t *)n->copy + p->offset;
        r->ops->cast(r->dev, &wide, &narrow);
    }
    sb_net_pack(n, 0);
}

void sb_net_average(struct sb_net *n, bool on)
{
    if (on && !n->average) sb_die("the net was opened without an average");
    if (on == n->averaged) return;
    n->averaged = on;
    sb_net_refresh(n);
}

void sb_net_weights(struct sb_net *n)
{
    if (n->direct) return; /* they never left it */
    const float *from = n->averaged ? n->average : n->master;
    n->run.ops->download(n->run.dev, n->model->master, from, (size_t)n->model->total * sizeof(float));
    for (size_t i = 0; i < n->model->params; i++) n->model->param[i].mapped = NULL;
}

static int check_state(const struct sb_net *n, const struct sb_net_state *s)
{
    if (!n->options.train) sb_die("the net was opened for inference");
    if (n->average && !s->average) return sb_error("the state holds no weight average");
    if (!n->average && s->average) return sb_error("the state holds a weight average");
    return 0;
}

int sb_net_save_state(struct sb_net *n, struct sb_net_state *out)
{
    if (check_state(n, out)) return -1;
    struct sb_run *r = &n->run;
    size_t bytes = (size_t)n->model->total * sizeof(float);
    r->ops->download(r->dev, out->master, n->master, bytes);
    r->ops->download(r->dev, out->moment1, n->moment1, bytes);
    r->ops->download(r->dev, out->moment2, n->moment2, bytes);
    if (n->average) r->ops->download(r->dev, out->average, n->average, bytes);
    out->steps = n->steps;
    return 0;
}

int sb_net_load_state(struct sb_net *n, const struct sb_net_state *in)
{
    if (check_state(n, in)) return -1;
    struct sb_run *r = &n->run;
    size_t bytes = (size_t)n->model->total * sizeof(float);
    r->ops->upload(r->dev, n->master, in->master, bytes);
    r->ops->upload(r->dev, n->moment1, in->moment1, bytes);
    r->ops->upload(r->dev, n->moment2, in->moment2, bytes);
    if (n->average) r->ops->upload(r->dev, n->average, in->average, bytes);
    n->steps = in->steps;
    sb_net_refresh(n);
    return 0;
}
