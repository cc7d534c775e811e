#include "nn/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/model_check.h"
#include "nn/param.h"
#include "nn/resnet.h"
#include "text/texts.h"

static const struct {
    const char *name;
    int dim, depth, heads;
} sizes[] = {{"Ti", 192, 12, 3}, {"S", 384, 12, 6}, {"B", 768, 12, 12}, {"L", 1024, 24, 16}, {"H", 1280, 32, 16}};

/* "S" or "S/16"; false if no size has that name. */
static bool parse_size(const char *text, struct sb_vit_config *c, int *patch)
{
    size_t n = strcspn(text, "/");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strlen(sizes[i].name) != n || strncmp(sizes[i].name, text, n)) continue;
        c->dim = sizes[i].dim;
        c->depth = sizes[i].depth;
        c->heads = sizes[i].heads;
        if (!text[n]) return true;
        char *end;
        long value = strtol(text + n + 1, &end, 10);
        if (end == text + n + 1 || *end || value < 1 || value > 1024) return false;
        *patch = (int)value;
        return true;
    }
    return false;
}

static int parse_pair(const char *pair, struct sb_vit_config *c, int *patch)
{
    const struct {
        const char *key;
        int *to;
    } keys[] = {{"dim=", &c->dim},       {"depth=", &c->depth},         {"heads=", &c->heads},
                {"hidden=", &c->hidden}, {"registers=", &c->registers}, {"patch=", patch}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t n = strlen(keys[i].key);
        if (strncmp(pair, keys[i].key, n)) continue;
        char *end;
        long value = strtol(pair + n, &end, 10);
        if (end == pair + n || *end || value < 0 || value > 1000000)
            return sb_error("model: '%s' is not a sensible number", pair);
        *keys[i].to = (int)value;
        return 0;
    }
    return sb_error(
        "model: '%s' is neither a size (Ti, S, B, L, H) nor dim=, depth=, heads=, hidden=, registers= or patch=", pair);
}

int sb_vit_config_parse(const char *text, int size, int patch, struct sb_vit_config *out)
{
    struct sb_vit_config c = {.size = size, .class_token = true, .eps = 1e-6f};
    int own_patch = 0;
    if (!parse_size(text, &c, &own_patch)) {
        struct sb_texts parts = {0};
        sb_texts_split(text, ',', &parts);
        int rc = 0;
        for (size_t i = 0; i < parts.count && !rc; i++) rc = parse_pair(parts.text[i], &c, &own_patch);
        sb_texts_free(&parts);
        if (rc) return rc;
    }
    if (own_patch && patch && own_patch != patch) return sb_error("model: patch %d is named, and '%s'", patch, text);
    c.patch = own_patch ? own_patch : patch ? patch : 16;
    if (!c.hidden) c.hidden = 4 * c.dim;
    *out = c;
    return sb_vit_config_check(out);
}

static int in_range(const char *what, int64_t value, int64_t least, int64_t most)
{
    if (value >= least && value <= most) return 0;
    return sb_error("model: %s is %lld, not %lld to %lld", what, (long long)value, (long long)least, (long long)most);
}

static int check_rate(const char *what, float p)
{
    return p >= 0 && p < 1 ? 0 : sb_error("model: %s is not in [0, 1)", what);
}

int sb_vit_config_check(const struct sb_vit_config *c)
{
    if (in_range("the picture's size", c->size, 1, 4096) || in_range("the patch", c->patch, 1, c->size)) return -1;
    if (in_range("dim", c->dim, 1, 16384) || in_range("depth", c->depth, 1, 256) ||
        in_range("heads", c->heads, 1, c->dim) || in_range("hidden", c->hidden, 1, 65536) ||
        in_range("registers", c->registers, 0, 64) || in_range("the number of classes", c->classes, 0, 10000000))
        return -1;
    if (c->size % c->patch)
        return sb_error("model: a picture of %d pixels is not whole patches of %d", c->size, c->patch);
    if (c->dim % c->heads) return sb_error("model: dim %d is not a multiple of %d heads", c->dim, c->heads);
    if (c->registers && c->dim % 16)
        return sb_error("model: with registers dim must be a multiple of 16, not %d", c->dim);
    if (!(c->eps > 0 && c->eps < 1)) return sb_error("model: eps is not in (0, 1)");
    return check_rate("drop path", c->drop_path) || check_rate("dropout", c->dropout) ? -1 : 0;
}

