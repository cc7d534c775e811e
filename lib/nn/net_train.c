#include <math.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_state.h"

/* What has a loss: a picture's label, or each word of a caption. */
static int64_t target_rows(const struct sb_net *n)
{
    return n->input.count * (n->model->decoder.words ? n->model->decoder.length - 1 : 1);
}

static struct sb_tensor targets(const struct sb_net *n)
{
    return (struct sb_tensor){.dtype = SB_I32, .ndim = 1, .shape = {target_rows(n)}, .data = n->target};
}

static struct sb_tensor losses(const struct sb_net *n)
{
    return (struct sb_tensor){.dtype = SB_F32, .ndim = 1, .shape = {target_rows(n)}, .data = n->loss};
}

static struct sb_tensor class_weight(const struct sb_net *n)
{
    return (struct sb_tensor){.dtype = SB_F32, .ndim = 1, .shape = {sb_model_classes(n->model)}, .data = n->class_weight};
}

static struct sb_tensor one_float(float *at)
{
    return (struct sb_tensor){.dtype = SB_F32, .ndim = 1, .shape = {1}, .data = at};
}

static struct sb_tensor word_ids(const struct sb_net *n)
{
    return (struct sb_tensor){
        .dtype = SB_I32, .ndim = 2, .shape = {n->input.count, n->model->decoder.length - 1}, .data = n->ids};
}

/* Logits of every row that has a loss, over what was uploaded. *between: a captioner's normed tokens or a classifier's
 * embedding. */
static struct sb_tensor forward(struct sb_net *n, struct sb_tensor *between)
{
    struct sb_run *r = &n->run;
    struct sb_tensor pictures = sb_net_pictures(n);
    struct sb_tensor tokens = sb_vit_forward(r, &n->vit, &pictures);
    if (n->model->decoder.words) {
        struct sb_tensor ids = word_ids(n);
        *between = sb_run_tensor(r, r->act, tokens.shape, tokens.ndim);
        sb_norm_forward(r, &n->vit.norm, &tokens, between);
        return sb_gpt2_forward(r, &n->gpt2, between, &ids, NULL, NULL);
    }
    *between = sb_vit_pool(r, &n->vit, &tokens);
    struct sb_tensor logits = SB_TAKE(r, r->act, n->input.count, sb_model_classes(n->model));
    sb_linear_forward(r, &n->vit.head, between, NULL, &logits);
    return logits;
}

static void backward(struct sb_net *n, const struct sb_tensor *between, const struct sb_tensor *dlogits)
{
    struct sb_run *r = &n->run;
    struct sb_tensor dtokens = SB_TAKE(r, r->act, n->input.count, sb_vit_tokens(&n->model->vit), sb_model_dim(n->model));
    struct sb_tensor dbetween = sb_run_tensor(r, r->act, between->shape, between->ndim);
    if (n->model->decoder.words) {
        sb_gpt2_backward(r, &n->gpt2, dlogits, &dbetween);
        sb_norm_backward(r, &n->vit.norm, &dbetween, NULL, &dtokens);
    } else {
        sb_linear_backward(r, &n->vit.head, dlogits, &dbetween);
        sb_vit_pool_backward(r, &n->vit, &dbetween, &dtokens);
    }
    sb_vit_backward(r, &n->vit, &dtokens);
}

void sb_net_evaluate_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    r->save = r->chance = false;
    sb_run_rewind(r, 0);
    struct sb_tensor predicted = {.dtype = SB_I32, .ndim = 1, .shape = {target_rows(n)}, .data = n->predicted};
    struct sb_tensor between, loss = losses(n), target = targets(n), logits = forward(n, &between);
    r->ops->argmax(r->dev, &logits, &predicted);
    r->ops->xent(r->dev, &logits, &target, NULL, 0, NULL, &loss, NULL);
}

void sb_net_gradient_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    r->save = r->chance = true;
    sb_run_rewind(r, 0);
    struct sb_tensor between, loss = losses(n), target = targets(n), scale = one_float(n->scale),
                              weight = class_weight(n);
    struct sb_tensor logits = forward(n, &between);
    r->ops->xent(r->dev, &logits, &target, n->class_weight ? &weight : NULL, n->options.smooth, &scale, &loss, &logits);
    backward(n, &between, &logits);
}

void sb_net_update_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    struct sb_tensor master = {.dtype = SB_F32, .ndim = 1, .shape = {n->model->total}, .data = n->master};
    struct sb_tensor grad = master, moment1 = master, moment2 = master, copy = master, norm2 = one_float(n->norm2);
    grad.data = r->grad;
    moment1.data = n->moment1;
    moment2.data = n->moment2;
    copy.dtype = SB_BF16;
    copy.data = n->copy;
    bool clips = n->options.max_norm > 0;
    if (clips) r->ops->sumsq(r->dev, &grad, &norm2);
    r->ops->adamw(r->dev, n->segment, n->segments, n->adamw, clips ? &norm2 : NULL, &master, &grad, &moment1, &moment2,
                  NULL, n->copy ? &copy : NULL);
    sb_net_pack(n);
}

