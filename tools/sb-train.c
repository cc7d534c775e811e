/* sb-train: trains a ViT for labels, or a captioner for captions, on a tensorized stream. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/output.h"
#include "nn/lineage.h"
#include "nn/train.h"
#include "nn/words.h"

static const char *output, *task = "label", *arch = "Ti", *decoder = "dim=128,depth=2,heads=4", *init, *labels_file,
                           *optimizer = "adamw";
static const char *precision = "auto", *pool = "class", *keep = "best", *train_part = "train", *val_part = "val",
                  *device;
static int64_t patch = 16, epochs = 30, batch = 64, jobs, seed, length = 32, freeze;
static double lr = 5e-4, warmup = 3, decay = 0.05, clip = 1, smooth, dropout, drop_path;
static struct sb_augment augment;

static const struct sb_opt options[] = {
    {'o', "output", "FILE", SB_TEXT, &output, SB_OPT_UNRECORDED,
     "the model (needed), replaced as a whole each time weights are kept", 0, 0},
    {0, "task", "NAME", SB_TEXT, &task, 0, "label: one of several classes; caption: a sentence (default label)", 0, 0},
    {0, "arch", "NAME", SB_TEXT, &arch, 0, "Ti, S, B, L, H, or dim=D,depth=N,heads=H (default Ti)", 0, 0},
    {0, "patch", "N", SB_INT, &patch, 0, "pixels of a patch's side (default 16)", 1, 256},
    {0, "pool", "NAME", SB_TEXT, &pool, 0, "class token or mean of the patches: class, mean (default class)", 0, 0},
    {0, "decoder", "DIMS", SB_TEXT, &decoder, 0, "the captioner's decoder (default dim=128,depth=2,heads=4)", 0, 0},
    {0, "length", "N", SB_INT, &length, 0, "most words of a caption, begin and end included (default 32)", 4, 1024},
    {0, "init", "FILE", SB_TEXT, &init, SB_OPT_FILE, "start from this model; a head for other labels is replaced", 0,
     0},
    {0, "freeze", "N", SB_INT, &freeze, 0, "do not train the embedding and the first N-1 blocks (default 0: train all)",
     0, 1024},
    {0, "labels", "FILE", SB_TEXT, &labels_file, SB_OPT_FILE,
     "the classes, one a line; another label in the stream is an error", 0, 0},
    {0, "train", "PART", SB_TEXT, &train_part, 0, "the part of `split` to train on (default train)", 0, 0},
    {0, "val", "PART", SB_TEXT, &val_part, 0, "the part to validate on after each epoch (default val)", 0, 0},
    {0, "epochs", "N", SB_INT, &epochs, 0, "passes over the training part (default 30)", 1, 100000},
    SB_OPT_BATCH(&batch, "64"),
    {0, "optimizer", "NAME", SB_TEXT, &optimizer, 0, "adamw or adam (default adamw)", 0, 0},
    {0, "lr", "X", SB_REAL, &lr, 0, "highest learning rate (default 0.0005)", 0, 10},
    {0, "warmup", "EPOCHS", SB_REAL, &warmup, 0, "linear warm-up, then a cosine to zero (default 3)", 0, 100000},
    {0, "decay", "X", SB_REAL, &decay, 0, "weight decay of matrices (default 0.05)", 0, 10},
    {0, "clip", "X", SB_REAL, &clip, 0, "largest norm of the gradient, 0 for any (default 1)", 0, 1e9},
    {0, "smooth", "X", SB_REAL, &smooth, 0, "label smoothing (default 0)", 0, 0.999},
    {0, "dropout", "P", SB_REAL, &dropout, 0, "dropout (default 0)", 0, 0.999},
    {0, "drop-path", "P", SB_REAL, &drop_path, 0, "drop path of the last block, growing from 0 (default 0)", 0, 0.999},
    {0, "flip", NULL, SB_FLAG, &augment.flip, 0, "augment: mirror left to right", 0, 0},
    {0, "flip-vertical", NULL, SB_FLAG, &augment.flip_vertical, 0, "augment: mirror top to bottom", 0, 0},
    {0, "rotate", "DEGREES", SB_REAL, &augment.rotate, 0, "augment: rotate up to so much either way", 0, 180},
    {0, "scale", "X", SB_REAL, &augment.scale, 0, "augment: 0.2 zooms by 1/1.2 to 1.2", 0, 10},
    {0, "shift", "X", SB_REAL, &augment.shift, 0, "augment: move by up to this part of the side", 0, 1},
    {0, "colour", "X", SB_REAL, &augment.colour, 0, "augment: contrast and brightness by up to this part", 0, 1},
    {0, "keep", "NAME", SB_TEXT, &keep, 0, "best: the epoch with the best validation; last (default best)", 0, 0},
    {0, "precision", "NAME", SB_TEXT, &precision, 0,
     "auto, f32 or bf16: of activations and matrix products (default auto)", 0, 0},
    SB_OPT_SEED(&seed),
    SB_OPT_DEVICE(&device),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    .name = "sb-train",
    .usage = "-o MODEL [FILE]",
    .summary = "Trains a vision transformer on the tensors and labels, or captions, of a stream. Metrics go to "
               "standard output, a JSON line an epoch.",
    .opts = options,
    .reads_stdin = true,
};

/* true for the second of the two words allowed, false for the first. */
static bool second(const char *option, const char *value, const char *first_word, const char *second_word)
{
    if (strcmp(value, first_word) && strcmp(value, second_word))
        sb_usage("--%s is %s or %s, not '%s'", option, first_word, second_word, value);
    return !strcmp(value, second_word);
}

