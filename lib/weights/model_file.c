#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/param.h"
#include "text/texts.h"
#include "weights/model_config.h"
#include "weights/model_file.h"
#include "weights/weight_read.h"

/* As it lies in the file it can be computed with. (Vectors are small, and some must be neighbours: vit.c.) */
static bool is_usable(const struct sb_tensor *t, const struct sb_param *p)
{
    return p->decay && !p->transposed && t->dtype == SB_F32 && (uintptr_t)t->data % sizeof(float) == 0;
}

static void say_unused(const struct sb_model *m, const char *path)
{
    const struct sb_weights *w = &m->file;
    bool *used = sb_calloc(w->count, sizeof *used);
    char shape[96];
    size_t first = 0;
    for (size_t i = 0; i < m->params; i++) used[sb_weights_entry(w, m->param[i].name) - w->weight] = true;
    while (used[first]) first++;
    sb_warn("%s: %zu of its %zu tensors are not used: '%.100s', %s%s", path, w->count - m->params, w->count,
            sb_weights_was(w, w->weight[first].name), sb_tensor_text(&w->weight[first].tensor, shape, sizeof shape),
            w->count - m->params > 1 ? ", ..." : "");
    free(used);
}

/* All shapes are compared before memory is taken by what the configuration claims. */
int sb_model_read(struct sb_model *m, const char *path)
{
    sb_model_layout(m);
    for (size_t i = 0; i < m->params; i++) {
        if (sb_weight_check(m, m, &m->param[i], path)) return -1;
    }
    m->master = sb_calloc((size_t)m->total, sizeof *m->master);
    for (size_t i = 0; i < m->params; i++) {
        struct sb_param *p = &m->param[i];
        const struct sb_tensor *t = sb_weights_find(&m->file, p->name);
        if (sb_weight_other_grid(m, m, p))
            sb_weight_positions(m, m, p, m->master + p->offset);
        else if (is_usable(t, p))
            p->mapped = t->data;
        else
            sb_weight_read(t, p, m->master + p->offset);
    }
    if (m->params < m->file.count) say_unused(m, path);
    return 0;
}

int sb_model_load(struct sb_model *m, const char *path)
{
    if (sb_model_open(m, path, NULL)) return -1;
    if (!sb_model_read(m, path)) return 0;
    sb_model_free(m);
    return -1;
}

/* The parameter as the file holds it. *own: memory for a transposed one, which the caller frees. */
static struct sb_weight file_weight(const struct sb_model *m, const struct sb_param *p, float **own)
{
    struct sb_weight w = {.name = p->name, .tensor = {.dtype = SB_F32, .ndim = p->ndim}};
    w.tensor.data = (float *)(uintptr_t)sb_param_weights(m, p);
    memcpy(w.tensor.shape, p->shape, (size_t)p->ndim * sizeof *p->shape);
    *own = NULL;
    if (p->transposed) {
        *own = sb_malloc((size_t)p->count * sizeof(float));
        sb_weight_transpose(m->master + p->offset, p->shape[0], p->shape[1], *own);
        w.tensor.shape[0] = p->shape[1];
        w.tensor.shape[1] = p->shape[0];
        w.tensor.data = *own;
    }
    return w;
}

int sb_model_save(const struct sb_model *m, const char *path)
{
    char *config = sb_model_config_json(m), *labels = sb_texts_json(&m->labels),
         *words = sb_tokenizer_json(&m->tokenizer);
    char *preprocess = sb_preprocess_json(&m->preprocess);
    const char *key[8] = {"seabot", "preprocess"}, *value[8] = {config, preprocess};
    size_t metadata = 2;
    const struct {
        const char *key, *value;
    } optional[] = {{"labels", m->labels.count ? labels : NULL},
                    {"words", m->decoder.words ? words : NULL},
                    {"merges", sb_tokenizer_merges(&m->tokenizer)},
                    {"history", m->history},
                    {"data", m->data},
                    {"parent", m->parent}};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        if (!optional[i].value) continue;
        key[metadata] = optional[i].key;
        value[metadata++] = optional[i].value;
    }
    struct sb_weight *weight = sb_calloc(m->params, sizeof *weight);
    float **own = sb_calloc(m->params, sizeof *own);
    for (size_t i = 0; i < m->params; i++) weight[i] = file_weight(m, &m->param[i], &own[i]);
    int rc = sb_weights_save(path, weight, m->params, key, value, metadata);
    for (size_t i = 0; i < m->params; i++) free(own[i]);
    free(own);
    free(weight);
    free(config);
    free(labels);
    free(words);
    free(preprocess);
    return rc;
}
