/* sb-frames: videos and pictures to records. */
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pipeline.h"
#include "base/seconds.h"
#include "media/image.h"
#include "media/inputs.h"
#include "media/resize.h"
#include "media/sampler.h"
#include "stream/stream.h"

static double fps;
static int64_t every, size, jobs;
static const char *start, *end, *encode = "raw", *root, *source, *output, *drop;
static bool keep_going;

static const struct sb_opt opts[] = {
    {0, "fps", "R", SB_REAL, &fps, 0, "frames a second: those on screen at 0, 1/R, 2/R ... (default 1)", 1e-6, 1e6},
    {0, "every", "N", SB_INT, &every, 0, "each Nth frame instead, with its own time", 1, 1e15},
    {0, "start", "TIME", SB_TEXT, &start, 0, "leave out what is before TIME: seconds, M:SS or H:MM:SS from the first frame", 0, 0},
    {0, "end", "TIME", SB_TEXT, &end, 0, "leave out what is at TIME or after it", 0, 0},
    {0, "size", "N", SB_INT, &size, 0, "shrink pictures until their short side is N pixels; never enlarge", 1, 65536},
    {0, "encode", "KIND", SB_TEXT, &encode, 0, "how pictures are kept: raw, png or jpeg (default raw)", 0, 0},
    {0, "root", "DIR", SB_TEXT, &root, 0, "name sources by their path below DIR", 0, 0},
    {0, "source", "NAME", SB_TEXT, &source, 0, "name the source NAME (one input only)", 0, 0},
    {'k', "keep-going", NULL, SB_FLAG, &keep_going, 0, "skip inputs that can't be read instead of stopping at the first", 0, 0},
    SB_OPT_OUTPUT(&output),
    SB_OPT_DROP(&drop),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-frames", "[FILE|FOLDER|URL]...", "Turns videos and pictures into a stream of records, one a frame.", opts, true,
};

static volatile sig_atomic_t stop;

struct frames {
    struct sb_inputs inputs;
    size_t at; /* the input being read */
    struct sb_sampling how;
    struct sb_sampler *sampler; /* of that input, once it is open and a video */
    enum sb_image_encoding encoding;
    struct sb_writer *out;
    struct sb_counts counts;
    uint64_t broken;
};

/* One record on its way, or one line to say about an input. */
struct item {
    enum { FRAME, PICTURE, BROKEN, REMARK } kind;
    const struct sb_input *input;
    double done; /* inputs */
    bool timed;
    struct sb_sample sample;
    struct sb_video_frame frame;
    struct sb_picture picture, small;
    struct sb_buffer bytes;
    struct sb_record rec;
    char why[1024];
};

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static double time_of(const char *option, const char *text)
{
    double seconds = 0;
    if (text && sb_seconds_parse(text, &seconds) < 0) sb_usage("--%s: %s", option, sb_error_message());
    return seconds;
}

static bool say(struct item *item, int kind, const char *why)
{
    item->kind = kind;
    snprintf(item->why, sizeof item->why, "%s", why);
    return true;
}

/* A video that was read to its end may have something to tell; false if not. */
static bool close_video(struct frames *f, struct item *item)
{
    char flaws[128];
    bool any = sb_video_flaws(sb_sampler_video(f->sampler), flaws, sizeof flaws);
    item->kind = REMARK;
    snprintf(item->why, sizeof item->why, "%s: %s", item->input->path, flaws);
    sb_sampler_close(f->sampler);
    f->sampler = NULL;
    f->at++;
    return any;
}

/* Opens what comes next: a picture is an item of its own, a failure too; a video gives none yet. */
static bool open_next(struct frames *f, struct item *item)
{
    if (item->input->picture) {
        f->at++;
        item->kind = PICTURE;
        item->timed = false;
        return true;
    }
    f->sampler = sb_sampler_open(item->input->path, &f->how, (int)jobs, &stop);
    if (f->sampler) return false;
    f->at++;
    return !stop && say(item, BROKEN, sb_error_message());
}

static bool produce(void *arg, void *p)
{
    struct frames *f = arg;
    struct item *item = p;
    while (!stop || f->sampler) {
        if (f->at == f->inputs.count) return false;
        item->input = &f->inputs.item[f->at];
        item->done = (double)f->at;
        if (!f->sampler) {
            if (open_next(f, item)) return true;
            continue;
        }
        const struct sb_video *v = sb_sampler_video(f->sampler);
        if (sb_sampler_next(f->sampler, &item->sample, &item->frame)) {
            double whole = fmin(sb_video_duration(v), f->how.end > 0 ? f->how.end : INFINITY);
            if (whole > 0) item->done += fmin(1, item->sample.pts / whole);
            item->kind = FRAME;
            item->timed = !sb_video_still(v);
            return true;
        }
        if (close_video(f, item)) return true;
    }
    return false;
}

