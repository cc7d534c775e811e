#include "weights/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/model_check.h"
#include "nn/param.h"
#include "weights/foreign_inner.h"

const struct sb_tensor *sb_foreign_tensor(const struct sb_foreign *f, const char *name, int ndim)
{
    char text[96];
    const struct sb_tensor *t = sb_weights_find(&f->model->file, name);
    if (!t)
        sb_error("%s: it has no tensor '%s'", f->path, name);
    else if (t->ndim != ndim || sb_tensor_count(t) == 0)
        sb_error("%s: tensor '%s' is %s, wanted %d dimensions", f->path, sb_weights_was(&f->model->file, name),
                 sb_tensor_text(t, text, sizeof text), ndim);
    else
        return t;
    return NULL;
}

bool sb_foreign_has(const struct sb_foreign *f, const char *name) { return sb_weights_find(&f->model->file, name); }

int sb_foreign_count(const struct sb_foreign *f, const char *pattern)
{
    for (int i = 0;; i++) {
        char name[64];
        snprintf(name, sizeof name, pattern, i);
        if (!sb_foreign_has(f, name)) return i;
    }
}

int sb_foreign_whole(const json_t *o, const char *key)
{
    const json_t *value = sb_json_get(o, key);
    json_int_t n = json_integer_value(value);
    return json_is_integer(value) && n > 0 && n <= 1000000 ? (int)n : 0;
}

static int read_resnet(struct sb_foreign *f)
{
    struct sb_resnet_config *c = &f->model->resnet;
    const struct sb_tensor *stem = sb_foreign_tensor(f, "conv1.weight", 4);
    if (!stem) return -1;
    f->model->family = SB_RESNET;
    c->cifar = stem->shape[3] == 3;
    c->width = stem->shape[0] <= 1024 ? (int)stem->shape[0] : 0;
    c->bottleneck = sb_foreign_has(f, "layer1.0.conv3.weight");
    c->size = c->cifar ? 32 : 224; /* what it was made for; any size can be computed */
    for (int i = 0; i < (c->cifar ? 3 : 4); i++) {
        char pattern[] = "layer1.%d.conv1.weight";
        pattern[5] = (char)('1' + i);
        c->stage[i] = sb_foreign_count(f, pattern);
    }
    char *head = sb_format("%s.weight", sb_model_head(f->model));
    const struct sb_tensor *t = sb_weights_find(&f->model->file, head);
    if (t && t->ndim == 2 && t->shape[0] <= 10000000) c->classes = (int)t->shape[0];
    free(head);
    return 0;
}

/* Tensors of the backbone that have no place in our layout: computed without them, its numbers would be others. */
static int check_rest(const struct sb_foreign *f)
{
    static const char *const essential[] = {"blocks.",  "patch_embed.", "norm_pre.",  "attn_pool.", "norm.",
                                            "fc_norm.", "pre_logits.",  "dist_token", "head_dist.", "embeddings.",
                                            "encoder.", "conv1.",       "bn1.",       "layer1.",    "layer2.",
                                            "layer3.",  "layer4."};
    const struct sb_weights *w = &f->model->file;
    struct sb_model layout = {.family = f->model->family, .vit = f->model->vit, .resnet = f->model->resnet};
    bool *used = sb_calloc(w->count, sizeof *used);
    int rc = 0;
    sb_model_layout(&layout);
    for (size_t i = 0; i < layout.params; i++) {
        const struct sb_weight *found = sb_weights_entry(w, layout.param[i].name);
        if (found) used[found - w->weight] = true;
    }
    for (size_t i = 0; i < w->count && !rc; i++) {
        for (size_t k = 0; k < sizeof essential / sizeof *essential && !used[i] && !rc; k++) {
            if (!strncmp(w->weight[i].name, essential[k], strlen(essential[k])))
                rc = sb_error("%s: tensor '%.200s' has no place in a %s of ours", f->path,
                              sb_weights_was(w, w->weight[i].name), layout.family == SB_RESNET ? "ResNet" : "ViT");
        }
    }
    free(used);
    sb_model_free(&layout);
    return rc;
}

static int refuse_unknown(const struct sb_foreign *f)
{
    const struct sb_weights *w = &f->model->file;
    char names[400] = "it has none";
    size_t n = 0;
    for (size_t i = 0; i < w->count && i < 4; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s'%.80s'", i ? ", " : "",
                              sb_weights_was(w, w->weight[i].name));
    return sb_error("%s: its tensors are those of no model that is known here: %s%s", f->path, names,
                    w->count > 4 ? " ..." : "");
}

static int read_family(struct sb_foreign *f)
{
    int rc;
    if (sb_foreign_has(f, "decoder.h.0.attn.c_attn.weight") && !sb_foreign_has(f, "patch_embed.proj.weight"))
        return sb_error("%s: GPT-2, which sees no pictures; sb-train --task caption takes it as its --decoder",
                        f->path);
    if (sb_foreign_has(f, "patch_embed.proj.weight"))
        rc = sb_foreign_vit(f);
    else if (sb_foreign_has(f, "layer1.0.conv1.weight"))
        rc = read_resnet(f);
    else
        return refuse_unknown(f);
    if (!rc && sb_model_config_check(f->model)) rc = sb_error("%s: %s", f->path, sb_error_message());
    return rc || check_rest(f) ? -1 : 0;
}

int sb_foreign_read(struct sb_model *m, const char *path, int heads)
{
    struct sb_foreign f = {.model = m, .path = path, .heads = heads};
    m->family = SB_VIT;
    if (sb_names_translate(&m->file, path, &f.naming)) return -1;
    if (sb_json_beside(path, "config.json", &f.config) < 0) return -1;
    f.args = sb_json_get(f.config, "model_args");
    const char *problem = json_string_value(sb_json_get(f.config, "problem_type")); /* transformers' */
    m->several = problem && !strcmp(problem, "multi_label_classification");
    int rc = read_family(&f);
    json_decref(f.config);
    return rc;
}