static int decoder_check(const struct sb_decoder_config *c)
{
    if (c->words == 0) return 0;
    if (in_range("the number of words", c->words, 4, 10000000) || in_range("the decoder's dim", c->dim, 1, 16384) ||
        in_range("the decoder's depth", c->depth, 1, 256) || in_range("the decoder's heads", c->heads, 1, c->dim) ||
        in_range("the decoder's hidden", c->hidden, 1, 65536) || in_range("the longest caption", c->length, 2, 4096))
        return -1;
    if (c->dim % c->heads)
        return sb_error("model: the decoder's dim %d is not a multiple of %d heads", c->dim, c->heads);
    return check_rate("the decoder's dropout", c->dropout);
}

int sb_model_config_check(const struct sb_model *m)
{
    if (m->family == SB_RESNET) {
        if (m->decoder.words) return sb_error("model: a captioner needs tokens, which a ResNet has not: take a ViT");
        return sb_resnet_config_check(&m->resnet);
    }
    if (sb_vit_config_check(&m->vit) || decoder_check(&m->decoder)) return -1;
    if (m->vit.fc_norm && m->decoder.words)
        return sb_error("model: a captioner needs the tokens' norm, and this one has that of their mean");
    if (m->several && m->decoder.words) return sb_error("model: a picture has one caption, not several labels");
    return m->vit.classes && m->decoder.words ? sb_error("model: it has both classes and words") : 0;
}

static int fill(struct sb_model *m, uint64_t seed)
{
    if (sb_model_config_check(m)) return -1;
    sb_preprocess_default(&m->preprocess, sb_model_size(m));
    sb_model_layout(m);
    m->master = sb_calloc((size_t)m->total, sizeof *m->master);
    for (size_t i = 0; i < m->params; i++) sb_param_fill(&m->param[i], seed, m->master);
    return 0;
}

int sb_model_init(struct sb_model *m, const struct sb_vit_config *vit, const struct sb_decoder_config *decoder,
                  uint64_t seed)
{
    *m = (struct sb_model){.family = SB_VIT, .vit = *vit};
    if (decoder) m->decoder = *decoder;
    return fill(m, seed);
}

int sb_model_init_resnet(struct sb_model *m, const struct sb_resnet_config *resnet, uint64_t seed)
{
    *m = (struct sb_model){.family = SB_RESNET, .resnet = *resnet};
    return fill(m, seed);
}

int sb_model_size(const struct sb_model *m) { return m->family == SB_VIT ? m->vit.size : m->resnet.size; }

int sb_model_classes(const struct sb_model *m) { return m->family == SB_VIT ? m->vit.classes : m->resnet.classes; }

int sb_model_dim(const struct sb_model *m) { return m->family == SB_VIT ? m->vit.dim : (int)sb_resnet_dim(&m->resnet); }

int sb_model_layers(const struct sb_model *m)
{
    return 2 + (m->family == SB_VIT ? m->vit.depth : sb_resnet_depth(&m->resnet));
}

const char *sb_model_head(const struct sb_model *m)
{
    return m->family == SB_VIT ? "head" : m->resnet.cifar ? "linear" : "fc";
}

void sb_model_free(struct sb_model *m)
{
    for (size_t i = 0; i < m->params; i++) free(m->param[i].name);
    free(m->param);
    free(m->master);
    sb_weights_close(&m->file);
    sb_texts_free(&m->labels);
    sb_tokenizer_free(&m->tokenizer);
    free(m->history);
    free(m->data);
    free(m->parent);
    memset(m, 0, sizeof *m);
}
