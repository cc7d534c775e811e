#include "learn/validate.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "learn/average_precision.h"

struct validation {
    struct sb_net *net;
    double loss;
    int64_t right, of;
    struct sb_ranking ranking; /* of several labels */
    float *logits, *probability;
};

static int one_answer(void *arg, const struct sb_batch *b, bool last)
{
    struct validation *v = arg;
    int64_t right = 0, of = 0;
    (void)last;
    double mean = sb_net_evaluate(v->net, b, &right, &of);
    v->loss += mean * (double)of; /* batches hold unlike numbers of words, and the last one fewer pictures */
    v->right += right;
    v->of += of;
    return 0;
}

/* Binary cross-entropy with a logit, as torch's BCEWithLogitsLoss. */
static double binary_loss(double logit, double target)
{
    return fmax(logit, 0) - logit * target + log1p(exp(-fabs(logit)));
}

static int several_answers(void *arg, const struct sb_batch *b, bool last)
{
    struct validation *v = arg;
    size_t classes = v->ranking.classes;
    (void)last;
    sb_net_classify(v->net, b, v->logits, v->probability, NULL);
    for (size_t i = 0; i < (size_t)b->count; i++) {
        double sum = 0;
        for (size_t k = i * classes; k < (i + 1) * classes; k++)
            sum += binary_loss((double)v->logits[k], (double)b->target[k]);
        v->loss += sum / (double)classes;
        sb_ranking_add(&v->ranking, v->probability + i * classes, b->target + i * classes);
    }
    v->of += b->count;
    return 0;
}

int sb_validate(struct sb_net *net, const struct sb_feed *feed, const struct sb_part *part, struct sb_score *out)
{
    struct validation v = {.net = net};
    bool several = feed->data->task == SB_TASK_LABELS;
    if (several) {
        size_t classes = feed->data->target.count;
        sb_ranking_init(&v.ranking, classes);
        v.logits = sb_calloc((size_t)feed->micro, classes * sizeof *v.logits);
        v.probability = sb_calloc((size_t)feed->micro, classes * sizeof *v.probability);
    }
    struct sb_pass pass = {.part = part, .each = several ? several_answers : one_answer, .arg = &v};
    int status = sb_feed_pass(feed, &pass);
    double of = (double)(v.of > 0 ? v.of : 1);
    *out = (struct sb_score){v.loss / of, several ? sb_ranking_mean_precision(&v.ranking) : (double)v.right / of};
    if (!status && !isfinite(out->loss)) status = sb_error("the validation loss is not a number: try a lower --lr");
    sb_ranking_free(&v.ranking);
    free(v.logits);
    free(v.probability);
    return status;
}
