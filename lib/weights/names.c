#include "weights/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Dropped where names begin with them, in any order. */
static const char *const prefixes[] = {
    "module.", "model.", "state_dict.", "backbone.", "vit.", "dinov2.", "dinov2_with_registers.", "transformer."};

/* '*' stands for a block's number, '#' for one that is left out (of Meta's chunks of blocks). A pattern covers whole
 * parts between dots, and what follows is kept. Ours NULL: not wanted. The first that fits counts. */
static const struct {
    const char *theirs, *ours;
} table[] = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {"embeddings.register_tokens", "reg_token"},
    {"embeddings.mask_token", NULL},
    {"embeddings.patch_embeddings.projection", "patch_embed.proj"},
    {"encoder.layer.*.layernorm_before", "blocks.*.norm1"},
    {"encoder.layer.*.layernorm_after", "blocks.*.norm2"},
    {"encoder.layer.*.norm1", "blocks.*.norm1"},
    {"encoder.layer.*.norm2", "blocks.*.norm2"},
    {"encoder.layer.*.attention.attention.query", "blocks.*.attn.q"},
    {"encoder.layer.*.attention.attention.key", "blocks.*.attn.k"},
    {"encoder.layer.*.attention.attention.value", "blocks.*.attn.v"},
    {"encoder.layer.*.attention.output.dense", "blocks.*.attn.proj"},
    {"encoder.layer.*.attention.q_proj", "blocks.*.attn.q"},
    {"encoder.layer.*.attention.k_proj", "blocks.*.attn.k"},
    {"encoder.layer.*.attention.v_proj", "blocks.*.attn.v"},
    {"encoder.layer.*.attention.o_proj", "blocks.*.attn.proj"},
    {"encoder.layer.*.intermediate.dense", "blocks.*.mlp.fc1"},
    {"encoder.layer.*.output.dense", "blocks.*.mlp.fc2"},
    {"layers.*.layernorm_before", "blocks.*.norm1"},
    {"layers.*.layernorm_after", "blocks.*.norm2"},
    {"layers.*.attention.q_proj", "blocks.*.attn.q"},
    {"layers.*.attention.k_proj", "blocks.*.attn.k"},
    {"layers.*.attention.v_proj", "blocks.*.attn.v"},
    {"layers.*.attention.o_proj", "blocks.*.attn.proj"},
    {"layers.*.mlp", "blocks.*.mlp"},
    {"encoder.layer.*.mlp.weights_in", "blocks.*.mlp.w12"},
    {"encoder.layer.*.mlp.weights_out", "blocks.*.mlp.w3"},
    {"encoder.layer.*.mlp", "blocks.*.mlp"},
    {"encoder.layer.*.layer_scale1.lambda1", "blocks.*.ls1.gamma"},
    {"encoder.layer.*.layer_scale2.lambda1", "blocks.*.ls2.gamma"},
    {"layernorm", "norm"},
    {"pooler", NULL},
    {"classifier", "head"},
    {"blocks.#.*", "blocks.*"},
    {"register_tokens", "reg_token"},
    {"mask_token", NULL},
    {"h.*.attn.bias", NULL},
    {"h.*.attn.masked_bias", NULL},
    {"h.*", "decoder.h.*"},
    {"wte", "decoder.wte"},
    {"wpe", "decoder.wpe"},
    {"ln_f", "decoder.ln_f"},
    {"lm_head", NULL},
};

static size_t digits(const char *s)
{
    size_t n = 0;
    while (isdigit((unsigned char)s[n])) n++;
    return n;
}

/* Behind what the pattern covers; NULL where it does not. */
static const char *match(const char *pattern, const char *name, const char **number, size_t *size)
{
    for (; *pattern; pattern++) {
        if (*pattern != '*' && *pattern != '#') {
            if (*name++ != *pattern) return NULL;
            continue;
        }
        size_t n = digits(name);
        if (!n) return NULL;
        if (*pattern == '*') {
            *number = name;
            *size = n;
        }
        name += n;
    }
    return *name && *name != '.' ? NULL : name;
}

static const char *without_prefixes(const char *name)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes;) {
        size_t n = strlen(prefixes[i]);
        bool has = !strncmp(name, prefixes[i], n);
        if (has) name += n;
        i = has ? 0 : i + 1;
    }
    return name;
}

