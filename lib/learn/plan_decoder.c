#include "learn/plan_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "text/words.h"
#include "weights/gpt2_file.h"

static bool is_file(const char *decoder)
{
    static const char end[] = ".safetensors";
    size_t n = strlen(decoder);
    return n >= sizeof end && !strcmp(decoder + n - (sizeof end - 1), end);
}

static int open_tokenizer(struct sb_tokenizer *t, const struct sb_plan *plan, const struct sb_dataset *data)
{
    const char *slash = strrchr(plan->decoder, '/');
    if (plan->tokenizer) return sb_tokenizer_open(t, plan->tokenizer);
    if (is_file(plan->decoder)) {
        char *folder = slash ? sb_strndup(plan->decoder, (size_t)(slash - plan->decoder)) : sb_strdup(".");
        int rc = sb_tokenizer_open(t, folder);
        free(folder);
        return rc;
    }
    sb_tokenizer_start(t);
    for (size_t i = 0; i < data->target.count; i++) sb_words_add(&t->words, data->target.text[i]);
    return 0;
}

static void parse_dims(struct sb_decoder_config *c, const char *text)
{
    struct sb_vit_config dims;
    if (sb_vit_config_parse(text, 16, 16, &dims)) sb_usage("--decoder: %s", sb_error_message());
    *c = (struct sb_decoder_config){.dim = dims.dim, .depth = dims.depth, .heads = dims.heads, .hidden = dims.hidden};
}

/* What the file has must be enough; more of it stays unused. */
static int check_room(const struct sb_plan *plan, const struct sb_decoder_config *file, size_t tokens)
{
    if (plan->length > file->length)
        return sb_error("%s: it has %d positions, --length wants %lld", plan->decoder, file->length,
                        (long long)plan->length);
    if (tokens > (size_t)file->words)
        return sb_error("%s: it has %d words, its tokenizer %zu", plan->decoder, file->words, tokens);
    return 0;
}

int sb_plan_decoder(struct sb_decoder_config *config, struct sb_tokenizer *tokenizer, const struct sb_plan *plan,
                    const struct sb_dataset *data)
{
    bool file = is_file(plan->decoder);
    if (!file)
        parse_dims(config, plan->decoder);
    else if (sb_gpt2_describe(plan->decoder, config))
        return -1;
    if (open_tokenizer(tokenizer, plan, data)) return -1;
    size_t tokens = sb_tokenizer_count(tokenizer);
    if (file && check_room(plan, config, tokens)) return -1;
    config->words = (int)tokens;
    config->length = (int)plan->length;
    config->begin = tokenizer->begin;
    config->end = tokenizer->end;
    config->dropout = (float)plan->dropout;
    return 0;
}

int sb_plan_decoder_weights(struct sb_model *m, const struct sb_plan *plan)
{
    return is_file(plan->decoder) ? sb_gpt2_take(m, plan->decoder) : 0;
}
