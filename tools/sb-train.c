/* sb-train: trains a ViT or a ResNet for labels, or a captioner for captions, on a tensorized stream. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/labels.h"
#include "base/output.h"
#include "learn/balance.h"
#include "learn/lineage.h"
#include "learn/plan.h"
#include "learn/train.h"

static struct sb_plan plan;
static struct sb_train_options train = {.epochs = 30, .batch = 64, .lr = 5e-4, .warmup = 3};
static const char *output, *task = "label", *labels_file, *optimizer = "adamw", *precision = "auto", *keep = "best",
                           *train_part = "train", *val_part = "val", *device, *freeze = "0";
static double decay = 0.05, layer_decay = 1, clip = 1, average, balance;
static bool recompute;

static const struct sb_opt options[] = {
    {'o', "output", "FILE", SB_TEXT, &output, SB_OPT_UNRECORDED,
     "the model (needed), replaced as a whole each time weights are kept", 0, 0},
    {0, "task", "label|labels|caption", SB_TEXT, &task, 0,
     "label: one of several classes; labels: any of them; caption: a sentence (default label)", 0, 0},
    {0, "arch", "NAME", SB_TEXT, &plan.arch, 0,
     "Ti, S, B, L, H, dim=D,depth=N,heads=H, resnet18, resnet50, ... (default: of --init, else Ti)", 0, 0},
    {0, "patch", "N", SB_INT, &plan.patch, 0, "pixels of a patch's side (default: of --init, else 16)", 1, 256},
    {0, "pool", "class|mean", SB_TEXT, &plan.pool, 0,
     "what the head reads: class, a token, or mean, of the patches (default: of --init, else class)", 0, 0},
    {0, "decoder", "DIMS", SB_TEXT, &plan.decoder, SB_OPT_MAYBE_FILE,
     "the captioner's decoder (default dim=128,depth=2,heads=4), or a file of transformers' GPT-2", 0, 0},
    {0, "tokenizer", "DIR", SB_TEXT, &plan.tokenizer, SB_OPT_MAYBE_FILE,
     "a captioner's vocab.json and merges.txt (default: beside GPT-2's file, else whole words)", 0, 0},
    {0, "length", "N", SB_INT, &plan.length, 0, "most words of a caption, begin and end included (default 32)", 4,
     1024},
    {0, "init", "FILE", SB_TEXT, &plan.init, SB_OPT_FILE,
     "start from this model, ours or another's; a head for other labels is begun anew", 0, 0},
    {0, "freeze", "N", SB_TEXT, &freeze, 0,
     "N: the embedding and the first N-1 blocks stay as they are; all: all but the head does (default 0: train all)", 0,
     0},
    {0, "labels", "FILE", SB_TEXT, &labels_file, SB_OPT_FILE,
     "the classes, one a line; another label in the stream is an error", 0, 0},
    {0, "train", "PART", SB_TEXT, &train_part, 0, "the part of `split` to train on (default train)", 0, 0},
    {0, "val", "PART", SB_TEXT, &val_part, 0, "the part to validate on after each epoch (default val)", 0, 0},
    {0, "epochs", "N", SB_INT, &train.epochs, 0, "passes over the training part (default 30)", 1, 100000},
    {0, "batch", "N", SB_INT, &train.batch, 0, "pictures of an optimiser step (default 64)", 1, 65536},
    {0, "micro", "N", SB_INT, &train.micro, 0, "save memory: compute at most N pictures at once (default: the batch)",
     1, 65536},
    {0, "recompute", NULL, SB_FLAG, &recompute, 0, "save memory: compute each block twice, a third more time", 0, 0},
    {0, "optimizer", "adamw|adam", SB_TEXT, &optimizer, 0, "what moves the weights (default adamw)", 0, 0},
    {0, "lr", "X", SB_REAL, &train.lr, 0, "highest learning rate (default 0.0005)", 0, 10},
    {0, "warmup", "EPOCHS", SB_REAL, &train.warmup, 0, "linear warm-up, then a cosine to zero (default 3)", 0, 100000},
    {0, "layer-decay", "X", SB_REAL, &layer_decay, 0, "each layer's rate is X times that above it (default 1)", 0.01,
     1},
    {0, "decay", "X", SB_REAL, &decay, 0, "weight decay of matrices (default 0.05)", 0, 10},
    {0, "clip", "X", SB_REAL, &clip, 0, "largest norm of the gradient, 0 for any (default 1)", 0, 1e9},
    {0, "average", "D", SB_REAL, &average, 0,
     "validate and keep a moving average of the weights, 0.999 say (default 0: none)", 0, 0.999999},
    {0, "balance", "P", SB_REAL, &balance, 0, "weight classes by count^-P: 1 makes them equal (default 0)", 0, 2},
    {0, "smooth", "X", SB_REAL, &train.smooth, 0, "label smoothing (default 0)", 0, 0.999},
    {0, "dropout", "P", SB_REAL, &plan.dropout, 0, "share of the activations that are dropped (default 0)", 0, 0.999},
    {0, "drop-path", "P", SB_REAL, &plan.drop_path, 0,
     "how often a picture skips the last block, growing from 0 (default 0)", 0, 0.999},
    {0, "flip", NULL, SB_FLAG, &train.augment.flip, 0, "augment: mirror left to right", 0, 0},
    {0, "flip-vertical", NULL, SB_FLAG, &train.augment.flip_vertical, 0, "augment: mirror top to bottom", 0, 0},
    {0, "rotate", "DEGREES", SB_REAL, &train.augment.rotate, 0, "augment: rotate up to so much either way", 0, 180},
    {0, "scale", "X", SB_REAL, &train.augment.scale, 0, "augment: 0.2 zooms by 1/1.2 to 1.2", 0, 10},
    {0, "shift", "X", SB_REAL, &train.augment.shift, 0, "augment: move by up to this part of the side", 0, 1},
    {0, "colour", "X", SB_REAL, &train.augment.colour, 0, "augment: contrast and brightness by up to this part", 0, 1},
    {0, "mixup", "A", SB_REAL, &train.mixing.mixup, 0, "mix pictures in pairs by Beta(A, A) (default 0: no)", 0, 100},
    {0, "cutmix", "A", SB_REAL, &train.mixing.cutmix, 0,
     "put a piece of one picture into another; with --mixup each batch draws which (default 0: no)", 0, 100},
    {0, "keep", "best|last", SB_TEXT, &keep, 0, "the epoch with the best validation, or the last (default best)", 0, 0},
    {0, "patience", "N", SB_INT, &train.patience, 0, "stop after N epochs that were no better (default: do not)", 1,
     100000},
    {0, "resume", NULL, SB_FLAG, &train.resume, SB_OPT_UNRECORDED,
     "keep MODEL.state after each epoch, and go on from it where it exists", 0, 0},
    {0, "precision", "auto|f32|bf16", SB_TEXT, &precision, 0,
     "of activations and matrix products (default auto)", 0, 0},
    SB_OPT_SEED(&plan.seed),
    SB_OPT_DEVICE(&device),
    SB_OPT_JOBS(&train.jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    .name = "sb-train",
    .usage = "-o MODEL [FILE]",
    .summary =
        "Trains a vision transformer or a ResNet on the tensors and labels, or captions, of a stream. Metrics go to "
        "standard output, a JSON line an epoch.",
    .opts = options,
    .reads_stdin = true,
};

static int choose(const char *option, const char *value, const char *first, const char *second, const char *third)
{
    return sb_opt_choose(option, value, (const char *const[]){first, second, third, NULL});
}

/* weight: of classes. */
static struct sb_net *open_net(struct sb_backend *backend, struct sb_model *m, const float *weight)
{
    if (sb_backend_open(backend, device, (int)train.jobs)) sb_die_error();
    struct sb_net_options o = {
        .batch = (int)train.micro,
        .batch_option = "--micro",
        .train = true,
        .bf16 = sb_backend_bf16(backend, precision),
        .seed = (uint64_t)plan.seed,
        .adam = choose("optimizer", optimizer, "adamw", "adam", NULL),
        .beta1 = 0.9f,
        .beta2 = 0.999f,
        .eps = 1e-8f,
        .decay = (float)decay,
        .max_norm = (float)clip,
        .layer_decay = (float)layer_decay,
        .average = (float)average,
        .smooth = plan.task == SB_TASK_LABELS ? 0 : (float)train.smooth,
        .class_weight = weight,
        .frozen_layers = sb_plan_frozen(m, freeze),
        .recompute = recompute,
    };
    struct sb_net *net = sb_net_open(backend, m, &o);
    if (!net) sb_die_error();
    return net;
}

