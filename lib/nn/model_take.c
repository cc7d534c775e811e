#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "nn/model.h"
#include "nn/model_config.h"
#include "nn/positions.h"
#include "nn/vit.h"
#include "nn/weight_read.h"

/* Parameters that are taken together or not at all. */
enum group { BACKBONE, HEAD, DECODER };

static enum group group_of(const struct sb_param *p)
{
    if (!strncmp(p->name, "head.", 5)) return HEAD;
    return !strncmp(p->name, "decoder.", 8) || !strncmp(p->name, "project.", 8) ? DECODER : BACKBONE;
}

static bool same_texts(const struct sb_weights *w, const char *key, const struct sb_texts *mine)
{
    const char *text = sb_weights_metadata(w, key);
    struct sb_texts theirs = {0};
    bool same = text && !sb_texts_parse(text, &theirs) && theirs.count == mine->count;
    for (size_t i = 0; same && i < mine->count; i++) same = !strcmp(theirs.text[i], mine->text[i]);
    for (size_t i = 0; i < theirs.count; i++) free((void *)(uintptr_t)theirs.text[i]);
    free(theirs.text);
    return same;
}

static bool same_words(const struct sb_weights *w, const struct sb_tokenizer *mine)
{
    return sb_tokenizer_is(mine, sb_weights_metadata(w, "words"), sb_weights_metadata(w, "merges"));
}

static bool group_fits(const struct sb_model *m, const struct sb_weights *w, enum group group)
{
    bool fits = group == HEAD ? same_texts(w, "labels", &m->labels) : same_words(w, &m->tokenizer);
    for (size_t i = 0; fits && i < m->params; i++) {
        if (group_of(&m->param[i]) != group) continue;
        const struct sb_tensor *t = sb_weights_find(w, m->param[i].name);
        fits = t && sb_weight_fits(t, &m->param[i]);
    }
    return fits;
}

/* The side of the file's grid of positions, where only that differs; else 0. */
static int64_t other_grid(const struct sb_model *m, const struct sb_param *p, const struct sb_tensor *t, int64_t prefix)
{
    if (strcmp(p->name, "pos_embed") || !t || !sb_weight_readable(t->dtype)) return 0;
    if (t->ndim != 3 || t->shape[0] != 1 || t->shape[2] != m->vit.dim || t->shape[1] <= prefix) return 0;
    int64_t patches = t->shape[1] - prefix, side = (int64_t)(sqrt((double)patches) + 0.5);
    return side * side == patches ? side : 0;
}

static void take_positions(struct sb_model *m, const struct sb_param *p, const struct sb_tensor *t, int64_t prefix,
                           int64_t side)
{
    int64_t count = sb_tensor_count(t);
    float *theirs = sb_malloc((size_t)count * sizeof *theirs);
    for (int64_t i = 0; i < count; i++) theirs[i] = sb_weight_at(t, i);
    sb_positions_resize(theirs, prefix, side, m->vit.size / m->vit.patch, m->vit.dim, m->master + p->offset);
    free(theirs);
}

static int take_backbone(struct sb_model *m, const struct sb_weights *w, const char *path, const struct sb_param *p,
                         bool *resized)
{
    const struct sb_tensor *t = sb_weights_find(w, p->name);
    if (t && sb_weight_fits(t, p)) {
        sb_weight_read(t, p, m->master + p->offset);
        return 0;
    }
    int64_t prefix = m->vit.registers ? 0 : sb_vit_prefix(&m->vit); /* that have positions */
    int64_t side = other_grid(m, p, t, prefix);
    if (!side) return sb_weight_misfit(path, t, p);
    take_positions(m, p, t, prefix, side);
    *resized = true;
    return 0;
}

int sb_model_take(struct sb_model *m, const char *path)
{
    struct sb_weights w;
    char hash[SB_HEX];
    if (sb_hash_file(path, hash) || sb_weights_open(&w, path)) return -1;
    bool fits[] = {[BACKBONE] = true, [HEAD] = group_fits(m, &w, HEAD), [DECODER] = group_fits(m, &w, DECODER)},
         resized = false;
    bool left[] = {[BACKBONE] = false, [HEAD] = false, [DECODER] = false};
    size_t taken = 0;
    int rc = 0;
    for (size_t i = 0; i < m->params && !rc; i++) {
        const struct sb_param *p = &m->param[i];
        enum group group = group_of(p);
        if (!fits[group]) {
            left[group] = true;
            continue;
        }
        rc = take_backbone(m, &w, path, p, &resized);
        taken++;
    }
    sb_weights_close(&w);
    if (rc) return rc;
    sb_warn("%s: took %zu of %zu tensors%s%s%s", path, taken, m->params, resized ? ", positions resized" : "",
            left[HEAD] ? ", the head starts anew (its labels differ)" : "",
            left[DECODER] ? ", the decoder starts anew (its words differ)" : "");
    free(m->parent);
    m->parent = sb_strdup(hash);
    return 0;
}