static void read_labels(struct sb_texts *labels)
{
    FILE *f = fopen(labels_file, "r");
    char *line = NULL;
    size_t cap = 0;
    if (!f) sb_die("%s: %m", labels_file);
    while (getline(&line, &cap, f) >= 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (!*line) continue;
        SB_GROW(labels->text, labels->cap, labels->count + 1);
        labels->text[labels->count++] = sb_strdup(line);
    }
    if (ferror(f)) sb_die("%s: %m", labels_file);
    free(line);
    fclose(f);
    if (!labels->count) sb_die("%s: no labels", labels_file);
}

static void texts_of(struct sb_texts *out, const struct sb_dictionary *d)
{
    out->text = sb_calloc(d->count + 1, sizeof *out->text);
    out->count = out->cap = d->count;
    for (size_t i = 0; i < d->count; i++) out->text[i] = sb_strdup(d->text[i]);
}

/* The decoder's shape; its words are those of all captions. */
static void plan_decoder(const struct sb_dataset *data, struct sb_dictionary *words, struct sb_decoder_config *config)
{
    struct sb_vit_config dims;
    if (sb_vit_config_parse(decoder, 16, 16, &dims)) sb_usage("--decoder: %s", sb_error_message());
    sb_words_start(words);
    for (size_t i = 0; i < data->target.count; i++) sb_words_add(words, data->target.text[i]);
    *config = (struct sb_decoder_config){.words = (int)words->count,
                                         .dim = dims.dim,
                                         .depth = dims.depth,
                                         .heads = dims.heads,
                                         .hidden = 4 * dims.dim,
                                         .length = (int)length,
                                         .dropout = (float)dropout};
}

static void plan_model(struct sb_model *m, const struct sb_dataset *data, struct sb_dictionary *words, bool captions)
{
    struct sb_vit_config vit;
    struct sb_decoder_config config = {0};
    if (sb_vit_config_parse(arch, data->size, (int)patch, &vit)) sb_usage("--arch: %s", sb_error_message());
    vit.class_token = !second("pool", pool, "class", "mean");
    vit.classes = captions ? 0 : (int)data->target.count;
    vit.dropout = (float)dropout;
    vit.drop_path = (float)drop_path;
    if (captions) plan_decoder(data, words, &config);
    if (sb_model_init(m, &vit, captions ? &config : NULL, (uint64_t)seed)) sb_die_error();
    m->preprocess = data->preprocess;
    texts_of(captions ? &m->words : &m->labels, captions ? words : &data->target);
    if (init && sb_model_take(m, init)) sb_die_error();
}

