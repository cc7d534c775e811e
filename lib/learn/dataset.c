#include "learn/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/labels.h"

struct gather {
    struct sb_dataset *d;
    const struct sb_dataset_options *o;
    bool failed; /* the message is recorded */
};

/* Every tensor has the shape and dtype of the first. */
static int check_tensor(struct sb_dataset *d, struct sb_record *rec)
{
    struct sb_tensor t;
    int found = sb_get_tensor(rec, "tensor", &t);
    if (found < 0) return -1;
    if (!found) return sb_error("no field 'tensor' (sb-tensorize makes it)");
    if (t.ndim != 3 || t.shape[0] != 3 || t.shape[1] != t.shape[2] || t.shape[1] < 1 || t.shape[1] > 4096 ||
        (t.dtype != SB_U8 && t.dtype != SB_F32)) {
        char text[96];
        return sb_error("tensor is %s, not u8 or f32 [3,S,S]", sb_tensor_text(&t, text, sizeof text));
    }
    if (!d->size) {
        d->size = (int)t.shape[1];
        d->dtype = t.dtype;
    }
    if (t.shape[1] != d->size || t.dtype != d->dtype)
        return sb_error("tensor of another size or type than those before it");
    return 0;
}

/* The part that the record belongs to, NULL if to neither. */
static int find_part(struct gather *g, const struct sb_record *rec, struct sb_part **part)
{
    const char *name;
    size_t size;
    int found = sb_get_text(rec, "split", &name, &size);
    if (found < 0) return -1;
    bool train = !found || (size == strlen(g->o->train) && !memcmp(name, g->o->train, size));
    bool val = found && size == strlen(g->o->val) && !memcmp(name, g->o->val, size);
    *part = train ? &g->d->train : val ? &g->d->val : NULL;
    return 0;
}

/* One more target of the example that is being gathered. */
static void add_target(void *arg, const char *text, size_t size)
{
    struct gather *g = arg;
    struct sb_dataset *d = g->d;
    if (g->o->labels && sb_dictionary_find(&d->target, text, size) < 0 && !g->failed) {
        sb_error("unknown label '%.*s'", (int)(size < 300 ? size : 300), text);
        g->failed = true;
    }
    SB_GROW(d->number, d->numbers_cap, d->numbers + 1);
    d->number[d->numbers++] = (int32_t)sb_dictionary_add(&d->target, text, size);
}

/* The record's targets: 1 it is an example, 0 it is not, and why, -1 with a message. */
static int gather_targets(struct gather *g, struct sb_record *rec, const char **why)
{
    const char *text;
    size_t size, before = g->d->numbers;
    msgpack_object list;
    if (g->o->task == SB_TASK_LABELS) {
        *why = "without labels";
        if (sb_labels_each(rec, add_target, g)) return -1;
        bool said = sb_get_object(rec, "labels", &list) == 1; /* an empty list says that there is none */
        return g->failed ? -1 : said || g->d->numbers > before;
    }
    bool captions = g->o->task == SB_TASK_CAPTION;
    *why = captions ? "without a caption" : "without a label";
    int found = sb_get_text(rec, captions ? "caption" : "label", &text, &size);
    if (found == 1) add_target(g, text, size);
    return g->failed ? -1 : found;
}

static int gather_one(struct gather *g, uint64_t index, struct sb_record *rec)
{
    struct sb_dataset *d = g->d;
    struct sb_part *part;
    const char *why = "of another part";
    size_t first = d->numbers;
    d->counts.in++;
    if (find_part(g, rec, &part)) return -1;
    int found = part ? gather_targets(g, rec, &why) : 0;
    if (found < 0) return -1;
    if (!found) {
        sb_counts_skip(&d->counts, why);
        return 0;
    }
    if (check_tensor(d, rec)) return -1;
    msgpack_object box;
    if (part == &d->train && sb_get_object(rec, "box", &box) != 1) d->crops = false;
    if (d->numbers > UINT32_MAX) return sb_error("too many labels: %zu", d->numbers);
    SB_GROW(part->example, part->cap, part->count + 1);
    part->example[part->count++] = (struct sb_example){index, (uint32_t)first, (uint32_t)(d->numbers - first)};
    d->counts.out++;
    return 0;
}