static int shrink(struct item *item, const struct sb_picture **done)
{
    struct sb_picture *p = &item->picture;
    int shorter = p->width < p->height ? p->width : p->height;
    *done = p;
    if (size == 0 || shorter <= size) return 0;
    int width = (int)(size * p->width / shorter), height = (int)(size * p->height / shorter);
    *done = &item->small;
    return sb_resize(p, &item->small, width, height, SB_BICUBIC);
}

static int make_record(const struct frames *f, struct item *item)
{
    const struct sb_picture *p;
    struct sb_record *r = &item->rec;
    char id[SB_HEX];
    if (item->kind == PICTURE && sb_picture_load(&item->picture, item->input->path) < 0) return -1;
    if ((item->kind == FRAME && sb_video_picture(&item->frame, &item->picture) < 0) || shrink(item, &p) < 0) {
        snprintf(item->why, sizeof item->why, "%s", sb_error_message());
        return sb_error("%s: %s", item->input->path, item->why);
    }
    if (f->encoding == SB_IMAGE_RAW && (size_t)p->width * (size_t)p->height * 3 > SB_RECORD_MAX - 65536)
        return sb_error("%s: %d x %d pixels are too many for one raw record: use --encode or --size", item->input->path,
                        p->width, p->height);
    sb_record_reset(r);
    sb_hash_id(item->input->source, item->timed ? llround(item->sample.pts * 1e9) : 0, NULL, id);
    sb_set_cstr(r, "id", id);
    sb_set_cstr(r, "source", item->input->source);
    if (item->timed) {
        sb_set_real(r, "pts", item->sample.pts);
        sb_set_real(r, "duration", item->sample.duration);
        sb_set_cstr(r, "group", item->input->source);
    }
    return sb_image_set(r, "image", p, f->encoding, &item->bytes);
}

static void work(void *arg, void *p)
{
    struct item *item = p;
    if (item->kind == BROKEN || item->kind == REMARK) return;
    if (make_record(arg, item) < 0) say(item, BROKEN, sb_error_message());
}

static void consume(void *arg, void *p)
{
    struct frames *f = arg;
    struct item *item = p;
    if (item->kind == BROKEN) {
        if (!keep_going) sb_die("%s", item->why);
        sb_warn("%s", item->why);
        sb_counts_skip(&f->counts, "unreadable");
        f->broken++;
        return;
    }
    if (item->kind == REMARK) {
        sb_warn("%s", item->why);
        return;
    }
    sb_writer_put(f->out, &item->rec);
    sb_writer_flush(f->out); /* the next one may be a while */
    f->counts.out++;
    sb_progress(item->done, (double)f->inputs.count, "%s, %" PRIu64 " frames", item->input->source, f->counts.out);
}

static void release(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_video_frame_free(&item->frame);
    sb_picture_free(&item->picture);
    sb_picture_free(&item->small);
    free(item->bytes.data);
    sb_record_free(&item->rec);
}

static void list_inputs(struct frames *f, const struct sb_args *args)
{
    if (source && args->count > 1) sb_usage("--source names one input, and there are %d", args->count);
    if (args->count == 0 && sb_inputs_add(&f->inputs, "-", root, source) < 0) sb_die_error();
    for (int i = 0; i < args->count; i++)
        if (sb_inputs_add(&f->inputs, args->operand[i], root, source) < 0) sb_die_error();
    f->counts.in = f->inputs.count + f->inputs.other;
    for (uint64_t i = 0; i < f->inputs.other; i++) sb_counts_skip(&f->counts, "neither video nor picture");
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct frames f = {0};
    struct sigaction once = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sb_opt_parse(&tool, argc, argv, &args);
    if (fps > 0 && every > 0) sb_usage("--fps and --every exclude each other");
    f.how = (struct sb_sampling){fps > 0 ? fps : 1, every, time_of("start", start), time_of("end", end)};
    if (end && f.how.end <= f.how.start) sb_usage("--end is not after --start");
    if (sb_image_encoding_parse(encode, &f.encoding) < 0) sb_usage("--encode: %s", sb_error_message());
    if (!jobs) jobs = sb_cores();

    list_inputs(&f, &args);
    sigaction(SIGINT, &once, NULL);
    sigaction(SIGTERM, &once, NULL);
    f.out = sb_writer_open(output);
    sb_writer_drop(f.out, drop);
    sb_writer_header(f.out, NULL, &tool, &args);
    struct sb_pipeline pipeline = {
        .jobs = (int)jobs, .item_size = sizeof(struct item), .produce = produce, .work = work, .consume = consume,
        .release = release, .arg = &f,
    };
    sb_pipeline_run(&pipeline);
    sb_sampler_close(f.sampler);
    sb_progress_end();
    if (f.counts.out == 0 && f.broken > 0) sb_die("none of the inputs could be read");
    sb_writer_close(f.out);
    sb_counts_print(&f.counts);
    sb_inputs_free(&f.inputs);
    return 0;
}
