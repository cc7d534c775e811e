/* sb-frames: videos and pictures to records. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "base/seconds.h"
#include "footage/estimate_table.h"
#include "footage/picks.h"
#include "footage/whereabouts_options.h"
#include "media/decoding.h"
#include "media/harvest.h"
#include "media/video_device.h"
#include "stream/stream.h"

static double fps;
static int64_t every, size, jobs;
static struct sb_decoding_options decoding;
static const char *start, *end, *encode = "raw", *root, *source, *output, *drop;
static struct sb_whereabouts_options whereabouts;
static double scene, reconnect = 60;
static const char *dive, *at, *device = "cpu";
static bool keep_going, keys, list, only_estimate;

static const struct sb_opt opts[] = {
    {0, "fps", "R", SB_REAL, &fps, 0, "frames a second: those on screen at 0, 1/R, 2/R ... (default 1)", 1e-6, 1e6},
    {0, "keyframes", NULL, SB_FLAG, &keys, 0, "the keyframe nearest to each of these times, with its own: many times faster", 0, 0},
    {0, "every", "N", SB_INT, &every, 0, "each Nth frame instead, with its own time", 1, 1e15},
    {0, "scene", "T", SB_REAL, &scene, 0, "of these only frames that differ from the one kept before by more than T, a share of full scale: 0.05, say", 1e-6, 1},
    {0, "at", "PICKS", SB_TEXT, &at, SB_OPT_FILE, "the full pictures of the records in this stream instead, fetched from the footage named", 0, 0},
    {0, "start", "TIME", SB_TEXT, &start, 0, "leave out what is before TIME: seconds, M:SS or H:MM:SS from the first frame", 0, 0},
    {0, "end", "TIME", SB_TEXT, &end, 0, "leave out what is at TIME or after it", 0, 0},
    {0, "size", "N", SB_INT, &size, 0, "shrink pictures until their short side is N pixels; never enlarge", 1, 65536},
    {0, "encode", "raw|png|jpeg", SB_TEXT, &encode, 0, "how pictures are kept (default raw)", 0, 0},
    SB_OPT_DECODING(decoding),
    {0, "root", "DIR", SB_TEXT, &root, 0, "name sources by their path below DIR", 0, 0},
    {0, "source", "NAME", SB_TEXT, &source, 0, "name the source NAME (one input only)", 0, 0},
    {0, "dive", "NAME", SB_TEXT, &dive, 0, "the group of all that is named, as of one dive in several files", 0, 0},
    {'0', "null", NULL, SB_FLAG, &list, 0, "standard input is a list of inputs, each name ended by a NUL: find -print0 | sb-frames -0", 0, 0},
    {0, "reconnect", "SECONDS", SB_REAL, &reconnect, SB_OPT_UNRECORDED, "try so long to come back to a live source that breaks off (default 60)", 0, 1e6},
    {0, "device", "cpu|cuda|cuda:N", SB_TEXT, &device, 0, "where video is decoded (default cpu)", 0, 0},
    {'k', "keep-going", NULL, SB_FLAG, &keep_going, 0, "skip inputs that can't be read instead of stopping at the first", 0, 0},
    SB_OPT_WHEREABOUTS(whereabouts),
    {0, "estimate", NULL, SB_FLAG, &only_estimate, SB_OPT_UNRECORDED, "say how many frames and bytes this would write, and write nothing", 0, 0},
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
    struct sb_nav nav;
    struct sb_whereabouts where;
    struct sb_writer *out;
    struct sb_counts counts;
    uint64_t unreadable;
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

static void take(void *arg, const struct sb_yield *y)
{
    struct frames *f = arg;
    if (y->kind == SB_YIELD_UNREADABLE) {
        if (!keep_going) sb_die("%s", y->why);
        sb_warn("%s", y->why);
        sb_counts_skip(&f->counts, y->input ? "unreadable" : "not among the inputs");
        f->unreadable++;
        return;
    }
    if (y->kind == SB_YIELD_REMARK) {
        sb_warn("%s", y->why);
        return;
    }
    sb_whereabouts_set(&f->where, y->input, y->rec);
    sb_writer_put(f->out, y->rec);
    sb_writer_flush(f->out); /* the next one may be a while */
    f->counts.out++;
    sb_progress(y->done, (double)f->inputs.count, "%s, %" PRIu64 " frames", y->input->source, f->counts.out);
}

static void list_inputs(struct frames *f, const struct sb_args *args)
{
    if (source && args->count > 1) sb_usage("--source names one input, and there are %d", args->count);
    if (source && list) sb_usage("--source names one input, and -0 may list many");
    if (list && sb_inputs_add_list(&f->inputs, stdin, root) < 0) sb_die_error();
    if (args->count == 0 && !list && sb_inputs_add(&f->inputs, "-", root, source) < 0) sb_die_error();
    for (int i = 0; i < args->count; i++)
        if (sb_inputs_add(&f->inputs, args->operand[i], root, source) < 0) sb_die_error();
    for (size_t i = 0; i < f->inputs.count; i++) f->inputs.item[i].group = dive;
    f->counts.in = f->inputs.count + f->inputs.other;
    for (uint64_t i = 0; i < f->inputs.other; i++) sb_counts_skip(&f->counts, "neither video nor picture");
}