static struct sb_net *open_net(struct sb_backend *backend, struct sb_model *m)
{
    if (sb_backend_open(backend, device, (int)jobs)) sb_die_error();
    struct sb_net_options o = {
        .batch = (int)batch,
        .train = true,
        .bf16 = sb_backend_bf16(backend, precision),
        .seed = (uint64_t)seed,
        .adam = second("optimizer", optimizer, "adamw", "adam"),
        .beta1 = 0.9f,
        .beta2 = 0.999f,
        .eps = 1e-8f,
        .decay = (float)decay,
        .max_norm = (float)clip,
        .smooth = (float)smooth,
        .frozen_layers = (int)freeze,
    };
    struct sb_net *net = sb_net_open(backend, m, &o);
    if (!net) sb_die_error();
    return net;
}

static bool augmented(const struct sb_dataset *data)
{
    bool any = augment.flip || augment.flip_vertical || augment.rotate > 0 || augment.scale > 0 || augment.shift > 0 ||
               augment.colour > 0;
    if (any && data->dtype != SB_U8) sb_die("augmentation needs u8 tensors (sb-tensorize --type u8)");
    return any;
}

static void say_plan(const struct sb_model *m, const struct sb_dataset *d, const struct sb_net *net,
                     const char *backend)
{
    if (sb_quiet) return;
    sb_counts_print(&d->counts);
    fprintf(stderr, "sb-train: %zu to train on, %zu to validate; %zu %s; %.2f M weights, %.0f MB on %s\n",
            d->train.count, d->val.count, m->words.count ? m->words.count : m->labels.count,
            m->words.count ? "words" : "classes", (double)m->total / 1e6, (double)sb_net_bytes(net) / 1e6, backend);
    if (!d->val.count) sb_warn("no records of part '%s': nothing to validate on, the last weights are kept", val_part);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_dataset data;
    struct sb_dictionary words = {0};
    struct sb_texts labels = {0};
    struct sb_model model = {0};
    struct sb_backend backend;
    sb_opt_parse(&tool, argc, argv, &args);
    if (!output || !strcmp(output, "-")) sb_usage("a model needs a file: -o MODEL");
    if (args.count > 1) sb_usage("one stream at a time");
    bool captions = second("task", task, "label", "caption"), last = second("keep", keep, "best", "last");
    if (labels_file) read_labels(&labels);
    sb_output_try(output); /* not to find out after hours */
    struct sb_dataset_options which = {captions, train_part, val_part, labels_file ? &labels : NULL};
    if (sb_dataset_open(&data, args.operand[0], &which)) sb_die_error();
    plan_model(&model, &data, &words, captions);
    model.data = sb_calloc(1, SB_HEX);
    sb_spool_hash(data.spool, model.data);
    model.history = sb_lineage_json(sb_spool_header(data.spool), &tool, &args);
    struct sb_train_options o = {
        .epochs = (int)epochs,
        .batch = (int)batch,
        .lr = lr,
        .warmup = warmup,
        .keep_last = last,
        .augmented = augmented(&data),
        .augment = augment,
        .seed = (uint64_t)seed,
        .metrics = sb_output_stdio(NULL),
        .output = output,
    };
    struct sb_net *net = open_net(&backend, &model);
    say_plan(&model, &data, net, backend.ops->name);
    if (sb_train(net, &model, &data, captions ? &words : NULL, &o)) sb_die_error();
    fclose(o.metrics);
    sb_net_close(net);
    sb_backend_close(&backend);
    sb_model_free(&model);
    sb_dataset_close(&data);
    return 0;
}
