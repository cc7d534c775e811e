#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/model.h"
#include "nn/model_config.h"
#include "nn/param.h"
#include "nn/weight_read.h"

static int prefix_error(const char *path) { return sb_error("%s: %s", path, sb_error_message()); }

/* A list of texts that the model needs `count` of. */
static int load_texts(const struct sb_weights *w, const char *path, const char *key, int count, struct sb_texts *out)
{
    const char *text = sb_weights_metadata(w, key);
    if (text && sb_texts_parse(text, out)) return sb_error("%s: its '%s': %s", path, key, sb_error_message());
    if (out->count != (size_t)count) return sb_error("%s: it has %zu %s, wanted %d", path, out->count, key, count);
    return 0;
}

static int load_tokenizer(struct sb_model *m, const struct sb_weights *w, const char *path)
{
    struct sb_decoder_config *c = &m->decoder;
    const char *words = sb_weights_metadata(w, "words"), *merges = sb_weights_metadata(w, "merges");
    if (!words || sb_tokenizer_parse(&m->tokenizer, words, merges))
        return sb_error("%s: its 'words': %s", path, words ? sb_error_message() : "there are none");
    if (sb_tokenizer_count(&m->tokenizer) != (size_t)c->words)
        return sb_error("%s: it has %zu words, wanted %d", path, sb_tokenizer_count(&m->tokenizer), c->words);
    c->begin = m->tokenizer.begin;
    c->end = m->tokenizer.end;
    return 0;
}

static char *copy_metadata(const struct sb_weights *w, const char *key)
{
    const char *text = sb_weights_metadata(w, key);
    return text ? sb_strdup(text) : NULL;
}

static int load_metadata(struct sb_model *m, const struct sb_weights *w, const char *path)
{
    const char *config = sb_weights_metadata(w, "seabot");
    if (!config)
        return sb_error(
            "%s: not a SeaBot model (no 'seabot' in its metadata); sb-train --init takes weights from others", path);
    if (sb_model_config_parse(m, config)) return prefix_error(path);
    if (sb_preprocess_from_weights(&m->preprocess, w, path)) return -1;
    if (m->preprocess.size != sb_model_size(m)) {
        return sb_error("%s: its pictures are prepared at %d pixels, its model takes %d", path, m->preprocess.size,
                        sb_model_size(m));
    }
    if (load_texts(w, path, "labels", sb_model_classes(m), &m->labels)) return -1;
    if (m->decoder.words && load_tokenizer(m, w, path)) return -1;
    m->history = copy_metadata(w, "history");
    m->data = copy_metadata(w, "data");
    m->parent = copy_metadata(w, "parent");
    return 0;
}

/* As it lies in the file it can be computed with. (Vectors are small, and some must be neighbours: vit.c.) */
static bool is_usable(const struct sb_tensor *t, const struct sb_param *p)
{
    return p->decay && !p->transposed && t->dtype == SB_F32 && (uintptr_t)t->data % sizeof(float) == 0;
}

/* All shapes are compared before memory is taken by what the configuration claims. */
static int load_weights(struct sb_model *m, const char *path)
{
    const struct sb_weights *w = &m->file;
    sb_model_layout(m);
    for (size_t i = 0; i < m->params; i++) {
        const struct sb_tensor *t = sb_weights_find(w, m->param[i].name);
        if (!t || !sb_weight_fits(t, &m->param[i])) return sb_weight_misfit(path, t, &m->param[i]);
    }
    m->master = sb_calloc((size_t)m->total, sizeof *m->master);
    for (size_t i = 0; i < m->params; i++) {
        struct sb_param *p = &m->param[i];
        const struct sb_tensor *t = sb_weights_find(w, p->name);
        if (is_usable(t, p))
            p->mapped = t->data;
        else
            sb_weight_read(t, p, m->master + p->offset);
    }
    return 0;
}

int sb_model_load(struct sb_model *m, const char *path)
{
    memset(m, 0, sizeof *m);
    if (sb_weights_open(&m->file, path)) return -1;
    int rc = load_metadata(m, &m->file, path);
    if (!rc) rc = load_weights(m, path);
    if (rc) sb_model_free(m);
    return rc;
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
    char *config = sb_model_config_json(m), *labels = sb_texts_json(&m->labels), *words = sb_tokenizer_json(&m->tokenizer);
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
