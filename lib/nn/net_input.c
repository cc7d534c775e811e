#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/net_inner.h"

static void check_batch(const struct sb_net *n, const struct sb_batch *b)
{
    int size = sb_model_size(n->model);
    if (b->count < 1 || b->count > n->options.batch)
        sb_die("a batch of %d, planned for 1 to %d", b->count, n->options.batch);
    if (b->dtype != SB_U8 && b->dtype != SB_F32) sb_die("pictures of dtype %s", sb_dtype_name(b->dtype));
    if (b->matrix ? b->dtype != SB_U8 : b->height != size || b->width != size) {
        sb_die("%s pictures of %d x %d: the model takes %d x %d", sb_dtype_name(b->dtype), b->width, b->height, size,
               size);
    }
}

/* The ops read columns. */
static void upload_mix(struct sb_net *n, const struct sb_mix *mix, int count)
{
    struct sb_run *r = &n->run;
    size_t size = (size_t)count;
    int32_t *partner = sb_calloc(size, sizeof *partner), (*box)[4] = sb_calloc(size, sizeof *box);
    float *weight = sb_calloc(size, sizeof *weight);
    for (int i = 0; i < count; i++) {
        if (mix[i].partner < 0 || mix[i].partner >= count)
            sb_die("a picture mixed with number %d of %d", (int)mix[i].partner, count);
        partner[i] = mix[i].partner;
        weight[i] = mix[i].weight;
        memcpy(box[i], mix[i].box, sizeof *box);
    }
    r->ops->upload(r->dev, n->partner, partner, size * sizeof *partner);
    r->ops->upload(r->dev, n->mix_weight, weight, size * sizeof *weight);
    r->ops->upload(r->dev, n->box, box, size * sizeof *box);
    free(partner);
    free(box);
    free(weight);
}

/* Room for a whole batch of pictures of so many bytes each. */
static void take_pictures(struct sb_net *n, size_t one)
{
    struct sb_run *r = &n->run;
    r->ops->wait(r->dev); /* what is under way reads the smaller ones */
    n->pictures_size = (size_t)n->options.batch * one;
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) {
        if (n->pictures[i]) r->ops->release(r->dev, n->pictures[i]);
        n->pictures[i] = r->ops->alloc(r->dev, n->pictures_size);
        if (!n->pictures[i])
            sb_die("not enough memory: the pictures of %d records want twice %zu bytes", n->options.batch,
                   n->pictures_size);
    }
}

void sb_net_upload(struct sb_net *n, const struct sb_batch *b, bool train)
{
    check_batch(n, b);
    struct sb_run *r = &n->run;
    size_t count = (size_t)b->count, one = 3 * (size_t)b->height * (size_t)b->width * sb_dtype_size(b->dtype);
    if (count * one > n->pictures_size) take_pictures(n, one);
    n->input = (struct sb_net_input){.count = b->count,
                                     .height = b->height,
                                     .width = b->width,
                                     .dtype = b->dtype,
                                     .matrix = b->matrix != NULL,
                                     .colour = b->matrix && b->colour,
                                     .mix = train && b->mix};
    n->turn = (n->turn + 1) % SB_NET_UNDER_WAY;
    if (b->pictures)
        r->ops->prefetch(r->dev, n->pictures[n->turn], &b->pictures, 1, count * one);
    else
        r->ops->prefetch(r->dev, n->pictures[n->turn], b->each, count, one);
    if (b->matrix) r->ops->upload(r->dev, n->matrix, b->matrix, count * 6 * sizeof(float));
    if (n->input.colour) r->ops->upload(r->dev, n->colour, b->colour, count * 2 * sizeof(float));
    if (n->input.mix) upload_mix(n, b->mix, b->count);
}

/* Bytes to activations, warped on the way where there are matrices. */
static void normalise(struct sb_net *n, const struct sb_tensor *raw, const struct sb_tensor *y)
{
    struct sb_run *r = &n->run;
    const struct sb_net_input *in = &n->input;
    struct sb_tensor bytes = *raw, mean_std = {.dtype = SB_F32, .ndim = 2, .shape = {2, 3}, .data = n->mean_std};
    size_t mark = sb_run_mark(r);
    if (in->matrix) {
        struct sb_tensor matrix = {.dtype = SB_F32, .ndim = 2, .shape = {in->count, 6}, .data = n->matrix};
        struct sb_tensor colour = {.dtype = SB_F32, .ndim = 2, .shape = {in->count, 2}, .data = n->colour};
        bytes = sb_run_tensor(r, SB_U8, y->shape, y->ndim);
        r->ops->warp(r->dev, raw, &matrix, in->colour ? &colour : NULL, &bytes);
    }
    r->ops->normalize(r->dev, &bytes, &mean_std, y);
    sb_run_rewind(r, mark);
}

