/* sb-export: records to what other programs read: tables, subtitles, pictures, other people's annotations. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "formats/export_run.h"
#include "stream/history.h"
#include "stream/spool.h"

/* clang-format off */
static const struct sb_exporter *const formats[] = {
    &sb_export_jsonl,
    &sb_export_csv,
    &sb_export_npy,
    &sb_export_vtt,
    &sb_export_srt,
    &sb_export_contact,
    &sb_export_png,
    &sb_export_manifest,
    /* annotations */
    &sb_export_coco,
    &sb_export_coco_results,
    &sb_export_viame,
    &sb_export_fathomnet,
    &sb_export_biigle,
    &sb_export_yolo,
    &sb_export_darwin_core,
};
/* clang-format on */

enum { FORMATS = sizeof formats / sizeof *formats };

static char *format_names(const char *between)
{
    struct sb_buffer names = {0};
    for (size_t i = 0; i < FORMATS; i++) {
        sb_buffer_add(&names, between, i == 0 ? 0 : strlen(between));
        sb_buffer_add(&names, formats[i]->name, strlen(formats[i]->name));
    }
    sb_buffer_add(&names, "", 1);
    return (char *)names.data;
}

static const struct sb_exporter *format_named(const char *name)
{
    for (size_t i = 0; name && i < FORMATS; i++) {
        if (!strcmp(name, formats[i]->name)) return formats[i];
    }
    sb_usage("%s%s%s: %s", name ? "no such format: '" : "name a format", name ? name : "", name ? "'" : "",
             format_names(", "));
}

static struct sb_export_run export;
static const char *records;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&export.path),
    {0, "columns", "NAMES", SB_TEXT, &export.options.columns, 0,
     "csv, npy, pictures: a table of these columns (default: the usual fields)", 0, 0},
    {0, "text", "FIELD", SB_TEXT, &export.options.text, 0,
     "vtt, srt: show this (default: caption, else best prediction)", 0, 0},
    {0, "field", "NAME", SB_TEXT, &export.options.field, 0,
     "npy: the arrays of this field (default: embedding, else tensor)", 0, 0},
    {0, "format", "jpeg|png", SB_TEXT, &export.options.format, 0,
     "pictures: jpeg or png (default: as they are, arrays as png)", 0, 0},
    {0, "name", "PATTERN", SB_TEXT, &export.options.name, 0,
     "pictures: their names (default {group}_{time}_{pts}_{id8})", 0, 0},
    {0, "across", "N", SB_INT, &export.options.across, 0, "contact: pictures in a row (default 6)", 1, 1000},
    {0, "thumb", "PIXELS", SB_INT, &export.options.thumb, 0, "contact: longer side of a small picture (default 160)",
     16, 2048},
    {0, "max", "N", SB_INT, &export.options.max, 0, "contact: pictures at most (default 120)", 1, 1000000},
    {0, "by", "FIELD", SB_TEXT, &export.options.by, 0,
     "a row (contact), a folder (png, pictures), or in -o FOLDER/ a file for each value of this field", 0, 0},
    {0, "min-prob", "P", SB_REAL, &export.options.least, 0,
     "annotations: leave out what a machine named with a smaller probability", 0, 1},
    {0, "dataset", "FILE", SB_TEXT, &export.options.dataset, SB_OPT_FILE,
     "coco-results: the COCO file whose images and categories they are about", 0, 0},
    {0, "fps", "N", SB_REAL, &export.options.fps, 0, "viame: frames a second of the video (default: as records say)",
     0.001, 100000},
    {0, "url-prefix", "URL", SB_TEXT, &export.options.url_prefix, 0,
     "coco, fathomnet, darwin-core: pictures that do not say where they were published are to be found below it", 0, 0},
    {0, "taxa", "FILE", SB_TEXT, &export.options.taxa, SB_OPT_FILE,
     "darwin-core: a table of labels, their scientific names and AphiaIDs", 0, 0},
    {0, "dataset-name", "NAME", SB_TEXT, &export.options.dataset_name, 0, "darwin-core: what the data set is called", 0,
     0},
    {0, "segments", NULL, SB_FLAG, &export.options.segments, 0,
     "yolo: outlines, a box being its corners, instead of boxes", 0, 0},
    {0, "confidence", NULL, SB_FLAG, &export.options.confidence, 0,
     "yolo: a number more in each line, as predictions have", 0, 0},
    SB_OPT_RECORDS(&records),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static void run(struct sb_export_run *e, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_filter in = {0}; /* its reader and counts: what goes out is no stream */
    struct sb_range range = sb_range_parse(records);
    struct sb_record rec = {0};
    in.in = sb_reader_open(args->operand[1]);
    if (!in.in) sb_die_error();
    sb_history_header(&e->header, sb_reader_header(in.in), tool, args);
    sb_filter_range(&in, range);
    e->options.counts = &in.counts;
    sb_export_open(e);
    if (in.in) sb_reader_idle(in.in, (void (*)(void *))sb_export_flush, e);
    while (sb_filter_next(&in, &rec)) {
        int shown = sb_export_write(e, &rec);
        if (shown < 0) sb_filter_die(&in, &rec, "%s", sb_error_message());
        in.counts.out += shown > 0;
        if (shown == 0 && e->format->left_out) sb_counts_skip(&in.counts, e->format->left_out);
    }
    sb_export_close(e, in.counts.in);
    sb_counts_print(&in.counts);
    sb_record_free(&rec);
    sb_reader_close(in.in);
    sb_spool_close(in.whole);
}

int main(int argc, char **argv)
{
    sb_program = "sb-export"; /* what its usage allocates may fail */
    const struct sb_tool tool = {sb_program, sb_format("%s [FILE]", format_names("|")),
                                 "Writes records as what other programs read: tables, subtitles, pictures, "
                                 "annotations. With -o FOLDER/ each source gets a file.",
                                 options, true};
    struct sb_args args;
    sb_opt_parse(&tool, argc, argv, &args);
    export.format = format_named(args.operand[0]);
    if (args.count > 2) sb_usage("one input at most: '%s' is too much", args.operand[2]);
    if (args.count == 1 && isatty(STDIN_FILENO)) sb_usage("name a stream, or pipe one in");
    sb_opt_check(options, "", export.format->options, export.format->name);
    if (export.format->is_folder && !export.path) sb_usage("%s needs a folder: -o FOLDER", export.format->name);
    if (!export.path && !export.format->is_text && isatty(STDOUT_FILENO))
        sb_usage("that is no text for a terminal: name a file with -o");
    run(&export, &tool, &args);
    return 0;
}
