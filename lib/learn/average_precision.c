#include "learn/average_precision.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct guess {
    float probability;
    uint8_t truth;
};

struct tally {
    uint64_t right, truth, predicted; /* true positives, records of the class, records taken for it */
};

void sb_ranking_init(struct sb_ranking *r, size_t classes) { *r = (struct sb_ranking){.classes = classes}; }

void sb_ranking_add(struct sb_ranking *r, const float *probability, const float *truth)
{
    size_t at, end;
    if (!sb_mul(r->count, r->classes, &at) || __builtin_add_overflow(at, r->classes, &end))
        sb_die("%zu records of %zu classes are too many", r->count, r->classes);
    size_t cap = r->cap;
    SB_GROW(r->probability, cap, end);
    SB_GROW(r->truth, r->cap, end);
    memcpy(r->probability + at, probability, r->classes * sizeof *probability);
    for (size_t k = 0; k < r->classes; k++) r->truth[at + k] = truth[k] > 0.5f;
    r->count++;
}

static int by_probability(const void *a, const void *b)
{
    float x = ((const struct guess *)a)->probability, y = ((const struct guess *)b)->probability;
    return x < y ? 1 : x > y ? -1 : 0;
}

double sb_ranking_precision(const struct sb_ranking *r, size_t class)
{
    struct guess *g = sb_calloc(r->count + 1, sizeof *g);
    size_t all = 0, right = 0, before = 0;
    double sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        size_t at = i * r->classes + class;
        g[i] = (struct guess){r->probability[at], r->truth[at]};
        all += g[i].truth;
    }
    qsort(g, r->count, sizeof *g, by_probability);
    for (size_t i = 0; i < r->count; i++) {
        right += g[i].truth;
        if (i + 1 < r->count && g[i + 1].probability == g[i].probability) continue;
        sum += (double)(right - before) * (double)right / (double)(i + 1);
        before = right;
    }
    free(g);
    return all ? sum / (double)all : NAN;
}

double sb_ranking_mean_precision(const struct sb_ranking *r)
{
    double sum = 0;
    size_t seen = 0;
    for (size_t k = 0; k < r->classes; k++) {
        double p = sb_ranking_precision(r, k);
        if (isnan(p)) continue;
        sum += p;
        seen++;
    }
    return seen ? sum / (double)seen : 0;
}

static struct tally tally_of(const struct sb_ranking *r, size_t class, double threshold)
{
    struct tally t = {0};
    for (size_t i = 0; i < r->count; i++) {
        size_t at = i * r->classes + class;
        bool predicted = r->probability[at] >= (float)threshold;
        t.truth += r->truth[at];
        t.predicted += predicted;
        t.right += predicted && r->truth[at];
    }
    return t;
}

static double ratio(uint64_t a, uint64_t b) { return b ? (double)a / (double)b : 0; }

static double f1_of(struct tally t) { return ratio(2 * t.right, t.truth + t.predicted); }

double sb_ranking_macro_f1(const struct sb_ranking *r, double threshold)
{
    double sum = 0;
    size_t seen = 0;
    for (size_t k = 0; k < r->classes; k++) {
        struct tally t = tally_of(r, k, threshold);
        if (!t.truth && !t.predicted) continue;
        sum += f1_of(t);
        seen++;
    }
    return seen ? sum / (double)seen : 0;
}

void sb_ranking_json(const struct sb_ranking *r, const char *const *label, double threshold, FILE *f)
{
    json_t *classes = json_array();
    struct tally all = {0};
    for (size_t k = 0; k < r->classes; k++) {
        struct tally t = tally_of(r, k, threshold);
        double precision = sb_ranking_precision(r, k);
        all.right += t.right;
        all.truth += t.truth;
        all.predicted += t.predicted;
        json_array_append_new(
            classes, json_pack("{s:s, s:I, s:o, s:f, s:f, s:f}", "label", label[k], "records", (json_int_t)t.truth,
                               "average_precision", isnan(precision) ? json_null() : json_real(precision), "recall",
                               ratio(t.right, t.truth), "precision", ratio(t.right, t.predicted), "f1", f1_of(t)));
    }
    json_t *o = json_pack("{s:I, s:f, s:f, s:f, s:f, s:o}", "records", (json_int_t)r->count, "map",
                          sb_ranking_mean_precision(r), "threshold", threshold, "macro_f1",
                          sb_ranking_macro_f1(r, threshold), "micro_f1", f1_of(all), "classes", classes);
    if (!o) sb_die("a label is not UTF-8 text");
    json_dumpf(o, f, JSON_REAL_PRECISION(6));
    fputc('\n', f);
    json_decref(o);
}

void sb_ranking_free(struct sb_ranking *r)
{
    free(r->probability);
    free(r->truth);
    memset(r, 0, sizeof *r);
}
