#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

#include "nn/words.h"

static void texts_of(struct sb_texts *out, const struct sb_dictionary *d)
{
    out->text = sb_calloc(d->count + 1, sizeof *out->text);
    out->count = out->cap = d->count;
    for (size_t i = 0; i < d->count; i++) out->text[i] = sb_strdup(d->text[i]);
}

/* The decoder's shape; its words are those of all captions, or the tokenizer's. */
static int plan_decoder(struct sb_decoder_config *config, const struct sb_plan *plan, const struct sb_dataset *data,
                         struct sb_tokenizer *tokenizer)
{
    struct sb_vit_config dims;
    if (sb_vit_config_parse(plan->decoder, 16, 16, &dims)) sb_usage("--decoder: %s", sb_error_message());
    if (plan->tokenizer) {
        if (sb_tokenizer_open(tokenizer, plan->tokenizer)) return -1;
    } else {
        sb_tokenizer_start(tokenizer);
        for (size_t i = 0; i < data->target.count; i++) sb_words_add(&tokenizer->words, data->target.text[i]);
    }
    *config = (struct sb_decoder_config){.words = (int)sb_tokenizer_count(tokenizer),
                                         .dim = dims.dim,
                                         .depth = dims.depth,
                                         .heads = dims.heads,
                                         .hidden = 4 * dims.dim,
                                         .length = (int)plan->length,
                                         .begin = tokenizer->begin,
                                         .end = tokenizer->end,
                                         .dropout = (float)plan->dropout};
    return 0;
}

int sb_plan_model(struct sb_model *m, const struct sb_plan *plan, const struct sb_dataset *data)
{
    struct sb_vit_config vit;
    struct sb_decoder_config decoder = {0};
    struct sb_tokenizer tokenizer = {0};
    bool captions = plan->task == SB_TASK_CAPTION;
    if (sb_vit_config_parse(plan->arch, data->size, (int)plan->patch, &vit)) sb_usage("--arch: %s", sb_error_message());
    vit.class_token = !plan->mean;
    vit.classes = captions ? 0 : (int)data->target.count;
    vit.dropout = (float)plan->dropout;
    vit.drop_path = (float)plan->drop_path;
    if (captions && plan_decoder(&decoder, plan, data, &tokenizer)) return -1;
    if (sb_model_init(m, &vit, captions ? &decoder : NULL, (uint64_t)plan->seed)) return -1;
    m->several = plan->task == SB_TASK_LABELS;
    m->preprocess = data->preprocess;
    m->tokenizer = tokenizer;
    if (!captions) texts_of(&m->labels, &data->target);
    return plan->init ? sb_model_take(m, plan->init) : 0;
}

int sb_plan_frozen(struct sb_model *m, const char *freeze)
{
    int above = sb_model_layers(m) - 1;
    char *end;
    long layers = strtol(freeze, &end, 10);
    if (*freeze && !*end && layers >= 0 && layers <= above) return (int)layers;
    if (strcmp(freeze, "all")) sb_usage("--freeze is a number of layers from 0 to %d, or all, not '%s'", above, freeze);
    /* For rates the last norm counts as of the head; a linear probe leaves it alone. */
    for (size_t i = 0; i < m->params; i++)
        if (!strncmp(m->param[i].name, "norm.", 5)) m->param[i].layer = above - 1;
    return above;
}
