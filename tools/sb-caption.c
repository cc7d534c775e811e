/* sb-caption: adds a sentence to records with tensors. */
#include <stdlib.h>

#include "base/err.h"
#include "nn/infer.h"
#include "nn/words.h"

static const char *model, *output, *drop, *device, *precision = "auto";
static int64_t batch = 32, jobs, max_wait = -1;

static const struct sb_opt options[] = {
    SB_OPT_MODEL(&model),
    SB_OPT_OUTPUT(&output),
    SB_OPT_BATCH(&batch),
    {0, "max-wait", "MS", SB_INT, &max_wait, SB_OPT_UNRECORDED,
     "run a part-filled batch once its oldest record has waited so long", 0, 3600000},
    {0, "precision", "NAME", SB_TEXT, &precision, 0, "auto, f32 or bf16 (default auto)", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_DEVICE(&device),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

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
    sb_infer_open(&n, &tool, &args,
                  &(struct sb_infer_options){model, output, drop, device, precision, (int)batch, (int)jobs,
                                             max_wait < 0 ? -1 : (double)max_wait / 1000});
    int length = n.model.decoder.length;
    if (!n.model.decoder.words) sb_die("%s is not a captioner: it has no decoder", model);
    int32_t *token = sb_calloc((size_t)batch, (size_t)length * sizeof *token);
    for (int count; (count = sb_infer_next(&n, &rec, &b));) {
        sb_net_caption(n.net, &b, token);
        for (int i = 0; i < count; i++) {
            char *text = sb_words_decode(&n.model.words, token + (size_t)i * (size_t)length, length);
            sb_set_cstr(&rec[i], "caption", text);
            free(text);
        }
        sb_infer_put(&n, rec, count);
    }
    free(token);
    sb_infer_close(&n);
    return 0;
}
