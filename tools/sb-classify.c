/* sb-classify: adds the most probable labels to records with tensors, and their embedding where asked. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/output.h"
#include "learn/infer.h"
#include "learn/scorer.h"

static struct sb_infer_options infer = SB_INFER_DEFAULTS;
static const char *score;
static int64_t top = 5;
static double min_prob = -1; /* not given */
static bool embed;

static const struct sb_opt options[] = {
    {'k', "top", "K", SB_INT, &top, 0, "how many labels to give (default 5)", 1, 1000},
    {0, "min-prob", "P", SB_REAL, &min_prob, 0,
     "below this probability the label is \"unknown\"; one of several labels is left out (default 0.5 for those)", 0,
     1},
    {0, "embed", NULL, SB_FLAG, &embed, 0, "add the embedding", 0, 0},
    {0, "score", "FILE", SB_TEXT, &score, SB_OPT_UNRECORDED,
     "compare with the records' labels: accuracy, F1, average precision as JSON in FILE", 0, 0},
    SB_INFER_FOREIGN(&infer),
    SB_INFER_OPTIONS(&infer),
};

static const struct sb_tool tool = {
    .name = "sb-classify",
    .usage = "-m MODEL [FILE]",
    .summary = "Adds the field predicted, a list of labels and probabilities, to each record that has a tensor.",
    .opts = options,
    .reads_stdin = true,
};

/* The k most probable classes, best first; equal ones in the model's order. */
static void best_classes(const float *p, int classes, int k, int *best)
{
    for (int i = 0; i < k; i++) best[i] = -1;
    for (int c = 0; c < classes; c++) {
        int at = k;
        while (at > 0 && (best[at - 1] < 0 || p[c] > p[best[at - 1]])) at--;
        if (at == k) continue;
        memmove(best + at + 1, best + at, (size_t)(k - 1 - at) * sizeof *best);
        best[at] = c;
    }
}

static void pack_guess(msgpack_packer *pk, const char *label, float p)
{
    msgpack_pack_array(pk, 2);
    msgpack_pack_str_with_body(pk, label, strlen(label));
    msgpack_pack_float(pk, p);
}

/* How many of the best classes are told. */
static int told(const struct sb_model *m, const float *p, const int *best, int k)
{
    if (!m->several) return p[best[0]] < (float)min_prob ? 0 : k;
    int n = 0;
    while (n < k && p[best[n]] >= (float)min_prob) n++;
    return n;
}

/* Sets `predicted`; returns the best class, -1 for unknown. */
static int set_predicted(struct sb_record *rec, const struct sb_model *m, const float *p, int *best, int k)
{
    struct sb_buffer bytes = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &bytes, sb_buffer_write);
    best_classes(p, sb_model_classes(m), k, best);
    int n = told(m, p, best, k);
    bool unknown = !n && !m->several; /* of several labels there may be none */
    msgpack_pack_array(&pk, unknown ? 1 : (size_t)n);
    if (unknown) pack_guess(&pk, "unknown", p[best[0]]);
    for (int i = 0; i < n; i++) pack_guess(&pk, m->labels.text[best[i]], p[best[i]]);
    sb_set_packed(rec, "predicted", bytes.data, bytes.size);
    free(bytes.data);
    return n ? best[0] : -1;
}

/* A model without a head gives embeddings alone. */
struct work {
    struct sb_infer *infer;
    struct sb_scorer *scorer;
    int k, *best;
    float *probability, *embedding; /* of a batch; NULL: not wanted */
};

static void start(void *arg, const struct sb_batch *b, int place)
{
    struct work *w = arg;
    (void)place;
    sb_net_classify_start(w->infer->net, b);
}

static void finish(void *arg, struct sb_record *rec, int count, int place)
{
    struct work *w = arg;
    struct sb_infer *n = w->infer;
    int classes = sb_model_classes(&n->model), dim = sb_model_dim(&n->model);
    (void)place;
    sb_net_classify_finish(n->net, NULL, w->probability, w->embedding);
    for (int i = 0; i < count; i++) {
        const float *p = w->probability ? w->probability + (size_t)i * (size_t)classes : NULL;
        int predicted = p ? set_predicted(&rec[i], &n->model, p, w->best, w->k) : -1;
        if (score && sb_scorer_add(w->scorer, &rec[i], p, predicted)) {
            struct sb_filter here = {.in = n->filter.in, .at = n->filter.counts.out + (uint64_t)i + 1};
            sb_filter_die(&here, &rec[i], "%s", sb_error_message());
        }
        if (!embed) continue;
        struct sb_tensor t = {.dtype = SB_F32, .ndim = 1, .shape = {dim}};
        t.data = w->embedding + (size_t)i * (size_t)dim;
        sb_set_tensor(&rec[i], "embedding", &t);
    }
}

static void run(struct sb_infer *n, struct sb_scorer *scorer)
{
    size_t classes = (size_t)sb_model_classes(&n->model), dim = (size_t)sb_model_dim(&n->model),
           batch = (size_t)infer.batch;
    struct work w = {.infer = n, .scorer = scorer, .k = (size_t)top < classes ? (int)top : (int)classes};
    w.best = sb_calloc((size_t)w.k, sizeof *w.best);
    if (classes) w.probability = sb_calloc(batch, classes * sizeof *w.probability);
    if (embed) w.embedding = sb_calloc(batch, dim * sizeof *w.embedding);
    sb_infer_run(n, &(struct sb_infer_work){start, finish, &w});
    free(w.best);
    free(w.probability);
    free(w.embedding);
}

/* The file appears when the caller closes it. */
static FILE *write_score(const struct sb_scorer *scorer)
{
    if (!sb_scorer_count(scorer)) sb_die("--score: no record has a label");
    FILE *out = sb_output_stdio(score);
    sb_scorer_write(scorer, out);
    return out;
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_infer n;
    struct sb_scorer scorer;
    sb_opt_parse(&tool, argc, argv, &args);
    if (score) sb_output_try(score); /* not to find out at the stream's end */
    infer.embeds = embed && !score;
    sb_infer_open(&n, &tool, &args, &infer);
    if (!sb_model_classes(&n.model) && (!embed || score))
        sb_die("%s has no head to classify with: it gives embeddings alone, with --embed%s", infer.model,
               score ? " and without --score" : "");
    if (min_prob < 0 && n.model.several) min_prob = 0.5;
    sb_scorer_init(&scorer, &n.model, min_prob);
    if (score && scorer.labels.count < n.model.labels.count)
        sb_die("--score: classes of %s have the same name: give --labels FILE", infer.model);
    run(&n, &scorer);
    FILE *scored = score ? write_score(&scorer) : NULL;
    sb_scorer_free(&scorer);
    sb_infer_close(&n);
    if (scored) fclose(scored); /* it appears once the stream is whole */
    return 0;
}
