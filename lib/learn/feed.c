#include "learn/feed.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/pipeline.h"

/* A micro-batch on its way: host memory, filled while another one is computed. */
struct load {
    uint64_t step;
    size_t first; /* of the pass */
    int count;
    bool last;     /* of its step */
    char *failure; /* what went wrong while it was read */
    struct sb_record record;
    uint8_t *pictures;
    float *matrix, *colour, *target;
    int32_t *label, *caption;
    struct sb_mix *mix;
    float share; /* of a picture in its mixture */
};

struct course {
    const struct sb_feed *feed;
    const struct sb_pass *pass;
    size_t at; /* examples handed out */
    atomic_bool failed;
};

static const struct sb_example *example_of(const struct course *c, const struct load *l, int i)
{
    size_t at = l->first + (size_t)i;
    return &c->pass->part->example[c->pass->order ? c->pass->order[at] : at];
}

static bool mixes(const struct course *c)
{
    return c->pass->train && (c->feed->mixing.mixup > 0 || c->feed->mixing.cutmix > 0);
}

static size_t picture_bytes(const struct sb_dataset *d)
{
    return 3 * (size_t)d->size * (size_t)d->size * sb_dtype_size(d->dtype);
}

static void take_memory(const struct course *c, struct load *l)
{
    const struct sb_feed *f = c->feed;
    size_t count = (size_t)f->micro, bytes, classes = f->data->target.count;
    if (!sb_mul(picture_bytes(f->data), count, &bytes)) sb_die("a batch of %d is too large", f->micro);
    l->pictures = sb_aligned(64, bytes);
    l->matrix = sb_calloc(count, 6 * sizeof *l->matrix);
    l->colour = sb_calloc(count, 2 * sizeof *l->colour);
    l->label = sb_calloc(count, sizeof *l->label);
    l->mix = sb_calloc(count, sizeof *l->mix);
    if (f->tokenizer) l->caption = sb_calloc(count, (size_t)f->length * sizeof *l->caption);
    if (f->data->task == SB_TASK_LABELS || mixes(c)) l->target = sb_calloc(count, classes * sizeof *l->target);
}

/* The next micro-batch: it never reaches beyond its step. */
static bool produce(void *arg, void *item)
{
    struct course *c = arg;
    struct load *l = item;
    size_t batch = (size_t)c->feed->batch, left = c->pass->part->count - c->at, step = batch - c->at % batch;
    if (!left || c->failed) return false;
    if (step > left) step = left;
    size_t count = step < (size_t)c->feed->micro ? step : (size_t)c->feed->micro;
    l->step = c->at / batch;
    l->first = c->at;
    l->count = (int)count;
    l->last = count == step;
    c->at += count;
    return true;
}

static int read_picture(const struct course *c, struct load *l, int i)
{
    struct sb_dataset *d = c->feed->data;
    const struct sb_example *e = example_of(c, l, i);
    size_t bytes = picture_bytes(d);
    struct sb_tensor t;
    if (sb_spool_get(d->spool, e->record, &l->record)) return -1;
    if (sb_get_tensor(&l->record, "tensor", &t) != 1 || sb_tensor_bytes(&t) != bytes)
        return sb_error("record %llu changed while it was read", (unsigned long long)e->record + 1);
    memcpy(l->pictures + (size_t)i * bytes, t.data, bytes);
    if (c->pass->train && c->feed->augment)
        sb_augment_draw(c->feed->augment, c->feed->seed, c->pass->epoch, e->record, d->size, l->matrix + 6 * i,
                        l->colour + 2 * i);
    return 0;
}

static void add_target(const struct sb_dataset *d, const struct sb_example *e, float share, float *target)
{
    for (uint32_t k = 0; k < e->count; k++) target[d->number[e->first + k]] += share;
}

/* A row of classes: those of one picture, or of the two that it is a mixture of. */
static void fill_target(const struct course *c, struct load *l, int i)
{
    const struct sb_feed *f = c->feed;
    size_t classes = f->data->target.count;
    float *row = l->target + (size_t)i * classes;
    int partner = mixes(c) ? l->mix[i].partner : i;
    float share = partner == i ? 1 : l->share;
    memset(row, 0, classes * sizeof *row);
    add_target(f->data, example_of(c, l, i), share, row);
    if (partner != i) add_target(f->data, example_of(c, l, partner), 1 - share, row);
    if (f->data->task != SB_TASK_LABELS || !c->pass->train) return;
    for (size_t k = 0; k < classes; k++) row[k] += f->smooth * (0.5f - row[k]);
}

static void fill_mix(const struct course *c, struct load *l)
{
    const struct sb_feed *f = c->feed;
    struct sb_mixing_draw draw = sb_mixing_draw(&f->mixing, f->seed, c->pass->epoch, l->step, f->data->size);
    l->share = draw.share;
    for (int i = 0; i < l->count; i++) {
        l->mix[i] = draw.mix;
        l->mix[i].partner = sb_mixing_partner(i, l->count);
    }
}

static void fill(void *arg, void *item)
{
    const struct course *c = arg;
    struct load *l = item;
    const struct sb_feed *f = c->feed;
    if (!l->pictures) take_memory(c, l);
    if (mixes(c)) fill_mix(c, l);
    for (int i = 0; i < l->count && !l->failure; i++) {
        if (read_picture(c, l, i)) l->failure = sb_strdup(sb_error_message());
        int32_t number = f->data->task == SB_TASK_LABELS ? 0 : sb_example_target(f->data, example_of(c, l, i));
        if (f->tokenizer)
            sb_tokenizer_encode(f->tokenizer, f->data->target.text[number], l->caption + (size_t)i * (size_t)f->length,
                                f->length);
        else
            l->label[i] = number;
        if (l->target) fill_target(c, l, i);
    }
}

static void consume(void *arg, void *item)
{
    struct course *c = arg;
    struct load *l = item;
    const struct sb_feed *f = c->feed;
    if (c->failed) return;
    if (l->failure) {
        c->failed = true;
        sb_error("%s", l->failure);
        return;
    }
    bool augmented = c->pass->train && f->augment;
    struct sb_batch b = {
        .count = l->count,
        .dtype = f->data->dtype,
        .pictures = l->pictures,
        .height = f->data->size,
        .width = f->data->size,
        .matrix = augmented ? l->matrix : NULL,
        .colour = augmented && f->augment->colour > 0 ? l->colour : NULL,
        .mix = mixes(c) ? l->mix : NULL,
        .label = f->tokenizer || l->target ? NULL : l->label,
        .target = l->target,
        .caption = l->caption,
    };
    if (c->pass->each(c->pass->arg, &b, l->last)) c->failed = true;
}

static void release(void *arg, void *item)
{
    struct load *l = item;
    (void)arg;
    sb_record_free(&l->record);
    free(l->failure);
    free(l->pictures);
    free(l->matrix);
    free(l->colour);
    free(l->target);
    free(l->label);
    free(l->caption);
    free(l->mix);
}

int sb_feed_pass(const struct sb_feed *f, const struct sb_pass *p)
{
    struct course c = {.feed = f, .pass = p};
    sb_pipeline_run(&(struct sb_pipeline){
        .jobs = f->jobs > 1 ? 2 : 1,
        .depth = 3,
        .item_size = sizeof(struct load),
        .produce = produce,
        .work = fill,
        .consume = consume,
        .release = release,
        .arg = &c,
    });
    return c.failed ? -1 : 0;
}
