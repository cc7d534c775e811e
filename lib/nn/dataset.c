#include "nn/dataset.h"

#include <stdlib.h>
#include <string.h>

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

static int gather_one(struct gather *g, uint64_t index, struct sb_record *rec)
{
    struct sb_dataset *d = g->d;
    struct sb_part *part;
    d->counts.in++;
    if (find_part(g, rec, &part)) return -1;
    if (!part) {
        sb_counts_skip(&d->counts, "of another part");
        return 0;
    }
    const char *text;
    size_t size;
    int found = sb_get_text(rec, g->o->captions ? "caption" : "label", &text, &size);
    if (found < 0) return -1;
    if (!found) {
        sb_counts_skip(&d->counts, g->o->captions ? "without a caption" : "without a label");
        return 0;
    }
    if (check_tensor(d, rec)) return -1;
    if (g->o->labels && sb_dictionary_find(&d->target, text, size) < 0)
        return sb_error("unknown label '%.*s'", (int)(size < 300 ? size : 300), text);
    SB_GROW(part->example, part->cap, part->count + 1);
    part->example[part->count++] = (struct sb_example){index, (int32_t)sb_dictionary_add(&d->target, text, size)};
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
    struct sb_part *part[] = {&d->train, &d->val};
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; i < part[p]->count; i++) {
            const char *name = d->target.text[part[p]->example[i].target];
            part[p]->example[i].target = (int32_t)sb_dictionary_find(&sorted, name, strlen(name));
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
    return 0;
}

/* What follows from all of the records. */
static int settle(struct sb_dataset *d, const struct sb_dataset_options *o)
{
    if (!d->train.count)
        return sb_error("nothing to train on: none of %llu records is of part '%s' and has a %s",
                        (unsigned long long)d->counts.in, o->train, o->captions ? "caption" : "label");
    if (!o->captions && !o->labels) sort_targets(d);
    return read_preprocess(d);
}

int sb_dataset_open(struct sb_dataset *d, const char *path, const struct sb_dataset_options *o)
{
    memset(d, 0, sizeof *d);
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
    sb_dictionary_free(&d->target);
    memset(d, 0, sizeof *d);
}
