/* sb-frames: videos and pictures to records. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "base/seconds.h"
#include "footage/estimate_table.h"
#include "footage/picks.h"
#include "footage/whereabouts.h"
#include "media/decoding.h"
#include "media/harvest.h"
#include "stream/stream.h"

static double fps;
static int64_t every, size, jobs;
static struct sb_decoding_options decoding;
static const char *start, *end, *encode = "raw", *root, *source, *output, *drop;
static const char *start_time, *time_regex, *clock_offset, *zone, *nav_file, *nav_columns, *nav_zone;
static double nav_gap, scene, reconnect = 60;
static const char *dive, *at;
static bool keep_going, keys, list, trust_container, only_estimate;

static const struct sb_opt opts[] = {
    {0, "fps", "R", SB_REAL, &fps, 0, "frames a second: those on screen at 0, 1/R, 2/R ... (default 1)", 1e-6, 1e6},
    {0, "keyframes", NULL, SB_FLAG, &keys, 0, "the keyframe nearest to each of these times, with its own: many times faster", 0, 0},
    {0, "every", "N", SB_INT, &every, 0, "each Nth frame instead, with its own time", 1, 1e15},
    {0, "scene", "T", SB_REAL, &scene, 0, "of these only frames that differ from the one kept before by more than T, a share of full scale: 0.05, say", 1e-6, 1},
    {0, "at", "PICKS", SB_TEXT, &at, SB_OPT_FILE, "the full pictures of the records in this stream instead, fetched from the footage named", 0, 0},
    {0, "start", "TIME", SB_TEXT, &start, 0, "leave out what is before TIME: seconds, M:SS or H:MM:SS from the first frame", 0, 0},
    {0, "end", "TIME", SB_TEXT, &end, 0, "leave out what is at TIME or after it", 0, 0},
    {0, "size", "N", SB_INT, &size, 0, "shrink pictures until their short side is N pixels; never enlarge", 1, 65536},
    {0, "encode", "KIND", SB_TEXT, &encode, 0, "how pictures are kept: raw, png or jpeg (default raw)", 0, 0},
    SB_OPT_DECODING(decoding),
    {0, "root", "DIR", SB_TEXT, &root, 0, "name sources by their path below DIR", 0, 0},
    {0, "source", "NAME", SB_TEXT, &source, 0, "name the source NAME (one input only)", 0, 0},
    {0, "dive", "NAME", SB_TEXT, &dive, 0, "the group of all that is named, as of one dive in several files", 0, 0},
    {'0', "null", NULL, SB_FLAG, &list, 0, "standard input is a list of inputs, each name ended by a NUL: find -print0 | sb-frames -0", 0, 0},
    {0, "reconnect", "SECONDS", SB_REAL, &reconnect, SB_OPT_UNRECORDED, "try so long to come back to a live source that breaks off (default 60)", 0, 1e6},
    {'k', "keep-going", NULL, SB_FLAG, &keep_going, 0, "skip inputs that can't be read instead of stopping at the first", 0, 0},
    {0, "start-time", "TIME", SB_TEXT, &start_time, 0, "when the first frame was taken: 2026-07-03T14:05:09Z (one input only)", 0, 0},
    {0, "time-regex", "REGEX", SB_TEXT, &time_regex, 0, "the time stands in the names of files: groups named year, month, day, hour, minute, second, or one group around it", 0, 0},
    {0, "trust-container", NULL, SB_FLAG, &trust_container, 0, "believe what files say of when they were taken", 0, 0},
    {0, "clock-offset", "SECONDS", SB_TEXT, &clock_offset, 0, "add this to all times: seconds, M:SS or H:MM:SS, with - before it if the camera's clock was fast", 0, 0},
    {0, "zone", "ZONE", SB_TEXT, &zone, 0, "of times that name none: Z, +02:00 or Europe/Berlin", 0, 0},
    {0, "nav", "FILE", SB_TEXT, &nav_file, SB_OPT_FILE, "add lat, lon and depth at that time from a CSV table of fixes", 0, 0},
    {0, "nav-columns", "LIST", SB_TEXT, &nav_columns, 0, "which column is which, where names are not the usual ones: time=NAME,date=NAME,lat=NAME,lon=NAME,depth=NAME", 0, 0},
    {0, "nav-zone", "ZONE", SB_TEXT, &nav_zone, 0, "of the table's times, if they name none", 0, 0},
    {0, "nav-gap", "SECONDS", SB_REAL, &nav_gap, 0, "do not interpolate between fixes further apart (default 60)", 1e-3, 1e9},
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

/* ---- when and where ---- */

