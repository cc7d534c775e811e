/* sb-caption: adds a sentence to records with tensors. */
#include <stdlib.h>

#include "learn/infer.h"

static struct sb_infer_options infer = SB_INFER_DEFAULTS;

static const struct sb_opt options[] = {SB_INFER_OPTIONS(&infer)};

static const struct sb_tool tool = {
    .name = "sb-caption",
    .usage = "-m MODEL [FILE]",
    .summary = "Adds the field caption, a sentence, to each record that has a tensor. Words are chosen greedily.",
    .opts = options,
    .reads_stdin = true,
};

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_infer n;
    struct sb_record *rec;
    struct sb_batch b;
    sb_opt_parse(&tool, argc, argv, &args);
    infer.captions = true;
    sb_infer_open(&n, &tool, &args, &infer);
    int length = n.model.decoder.length;
    int32_t *token = sb_calloc((size_t)infer.batch, (size_t)length * sizeof *token);
    for (int count; (count = sb_infer_next(&n, &rec, &b));) {
        sb_net_caption(n.net, &b, token);
        for (int i = 0; i < count; i++) {
            char *text = sb_tokenizer_decode(&n.model.tokenizer, token + (size_t)i * (size_t)length, length);
            sb_set_cstr(&rec[i], "caption", text);
            free(text);
        }
        sb_infer_put(&n, rec, count);
    }
    free(token);
    sb_infer_close(&n);
    return 0;
}
