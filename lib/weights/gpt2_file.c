#include "weights/gpt2_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "formats/json_file.h"
#include "weights/names.h"
#include "weights/weight_read.h"

#define OWN "decoder."

/* lm_head is our word table once more; a model that learnt another one is not ours. */
static int check_head(const struct sb_weights *w, const char *path)
{
    const struct sb_tensor *head = sb_weights_find(w, "lm_head.weight");
    const struct sb_tensor *words = sb_weights_find(w, "transformer.wte.weight");
    if (!head || !words) return 0;
    size_t bytes = sb_tensor_bytes(head);
    if (head->dtype == words->dtype && bytes == sb_tensor_bytes(words) && !memcmp(head->data, words->data, bytes))
        return 0;
    return sb_error("%s: its head is not its table of words: such a decoder is not supported", path);
}

static int open_file(struct sb_weights *w, const char *path)
{
    struct sb_naming naming;
    if (sb_weights_open(w, path)) return -1;
    if (!check_head(w, path) && !sb_names_translate(w, path, &naming)) return 0;
    sb_weights_close(w);
    return -1;
}

/* A dimension of a matrix that must be there. */
static int read_side(const struct sb_weights *w, const char *path, const char *name, int side, int *out)
{
    const struct sb_tensor *t = sb_weights_find(w, name);
    if (!t) return sb_error("%s: not a GPT-2: it has no '%s'", path, name + strlen(OWN));
    if (t->ndim != 2 || t->shape[side] < 1 || t->shape[side] > 10000000) {
        char text[120];
        return sb_error("%s: tensor '%s' is %s, not a matrix", path, sb_weights_was(w, name),
                        sb_tensor_text(t, text, sizeof text));
    }
    *out = (int)t->shape[side];
    return 0;
}

static int read_shapes(const struct sb_weights *w, const char *path, struct sb_decoder_config *c)
{
    if (read_side(w, path, OWN "wte.weight", 0, &c->words) || read_side(w, path, OWN "wte.weight", 1, &c->dim) ||
        read_side(w, path, OWN "wpe.weight", 0, &c->length) ||
        read_side(w, path, OWN "h.0.mlp.c_fc.weight", 1, &c->hidden))
        return -1;
    bool more = true;
    while (more) {
        char *name = sb_format(OWN "h.%d.ln_1.weight", c->depth);
        more = sb_weights_find(w, name);
        c->depth += more;
        free(name);
    }
    return 0;
}

/* What it would compute otherwise than lib/nn/gpt2.c does; NULL: nothing. */
static const char *differs(const json_t *config)
{
    const char *act = json_string_value(sb_json_get(config, "activation_function"));
    const json_t *eps = sb_json_get(config, "layer_norm_epsilon");
    if (act && strcmp(act, "gelu_new") && strcmp(act, "gelu_pytorch_tanh")) return "activation_function";
    if (eps && (float)json_number_value(eps) != 1e-5f) return "layer_norm_epsilon";
    if (json_is_false(sb_json_get(config, "scale_attn_weights"))) return "scale_attn_weights";
    if (json_is_true(sb_json_get(config, "scale_attn_by_inverse_layer_idx"))) return "scale_attn_by_inverse_layer_idx";
    return NULL;
}

static int read_config(const char *path, struct sb_decoder_config *c)
{
    json_t *config = NULL;
    int found = sb_json_beside(path, "config.json", &config), rc = found < 0 ? -1 : 0;
    const json_t *heads = found > 0 ? sb_json_get(config, "n_head") : NULL;
    const char *other = found > 0 ? differs(config) : NULL;
    c->heads = heads ? (int)json_integer_value(heads) : c->dim / 64;
    if (other) rc = sb_error("%s: the '%s' of its config.json is not supported", path, other);
    if (!rc && (c->heads < 1 || c->dim % c->heads))
        rc = sb_error("%s: %s: a decoder of dim %d has no %d heads", path,
                      heads ? "config.json" : "no n_head in a config.json", c->dim, c->heads);
    json_decref(config);
    return rc;
}

int sb_gpt2_describe(const char *path, struct sb_decoder_config *out)
{
    struct sb_weights w;
    *out = (struct sb_decoder_config){0};
    if (open_file(&w, path)) return -1;
    int rc = read_shapes(&w, path, out);
    sb_weights_close(&w);
    return rc ? rc : read_config(path, out);
}

/* The tables of words and of positions may be longer than ours. */
static struct sb_tensor cut(const struct sb_tensor *t, const struct sb_param *p)
{
    struct sb_tensor view = *t;
    bool table = !strcmp(p->name, OWN "wte.weight") || !strcmp(p->name, OWN "wpe.weight");
    if (table && view.ndim == 2 && view.shape[0] > p->shape[0]) view.shape[0] = p->shape[0];
    return view;
}

int sb_gpt2_take(struct sb_model *m, const char *path)
{
    struct sb_weights w;
    if (open_file(&w, path)) return -1;
    int rc = 0;
    size_t taken = 0;
    for (size_t i = 0; i < m->params && !rc; i++) {
        const struct sb_param *p = &m->param[i];
        if (strncmp(p->name, OWN, strlen(OWN))) continue;
        const struct sb_tensor *t = sb_weights_find(&w, p->name);
        struct sb_tensor view = t ? cut(t, p) : (struct sb_tensor){0};
        if (!t || !sb_weight_fits(&view, p)) {
            rc = sb_weight_misfit(path, &w, p);
            break;
        }
        sb_weight_read(&view, p, m->master + p->offset);
        taken++;
    }
    sb_weights_close(&w);
    if (!rc) sb_warn("%s: took all %zu tensors of the decoder", path, taken);
    return rc;
}
