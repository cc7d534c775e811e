/* What a model is: its shape, its parameters by name, and what travels with it in its file.
 *
 * A classifier is a ViT with a head. A captioner is a ViT without one, whose tokens, projected, stand as a prefix
 * before the words of a small decoder in GPT-2's form. Weights are stored under timm's names (blocks.0.attn.qkv.weight)
 * and, for the decoder, GPT-2's under "decoder." (decoder.h.0.attn.c_attn.weight), with the projection as
 * "project.weight", "project.bias". */
#ifndef SB_NN_MODEL_H
#define SB_NN_MODEL_H

#include "base/opt.h"
#include "nn/preprocess.h"
#include "nn/safetensors.h"

struct sb_vit_config {
    int size, patch;       /* pixels; size a multiple of patch */
    int dim, depth, heads; /* dim a multiple of heads */
    int hidden;            /* of the MLP; 4 * dim */
    int registers;         /* DINOv2's register tokens */
    bool class_token;      /* its output is the embedding; else the mean of the patch tokens */
    bool layer_scale;
    float eps;                /* LayerNorm's; 1e-6 in timm */
    int classes;              /* 0: no head */
    float drop_path, dropout; /* training only; drop_path grows linearly with depth */
};

struct sb_decoder_config {
    int words; /* size of the vocabulary; 0: no decoder */
    int dim, depth, heads, hidden;
    int length; /* most tokens of a caption, begin and end included */
    float dropout;
};

enum sb_init { SB_INIT_VALUE, SB_INIT_NORMAL, SB_INIT_UNIFORM };

struct sb_param {
    char *name; /* as it stands in the file */
    int64_t shape[4];
    int ndim;
    int64_t offset; /* elements, in the flat buffers; multiples of 16 */
    int64_t count;
    const float *mapped; /* where the weight lies in the model's mapped file; NULL: in master */
    int layer;       /* 0: embedding, 1..depth: blocks, depth+1: head; for layer-wise rates and freezing */
    bool decay;      /* weight decay applies: matrices, not biases, norms, positions or tokens */
    bool transposed; /* files hold [in,out] (GPT-2's Conv1D), shape here is [out,in] */
    enum sb_init init;
    float scale; /* of init: a deviation, a bound or a value */
};

struct sb_model {
    struct sb_vit_config vit;
    struct sb_decoder_config decoder;
    struct sb_preprocess preprocess;
    struct sb_texts labels; /* class names, in the order of the head's rows */
    struct sb_texts words;  /* the decoder's vocabulary; 0 "<pad>", 1 "<begin>", 2 "<end>", 3 "<unknown>" */
    char *history;          /* JSON text: the history of the data it was trained on; or NULL */
    char *data;             /* hash of the stream it was trained on, as in its trailer; or NULL */
    char *parent;           /* hash of the file it was initialised from; or NULL */
    struct sb_param *param; /* in order of first forward use */
    size_t params;
    int64_t total; /* elements of the flat buffer */
    float *master; /* f32 [total], host: the weights but for those that are mapped */
    struct sb_weights file; /* that it was loaded from, if any: parameters may be mapped there */
};

/* What a model of any family has. */
static inline int sb_model_size(const struct sb_model *m) { return m->vit.size; } /* pixels a side of its input */
static inline int sb_model_classes(const struct sb_model *m) { return m->vit.classes; }
static inline int sb_model_dim(const struct sb_model *m) { return m->vit.dim; }            /* of its embedding */
static inline int sb_model_layers(const struct sb_model *m) { return m->vit.depth + 2; } /* see sb_param.layer */

static inline const float *sb_param_weights(const struct sb_model *m, const struct sb_param *p)
{
    return p->mapped ? p->mapped : m->master + p->offset;
}

/* Ti S B L H with patch and size, e.g. "S/16"; "dim=192,depth=6,heads=3" for others; -1 with a message. */
int sb_vit_config_parse(const char *text, int size, int patch, struct sb_vit_config *out);

/* Lays out the parameters and fills them as timm does by default, from the seed: matrices, head and positions normal
 * with deviation 0.02 (timm's truncation at 2 lies a hundred deviations out), biases zero, norms one, class token
 * normal 1e-6, the patch embedding uniform within 1/sqrt(fan in) as torch's Conv2d; the decoder as GPT-2 (normal 0.02,
 * what writes to the residual stream / sqrt(2 depth)). Text lists, preprocessing, history, data and parent are left
 * empty for the caller to fill (m owns them). */
int sb_model_init(struct sb_model *m, const struct sb_vit_config *vit, const struct sb_decoder_config *decoder,
                  uint64_t seed);
/* A file written by sb_model_save. Matrices stay in the mapped file where they can be used as they lie there. Messages
 * name the tensor, its shape and the shape wanted. */
int sb_model_load(struct sb_model *m, const char *path);
/* Takes over from a safetensors file every weight whose name and shape fit m (position embeddings resized as timm does
 * when only the grid differs; a head or decoder whose labels or words differ is left as initialised). Prints to stderr
 * what was taken and left, and sets m->parent. Backbone weights that do not fit are an error. */
int sb_model_take(struct sb_model *m, const char *path);
int sb_model_save(const struct sb_model *m, const char *path);
void sb_model_free(struct sb_model *m);

#endif
