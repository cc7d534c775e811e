/* sb-synth: a synthetic sea, as labelled records or as a dive video with its ground truth. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pipeline.h"
#include "media/encode.h"
#include "media/sea_dive.h"
#include "stream/stream.h"

static const char *output, *truth, *size_text, *encode, *drop;
static int64_t count, seed, per_dive, jobs;
static double seconds, rate;
static bool crops, labelled;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {'n', "number", "N", SB_INT, &count, 0, "frames: write N records", 1, 1e9},
    {0, "labelled", NULL, SB_FLAG, &labelled, 0, "frames: only frames that show one kind of animal, their label", 0, 0},
    {0, "crops", NULL, SB_FLAG, &crops, 0,
     "frames: a record for each animal, cut out of its frame, instead of whole frames", 0, 0},
    {0, "per-dive", "N", SB_INT, &per_dive, 0, "frames: take N frames of each dive (default 8)", 1, 1000},
    {0, "encode", "raw|png|jpeg", SB_TEXT, &encode, 0, "frames: how pictures are kept (default raw)", 0, 0},
    {0, "truth", "FILE", SB_TEXT, &truth, SB_OPT_UNRECORDED,
     "video: write what there is to see in each second, as a stream", 0, 0},
    {0, "seconds", "S", SB_REAL, &seconds, 0, "video: length (default 60)", 0.04, 14400},
    {0, "fps", "R", SB_REAL, &rate, 0, "video: frames a second (default 25)", 1, 120},
    {0, "size", "WxH", SB_TEXT, &size_text, 0,
     "frame size in pixels (default 96x96, with --crops 320x240; video 1280x720)", 0, 0},
    SB_OPT_SEED(&seed),
    SB_OPT_DROP(&drop),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-synth", "frames|video",
    "Makes pictures or a video of a synthetic sea, and says truthfully what is in them.", options, false,
};

struct synth {
    int width, height;
    struct sb_writer *out;
    struct sb_counts counts;
    /* frames */
    struct sb_sea_plan plan;
    uint32_t next_dive;
    atomic_bool done;
    /* video */
    struct sb_sea *sea;
    struct sb_encoder *encoder;
    int64_t next_frame, frames;
};

static void put(struct synth *s, struct sb_record *rec)
{
    sb_writer_put(s->out, rec);
    s->counts.out++;
}

/* ---- frames: an item is a dive ----------------------------------------------------------------------------------- */

struct dive {
    uint32_t number;
    struct sb_sea_dive made;
};

static bool next_dive(void *arg, void *item)
{
    struct synth *s = arg;
    ((struct dive *)item)->number = s->next_dive;
    return !atomic_load(&s->done) && s->next_dive++ < UINT32_MAX;
}

static void make_dive(void *arg, void *item)
{
    const struct synth *s = arg;
    struct dive *d = item;
    if (sb_sea_dive_make(&s->plan, d->number, &d->made)) sb_die_error();
}

static void put_dive(void *arg, void *item)
{
    struct synth *s = arg;
    struct dive *d = item;
    for (size_t i = 0; i < d->made.count && (int64_t)s->counts.out < count; i++) put(s, &d->made.rec[i]);
    atomic_store(&s->done, (int64_t)s->counts.out >= count);
    sb_progress((double)s->counts.out, (double)count, "%" PRIu64 " of %" PRId64 " records", s->counts.out, count);
}

static void free_dive(void *arg, void *item)
{
    (void)arg;
    sb_sea_dive_free(&((struct dive *)item)->made);
}

static void run_frames(struct synth *s)
{
    s->plan.seed = (uint64_t)seed;
    s->plan.width = s->width;
    s->plan.height = s->height;
    s->plan.frames = (int)per_dive;
    s->plan.crops = crops;
    s->plan.labelled = labelled;
    struct sb_pipeline p = {.jobs = (int)jobs, .item_size = sizeof(struct dive), .produce = next_dive,
                            .work = make_dive, .consume = put_dive, .release = free_dive, .arg = s};
    sb_pipeline_run(&p);
}

/* ---- video: an item is a frame ----------------------------------------------------------------------------------- */

struct moment {
    int64_t number;
    struct sb_picture frame;
};

static bool next_moment(void *arg, void *item)
{
    struct synth *s = arg;
    ((struct moment *)item)->number = s->next_frame;
    return s->next_frame++ < s->frames;
}

static void render_moment(void *arg, void *item)
{
    struct synth *s = arg;
    struct moment *m = item;
    if (sb_picture_size(&m->frame, s->width, s->height)) sb_die_error();
    sb_sea_render(s->sea, (double)m->number / rate, &m->frame);
}

static void encode_moment(void *arg, void *item)
{
    struct synth *s = arg;
    struct moment *m = item;
    if (sb_encoder_put(s->encoder, &m->frame)) sb_die_error();
    sb_progress((double)m->number, (double)s->frames, "frame %" PRId64 " of %" PRId64, m->number, s->frames);
}