static void gather_each(void *arg, uint64_t index, struct sb_record *rec)
{
    struct gather *g = arg;
    if (g->failed || !gather_one(g, index, rec)) return;
    sb_error("record %llu: %s", (unsigned long long)index + 1, sb_error_message());
    g->failed = true;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Classes are numbered in alphabetical order, whatever the order of the records. */
static void sort_targets(struct sb_dataset *d)
{
    struct sb_dictionary sorted = {0};
    char **text = sb_calloc(d->target.count + 1, sizeof *text);
    memcpy(text, d->target.text, d->target.count * sizeof *text);
    qsort(text, d->target.count, sizeof *text, by_text);
    for (size_t i = 0; i < d->target.count; i++) sb_dictionary_add(&sorted, text[i], strlen(text[i]));
    for (size_t i = 0; i < d->numbers; i++) {
        const char *name = d->target.text[d->number[i]];
        d->number[i] = (int32_t)sb_dictionary_find(&sorted, name, strlen(name));
    }
    free(text);
    sb_dictionary_free(&d->target);
    d->target = sorted;
}

static int read_preprocess(struct sb_dataset *d)
{
    struct sb_record header = {0};
    bool applied = false;
    sb_record_copy(&header, sb_spool_header(d->spool));
    int found = sb_preprocess_from_header(&d->preprocess, &applied, &header);
    sb_record_free(&header);
    if (found < 0) return -1;
    if (!found) {
        sb_preprocess_default(&d->preprocess, d->size);
        sb_warn("the stream does not say how its tensors were made; taking crop 1, mean and deviation 0.5");
    }
    if (found && applied != (d->dtype == SB_F32))
        return sb_error("the stream's header says that mean and deviation were %s, but its tensors are %s",
                        applied ? "applied" : "not applied", sb_dtype_name(d->dtype));
    if (d->preprocess.size != d->size) /* a model of both would not open again */
        return sb_error("the stream's header says that tensors are of %d pixels, but they are of %d",
                        d->preprocess.size, d->size);
    return 0;
}

/* What follows from all of the records. */
static int settle(struct sb_dataset *d, const struct sb_dataset_options *o)
{
    static const char *const field[] = {
        [SB_TASK_LABEL] = "label", [SB_TASK_LABELS] = "labels or label", [SB_TASK_CAPTION] = "caption"};
    if (!d->train.count)
        return sb_error("nothing to train on: none of %llu records is of part '%s' and has the field %s",
                        (unsigned long long)d->counts.in, o->train, field[o->task]);
    if (!d->target.count) return sb_error("no record has a label");
    if (o->task != SB_TASK_CAPTION && !o->labels) sort_targets(d);
    return read_preprocess(d);
}

int sb_dataset_open(struct sb_dataset *d, const char *path, const struct sb_dataset_options *o)
{
    *d = (struct sb_dataset){.task = o->task, .crops = true};
    if (o->labels)
        for (size_t i = 0; i < o->labels->count; i++)
            sb_dictionary_add(&d->target, o->labels->text[i], strlen(o->labels->text[i]));
    struct gather g = {d, o, false};
    d->spool = sb_spool_open(path, gather_each, &g);
    if (!d->spool) return -1;
    if (!g.failed && !settle(d, o)) return 0;
    return sb_error("%s: %s", sb_spool_name(d->spool), sb_error_message());
}

void sb_dataset_close(struct sb_dataset *d)
{
    if (d->spool) sb_spool_close(d->spool);
    free(d->train.example);
    free(d->val.example);
    free(d->number);
    sb_dictionary_free(&d->target);
    memset(d, 0, sizeof *d);
}
