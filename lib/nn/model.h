/* What a model is: its shape, its parameters by name, and what travels with it in its file.
 *
 * A classifier is a ViT or a ResNet with a head. A captioner is a ViT without one, whose tokens, projected, stand as a
 * prefix before the words of a small decoder in GPT-2's form. Weights are stored under timm's names
 * (blocks.0.attn.qkv.weight) and, for the decoder, GPT-2's under "decoder." (decoder.h.0.attn.c_attn.weight), with the
 * projection as "project.weight", "project.bias". */
#ifndef SB_NN_MODEL_H
#define SB_NN_MODEL_H

#include "base/opt.h"
#include "formats/safetensors.h"
#include "preprocess/preprocess.h"
#include "text/tokenizer.h"

struct sb_vit_config {
    int size, patch;       /* pixels; size a multiple of patch */
    int dim, depth, heads; /* dim a multiple of heads */
    int hidden;            /* of the MLP; 4 * dim */
    int registers;         /* DINOv2's register tokens */
    bool class_token;      /* its output is the embedding; else the mean of the patch tokens */
    bool fc_norm;          /* the mean is, even with a class token, and the last norm comes after it (timm's fc_norm) */
    bool layer_scale;
    float eps;                /* LayerNorm's; 1e-6 in timm */
    int classes;              /* 0: no head */
    float drop_path, dropout; /* training only; drop_path grows linearly with depth */
};

/* He et al. 2016, in torchvision's form, or in the small one that the paper has for CIFAR. */
struct sb_resnet_config {
    int size;        /* pixels */
    int stage[4];    /* residual blocks of each stage; the CIFAR form has three stages */
    int width;       /* channels of the stem and of the first stage, twice as many in each next one; 64, or 16 */
    bool bottleneck; /* 1x1, 3x3 (with the stride), 1x1 of four times the channels; else two 3x3 */
    bool cifar;      /* stem of 3x3 without pooling; a shortcut that shrinks takes every second pixel and
                      * zeros for new channels */
    int classes;     /* 0: no head */
};

struct sb_decoder_config {
    int words; /* size of the vocabulary; 0: no decoder */
    int dim, depth, heads, hidden;
    int length;     /* most tokens of a caption, begin and end included */
    int begin, end; /* the tokens that stand before and behind a caption; maybe the same */
    float dropout;
};

enum sb_init { SB_INIT_VALUE, SB_INIT_NORMAL, SB_INIT_UNIFORM };

struct sb_param {
    char *name; /* as it stands in the file */
    int64_t shape[4];
    int ndim;
    int64_t offset; /* elements, in the flat buffers; multiples of 16 but where joined */
    int64_t count;
    const float *mapped; /* where the weight lies in the model's mapped file; NULL: in master */
    int layer;           /* 0: embedding or stem, 1..depth: blocks, depth+1: head; for layer-wise rates and freezing */
    bool statistic;      /* a batch norm's running mean or variance: training moves it, the optimiser never does */
    bool joined;         /* lies right behind the one before it, without a gap: an op takes them as one */
    bool kernel;         /* a convolution's weight, which has no packed form */
    bool decay;          /* weight decay applies: matrices, not biases, norms, positions or tokens */
    bool transposed;     /* files hold [in,out] (GPT-2's Conv1D), shape here is [out,in] */
    enum sb_init init;
    float scale; /* of init: a deviation, a bound or a value */
};

enum sb_family { SB_VIT, SB_RESNET };

struct sb_model {
    enum sb_family family;
    struct sb_vit_config vit;       /* of that family */
    struct sb_resnet_config resnet; /* of that one; has no decoder */
    struct sb_decoder_config decoder;
    bool several; /* a picture may have several labels: sigmoids, not softmax */
    bool crops;   /* it was trained on crops: records with a `box` */
    struct sb_preprocess preprocess;
    struct sb_texts labels;        /* class names, in the order of the head's rows */
    struct sb_tokenizer tokenizer; /* of the decoder's words */
    char *history;                 /* JSON text: the history of the data it was trained on; or NULL */
    char *data;                    /* hash of the stream it was trained on, as in its trailer; or NULL */
    char *parent;                  /* hash of the file it was initialised from; or NULL */
    struct sb_param *param;        /* in order of first forward use */
    size_t params;
    int64_t total;          /* elements of the flat buffer */
    float *master;          /* f32 [total], host: the weights but for those that are mapped */
    struct sb_weights file; /* that it was loaded from, if any: parameters may be mapped there */
    int rows, columns;      /* of the patches that a ViT's positions in it are of */
};

/* What a model of any family has. */
int sb_model_size(const struct sb_model *m); /* pixels a side of its input */
int sb_model_classes(const struct sb_model *m);
int sb_model_dim(const struct sb_model *m);          /* of its embedding */
int sb_model_layers(const struct sb_model *m);       /* see sb_param.layer */
const char *sb_model_head(const struct sb_model *m); /* what its head's parameters are called: "head", "fc", "linear" */

static inline const float *sb_param_weights(const struct sb_model *m, const struct sb_param *p)
{
    return p->mapped ? p->mapped : m->master + p->offset;
}

/* Ti S B L H with patch and size, e.g. "S/16"; "dim=192,depth=6,heads=3" for others; -1 with a message. */
int sb_vit_config_parse(const char *text, int size, int patch, struct sb_vit_config *out);

/* "resnet18" 34 50 101 in torchvision's form, "resnet20" 32 44 56 110 in that for CIFAR; -1 with a message. */
int sb_resnet_config_parse(const char *text, int size, struct sb_resnet_config *out);

/* Lays out the parameters and fills them as timm does by default, from the seed: matrices, head and positions normal
 * with deviation 0.02 (timm's truncation at 2 lies a hundred deviations out), biases zero, norms one, class token
 * normal 1e-6, the patch embedding uniform within 1/sqrt(fan in) as torch's Conv2d; the decoder as GPT-2 (normal 0.02,
 * what writes to the residual stream / sqrt(2 depth)). Preprocessing is sb_preprocess_default(); labels, tokenizer,
 * history, data and parent are left empty for the caller to fill (m owns them). */
int sb_model_init(struct sb_model *m, const struct sb_vit_config *vit, const struct sb_decoder_config *decoder,
                  uint64_t seed);
/* The same for a ResNet, as torchvision does by default: convolutions normal with deviation sqrt(2 / fan out) (He et
 * al. 2015), norms one and zero, the head's weights and biases uniform within 1/sqrt(fan in) as torch's Linear. */
int sb_model_init_resnet(struct sb_model *m, const struct sb_resnet_config *resnet, uint64_t seed);
void sb_model_free(struct sb_model *m);

#endif
