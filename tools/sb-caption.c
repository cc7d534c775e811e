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

struct work {
    struct sb_infer *infer;
    int length;
    int32_t *token[SB_NET_UNDER_WAY];
};

static void start(void *arg, const struct sb_batch *b, int place)
{
    struct work *w = arg;
    sb_net_caption(w->infer->net, b, w->token[place]);
}

static void finish(void *arg, struct sb_record *rec, int count, int place)
{
    struct work *w = arg;
    for (int i = 0; i < count; i++) {
        const int32_t *token = w->token[place] + (size_t)i * (size_t)w->length;
        char *text = sb_tokenizer_decode(&w->infer->model.tokenizer, token, w->length);
        sb_set_cstr(&rec[i], "caption", text);
        free(text);
    }
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_infer n;
    sb_opt_parse(&tool, argc, argv, &args);
    infer.captions = true;
    sb_infer_open(&n, &tool, &args, &infer);
    struct work w = {.infer = &n, .length = n.model.decoder.length};
    for (int i = 0; i < SB_NET_UNDER_WAY; i++)
        w.token[i] = sb_calloc((size_t)infer.batch, (size_t)w.length * sizeof(int32_t));
    sb_infer_run(&n, &(struct sb_infer_work){start, finish, &w});
    for (int i = 0; i < SB_NET_UNDER_WAY; i++) free(w.token[i]);
    sb_infer_close(&n);
    return 0;
}