static void free_moment(void *arg, void *item)
{
    (void)arg;
    sb_picture_free(&((struct moment *)item)->frame);
}

/* A record a second: what the frame on screen then shows. */
static void write_truth(struct synth *s, const struct sb_args *args)
{
    const char *slash = strrchr(output, '/');
    struct sb_record rec = {0};
    double length = (double)s->frames / rate;
    char group[64];
    snprintf(group, sizeof group, "sea-%" PRId64, seed);
    s->out = sb_writer_open(truth);
    sb_writer_drop(s->out, drop);
    sb_writer_header(s->out, NULL, &tool, args);
    for (int64_t k = 0; (double)k < length; k++) {
        double t = (double)(int64_t)((double)k * rate + 1e-6) / rate;
        struct sb_sighting seen[SB_SEA_VISIBLE];
        int n = sb_sea_visible(s->sea, t, seen);
        sb_sea_set_origin(&rec, slash ? slash + 1 : output, (double)k, NULL);
        sb_set_real(&rec, "duration", length - (double)k < 1.0 ? length - (double)k : 1.0);
        sb_set_cstr(&rec, "group", group);
        sb_sea_set_truth(&rec, seen, n, sb_sea_floor(s->sea, t));
        put(s, &rec);
    }
    sb_writer_flush(s->out); /* a disk that is full ends the program before there is a video without its truth */
    sb_record_free(&rec);
}

static void run_video(struct synth *s, const struct sb_args *args)
{
    s->frames = (int64_t)(seconds * rate + 0.5);
    s->sea = sb_sea_new((uint64_t)seed, seconds, s->width, s->height);
    s->encoder = sb_encoder_open(output, s->width, s->height, rate);
    if (!s->encoder) sb_die_error();
    struct sb_pipeline p = {.jobs = (int)jobs, .item_size = sizeof(struct moment), .produce = next_moment,
                            .work = render_moment, .consume = encode_moment, .release = free_moment, .arg = s};
    if (truth) write_truth(s, args);
    sb_pipeline_run(&p);
    if (sb_encoder_close(s->encoder)) sb_die_error();
    sb_sea_free(s->sea);
    s->counts.out = (uint64_t)s->frames; /* of the video; the truth tells its own number */
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static void set_size(struct synth *s, const char *text)
{
    int end = 0;
    if (sscanf(text, "%5dx%5d%n", &s->width, &s->height, &end) != 2 || text[end])
        sb_usage("--size: '%s' is not of the form WIDTHxHEIGHT", text);
    if (s->width < 16 || s->height < 16 || s->width > 8192 || s->height > 8192)
        sb_usage("--size: %s is not within 16x16 to 8192x8192", text);
    if (s->width > 2.5 * s->height || s->height > 2.5 * s->width)
        sb_usage("--size: %s is too long for a camera: at most 5:2", text);
}

static bool check_usage(struct synth *s, const struct sb_args *args)
{
    const char *what = args->count == 1 ? args->operand[0] : "";
    bool video = strcmp(what, "video") == 0;
    if (!video && strcmp(what, "frames")) sb_usage("say what to make: frames or video");
    if (video && (count || crops || labelled || encode || per_dive))
        sb_usage("-n, --crops, --labelled, --encode and --per-dive are for frames");
    if (!video && (truth || seconds > 0 || rate > 0)) sb_usage("--truth, --seconds and --fps are for video");
    if (video && !output) sb_usage("a video needs a file: -o FILE");
    if (!video && !count) sb_usage("say how many records: -n N");
    set_size(s, size_text ? size_text : video ? "1280x720" : crops ? "320x240" : "96x96");
    if (video && (s->width % 2 || s->height % 2)) sb_usage("--size: a video's width and height must be even");
    if (crops && (s->width < 64 || s->height < 64)) sb_usage("--size: crops need frames of at least 64x64");
    if (encode && sb_image_encoding_parse(encode, &s->plan.encoding)) sb_usage("--encode: %s", sb_error_message());
    per_dive = per_dive ? per_dive : 8;
    seconds = seconds > 0 ? seconds : 60;
    rate = rate > 0 ? rate : 25;
    return video;
}

int main(int argc, char **argv)
{
    static struct synth s;
    struct sb_args args;
    jobs = sb_cores();
    sb_opt_parse(&tool, argc, argv, &args);
    if (check_usage(&s, &args)) {
        run_video(&s, &args);
    } else {
        s.out = sb_writer_open(output);
        sb_writer_drop(s.out, drop);
        sb_writer_header(s.out, NULL, &tool, &args);
        run_frames(&s);
    }
    sb_progress_end();
    if (s.out) sb_writer_close(s.out);
    sb_counts_print(&s.counts);
    return 0;
}
