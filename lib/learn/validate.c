#include "learn/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "learn/average_precision.h"

/* While a batch is computed the next is started. */
struct validation {
    struct sb_net *net;
    double loss;
    int64_t right, of;
    uint64_t started, taken; /* batches */
    /* of several labels */
    bool several;
    struct sb_ranking ranking;
    float *logits, *probability;
    float *target[SB_NET_UNDER_WAY]; /* a batch's own, while it is under way */
    int count[SB_NET_UNDER_WAY];
};

static void take_one_answer(struct validation *v)
{
    int64_t right = 0, of = 0;
    double mean = sb_net_evaluate_finish(v->net, &right, &of);
    v->loss += mean * (double)of; /* batches hold unlike numbers of words, and the last one fewer pictures */
    v->right += right;
    v->of += of;
}

/* Binary cross-entropy with a logit, as torch's BCEWithLogitsLoss. */
static double binary_loss(double logit, double target)
{
    return fmax(logit, 0) - logit * target + log1p(exp(-fabs(logit)));
}

static void take_several_answers(struct validation *v, const float *target, int count)
{
    size_t classes = v->ranking.classes;
    sb_net_classify_finish(v->net, v->logits, v->probability, NULL);
    for (size_t i = 0; i < (size_t)count; i++) {
        double sum = 0;
        for (size_t k = i * classes; k < (i + 1) * classes; k++)
            sum += binary_loss((double)v->logits[k], (double)target[k]);
        v->loss += sum / (double)classes;
        sb_ranking_add(&v->ranking, v->probability + i * classes, target + i * classes);
    }
    v->of += count;
}

static void take_answer(struct validation *v)
{
    uint64_t place = v->taken++ % SB_NET_UNDER_WAY;
    if (v->several)
        take_several_answers(v, v->target[place], v->count[place]);
    else
        take_one_answer(v);
}

static int ask(void *arg, const struct sb_batch *b, bool last)
{
    struct validation *v = arg;
    uint64_t place = v->started++ % SB_NET_UNDER_WAY;
    (void)last;
    if (v->several) {
        v->count[place] = b->count;
        memcpy(v->target[place], b->target, (size_t)b->count * v->ranking.classes * sizeof *b->target);
        sb_net_classify_start(v->net, b);
    } else {
        sb_net_evaluate_start(v->net, b);
    }
    if (v->started - v->taken == SB_NET_UNDER_WAY) take_answer(v);
    return 0;
}

static void take_memory(struct validation *v, size_t classes, size_t count)
{
    sb_ranking_init(&v->ranking, classes);
    v->logits = sb_calloc(count, classes * sizeof *v->logits);
    v->probability = sb_calloc(count, classes * sizeof *v->probability);
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) v->target[i] = sb_calloc(count, classes * sizeof(float));
}

int sb_validate(struct sb_net *net, const struct sb_feed *feed, const struct sb_part *part, struct sb_score *out)
{
    struct validation v = {.net = net, .several = feed->data->task == SB_TASK_LABELS};
    if (v.several) take_memory(&v, feed->data->target.count, (size_t)feed->micro);
    struct sb_pass pass = {.part = part, .each = ask, .arg = &v};
    int status = sb_feed_pass(feed, &pass);
    while (v.taken < v.started) take_answer(&v);
    double of = (double)(v.of > 0 ? v.of : 1);
    *out = (struct sb_score){v.loss / of, v.several ? sb_ranking_mean_precision(&v.ranking) : (double)v.right / of};
    if (!status && !isfinite(out->loss)) status = sb_error("the validation loss is not a number: try a lower --lr");
    sb_ranking_free(&v.ranking);
    free(v.logits);
    free(v.probability);
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) free(v.target[i]);
    return status;
}