void sb_net_pack(struct sb_net *n)
{
    struct sb_run *r = &n->run;
    for (size_t i = 0; i < n->model->params; i++) {
        if (!r->packed[i]) continue;
        struct sb_tensor value, rows;
        sb_run_value(r, (int)i, &value);
        rows = SB_VIEW(&value, value.shape[0], sb_tensor_count(&value) / value.shape[0]);
        r->ops->linear_pack(r->dev, &rows, n->options.train, r->packed[i]);
    }
}

static void upload_scale(struct sb_net *n, double weight)
{
    float scale = weight > 0 ? (float)(1 / weight) : 0;
    n->run.ops->upload(n->run.dev, n->scale, &scale, sizeof scale);
}

static double mean_loss(struct sb_net *n, double weight)
{
    int64_t rows = target_rows(n);
    n->run.ops->download(n->run.dev, n->host_loss, n->loss, (size_t)rows * sizeof *n->loss);
    double sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += (double)n->host_loss[i];
    return weight > 0 ? sum / weight : 0;
}

/* Plain: without smoothing and class weights, so that runs can be compared. */
double sb_net_evaluate(struct sb_net *n, const struct sb_batch *b, int64_t *correct, int64_t *of)
{
    struct sb_run *r = &n->run;
    sb_net_upload(n, b);
    double weight;
    int64_t valid = sb_net_upload_targets(n, b, &weight);
    sb_net_repeat(n, SB_REPEAT_EVALUATE, sb_net_evaluate_pass);
    double loss = mean_loss(n, (double)valid);
    int64_t rows = target_rows(n), right = 0;
    r->ops->download(r->dev, n->host_predicted, n->predicted, (size_t)rows * sizeof *n->predicted);
    for (int64_t i = 0; i < rows; i++) {
        if (n->host_target[i] >= 0 && n->host_target[i] == n->host_predicted[i]) right++;
    }
    if (correct) *correct = right;
    if (of) *of = valid;
    return loss;
}

/* Uploads all that the gradient pass reads; gives the weight that the loss is a mean over. */
static double begin_step(struct sb_net *n, const struct sb_batch *b)
{
    struct sb_run *r = &n->run;
    if (!n->options.train) sb_die("the net was opened for inference");
    sb_net_upload(n, b);
    double weight;
    sb_net_upload_targets(n, b, &weight);
    upload_scale(n, weight);
    uint32_t chance[4] = {(uint32_t)n->options.seed, (uint32_t)(n->options.seed >> 32), (uint32_t)n->steps, 0};
    r->ops->upload(r->dev, n->chance, chance, sizeof chance);
    return weight;
}

double sb_net_step(struct sb_net *n, const struct sb_batch *b, double lr)
{
    const struct sb_net_options *o = &n->options;
    double weight = begin_step(n, b), step = (double)(n->steps + 1);
    struct sb_adamw_step adamw = {
        .lr = (float)lr,
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .eps = o->eps,
        .correction1 = (float)(1 - pow((double)o->beta1, step)),
        .correction2 = (float)(1 - pow((double)o->beta2, step)),
        .max_norm = o->max_norm,
        .grad_scale = 1,
        .decoupled = o->adam ? 0 : 1,
    };
    n->run.ops->upload(n->run.dev, n->adamw, &adamw, sizeof adamw);
    sb_net_repeat(n, SB_REPEAT_GRADIENT, sb_net_gradient_pass);
    sb_net_repeat(n, SB_REPEAT_UPDATE, sb_net_update_pass);
    n->steps++;
    return mean_loss(n, weight);
}

double sb_net_gradient(struct sb_net *n, const struct sb_batch *b, float *out)
{
    struct sb_run *r = &n->run;
    double weight = begin_step(n, b);
    sb_net_repeat(n, SB_REPEAT_GRADIENT, sb_net_gradient_pass);
    double loss = mean_loss(n, weight);
    r->ops->download(r->dev, out, r->grad, (size_t)n->model->total * sizeof(float));
    struct sb_tensor grad = {.dtype = SB_F32, .ndim = 1, .shape = {n->model->total}, .data = r->grad};
    r->ops->fill(r->dev, 0, &grad);
    return loss;
}

uint64_t sb_net_steps(const struct sb_net *n) { return n->steps; }

void sb_net_weights(struct sb_net *n)
{
    if (n->direct) return; /* they never left it */
    n->run.ops->download(n->run.dev, n->model->master, n->master, (size_t)n->model->total * sizeof(float));
    for (size_t i = 0; i < n->model->params; i++) n->model->param[i].mapped = NULL;
}
