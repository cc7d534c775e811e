/* sb-tensorize: pictures to network input. */
#include <stdlib.h>
#include <string.h>

#include "base/pipeline.h"
#include "formats/safetensors.h"
#include "media/decoding.h"
#include "media/image.h"
#include "media/transform.h"
#include "preprocess/preprocess_options.h"
#include "stream/stream.h"

static struct sb_preprocess_options how;
static struct sb_decoding_options decoding_options;
static struct sb_decoding decoding;
static int64_t jobs;
static const char *model, *type = "u8", *output, *drop, *records;

static const struct sb_opt opts[] = {
    SB_OPT_MODEL(&model),
    {0, "size", "S", SB_INT, &how.size, 0, "pixels a side (default 224, or the model's)", 1, 5000},
    {0, "crop", "PART", SB_REAL, &how.crop, 0,
     "resize the short side to S/PART, keep the middle (default 1, or the model's)", 0.01, 1},
    {0, "fit", "crop|stretch|letterbox", SB_TEXT, &how.fit, 0,
     "crop, stretch to a square whatever the shape, or letterbox: the long side to S/PART, padded (default crop, or "
     "the model's)", 0, 0},
    {0, "pad", "R,G,B", SB_TEXT, &how.pad, 0, "a letterbox's margin, 0 to 255 a channel (default the mean)", 0, 0},
    {0, "filter", "bicubic|bilinear", SB_TEXT, &how.filter, 0, "how pixels are interpolated (default bicubic, or the model's)", 0, 0},
    {0, "order", "rgb|bgr", SB_TEXT, &how.order, 0, "of the channels (default rgb, or the model's)", 0, 0},
    {0, "mean", "A,B,C", SB_TEXT, &how.mean, 0,
     "one number a channel, values in 0 to 1 (default 0.5, or the model's)", 0, 0},
    {0, "std", "A,B,C", SB_TEXT, &how.std, 0, "likewise", 0, 0},
    SB_OPT_DECODING(decoding_options),
    {0, "type", "u8|f32", SB_TEXT, &type, 0, "u8, or f32 with mean and std applied (default u8)", 0, 0},
    SB_OPT_RECORDS(&records),
    SB_OPT_DROP(&drop),
    SB_OPT_OUTPUT(&output),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-tensorize", "[FILE]", "Turns each record's picture into a network's input, the field 'tensor'.", opts, true,
};

struct tensorize {
    struct sb_filter filter;
    struct sb_preprocess how;
    struct sb_transform transform;
    bool real; /* f32 */
};

struct item {
    struct sb_record rec;
    struct sb_picture picture, scratch;
    uint64_t number;
    uint8_t *bytes; /* [3,S,S], on the way to f32 */
    char why[1024]; /* not empty: it failed */
};

/* The model's way, or the usual one, and what the command line wants otherwise. */
static struct sb_preprocess wanted(void)
{
    struct sb_preprocess p;
    sb_preprocess_default(&p, 224);
    if (!model) {
        sb_preprocess_options_apply(&how, &p);
        return p;
    }
    struct sb_weights w;
    if (sb_weights_open(&w, model) || sb_preprocess_settle(&p, &w, model, &how) < 0) sb_die_error();
    sb_weights_close(&w);
    return p;
}

static struct sb_transform transform_of(const struct sb_preprocess *p)
{
    static const enum sb_fit fit[] = {[SB_PREPROCESS_SHORT] = SB_FIT_SHORT,
                                      [SB_PREPROCESS_STRETCH] = SB_FIT_STRETCH,
                                      [SB_PREPROCESS_LETTERBOX] = SB_FIT_LETTERBOX};
    struct sb_transform t = {.size = p->size, .crop = p->crop, .fit = fit[p->fit], .bgr = p->bgr, .down = p->down};
    t.filter = p->bilinear ? SB_BILINEAR : SB_BICUBIC;
    sb_preprocess_pad(p, t.pad);
    return t;
}

static bool take(void *arg, void *p)
{
    struct tensorize *t = arg;
    struct item *item = p;
    if (!sb_filter_next(&t->filter, &item->rec)) return false;
    sb_filter_keep(&t->filter, &item->rec); /* its bytes are gone with the next read */
    item->number = t->filter.at;
    return true;
}

static int make_tensor(const struct tensorize *t, struct item *item)
{
    int side = t->transform.size;
    size_t plane = (size_t)side * (size_t)side;
    struct sb_tensor tensor = {t->real ? SB_F32 : SB_U8, 3, {3, side, side}, NULL};
    int found = sb_image_get_as(&item->rec, "image", &item->picture, &decoding);
    if (found == 0) return sb_error("there is no field 'image'");
    if (found < 0) return -1;
    sb_set_tensor_space(&item->rec, "tensor", &tensor);
    if (!t->real) return sb_transform(&t->transform, &item->picture, &item->scratch, tensor.data);
    if (!item->bytes) item->bytes = sb_malloc(3 * plane);
    if (sb_transform(&t->transform, &item->picture, &item->scratch, item->bytes) < 0) return -1;
    sb_transform_normalize(item->bytes, tensor.data, plane, t->how.mean, t->how.std);
    return 0;
}

static void work(void *arg, void *p)
{
    struct item *item = p;
    item->why[0] = 0;
    if (make_tensor(arg, item) < 0) snprintf(item->why, sizeof item->why, "%s", sb_error_message());
}

static void give(void *arg, void *p)
{
    struct tensorize *t = arg;
    struct item *item = p;
    if (item->why[0]) {
        struct sb_filter here = t->filter; /* reading goes on meanwhile */
        here.at = item->number;
        sb_filter_die(&here, &item->rec, "%s", item->why);
    }
    sb_filter_put(&t->filter, &item->rec);
}

static void flush(void *arg)
{
    sb_writer_flush(((struct tensorize *)arg)->filter.out);
}

static void release(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_record_free(&item->rec);
    sb_picture_free(&item->picture);
    sb_picture_free(&item->scratch);
    free(item->bytes);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct tensorize t = {0};
    sb_opt_parse(&tool, argc, argv, &args);
    t.real = sb_opt_choose("type", type, (const char *const[]){"u8", "f32", NULL}) == 1;
    t.how = wanted();
    sb_decoding_options_apply(&decoding_options, &decoding);
    t.transform = transform_of(&t.how);
    if ((size_t)t.how.size * (size_t)t.how.size * (t.real ? 12 : 3) > SB_RECORD_MAX / 2)
        sb_usage("--size: a tensor of %d pixels a side does not fit in a record", t.how.size);
    if (!jobs) jobs = sb_cores();

    struct sb_range range = sb_range_parse(records);
    sb_filter_open(&t.filter, &args, output, drop);
    sb_filter_range(&t.filter, range);
    sb_preprocess_to_header(&t.how, t.real, &t.filter.header);
    sb_filter_start(&t.filter, &tool, &args);
    struct sb_pipeline pipeline = {.jobs = (int)jobs, .item_size = sizeof(struct item), .produce = take, .work = work,
                                   .consume = give, .idle = flush, .release = release, .arg = &t};
    sb_pipeline_run(&pipeline);
    sb_filter_close(&t.filter);
    return 0;
}
