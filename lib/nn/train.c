#include "nn/train.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/rng.h"

struct trainer {
    struct sb_net *net;
    struct sb_model *model;
    struct sb_dataset *data;
    const struct sb_train_options *o;
    struct sb_feed feed;
    uint32_t *order;
    double started;
    int kept_epoch;
    double kept_score; /* higher is better */
};

struct score {
    double loss, right; /* means; right: share of labels or words */
};

double sb_train_rate(double lr, double step, double warm, double steps)
{
    if (step < warm) return lr * (step + 1) / (warm + 1);
    return lr * 0.5 * (1 + cos(M_PI * (step - warm) / fmax(steps - warm, 1)));
}

static void shuffle(struct trainer *t, uint64_t epoch)
{
    struct sb_rng r;
    sb_rng_init(&r, (uint64_t)t->o->seed, epoch);
    for (uint32_t i = 0; i < t->data->train.count; i++) t->order[i] = i;
    sb_rng_shuffle(&r, t->order, (uint32_t)t->data->train.count);
}

/* One pass over the training part; the mean loss in *loss. */
static int train_epoch(struct trainer *t, int epoch, double *loss)
{
    const struct sb_train_options *o = t->o;
    size_t count = t->data->train.count;
    double steps = ceil((double)count / (double)o->batch), sum = 0;
    shuffle(t, (uint64_t)epoch);
    for (size_t at = 0, step = 0; at < count; at += (size_t)o->batch, step++) {
        struct sb_batch b;
        int n = count - at < (size_t)o->batch ? (int)(count - at) : (int)o->batch;
        if (sb_feed_batch(&t->feed, &t->data->train, t->order, at, n, o->augmented ? &o->augment : NULL,
                          (uint64_t)epoch, &b))
            return -1;
        double lr = sb_train_rate(o->lr, epoch * steps + (double)step, o->warmup * steps, (double)o->epochs * steps);
        double l = sb_net_step(t->net, &b, lr);
        if (!isfinite(l))
            return sb_error("the loss is no longer a number (epoch %d, step %zu): try a lower --lr", epoch + 1,
                            step + 1);
        sum += l * n;
        sb_progress(epoch * steps + (double)step + 1, (double)o->epochs * steps, "epoch %d of %d, loss %.4f", epoch + 1,
                    (int)o->epochs, sum / (double)(at + (size_t)n));
    }
    *loss = sum / (double)count;
    return 0;
}

static int validate(struct trainer *t, struct score *s)
{
    const struct sb_part *part = &t->data->val;
    double loss = 0;
    int64_t right = 0, of = 0;
    for (size_t at = 0; at < part->count; at += (size_t)t->o->batch) {
        struct sb_batch b;
        int n = part->count - at < (size_t)t->o->batch ? (int)(part->count - at) : (int)t->o->batch;
        int64_t batch_right = 0, batch_of = 0;
        if (sb_feed_batch(&t->feed, part, NULL, at, n, NULL, 0, &b)) return -1;
        double mean = sb_net_evaluate(t->net, &b, &batch_right, &batch_of);
        loss += mean * (double)batch_of; /* batches hold unlike numbers of words, and the last one fewer pictures */
        right += batch_right;
        of += batch_of;
    }
    s->loss = of ? loss / (double)of : 0;
    s->right = of ? (double)right / (double)of : 0;
    return 0;
}

/* Keeps the weights if they are the best so far, or the last. */
static int keep(struct trainer *t, int epoch, const struct score *val)
{
    bool last = epoch + 1 == t->o->epochs, blind = t->o->keep_last || !val;
    /* Among equal shares of right answers the lower loss wins; a captioner goes by its loss. */
    double score = blind ? 0 : t->feed.tokenizer ? -val->loss : val->right - 1e-6 * fmin(val->loss, 100);
    if (blind ? !last : t->kept_epoch && score <= t->kept_score) return 0;
    t->kept_epoch = epoch + 1;
    t->kept_score = score;
    sb_net_weights(t->net);
    return sb_model_save(t->model, t->o->output);
}

static int report(struct trainer *t, int epoch, double train_loss, const struct score *val, double seconds)
{
    FILE *f = t->o->metrics;
    if (!f) return 0;
    fprintf(f, "{\"epoch\": %d, \"train_loss\": %.6g, ", epoch + 1, train_loss);
    if (val)
        fprintf(f, "\"val_loss\": %.6g, \"%s\": %.6g, ", val->loss, t->feed.tokenizer ? "val_words_right" : "val_top1",
                val->right);
    fprintf(f, "\"kept\": %s, \"seconds\": %.3f, \"images_per_second\": %.1f}\n",
            t->kept_epoch == epoch + 1 ? "true" : "false", sb_seconds() - t->started,
            (double)t->data->train.count / seconds);
    if (fflush(f)) return sb_error("metrics: %s", strerror(errno));
    return 0;
}

static int run(struct trainer *t)
{
    for (int epoch = 0; epoch < t->o->epochs; epoch++) {
        double begun = sb_seconds(), loss = 0;
        struct score val, *measured = t->data->val.count ? &val : NULL;
        if (train_epoch(t, epoch, &loss)) return -1;
        double seconds = sb_seconds() - begun;
        if (measured && validate(t, measured)) return -1;
        if (keep(t, epoch, measured)) return -1;
        if (report(t, epoch, loss, measured, seconds)) return -1;
    }
    return 0;
}

int sb_train(struct sb_net *net, struct sb_model *m, struct sb_dataset *d, const struct sb_train_options *o)
{
    struct trainer t = {.net = net, .model = m, .data = d, .o = o, .started = sb_seconds()};
    if (d->train.count > UINT32_MAX) return sb_error("too many examples: %zu", d->train.count);
    sb_feed_init(&t.feed, d, (int)o->batch, m->decoder.words ? &m->tokenizer : NULL, m->decoder.length, (uint64_t)o->seed);
    t.order = sb_calloc(d->train.count, sizeof *t.order);
    int status = run(&t);
    sb_progress_end();
    if (!status && !sb_quiet)
        fprintf(stderr, "%s: kept the weights of epoch %d in %s\n", sb_program, t.kept_epoch, o->output);
    free(t.order);
    sb_feed_free(&t.feed);
    return status;
}