static void mix(struct sb_net *n, const struct sb_tensor *x, const struct sb_tensor *y)
{
    int64_t count = n->input.count;
    struct sb_tensor partner = {.dtype = SB_I32, .ndim = 1, .shape = {count}, .data = n->partner},
                     weight = {.dtype = SB_F32, .ndim = 1, .shape = {count}, .data = n->mix_weight},
                     box = {.dtype = SB_I32, .ndim = 2, .shape = {count, 4}, .data = n->box};
    n->run.ops->mix(n->run.dev, x, &partner, &weight, &box, y);
}

struct sb_tensor sb_net_pictures(struct sb_net *n)
{
    struct sb_run *r = &n->run;
    const struct sb_net_input *in = &n->input;
    int64_t size = sb_model_size(n->model);
    struct sb_tensor raw = {
        .dtype = in->dtype, .ndim = 4, .shape = {in->count, 3, in->height, in->width}, .data = n->pictures[n->turn]};
    if (in->dtype == r->act && !in->mix) return raw;
    struct sb_tensor y = SB_TAKE(r, r->act, in->count, 3, size, size);
    size_t mark = sb_run_mark(r);
    struct sb_tensor plain = in->mix ? SB_TAKE(r, r->act, in->count, 3, size, size) : y;
    if (in->dtype == SB_U8)
        normalise(n, &raw, &plain);
    else
        r->ops->cast(r->dev, &raw, &plain);
    if (in->mix) mix(n, &plain, &y);
    sb_run_rewind(r, mark);
    return y;
}

/* A probability, or a 0 to 1 for each class. */
static void soft_targets(struct sb_net *n, const struct sb_batch *b)
{
    int64_t classes = sb_model_classes(n->model), all = b->count * classes;
    if (!b->target || !classes) sb_die("the model needs a target for each class");
    for (int64_t i = 0; i < all; i++) {
        if (!(b->target[i] >= 0 && b->target[i] <= 1)) sb_die("a target of %g", (double)b->target[i]);
    }
    n->run.ops->upload(n->run.dev, n->soft, b->target, (size_t)all * sizeof(float));
}

static void label_targets(struct sb_net *n, const struct sb_batch *b, struct sb_net_flight *f)
{
    for (int i = 0; i < b->count; i++) {
        int32_t label = b->label[i];
        if (label >= sb_model_classes(n->model))
            sb_die("label %d: the model has %d classes", (int)label, sb_model_classes(n->model));
        f->target[i] = label;
        if (label < 0) continue;
        f->valid++;
        f->weight += n->options.class_weight ? (double)n->options.class_weight[label] : 1;
    }
}

/* The word at each place is to be told from those before it: inputs are all but the last, targets all but the first.
 * What stands behind the end is no target. */
static void word_targets(struct sb_net *n, const struct sb_batch *b, struct sb_net_flight *f)
{
    int64_t length = n->model->decoder.length;
    for (int64_t i = 0; i < b->count; i++) {
        const int32_t *caption = b->caption + i * length;
        bool ended = false;
        for (int64_t t = 0; t < length - 1; t++) {
            int32_t next = caption[t + 1];
            if (caption[t] < 0 || caption[t] >= n->model->decoder.words || next < 0 ||
                next >= n->model->decoder.words) {
                sb_die("word %d: the model has %d",
                       (int)(next < 0 || next >= n->model->decoder.words ? next : caption[t]), n->model->decoder.words);
            }
            n->host_ids[i * (length - 1) + t] = caption[t];
            f->target[i * (length - 1) + t] = ended ? -1 : next;
            f->valid += !ended;
            ended = ended || next == n->model->decoder.end;
        }
    }
    f->weight = (double)f->valid;
}

void sb_net_upload_targets(struct sb_net *n, const struct sb_batch *b, struct sb_net_flight *f)
{
    struct sb_run *r = &n->run;
    bool words = n->model->decoder.words;
    f->rows = sb_net_rows(n);
    f->valid = 0;
    f->weight = 0;
    n->input.soft = !words && (b->target || n->model->several);
    f->labelled = !n->input.soft;
    if (n->input.soft) {
        soft_targets(n, b);
        f->valid = b->count;
        f->weight = b->count;
        return;
    }
    if (words)
        word_targets(n, b, f);
    else
        label_targets(n, b, f);
    r->ops->upload(r->dev, n->target, f->target, (size_t)f->rows * sizeof(int32_t));
    if (words) r->ops->upload(r->dev, n->ids, n->host_ids, (size_t)f->rows * sizeof(int32_t));
}
