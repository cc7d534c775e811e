/* A ViT's configuration, and the rows of its positions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/vit.h"
#include "weights/foreign_inner.h"
#include "weights/weight_read.h"

static const char *file_name(const struct sb_foreign *f, const char *name)
{
    return sb_weights_was(&f->model->file, name);
}

/* Sizes that no int should be made of. */
static int small(int64_t n) { return n > 0 && n <= 10000000 ? (int)n : -1; }

static int read_shapes(struct sb_foreign *f)
{
    struct sb_vit_config *c = &f->model->vit;
    const struct sb_weights *w = &f->model->file;
    const struct sb_tensor *patch = sb_foreign_tensor(f, "patch_embed.proj.weight", 4), *up, *registers, *head;
    if (!patch) return -1;
    c->dim = small(patch->shape[0]);
    c->patch = small(patch->shape[3]);
    if (patch->shape[1] != 3 || patch->shape[2] != patch->shape[3])
        return sb_error("%s: its patches are not square ones of three colours", f->path);
    c->depth = sb_foreign_count(f, "blocks.%d.norm1.weight");
    if (sb_foreign_has(f, "blocks.0.mlp.w12.weight") || sb_foreign_has(f, "blocks.0.mlp.fc1_g.weight"))
        return sb_error("%s: its MLP is a SwiGLU, as DINOv2's giant has it, which is none of ours", f->path);
    if (!(up = sb_foreign_tensor(f, "blocks.0.mlp.fc1.weight", 2))) return -1;
    c->hidden = small(up->shape[0]);
    c->class_token = sb_foreign_has(f, "cls_token");
    c->layer_scale = sb_foreign_has(f, "blocks.0.ls1.gamma");
    c->fc_norm = sb_foreign_has(f, "fc_norm.weight");
    registers = sb_weights_find(w, "reg_token");
    c->registers = registers && registers->ndim == 3 ? small(registers->shape[1]) : 0;
    head = sb_weights_find(w, "head.weight");
    /* That of Dinov2ForImageClassification reads the class token and the mean side by side: not ours, left out. */
    bool twice = head && head->ndim == 2 && head->shape[1] == 2 * (int64_t)c->dim;
    c->classes = head && head->ndim == 2 && !twice ? small(head->shape[0]) : 0;
    if (c->dim < 1 || c->patch < 1 || c->patch > 4096 || c->registers < 0)
        return sb_error("%s: its shapes make no sense", f->path);
    return 0;
}

static bool says_gelu(const json_t *o, const char *key)
{
    const json_t *act = sb_json_get(o, key);
    return !act || (json_is_string(act) && !strcmp(json_string_value(act), "gelu"));
}

/* What shapes do not tell. */
static int check_config(const struct sb_foreign *f)
{
    const struct sb_vit_config *c = &f->model->vit;
    static const char *const widths[] = {"hidden_size", "num_features"};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        int width = sb_foreign_whole(f->config, widths[i]);
        if (width && width != c->dim)
            return sb_error("%s: the config.json beside it is of another model: its %s is %d, this one's is %d",
                            f->path, widths[i], width, c->dim);
    }
    const char *name = json_string_value(sb_json_get(f->config, "architecture"));
    if (!says_gelu(f->config, "hidden_act") || !says_gelu(f->args, "act_layer") || (name && strstr(name, "quickgelu")))
        return sb_error("%s: its config.json says that its activation is not GELU, which is all that ours has",
                        f->path);
    const char *pool = json_string_value(sb_json_get(f->args, "global_pool"));
    if (!pool) pool = json_string_value(sb_json_get(f->config, "global_pool"));
    bool mean = sb_vit_mean(c);
    if (pool && *pool && strcmp(pool, mean ? "avg" : "token"))
        return sb_error("%s: its config.json says that it pools '%.40s', ours with these tensors pools '%s'", f->path,
                        pool, mean ? "avg" : "token");
    return 0;
}

/* Rows and columns of so many patches: as config.json has the picture's size, or square; false if neither. */
static bool find_grid(struct sb_foreign *f, int64_t patches)
{
    struct sb_model *m = f->model;
    const json_t *size = sb_json_get(f->args, "img_size");
    if (!size) size = sb_json_get(f->config, "image_size");
    json_int_t high = json_integer_value(json_array_get(size, 0)), wide = json_integer_value(json_array_get(size, 1));
    if (high > 0 && wide > 0 && high <= 16384 && wide <= 16384) {
        m->rows = (int)high / m->vit.patch;
        m->columns = (int)wide / m->vit.patch;
        if ((int64_t)m->rows * m->columns == patches) return patches > 0;
    }
    m->rows = m->columns = patches > 0 ? (int)(sqrt((double)patches) + 0.5) : 0;
    return patches > 0 && (int64_t)m->rows * m->columns == patches;
}