static void read_options(struct sb_harvest *h)
{
    sb_whereabouts_options_check(&whereabouts);
    if (fps > 0 && every > 0) sb_usage("--fps and --every exclude each other");
    if (at && (fps > 0 || every > 0 || keys || scene > 0 || start || end || dive || only_estimate))
        sb_usage("--at takes the times and all fields but the image from its records: no option that chooses goes with it");
    if (scene > 0 && only_estimate) sb_usage("--scene: how many frames that gives can't be estimated");
    if (keys && every > 0) sb_usage("--keyframes and --every exclude each other");
    h->how = (struct sb_sampling){.fps = fps > 0 ? fps : 1, .keys = keys, .every = every, .patience = reconnect,
                                  .start = time_of("start", start), .end = time_of("end", end)};
    if (end && h->how.end <= h->how.start) sb_usage("--end is not after --start");
    if (sb_video_device_open(device, &h->how.device) < 0) sb_die_error();
    h->scene = scene;
    h->style = (struct sb_frame_style){.size = size, .most = SB_RECORD_MAX - 65536};
    sb_decoding_options_apply(&decoding, &h->style.decoding);
    if (sb_image_encoding_parse(encode, &h->style.encoding) < 0) sb_usage("--encode: %s", sb_error_message());
    h->jobs = jobs ? (int)jobs : sb_cores();
}

/* ---- what would be written ---- */

static uint64_t put_small(void *arg, const struct sb_input *input, struct sb_record *rec)
{
    struct frames *f = arg;
    uint64_t before = sb_writer_bytes(f->out);
    sb_whereabouts_set(&f->where, input, rec);
    sb_writer_put(f->out, rec);
    return sb_writer_bytes(f->out) - before;
}

/* The header, every record without its image and the trailer are written to nowhere, so that their bytes are exact. */
static void estimate(struct frames *f, const struct sb_harvest *h, const struct sb_args *args)
{
    struct sb_estimate_table table = {0};
    struct sb_estimate one;
    f->out = sb_writer_open("/dev/null");
    sb_writer_drop(f->out, drop);
    sb_writer_header(f->out, NULL, &tool, args);
    struct sb_estimator e = {.inputs = &f->inputs, .how = h->how, .style = h->style, .jobs = h->jobs, .stop = h->stop,
                             .no_image = sb_writer_drops(f->out, "image"), .put = put_small, .arg = f};
    uint64_t header = sb_writer_bytes(f->out);
    for (size_t i = 0; i < f->inputs.count; i++) {
        if (sb_estimate(&e, &f->inputs.item[i], &one) == 0) sb_estimate_table_add(&table, &f->inputs.item[i], &one);
        else if (!keep_going) sb_die_error();
        else sb_warn("%s", sb_error_message());
    }
    uint64_t put = sb_writer_bytes(f->out) - header;
    FILE *out = sb_output_stdio(NULL);
    sb_estimate_table_print(&table, (double)(sb_writer_close(f->out) - put), output, out);
    fclose(out);
    sb_whereabouts_report(&f->where);
    sb_estimator_free(&e);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct frames f = {0};
    struct sb_harvest harvest = {.inputs = &f.inputs, .stop = &stop, .take = take, .arg = &f};
    struct sigaction once = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sb_opt_parse(&tool, argc, argv, &args);
    read_options(&harvest);
    list_inputs(&f, &args);
    sb_whereabouts_options_begin(&whereabouts, &f.where, &f.nav, &f.inputs, keep_going);
    sigaction(SIGINT, &once, NULL);
    sigaction(SIGTERM, &once, NULL);
    if (only_estimate) {
        estimate(&f, &harvest, &args);
        return 0;
    }
    f.out = sb_writer_open(output);
    sb_writer_drop(f.out, drop);
    struct sb_reader *picks = at ? sb_reader_open(at) : NULL;
    if (at && !picks) sb_die_error();
    sb_writer_header(f.out, picks ? sb_reader_header(picks) : NULL, &tool, &args);
    if (picks) sb_picks_run(&harvest, picks);
    else sb_harvest_run(&harvest);
    if (picks) f.counts.in = sb_reader_count(picks);
    sb_progress_end();
    if (stop) sb_warn("stopped by a signal");
    sb_reader_close(picks);
    if (f.counts.out == 0 && f.unreadable > 0) sb_die("none of the inputs could be read");
    sb_writer_close(f.out);
    sb_whereabouts_report(&f.where);
    sb_counts_print(&f.counts);
    sb_whereabouts_free(&f.where);
    sb_nav_free(&f.nav);
    sb_inputs_free(&f.inputs);
    sb_video_device_close(harvest.how.device);
    return 0;
}