static void say_plan(const struct sb_model *m, const struct sb_dataset *d, const struct sb_net *net,
                     const char *backend)
{
    if (sb_quiet) return;
    sb_counts_print(&d->counts);
    fprintf(stderr, "sb-train: %zu to train on, %zu to validate; %zu %s; %.2f M weights, %.0f MB on %s\n",
            d->train.count, d->val.count, m->decoder.words ? (size_t)m->decoder.words : m->labels.count,
            m->decoder.words ? "words" : "classes", (double)m->total / 1e6, (double)sb_net_bytes(net) / 1e6, backend);
    if (plan.task == SB_TASK_LABEL && m->labels.count == 1)
        sb_warn("there is one class alone, '%s': nothing to tell apart", m->labels.text[0]);
    if (!d->val.count) sb_warn("no records of part '%s': nothing to validate on, the last weights are kept", val_part);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What is for labels alone, or for captions alone; and the rest of a captioner. */
static void settle_task(bool mixes)
{
    if (plan.task == SB_TASK_CAPTION) {
        if (mixes || balance > 0 || labels_file)
            sb_usage("--mixup, --cutmix, --balance and --labels are for labels, not for captions");
        if (!plan.decoder) plan.decoder = "dim=128,depth=2,heads=4";
        if (!plan.length) plan.length = 32;
    } else if (plan.decoder || plan.tokenizer || plan.length)
        sb_usage("--decoder, --tokenizer and --length are for captions, not for labels");
}

static void read_options(int argc, char **argv, struct sb_args *args)
{
    sb_opt_parse(&tool, argc, argv, args);
    if (!output || !strcmp(output, "-")) sb_usage("a model needs a file: -o MODEL");
    if (args->count > 1) sb_usage("one stream at a time");
    plan.task = (enum sb_task)choose("task", task, "label", "labels", "caption");
    if (plan.pool) choose("pool", plan.pool, "class", "mean", NULL);
    train.keep_last = choose("keep", keep, "best", "last", NULL);
    train.seed = plan.seed;
    train.output = output;
    train.averaged = average > 0;
    bool mixes = train.mixing.mixup > 0 || train.mixing.cutmix > 0;
    settle_task(mixes);
    if (train.resume && plan.init && same_file(plan.init, output))
        sb_usage("--resume needs the model of --init again, which -o would replace: name another file");
    if (!train.micro || train.micro > train.batch) train.micro = train.batch;
    if (mixes && train.micro < train.batch && train.micro % 2)
        sb_usage("--micro is even with --mixup and --cutmix: a picture is computed with its partner");
}

static void open_data(struct sb_dataset *data, const char *path)
{
    struct sb_texts labels = {0};
    if (labels_file && sb_labels_read(&labels, labels_file)) sb_die_error();
    struct sb_dataset_options o = {plan.task, train_part, val_part, labels_file ? &labels : NULL};
    if (sb_dataset_open(data, path, &o)) sb_die_error();
    if (sb_augment_any(&train.augment) && data->dtype != SB_U8)
        sb_die("augmentation needs u8 tensors (sb-tensorize --type u8)");
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_dataset data;
    struct sb_model model = {0};
    struct sb_backend backend;
    read_options(argc, argv, &args);
    sb_output_try(output); /* not to find out after hours */
    open_data(&data, args.operand[0]);
    if (sb_plan_model(&model, &plan, &data)) sb_die_error();
    if (recompute && model.family == SB_RESNET) sb_usage("--recompute is for ViTs, not for a ResNet");
    model.data = sb_calloc(1, SB_HEX);
    sb_spool_hash(data.spool, model.data);
    model.history = sb_lineage_json(sb_spool_header(data.spool), &tool, &args);
    float *weight = balance > 0 ? sb_balance_weights(&data, balance) : NULL;
    struct sb_net *net = open_net(&backend, &model, weight);
    say_plan(&model, &data, net, backend.ops->name);
    train.metrics = sb_output_stdio(NULL);
    if (sb_train(net, &model, &data, &train)) sb_die_error();
    fclose(train.metrics);
    sb_net_close(net);
    sb_backend_close(&backend);
    sb_model_free(&model);
    free(weight);
    sb_dataset_close(&data);
    return 0;
}
