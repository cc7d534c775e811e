#include "learn/metrics.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct tally {
    uint64_t right, truth, predicted; /* true positives, records of the class, records taken for it */
};

void sb_confusion_init(struct sb_confusion *c, size_t classes)
{
    size_t cells;
    if (!sb_mul(classes, classes + 1, &cells)) sb_die("%zu classes are too many", classes);
    *c = (struct sb_confusion){.classes = classes, .count = sb_calloc(cells, sizeof *c->count)};
}

void sb_confusion_add(struct sb_confusion *c, size_t truth, int64_t predicted)
{
    size_t column = predicted < 0 ? c->classes : (size_t)predicted;
    c->count[truth * (c->classes + 1) + column]++;
    c->total++;
    c->right += column == truth;
}

static struct tally tally_of(const struct sb_confusion *c, size_t k)
{
    struct tally t = {.right = c->count[k * (c->classes + 1) + k]};
    for (size_t i = 0; i <= c->classes; i++) t.truth += c->count[k * (c->classes + 1) + i];
    for (size_t i = 0; i < c->classes; i++) t.predicted += c->count[i * (c->classes + 1) + k];
    return t;
}

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

static double f1_of(struct tally t) { return ratio(2.0 * (double)t.right, (double)(t.truth + t.predicted)); }

double sb_confusion_top1(const struct sb_confusion *c) { return ratio((double)c->right, (double)c->total); }

double sb_confusion_macro_f1(const struct sb_confusion *c)
{
    double sum = 0;
    size_t seen = 0;
    for (size_t k = 0; k < c->classes; k++) {
        struct tally t = tally_of(c, k);
        if (!t.truth && !t.predicted) continue;
        sum += f1_of(t);
        seen++;
    }
    return ratio(sum, (double)seen);
}

static json_t *class_json(const struct sb_confusion *c, const char *const *label, size_t k)
{
    struct tally t = tally_of(c, k);
    json_t *predicted = json_object();
    for (size_t i = 0; i <= c->classes; i++) {
        uint64_t n = c->count[k * (c->classes + 1) + i];
        if (n) json_object_set_new(predicted, i < c->classes ? label[i] : "unknown", json_integer((json_int_t)n));
    }
    return json_pack("{s:s, s:I, s:f, s:f, s:f, s:o}", "label", label[k], "records", (json_int_t)t.truth, "recall",
                     ratio((double)t.right, (double)t.truth), "precision", ratio((double)t.right, (double)t.predicted),
                     "f1", f1_of(t), "predicted", predicted);
}

void sb_confusion_json(const struct sb_confusion *c, const char *const *label, FILE *f)
{
    json_t *classes = json_array();
    for (size_t k = 0; k < c->classes; k++) json_array_append_new(classes, class_json(c, label, k));
    json_t *all = json_pack("{s:I, s:f, s:f, s:o}", "records", (json_int_t)c->total, "top1", sb_confusion_top1(c),
                            "macro_f1", sb_confusion_macro_f1(c), "classes", classes);
    if (!all) sb_die("a label is not UTF-8 text");
    json_dumpf(all, f, JSON_REAL_PRECISION(6));
    fputc('\n', f);
    json_decref(all);
}

void sb_confusion_free(struct sb_confusion *c)
{
    free(c->count);
    memset(c, 0, sizeof *c);
}
