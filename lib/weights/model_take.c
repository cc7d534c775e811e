#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "weights/model_file.h"
#include "weights/weight_read.h"

static const char *const family_name[] = {[SB_VIT] = "ViT", [SB_RESNET] = "ResNet"};

/* Parameters that are taken together or not at all. */
enum group { BACKBONE, HEAD, DECODER };

static enum group group_of(const struct sb_model *m, const struct sb_param *p)
{
    const char *head = sb_model_head(m);
    size_t n = strlen(head);
    if (!strncmp(p->name, head, n) && p->name[n] == '.') return HEAD;
    return !strncmp(p->name, "decoder.", 8) || !strncmp(p->name, "project.", 8) ? DECODER : BACKBONE;
}

static bool same_texts(const struct sb_texts *a, const struct sb_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) same = !strcmp(a->text[i], b->text[i]);
    return same;
}

static bool same_words(const struct sb_weights *w, const struct sb_tokenizer *mine)
{
    return sb_tokenizer_is(mine, sb_weights_metadata(w, "words"), sb_weights_metadata(w, "merges"));
}

static bool group_fits(const struct sb_model *m, const struct sb_model *from, enum group group)
{
    bool fits = group == HEAD ? same_texts(&from->labels, &m->labels)
                              : same_words(&from->file, &m->tokenizer) && from->decoder.heads == m->decoder.heads;
    for (size_t i = 0; fits && i < m->params; i++) {
        if (group_of(m, &m->param[i]) != group) continue;
        const struct sb_tensor *t = sb_weights_find(&from->file, m->param[i].name);
        fits = t && sb_weight_fits(t, &m->param[i]);
    }
    return fits;
}

static int take(struct sb_model *m, const struct sb_model *from, const char *path)
{
    bool fits[] = {[BACKBONE] = true, [HEAD] = group_fits(m, from, HEAD), [DECODER] = group_fits(m, from, DECODER)};
    bool left[] = {[BACKBONE] = false, [HEAD] = false, [DECODER] = false}, resized = false;
    size_t taken = 0;
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_param *p = &m->param[i];
        enum group group = group_of(m, p);
        if (!fits[group]) {
            left[group] = true;
            continue;
        }
        if (sb_weight_check(m, from, p, path)) return -1;
        taken++;
        if (sb_weight_other_grid(m, from, p)) {
            sb_weight_positions(m, from, p, m->master + p->offset);
            resized = true;
        } else
            sb_weight_read(sb_weights_find(&from->file, p->name), p, m->master + p->offset);
    }
    sb_warn("%s: took %zu of its %zu tensors, for %zu of the model's%s%s%s", path, taken, from->file.count, m->params,
            resized ? "; positions resized" : "", left[HEAD] ? "; the head starts anew (its labels differ)" : "",
            left[DECODER] ? "; the decoder starts anew (its words or heads differ)" : "");
    return 0;
}

/* What no tensor of m's tells. LayerNorm's epsilon is that which the weights learnt with. */
static int take_rest(struct sb_model *m, const struct sb_model *from, const char *path)
{
    if (m->family != SB_VIT) return 0;
    if (from->vit.heads != m->vit.heads)
        return sb_error("%s: its attention has %d heads, wanted %d", path, from->vit.heads, m->vit.heads);
    if (from->vit.layer_scale && !m->vit.layer_scale)
        return sb_error("%s: its blocks have a LayerScale, the model's have none", path);
    m->vit.eps = from->vit.eps;
    return 0;
}

int sb_model_take(struct sb_model *m, const char *path)
{
    struct sb_model from;
    char hash[SB_HEX];
    if (sb_hash_file(path, hash) || sb_model_open(&from, path, m)) return -1;
    int rc = from.family == m->family
                 ? 0
                 : sb_error("%s: it is a %s, wanted a %s", path, family_name[from.family], family_name[m->family]);
    if (!rc) rc = take(m, &from, path);
    if (!rc) rc = take_rest(m, &from, path);
    sb_model_free(&from);
    if (rc) return rc;
    free(m->parent);
    m->parent = sb_strdup(hash);
    return 0;
}