/* How many of the first rows are not of patches; -1 with a message. */
static int find_first_rows(struct sb_foreign *f, const struct sb_tensor *t)
{
    const struct sb_vit_config *c = &f->model->vit;
    int one = c->class_token ? 1 : 0, all = (int)sb_vit_prefix(c);
    const int order[2][3] = {{c->registers ? 0 : one, c->registers ? all : 0, one}, {one, 0, all}};
    for (int i = 0; i < 3; i++) {
        int rows = order[f->naming.registers_later][i];
        if (find_grid(f, t->shape[1] - rows)) return rows;
    }
    return sb_error("%s: tensor '%s' has %lld rows: those of no square picture", f->path, file_name(f, "pos_embed"),
                    (long long)t->shape[1]);
}

static struct sb_tensor *own_f32(struct sb_foreign *f, const char *name, const int64_t shape[3])
{
    struct sb_tensor *t = &sb_weights_entry(&f->model->file, name)->tensor;
    struct sb_tensor copy = {.dtype = SB_F32, .ndim = 3, .shape = {shape[0], shape[1], shape[2]}};
    copy.data = sb_weights_own(&f->model->file, sb_tensor_bytes(&copy));
    *t = copy;
    return t;
}

/* Adds position rows `at` on to the rows of a token's tensor. */
static int fold(struct sb_foreign *f, const char *name, const struct sb_tensor *positions, int64_t at)
{
    const struct sb_tensor *found = sb_foreign_tensor(f, name, 3);
    if (!found) return -1;
    struct sb_tensor old = *found;
    int64_t n = sb_tensor_count(&old), dim = positions->shape[2];
    if (old.shape[0] != 1 || at + old.shape[1] > positions->shape[1] || old.shape[2] != dim ||
        !sb_weight_readable(old.dtype))
        return sb_error("%s: tensor '%s' does not go with '%s'", f->path, file_name(f, name),
                        file_name(f, "pos_embed"));
    float *to = own_f32(f, name, old.shape)->data;
    for (int64_t i = 0; i < n; i++) to[i] = sb_weight_at(&old, i) + sb_weight_at(positions, at * dim + i);
    return 0;
}

/* Our layout has positions for the class token where there are no registers, and else for patches alone; what a file
 * has more is added to the tokens, what it lacks is zero. */
static int lay_positions(struct sb_foreign *f)
{
    const struct sb_vit_config *c = &f->model->vit;
    const struct sb_tensor *found = sb_foreign_tensor(f, "pos_embed", 3);
    if (!found) return -1;
    struct sb_tensor old = *found;
    int64_t dim = old.shape[2];
    if (old.shape[0] != 1 || dim != c->dim || !sb_weight_readable(old.dtype) || old.shape[1] > 10000000)
        return sb_error("%s: tensor '%s' is not of floats [1,rows,%d]", f->path, file_name(f, "pos_embed"), c->dim);
    int has = find_first_rows(f, &old), wants = c->registers ? 0 : (int)sb_vit_prefix(c);
    if (has < 0) return -1;
    if (has == wants) return 0;
    if (has > wants) {
        if (c->class_token && fold(f, "cls_token", &old, 0)) return -1;
        if (has > c->class_token && fold(f, "reg_token", &old, c->class_token)) return -1;
    }
    int64_t rows = old.shape[1] - has, shape[3] = {1, wants + rows, dim};
    float *to = own_f32(f, "pos_embed", shape)->data;
    memset(to, 0, (size_t)(wants * dim) * sizeof *to);
    for (int64_t i = 0; i < rows * dim; i++) to[wants * dim + i] = sb_weight_at(&old, has * dim + i);
    return 0;
}

/* From config.json, else as was asked for, else as all models of this width that are about. */
static int read_heads(struct sb_foreign *f)
{
    static const struct {
        int dim, heads;
    } known[] = {{192, 3}, {384, 6}, {768, 12}, {1024, 16}, {1280, 16}};
    struct sb_vit_config *c = &f->model->vit;
    const json_t *const places[] = {f->config, f->args};
    for (size_t i = 0; i < 2; i++) {
        if ((c->heads = sb_foreign_whole(places[i], "num_attention_heads"))) return 0;
        if ((c->heads = sb_foreign_whole(places[i], "num_heads"))) return 0;
    }
    c->heads = f->heads;
    if (f->heads && c->dim % f->heads == 0) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        c->heads = known[i].heads;
        if (known[i].dim == c->dim) return 0;
    }
    return sb_error(
        "%s: no config.json beside it says how many heads its attention has (num_attention_heads), and from "
        "%d numbers a token it can't be told",
        f->path, c->dim);
}

int sb_foreign_vit(struct sb_foreign *f)
{
    struct sb_vit_config *c = &f->model->vit;
    f->model->family = SB_VIT;
    if (read_shapes(f) || check_config(f) || read_heads(f)) return -1;
    const json_t *eps = sb_json_get(f->config, "layer_norm_eps");
    c->eps = json_is_number(eps) ? (float)json_number_value(eps) : f->naming.transformers_vit ? 1e-12f : 1e-6f;
    if (lay_positions(f)) return -1;
    c->size = c->patch * (int)(sqrt((double)f->model->rows * f->model->columns) + 0.5);
    return 0;
}
