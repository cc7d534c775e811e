/* The model that a training run begins with: its shape from options and data, its weights from the seed or a file. */
#ifndef SB_LEARN_PLAN_H
#define SB_LEARN_PLAN_H

#include "learn/dataset.h"
#include "nn/model.h"

struct sb_plan {
    enum sb_task task;
    const char *arch; /* as sb_resnet_config_parse() or sb_vit_config_parse() reads it; NULL: that of init, else Ti */
    int64_t patch;    /* pixels; 0: as arch says, else 16; of a ViT */
    const char *pool; /* "mean": that of the patches is the embedding; "class": the token is; NULL: init's, or class */
    const char *decoder;   /* dimensions of a captioner's decoder, or a file of transformers' GPT-2 */
    const char *tokenizer; /* a folder of GPT-2's vocab.json and merges.txt; NULL: see plan_decoder.h */
    int64_t length;        /* most words of a caption */
    double dropout, drop_path;
    const char *init; /* a file to take weights from; NULL: none */
    int64_t seed;
};

/* Lays the model out for the data's labels or captions; pictures become its input as the data's did. It warns where
 * init was trained with another mean, deviation or order of channels. An --arch or --decoder that is none is wrong
 * usage; else -1 with a message. */
int sb_plan_model(struct sb_model *m, const struct sb_plan *plan, const struct sb_dataset *data);

/* How many layers are not trained (sb_net_options.frozen_layers): freeze is that number, or "all": all but the head, or
 * but a captioner's decoder. Anything else is wrong usage. */
int sb_plan_frozen(struct sb_model *m, const char *freeze);

#endif