static struct sb_zone zone_of(const char *option, const char *text)
{
    struct sb_zone found = {0};
    if (text && sb_zone_parse(text, &found) < 0) sb_usage("--%s: %s", option, sb_error_message());
    return found;
}

static double offset_of(const char *text)
{
    double seconds = text ? time_of("clock-offset", text + (*text == '-' || *text == '+')) : 0;
    return text && *text == '-' ? -seconds : seconds;
}

static void check_clock(void)
{
    int sources = (start_time != NULL) + (time_regex != NULL) + trust_container;
    if (sources > 1) sb_usage("--start-time, --time-regex and --trust-container exclude each other");
    if (!sources && (clock_offset || zone || nav_file))
        sb_usage("--%s wants --start-time, --time-regex or --trust-container", clock_offset ? "clock-offset"
                                                                               : zone       ? "zone"
                                                                                            : "nav");
    if (!nav_file && (nav_columns || nav_zone || nav_gap > 0))
        sb_usage("--%s wants --nav", nav_columns ? "nav-columns" : nav_zone ? "nav-zone" : "nav-gap");
}

/* The zone of the table comes first, so that --zone is the one that stays. */
static void read_nav(struct frames *f)
{
    struct sb_nav_names names;
    if (!nav_file) return;
    if (sb_nav_names_parse(nav_columns ? nav_columns : "", &names) < 0)
        sb_usage("--nav-columns: %s", sb_error_message());
    struct sb_zone z = zone_of("nav-zone", nav_zone);
    if (sb_nav_load(&f->nav, nav_file, &names, &z) < 0) sb_die_error();
    f->where.nav = &f->nav;
    f->where.nav_name = nav_file;
    f->where.gap = nav_gap > 0 ? nav_gap : 60;
    free(names.text);
}

static void find_times(struct frames *f)
{
    double given;
    read_nav(f);
    struct sb_taken taken = {.file = trust_container, .zone = zone_of("zone", zone), .offset = offset_of(clock_offset)};
    if (start_time) {
        if (sb_clock_parse(start_time, strlen(start_time), &taken.zone, &given) < 0)
            sb_usage("--start-time: %s", sb_error_message());
        if (f->inputs.count > 1)
            sb_usage(
                "--start-time is of one input, and there are %zu: --time-regex or --trust-container tell them apart",
                f->inputs.count);
        taken.given = &given;
    }
    struct sb_name_time *name = time_regex ? sb_name_time_open(time_regex) : NULL;
    if (time_regex && !name) sb_usage("--time-regex: %s", sb_error_message());
    taken.name = name;
    if (sb_whereabouts_begin(&f->where, &taken, &f->inputs, keep_going) < 0) sb_die_error();
    sb_name_time_close(name);
}

static void read_options(struct sb_harvest *h)
{
    check_clock();
    if (fps > 0 && every > 0) sb_usage("--fps and --every exclude each other");
    if (at && (fps > 0 || every > 0 || keys || scene > 0 || start || end || dive || only_estimate))
        sb_usage("--at takes the times and all fields but the image from its records: no option that chooses goes with it");
    if (scene > 0 && only_estimate) sb_usage("--scene: how many frames that gives can't be estimated");
    if (keys && every > 0) sb_usage("--keyframes and --every exclude each other");
    h->how = (struct sb_sampling){.fps = fps > 0 ? fps : 1, .keys = keys, .every = every, .patience = reconnect,
                                  .start = time_of("start", start), .end = time_of("end", end)};
    if (end && h->how.end <= h->how.start) sb_usage("--end is not after --start");
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
    find_times(&f);
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
    sb_reader_close(picks);
    if (f.counts.out == 0 && f.unreadable > 0) sb_die("none of the inputs could be read");
    sb_writer_close(f.out);
    sb_whereabouts_report(&f.where);
    sb_counts_print(&f.counts);
    sb_whereabouts_free(&f.where);
    sb_nav_free(&f.nav);
    sb_inputs_free(&f.inputs);
    return 0;
}
