/* sb-frames: videos and pictures to records. */
#include <inttypes.h>
#include <signal.h>

#include "base/seconds.h"
#include "media/harvest.h"
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
        sb_counts_skip(&f->counts, "unreadable");
        f->unreadable++;
        return;
    }
    if (y->kind == SB_YIELD_REMARK) {
        sb_warn("%s", y->why);
        return;
    }
    sb_writer_put(f->out, y->rec);
    sb_writer_flush(f->out); /* the next one may be a while */
    f->counts.out++;
    sb_progress(y->done, (double)f->inputs.count, "%s, %" PRIu64 " frames", y->input->source, f->counts.out);
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

static void read_options(struct sb_harvest *h)
{
    if (fps > 0 && every > 0) sb_usage("--fps and --every exclude each other");
    h->how = (struct sb_sampling){fps > 0 ? fps : 1, every, time_of("start", start), time_of("end", end)};
    if (end && h->how.end <= h->how.start) sb_usage("--end is not after --start");
    h->style = (struct sb_frame_style){.size = size, .most = SB_RECORD_MAX - 65536};
    if (sb_image_encoding_parse(encode, &h->style.encoding) < 0) sb_usage("--encode: %s", sb_error_message());
    h->jobs = jobs ? (int)jobs : sb_cores();
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
    sigaction(SIGINT, &once, NULL);
    sigaction(SIGTERM, &once, NULL);
    f.out = sb_writer_open(output);
    sb_writer_drop(f.out, drop);
    sb_writer_header(f.out, NULL, &tool, &args);
    sb_harvest_run(&harvest);
    sb_progress_end();
    if (f.counts.out == 0 && f.unreadable > 0) sb_die("none of the inputs could be read");
    sb_writer_close(f.out);
    sb_counts_print(&f.counts);
    sb_inputs_free(&f.inputs);
    return 0;
}
