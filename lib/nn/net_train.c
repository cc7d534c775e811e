#include "base/err.h"
#include "nn/net_inner.h"

/* What has a loss: a picture's label, or each word of a caption. */
int64_t sb_net_rows(const struct sb_net *n)
{
    return n->input.count * (n->model->decoder.words ? n->model->decoder.length - 1 : 1);
}

static struct sb_tensor targets(const struct sb_net *n)
{
    if (n->input.soft) {
        return (struct sb_tensor){
            .dtype = SB_F32, .ndim = 2, .shape = {n->input.count, sb_model_classes(n->model)}, .data = n->soft};
    }
    return (struct sb_tensor){.dtype = SB_I32, .ndim = 1, .shape = {sb_net_rows(n)}, .data = n->target};
}

static struct sb_tensor losses(const struct sb_net *n)
{
    return (struct sb_tensor){.dtype = SB_F32, .ndim = 1, .shape = {sb_net_rows(n)}, .data = n->results};
}

/* The results are the losses, in an evaluation by labels followed by what was predicted. */
static size_t losses_size(int64_t rows) { return sb_net_part((size_t)rows * sizeof(float)); }

static struct sb_tensor class_weight(const struct sb_net *n)
{
    return (struct sb_tensor){
        .dtype = SB_F32, .ndim = 1, .shape = {sb_model_classes(n->model)}, .data = n->class_weight};
}

static struct sb_tensor word_ids(const struct sb_net *n)
{
    return (struct sb_tensor){
        .dtype = SB_I32, .ndim = 2, .shape = {n->input.count, n->model->decoder.length - 1}, .data = n->ids};
}

static bool trains_backbone(const struct sb_net *n) { return n->options.frozen_layers < sb_model_layers(n->model) - 1; }

/* A backbone that is frozen whole saves nothing, its pooling included. */
static struct sb_tensor see(struct sb_net *n, const struct sb_tensor *pictures)
{
    struct sb_run *r = &n->run;
    bool save = r->save;
    r->save = save && trains_backbone(n);
    struct sb_tensor seen = n->model->decoder.words ? sb_backbone_tokens(r, &n->backbone, pictures)
                                                    : sb_backbone_forward(r, &n->backbone, pictures);
    r->save = save;
    return seen;
}

/* Logits of every row that has a loss, over what was uploaded. *between: a captioner's normed tokens or a classifier's
 * embedding. */
static struct sb_tensor forward(struct sb_net *n, struct sb_tensor *between)
{
    struct sb_run *r = &n->run;
    struct sb_tensor pictures = sb_net_pictures(n);
    *between = see(n, &pictures);
    if (n->model->decoder.words) {
        struct sb_tensor ids = word_ids(n);
        return sb_gpt2_forward(r, &n->gpt2, between, &ids, NULL, NULL);
    }
    struct sb_tensor logits = SB_TAKE(r, r->act, n->input.count, sb_model_classes(n->model));
    sb_linear_forward(r, sb_backbone_head(&n->backbone), between, NULL, &logits);
    return logits;
}

static void backward(struct sb_net *n, const struct sb_tensor *between, const struct sb_tensor *dlogits)
{
    struct sb_run *r = &n->run;
    bool words = n->model->decoder.words, further = trains_backbone(n);
    struct sb_tensor dbetween;
    if (further) dbetween = sb_run_tensor(r, r->act, between->shape, between->ndim);
    if (words)
        sb_gpt2_backward(r, &n->gpt2, dlogits, further ? &dbetween : NULL);
    else
        sb_linear_backward(r, sb_backbone_head(&n->backbone), dlogits, further ? &dbetween : NULL);
    if (further && words)
        sb_backbone_tokens_backward(r, &n->backbone, &dbetween);
    else if (further)
        sb_backbone_backward(r, &n->backbone, &dbetween);
}

