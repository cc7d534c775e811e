/* sb-classify: adds the most probable labels to records with tensors, and their embedding where asked. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/dictionary.h"
#include "base/err.h"
#include "base/output.h"
#include "nn/infer.h"
#include "nn/metrics.h"

static struct sb_infer_options infer = SB_INFER_DEFAULTS;
static const char *score;
static int64_t top = 5;
static double min_prob;
static bool embed;

static const struct sb_opt options[] = {
    {'k', "top", "K", SB_INT, &top, 0, "how many labels to give (default 5)", 1, 1000},
    {0, "min-prob", "P", SB_REAL, &min_prob, 0, "below this probability the label is \"unknown\"", 0, 1},
    {0, "embed", NULL, SB_FLAG, &embed, 0, "add the embedding", 0, 0},
    {0, "score", "FILE", SB_TEXT, &score, SB_OPT_UNRECORDED,
     "compare with the records' `label`: accuracy and F1 as JSON in FILE", 0, 0},
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

/* Sets `predicted`; returns the best class, -1 for unknown. */
static int set_predicted(struct sb_record *rec, const struct sb_model *m, const float *p, int *best, int k)
{
    struct sb_buffer bytes = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &bytes, sb_buffer_write);
    best_classes(p, sb_model_classes(m), k, best);
    bool unknown = p[best[0]] < min_prob;
    msgpack_pack_array(&pk, unknown ? 1 : (size_t)k);
    if (unknown)
        pack_guess(&pk, "unknown", p[best[0]]);
    else
        for (int i = 0; i < k; i++) pack_guess(&pk, m->labels.text[best[i]], p[best[i]]);
    sb_set_packed(rec, "predicted", bytes.data, bytes.size);
    free(bytes.data);
    return unknown ? -1 : best[0];
}

static void count_score(const struct sb_infer *n, struct sb_confusion *c, const struct sb_dictionary *labels,
                        const struct sb_record *rec, int predicted)
{
    const char *label;
    size_t size;
    int found = sb_get_text(rec, "label", &label, &size);
    if (found < 0) sb_filter_die(&n->filter, rec, "%s", sb_error_message());
    if (!found) return;
    int64_t truth = sb_dictionary_find(labels, label, size);
    if (truth < 0)
        sb_filter_die(&n->filter, rec, "unknown label '%.*s': it is none of the model's %d", (int)size, label,
                      sb_model_classes(&n->model));
    sb_confusion_add(c, (size_t)truth, predicted);
}

/* The file appears when the caller closes it. */
static FILE *write_score(const struct sb_confusion *c, const struct sb_model *m)
{
    if (!c->total) sb_die("--score: no record has a label");
    FILE *out = sb_output_stdio(score);
    sb_confusion_json(c, m->labels.text, out);
    if (!sb_quiet)
        fprintf(stderr, "sb-classify: top-1 %.4f, macro-F1 %.4f on %llu labelled records\n", sb_confusion_top1(c),
                sb_confusion_macro_f1(c), (unsigned long long)c->total);
    return out;
}

static void run(struct sb_infer *n, struct sb_confusion *c, const struct sb_dictionary *labels)
{
    const struct sb_model *m = &n->model;
    int k = top < sb_model_classes(m) ? (int)top : sb_model_classes(m), *best = sb_calloc((size_t)k, sizeof *best);
    float *p = sb_calloc((size_t)infer.batch, (size_t)sb_model_classes(m) * sizeof *p);
    float *e = embed ? sb_calloc((size_t)infer.batch, (size_t)sb_model_dim(m) * sizeof *e) : NULL;
    struct sb_record *rec;
    struct sb_batch b;
    for (int count; (count = sb_infer_next(n, &rec, &b));) {
        sb_net_classify(n->net, &b, NULL, p, e);
        for (int i = 0; i < count; i++) {
            n->filter.at = n->filter.counts.in - (uint64_t)(count - 1 - i);
            int predicted = set_predicted(&rec[i], m, p + (size_t)i * (size_t)sb_model_classes(m), best, k);
            if (score) count_score(n, c, labels, &rec[i], predicted);
            struct sb_tensor t = {.dtype = SB_F32,
                                  .ndim = 1,
                                  .shape = {sb_model_dim(m)},
                                  .data = e ? e + (size_t)i * (size_t)sb_model_dim(m) : NULL};
            if (embed) sb_set_tensor(&rec[i], "embedding", &t);
        }
        sb_infer_put(n, rec, count);
    }
    free(best);
    free(p);
    free(e);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_infer n;
    struct sb_confusion confusion = {0};
    struct sb_dictionary labels = {0};
    sb_opt_parse(&tool, argc, argv, &args);
    if (score) sb_output_try(score); /* not to find out at the stream's end */
    sb_infer_open(&n, &tool, &args, &infer);
    if (!sb_model_classes(&n.model)) sb_die("%s is not a classifier: it has no head", infer.model);
    for (size_t i = 0; i < n.model.labels.count; i++)
        sb_dictionary_add(&labels, n.model.labels.text[i], strlen(n.model.labels.text[i]));
    if (score) sb_confusion_init(&confusion, n.model.labels.count);
    run(&n, &confusion, &labels);
    FILE *scored = score ? write_score(&confusion, &n.model) : NULL;
    sb_confusion_free(&confusion);
    sb_dictionary_free(&labels);
    sb_infer_close(&n);
    if (scored) fclose(scored); /* it appears once the stream is whole */
    return 0;
}
