/* What sb-classify is timed on: bench_files NAME SIZE COUNT MODEL STREAM writes a ViT of random weights (NAME as in
 * vit.h), and a stream of COUNT records with u8 tensors of SIZE x SIZE. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "stream/stream.h"
#include "vit.h"
#include "weights/model_file.h"

static const struct sb_tool tool = {.name = "bench_files",
                                    .usage = "NAME SIZE COUNT MODEL STREAM",
                                    .summary = "Writes a model of random weights and a stream of random tensors.",
                                    .opts = (const struct sb_opt[]){SB_OPT_END}};

static void name_labels(struct sb_texts *labels, int count)
{
    for (int i = 0; i < count; i++) {
        SB_GROW(labels->text, labels->cap, labels->count + 1);
        labels->text[labels->count++] = sb_format("class %d", i);
    }
}

static void write_stream(const char *path, const struct sb_model *m, int count, const struct sb_args *args)
{
    int size = sb_model_size(m);
    struct sb_record rec = {0};
    struct sb_tensor t = {.dtype = SB_U8, .ndim = 3, .shape = {3, size, size}};
    struct sb_rng rng;
    struct sb_writer *w = sb_writer_open(path);
    sb_rng_init(&rng, 1, 0);
    sb_preprocess_to_header(&m->preprocess, false, &rec);
    sb_writer_header(w, &rec, &tool, args);
    t.data = sb_malloc(sb_tensor_bytes(&t));
    for (size_t i = 0; i < sb_tensor_bytes(&t); i++) ((uint8_t *)t.data)[i] = (uint8_t)sb_rng_u32(&rng);
    for (int i = 0; i < count; i++) {
        char id[33];
        snprintf(id, sizeof id, "%032x", (unsigned)i);
        ((uint8_t *)t.data)[i % size]++; /* no two are alike */
        sb_record_reset(&rec);
        sb_set_cstr(&rec, "id", id);
        sb_set_tensor(&rec, "tensor", &t);
        sb_writer_put(w, &rec);
    }
    sb_writer_close(w);
    sb_record_free(&rec);
    free(t.data);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_model m;
    sb_program = tool.name;
    sb_opt_parse(&tool, argc, argv, &args);
    if (args.count != 5) sb_usage("wanted: %s", tool.usage);
    bench_model(&m, args.operand[0], atoi(args.operand[1]));
    name_labels(&m.labels, sb_model_classes(&m));
    if (sb_model_save(&m, args.operand[3])) sb_die_error();
    write_stream(args.operand[4], &m, atoi(args.operand[2]), &args);
    sb_model_free(&m);
    return 0;
}