/* Our name, which the caller frees; NULL: not wanted. */
static char *our_name(const char *name)
{
    name = without_prefixes(name);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *number = "", *rest = NULL, *ours = table[i].ours;
        size_t size = 0;
        if (!(rest = match(table[i].theirs, name, &number, &size))) continue;
        if (!ours) return NULL;
        size_t before = strcspn(ours, "*");
        return sb_format("%.*s%.*s%s%s", (int)before, ours, (int)size, number, ours[before] ? ours + before + 1 : "",
                         rest);
    }
    return sb_strdup(name);
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), k = strlen(end);
    return n >= k && !strcmp(name + n - k, end);
}

static void rename_all(struct sb_weights *w, struct sb_naming *naming)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct sb_weight weight = w->weight[i];
        char *ours = ends_with(weight.name, ".num_batches_tracked") ? NULL : our_name(weight.name);
        if (strstr(weight.name, "layernorm_before")) naming->transformers_vit = true;
        if (strstr(weight.name, "register_tokens")) naming->registers_later = true;
        weight.was = weight.name;
        weight.name = ours;
        if (ours)
            w->weight[kept++] = weight;
        else
            free(weight.was);
    }
    w->count = kept;
}

/* A block's queries, keys and values, weights or biases, become one under the name of the first, which is ours then. */
static int stack(struct sb_weights *w, const char *path, struct sb_weight *part[3])
{
    struct sb_tensor *t = &part[0]->tensor;
    size_t bytes = sb_tensor_bytes(t);
    bool alike = t->ndim > 0 && bytes > 0;
    for (int i = 1; i < 3; i++) {
        const struct sb_tensor *other = &part[i]->tensor;
        alike = alike && other->dtype == t->dtype && other->ndim == t->ndim &&
                !memcmp(other->shape, t->shape, (size_t)t->ndim * sizeof *t->shape);
    }
    if (!alike) return sb_error("%s: tensor '%.200s' has not the shape of its keys and values", path, part[0]->was);
    char *all = sb_weights_own(w, 3 * bytes);
    for (size_t i = 0; i < 3; i++) memcpy(all + i * bytes, part[i]->tensor.data, bytes);
    t->data = all;
    t->shape[0] *= 3;
    return 0;
}

/* "blocks.0.attn.q.weight" with its k and v; false where it is none, or they are not there. */
static bool find_parts(const struct sb_weights *w, struct sb_weight *q, struct sb_weight *part[3])
{
    const char *found = strstr(q->name, ".attn.q.");
    if (!found) return false;
    char *name = sb_strdup(q->name), *letter = name + (found - q->name) + 6;
    part[0] = q;
    for (int i = 1; i < 3; i++) {
        *letter = "qkv"[i];
        part[i] = sb_weights_entry(w, name);
    }
    free(name);
    return part[1] && part[2];
}

static int stack_all(struct sb_weights *w, const char *path)
{
    int rc = 0;
    bool *gone = sb_calloc(w->count, sizeof *gone), *whole = sb_calloc(w->count, sizeof *whole);
    for (size_t i = 0; i < w->count && !rc; i++) {
        struct sb_weight *part[3];
        if (!find_parts(w, &w->weight[i], part)) continue;
        rc = stack(w, path, part);
        whole[i] = gone[part[1] - w->weight] = gone[part[2] - w->weight] = true;
    }
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct sb_weight weight = w->weight[i];
        if (gone[i]) {
            free(weight.name);
            free(weight.was);
            continue;
        }
        if (whole[i]) {
            const char *q = strstr(weight.name, ".attn.q.") + 6;
            char *name = sb_format("%.*sqkv%s", (int)(q - weight.name), weight.name, q + 1);
            free(weight.name);
            weight.name = name;
        }
        w->weight[kept++] = weight;
    }
    w->count = kept;
    free(gone);
    free(whole);
    return rc;
}

int sb_names_translate(struct sb_weights *w, const char *path, struct sb_naming *naming)
{
    *naming = (struct sb_naming){0};
    rename_all(w, naming);
    sb_weights_sort(w);
    if (stack_all(w, path)) return -1;
    sb_weights_sort(w);
    for (size_t i = 1; i < w->count; i++) {
        const struct sb_weight *a = &w->weight[i - 1], *b = &w->weight[i];
        if (!strcmp(a->name, b->name))
            return sb_error("%s: its tensors '%.200s' and '%.200s' are both '%.200s' by our names", path, a->was,
                            b->was, b->name);
    }
    return 0;
}