void sb_net_evaluate_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    r->save = r->chance = false;
    sb_run_rewind(r, 0);
    struct sb_tensor between, loss = losses(n), target = targets(n), logits = forward(n, &between);
    if (n->model->several) {
        r->ops->bce(r->dev, &logits, &target, NULL, NULL, &loss, NULL);
        return;
    }
    struct sb_tensor predicted = {.dtype = SB_I32, .ndim = 1, .shape = {sb_net_rows(n)}};
    predicted.data = n->results + losses_size(sb_net_rows(n));
    r->ops->argmax(r->dev, &logits, &predicted);
    r->ops->xent(r->dev, &logits, &target, NULL, 0, NULL, &loss, NULL);
}

void sb_net_gradient_pass(void *net)
{
    struct sb_net *n = net;
    struct sb_run *r = &n->run;
    r->save = r->chance = true;
    sb_run_rewind(r, 0);
    struct sb_tensor between, loss = losses(n), target = targets(n), weights = class_weight(n),
                              one = {.dtype = SB_F32, .ndim = 1, .shape = {1}, .data = n->one};
    const struct sb_tensor *weight = n->class_weight ? &weights : NULL;
    struct sb_tensor logits = forward(n, &between);
    if (n->model->several)
        r->ops->bce(r->dev, &logits, &target, weight, &one, &loss, &logits);
    else
        r->ops->xent(r->dev, &logits, &target, weight, n->options.smooth, &one, &loss, &logits);
    backward(n, &between, &logits);
}

static double sum(const float *loss, int64_t rows)
{
    double all = 0;
    for (int64_t i = 0; i < rows; i++) all += (double)loss[i];
    return all;
}

static int64_t count_right(const struct sb_net_flight *f, const int32_t *predicted)
{
    int64_t right = 0;
    if (!f->labelled) sb_die("right answers are counted by labels");
    for (int64_t i = 0; i < f->rows; i++) {
        if (f->target[i] >= 0 && f->target[i] == predicted[i]) right++;
    }
    return right;
}

void sb_net_evaluate_start(struct sb_net *n, const struct sb_batch *b)
{
    struct sb_net_flight *f = sb_net_flight_begin(n, b, SB_REPEAT_EVALUATE);
    sb_net_upload_targets(n, b, f);
    sb_net_flight_go(n, sb_net_evaluate_pass, 2 * losses_size(f->rows));
}

/* Plain: without smoothing and class weights, so that runs can be compared. */
double sb_net_evaluate_finish(struct sb_net *n, int64_t *correct, int64_t *of)
{
    const struct sb_net_flight *f;
    const char *results = sb_net_flight_end(n, SB_REPEAT_EVALUATE, &f);
    if (correct) *correct = count_right(f, (const int32_t *)(results + losses_size(f->rows)));
    if (of) *of = f->valid;
    return f->valid ? sum((const float *)results, f->rows) / (double)f->valid : 0;
}

double sb_net_evaluate(struct sb_net *n, const struct sb_batch *b, int64_t *correct, int64_t *of)
{
    sb_net_evaluate_start(n, b);
    return sb_net_evaluate_finish(n, correct, of);
}

void sb_net_accumulate_start(struct sb_net *n, const struct sb_batch *b)
{
    struct sb_run *r = &n->run;
    if (!n->options.train) sb_die("the net was opened for inference");
    if (n->averaged) sb_die("averaged weights are not trained");
    struct sb_net_flight *f = sb_net_flight_begin(n, b, SB_REPEAT_GRADIENT);
    sb_net_upload_targets(n, b, f);
    uint32_t chance[4] = {(uint32_t)n->options.seed, (uint32_t)(n->options.seed >> 32), (uint32_t)n->steps, n->samples};
    r->ops->upload(r->dev, n->chance, chance, sizeof chance);
    sb_net_flight_go(n, sb_net_gradient_pass, losses_size(f->rows));
    n->samples += (uint32_t)b->count;
    n->weight += f->weight;
}

double sb_net_accumulate_finish(struct sb_net *n, double *weight)
{
    const struct sb_net_flight *f;
    const float *loss = sb_net_flight_end(n, SB_REPEAT_GRADIENT, &f);
    *weight = f->weight;
    return sum(loss, f->rows);
}

double sb_net_accumulate(struct sb_net *n, const struct sb_batch *b, double *weight)
{
    sb_net_accumulate_start(n, b);
    return sb_net_accumulate_finish(n, weight);
}
