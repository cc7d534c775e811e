#include "learn/train.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "base/progress.h"
#include "base/rng.h"
#include "learn/train_state.h"
#include "learn/validate.h"
#include "weights/model_file.h"

struct trainer {
    struct sb_net *net;
    struct sb_model *model;
    struct sb_dataset *data;
    const struct sb_train_options *o;
    struct sb_feed feed;
    uint32_t *order;
    struct sb_train_state state;
    char *state_path;
    double started;
    /* of the epoch in progress */
    double loss, weight; /* sum of losses, and what it is a mean over */
    uint64_t step;       /* updates queued */
    /* Micro-batches: while one is computed the next is started, so that losses come one late. */
    uint64_t begun, taken;
    uint64_t done;               /* steps whose losses were taken */
    bool ends[SB_NET_UNDER_WAY]; /* the micro-batch under way is the last of its step */
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

static double steps_an_epoch(const struct trainer *t)
{
    return ceil((double)t->data->train.count / (double)t->o->batch);
}

/* The losses of the oldest micro-batch under way. */
static int take_loss(struct trainer *t)
{
    int epoch = t->state.epochs, epochs = (int)t->o->epochs;
    double weight, loss = sb_net_accumulate_finish(t->net, &weight), steps = steps_an_epoch(t);
    bool ends = t->ends[t->taken++ % SB_NET_UNDER_WAY];
    t->loss += loss;
    t->weight += weight;
    if (!isfinite(loss))
        return sb_error("the loss is no longer a number (epoch %d, step %llu): try a lower --lr", epoch + 1,
                        (unsigned long long)t->done + 1);
    if (!ends) return 0;
    t->done++;
    sb_progress(epoch * steps + (double)t->done, epochs * steps, "epoch %d of %d, loss %.4f", epoch + 1, epochs,
                t->weight > 0 ? t->loss / t->weight : 0);
    return 0;
}

/* A micro-batch; the last of a step updates the weights. */
static int train_one(void *arg, const struct sb_batch *b, bool last)
{
    struct trainer *t = arg;
    const struct sb_train_options *o = t->o;
    double steps = steps_an_epoch(t), at = t->state.epochs * steps + (double)t->step;
    sb_net_accumulate_start(t->net, b);
    t->ends[t->begun++ % SB_NET_UNDER_WAY] = last;
    if (last) {
        sb_net_update(t->net, sb_train_rate(o->lr, at, o->warmup * steps, (double)o->epochs * steps));
        t->step++;
    }
    return t->begun - t->taken == SB_NET_UNDER_WAY ? take_loss(t) : 0;
}

/* One pass over the training part. */
static int train_epoch(struct trainer *t)
{
    uint64_t epoch = (uint64_t)t->state.epochs;
    shuffle(t, epoch);
    t->loss = t->weight = 0;
    t->step = t->done = t->begun = t->taken = 0;
    struct sb_pass pass = {&t->data->train, t->order, true, epoch, train_one, t};
    int status = sb_feed_pass(&t->feed, &pass);
    while (!status && t->taken < t->begun) status = take_loss(t);
    for (double weight; t->taken < t->begun; t->taken++) sb_net_accumulate_finish(t->net, &weight);
    return status;
}

/* Whether the epoch that is just done is the last. */
static bool ends(const struct trainer *t)
{
    const struct sb_train_state *s = &t->state;
    return s->epochs >= t->o->epochs || (t->o->patience && s->epochs - s->best_epoch >= t->o->patience);
}

/* Notes the score of the epoch that is just done (val NULL: there is none), and keeps the weights if they are the best
 * so far, or the last. */
static int keep(struct trainer *t, const struct sb_score *val)
{
    struct sb_train_state *s = &t->state;
    /* Among equal shares of right answers the lower loss wins; a captioner goes by its loss. */
    double score = !val ? 0 : t->feed.tokenizer ? -val->loss : val->value - 1e-6 * fmin(val->loss, 100);
    bool better = val && (!s->best_epoch || score > s->best_score);
    if (better) {
        s->best_epoch = s->epochs;
        s->best_score = score;
    }
    if (t->o->keep_last || !val ? !ends(t) : !better) return 0;
    s->kept_epoch = s->epochs;
    sb_net_weights(t->net);
    return sb_model_save(t->model, t->o->output);
}

static int report(struct trainer *t, const struct sb_score *val, double seconds)
{
    static const char *const name[] = {
        [SB_TASK_LABEL] = "val_top1", [SB_TASK_LABELS] = "val_map", [SB_TASK_CAPTION] = "val_words_right"};
    FILE *f = t->o->metrics;
    if (!f) return 0;
    fprintf(f, "{\"epoch\": %d, \"train_loss\": %.6g, ", t->state.epochs, t->weight > 0 ? t->loss / t->weight : 0);
    if (val) fprintf(f, "\"val_loss\": %.6g, \"%s\": %.6g, ", val->loss, name[t->data->task], val->value);
    fprintf(f, "\"kept\": %s, \"seconds\": %.3f, \"images_per_second\": %.1f}\n",
            t->state.kept_epoch == t->state.epochs ? "true" : "false", sb_seconds() - t->started,
            (double)t->data->train.count / seconds);
    if (fflush(f)) return sb_error("metrics: %s", strerror(errno));
    return 0;
}

static int run_epoch(struct trainer *t)
{
    double begun = sb_seconds();
    struct sb_score val, *measured = t->data->val.count ? &val : NULL;
    if (train_epoch(t)) return -1;
    double seconds = sb_seconds() - begun;
    t->state.epochs++;
    if (t->o->averaged) sb_net_average(t->net, true);
    if (measured && sb_validate(t->net, &t->feed, &t->data->val, measured)) return -1;
    if (keep(t, measured)) return -1;
    if (t->o->averaged) sb_net_average(t->net, false);
    if (report(t, measured, seconds)) return -1;
    /* After the model's own file: killed between the two, the epoch is done again and writes the same model. */
    return t->o->resume ? sb_train_state_save(t->state_path, &t->state, t->net, t->model, t->o->averaged) : 0;
}

/* The best weights so far stand in the model's file alone. */
static int check_kept(const struct trainer *t)
{
    struct sb_weights w;
    const char *path = t->o->output;
    if (access(path, F_OK)) return sb_error("%s: missing, but %s goes on from it", path, t->state_path);
    if (sb_weights_open(&w, path)) return -1;
    const char *history = sb_weights_metadata(&w, "history");
    bool same = history && !strcmp(history, t->model->history);
    sb_weights_close(&w);
    return same ? 0 : sb_error("%s: of another run than %s, which goes on from it", path, t->state_path);
}

static int take_up(struct trainer *t)
{
    sb_output_sweep(t->state_path);
    sb_output_sweep(t->o->output);
    int found = sb_train_state_load(t->state_path, &t->state, t->net, t->model, t->o->averaged);
    if (found < 0) return sb_error("%s (remove it to begin anew)", sb_error_message());
    if (!found) return 0;
    if (t->state.kept_epoch && check_kept(t)) return -1;
    if (!sb_quiet) fprintf(stderr, "%s: %s: going on after epoch %d\n", sb_program, t->state_path, t->state.epochs);
    return 0;
}

static int run(struct trainer *t)
{
    if (t->data->train.count > UINT32_MAX) return sb_error("too many examples: %zu", t->data->train.count);
    if (t->o->patience && !t->data->val.count) return sb_error("--patience needs records to validate on");
    if (t->o->resume && take_up(t)) return -1;
    while (!t->state.epochs || !ends(t))
        if (run_epoch(t)) return -1;
    if (t->o->resume && unlink(t->state_path) && errno != ENOENT)
        return sb_error("%s: %s", t->state_path, strerror(errno));
    return 0;
}

int sb_train(struct sb_net *net, struct sb_model *m, struct sb_dataset *d, const struct sb_train_options *o)
{
    struct trainer t = {.net = net, .model = m, .data = d, .o = o, .started = sb_seconds()};
    t.feed = (struct sb_feed){
        .data = d,
        .tokenizer = m->decoder.words ? &m->tokenizer : NULL,
        .length = m->decoder.length,
        .batch = (int)o->batch,
        .micro = (int)o->micro,
        .jobs = (int)(o->jobs ? o->jobs : sb_cores()),
        .seed = (uint64_t)o->seed,
        .augment = sb_augment_any(&o->augment) ? &o->augment : NULL,
        .mixing = o->mixing,
        .smooth = (float)o->smooth,
    };
    t.order = sb_calloc(d->train.count, sizeof *t.order);
    t.state_path = sb_train_state_path(o->output);
    int status = run(&t);
    sb_progress_end();
    if (!status && !sb_quiet && t.state.epochs < o->epochs)
        fprintf(stderr, "%s: stopped after epoch %d of %d: the last %d were no better\n", sb_program, t.state.epochs,
                (int)o->epochs, (int)o->patience);
    if (!status && !sb_quiet)
        fprintf(stderr, "%s: kept the weights of epoch %d in %s\n", sb_program, t.state.kept_epoch, o->output);
    free(t.order);
    free(t.state_path);
    return status;
}
