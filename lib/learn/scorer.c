#include "learn/scorer.h"

#include <stdlib.h>
#include <string.h>

#include "base/labels.h"

void sb_scorer_init(struct sb_scorer *s, const struct sb_model *m, double threshold)
{
    *s = (struct sb_scorer){.model = m, .threshold = threshold};
    for (size_t i = 0; i < m->labels.count; i++)
        sb_dictionary_add(&s->labels, m->labels.text[i], strlen(m->labels.text[i]));
    if (m->several)
        sb_ranking_init(&s->ranking, m->labels.count);
    else
        sb_confusion_init(&s->confusion, m->labels.count);
    s->truth = sb_calloc(m->labels.count + 1, sizeof *s->truth);
}

static int64_t find(const struct sb_scorer *s, const char *label, size_t size)
{
    int64_t number = sb_dictionary_find(&s->labels, label, size);
    if (number < 0)
        sb_error("unknown label '%.*s': it is none of the model's %d", (int)(size < 300 ? size : 300), label,
                 sb_model_classes(s->model));
    return number;
}

static void mark(void *arg, const char *label, size_t size)
{
    struct sb_scorer *s = arg;
    int64_t number = s->failed ? -1 : find(s, label, size);
    if (number < 0)
        s->failed = true;
    else
        s->truth[number] = 1;
    s->marked = true;
}

static int add_several(struct sb_scorer *s, struct sb_record *rec, const float *probability)
{
    msgpack_object list;
    memset(s->truth, 0, s->ranking.classes * sizeof *s->truth);
    s->failed = s->marked = false;
    if (sb_labels_each(rec, mark, s) || s->failed) return -1;
    if (s->marked || sb_get_object(rec, "labels", &list) == 1) sb_ranking_add(&s->ranking, probability, s->truth);
    return 0;
}

int sb_scorer_add(struct sb_scorer *s, struct sb_record *rec, const float *probability, int predicted)
{
    const char *label;
    size_t size;
    if (s->model->several) return add_several(s, rec, probability);
    int found = sb_get_text(rec, "label", &label, &size);
    if (found != 1) return found;
    int64_t truth = find(s, label, size);
    if (truth < 0) return -1;
    sb_confusion_add(&s->confusion, (size_t)truth, predicted);
    return 0;
}

uint64_t sb_scorer_count(const struct sb_scorer *s)
{
    return s->model->several ? s->ranking.count : s->confusion.total;
}

void sb_scorer_write(const struct sb_scorer *s, FILE *f)
{
    const char *const *label = s->model->labels.text;
    unsigned long long count = sb_scorer_count(s);
    if (s->model->several) {
        sb_ranking_json(&s->ranking, label, s->threshold, f);
        if (!sb_quiet)
            fprintf(stderr, "%s: mean average precision %.4f, macro-F1 at %g %.4f on %llu labelled records\n",
                    sb_program, sb_ranking_mean_precision(&s->ranking), s->threshold,
                    sb_ranking_macro_f1(&s->ranking, s->threshold), count);
    } else {
        sb_confusion_json(&s->confusion, label, f);
        if (!sb_quiet)
            fprintf(stderr, "%s: top-1 %.4f, macro-F1 %.4f on %llu labelled records\n", sb_program,
                    sb_confusion_top1(&s->confusion), sb_confusion_macro_f1(&s->confusion), count);
    }
}

void sb_scorer_free(struct sb_scorer *s)
{
    sb_dictionary_free(&s->labels);
    sb_confusion_free(&s->confusion);
    sb_ranking_free(&s->ranking);
    free(s->truth);
}
