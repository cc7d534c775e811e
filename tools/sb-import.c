/* sb-import: other people's annotations, with their pictures or without, to records. */
#include <stdlib.h>
#include <string.h>

#include "annotation/format.h"
#include "annotation/problems.h"
#include "annotation/records.h"
#include "base/pipeline.h"
#include "select/rename.h"
#include "stream/stream.h"

struct import {
    const struct sb_annotation_format *format;
    struct sb_annotation_options options;
    struct sb_annotation_style style;
    const char *output, *regex, *map_file, *encode, *drop, *zone, *problems_file;
    int64_t jobs;
    enum sb_image_encoding encoding;
    struct sb_annotated_list list;
    struct sb_label_map map;
    struct sb_problems problems;
    size_t next, done; /* picture to begin with, pictures finished */
    struct sb_writer *out;
    struct sb_counts counts;
    uint64_t unlabelled;
};

struct item {
    const struct sb_annotated *from;
    struct sb_annotation_work work;
    char error[1024]; /* why there are no records */
};

/* ---- the ordered parallel map: pictures to records ---- */

static bool produce(void *arg, void *slot)
{
    struct import *m = arg;
    struct item *item = slot;
    while (!m->style.no_images && m->next < m->list.count && !m->list.item[m->next].path) m->next++; /* missing ones */
    if (m->next == m->list.count) return false;
    item->from = &m->list.item[m->next++];
    return true;
}

static void work(void *arg, void *slot)
{
    struct import *m = arg;
    struct item *item = slot;
    item->error[0] = 0;
    if (sb_annotation_records(&m->list, (size_t)(item->from - m->list.item), &m->style, &item->work)) {
        snprintf(item->error, sizeof item->error, "%s", sb_error_message());
    }
}

static bool is_labelled(const struct sb_record *rec)
{
    return sb_record_find(rec, "label") || sb_record_find(rec, "labels") || sb_record_find(rec, "predicted");
}

static void consume(void *arg, void *slot)
{
    struct import *m = arg;
    struct item *item = slot;
    const char *source = item->from->source;
    uint64_t unlabelled = 0;
    m->done++;
    sb_progress((double)m->done, (double)m->list.count, "%zu of %zu pictures", m->done, m->list.count);
    if (item->error[0]) {
        sb_problems_add(&m->problems, "broken", source, "%s", item->error);
        sb_counts_skip(&m->counts, "broken");
        return;
    }
    for (size_t i = 0; i < item->work.count; i++) {
        if (m->map_file && sb_rename_labels(&item->work.record[i], &m->map)) sb_die_error();
        unlabelled += !is_labelled(&item->work.record[i]);
        sb_writer_put(m->out, &item->work.record[i]);
        m->counts.out++;
    }
    m->unlabelled += unlabelled;
    if (unlabelled)
        sb_problems_add(&m->problems, "unlabelled", source, "%llu without a label", (unsigned long long)unlabelled);
    for (size_t i = 0; i < item->work.outside; i++) sb_counts_skip(&m->counts, "box outside of its picture");
    for (size_t i = 0; i < item->work.points; i++)
        sb_counts_skip(&m->counts, "point (--points cuts squares around them)");
    if (item->work.outside)
        sb_problems_add(&m->problems, "outside", source, "%zu boxes outside of the picture", item->work.outside);
    if (item->work.count + item->work.outside + item->work.points > 0) return;
    sb_counts_skip(&m->counts, "without an annotation");
    sb_problems_add(&m->problems, "without an annotation", source, "nothing is said of it");
}

static void idle(void *arg) { sb_writer_flush(((struct import *)arg)->out); }

static void release(void *arg, void *slot)
{
    (void)arg;
    sb_annotation_work_free(&((struct item *)slot)->work);
}

/* ---- what there is ---- */

/* Pictures that are not here are listed with the place they were published at; if none is here, that is said once. */
static void find_pictures(struct import *m, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *beside = slash ? sb_strndup(path, (size_t)(slash - path) + (slash == path)) : sb_strdup(".");
    const char *folder = m->options.images ? m->options.images : beside;
    int64_t missing = 0;
    for (size_t i = 0; m->format->found && i < m->list.count; i++) missing += !m->list.item[i].path;
    if (!m->format->found) missing = sb_annotated_find(&m->list, folder);
    if (missing < 0) sb_die_error();
    if ((size_t)missing == m->list.count && !m->format->found) {
        sb_die("%s: none of its %zu pictures is below %s (the first: %s); --no-images does without them", path,
               m->list.count, folder, m->list.item[0].source);
    }
    for (size_t i = 0; missing && i < m->list.count; i++) {
        const struct sb_annotated *a = &m->list.item[i];
        if (a->path) continue;
        sb_problems_add(&m->problems, "missing", a->source, "%s", a->url ? a->url : "");
        sb_counts_skip(&m->counts, missing == 1 ? "picture missing" : "pictures missing");
    }
    free(beside);
}

static void read_all(struct import *m, const struct sb_args *args)
{
    for (int i = 1; i < args->count; i++) {
        if (m->format->read(args->operand[i], &m->options, &m->list)) sb_die_error();
    }
    if (m->list.count == 0)
        sb_die("%s: %s", args->operand[1], m->format->found ? "no JPEG or PNG files below it" : "names no pictures");
    for (size_t i = 0; i < m->list.count && !m->style.no_images; i++)
        m->style.no_images = sb_annotated_is_moment(&m->list.item[i]);
    if (m->style.no_images && (m->encode || m->style.points))
        sb_die("%s: annotations of video have no pictures to encode or to cut out", args->operand[1]);
    if (!m->style.no_images) find_pictures(m, args->operand[1]);
    for (size_t i = 0; i < m->list.unusable; i++) sb_counts_skip(&m->counts, "unusable annotation");
    if (m->list.nameless) sb_warn("%zu annotations are of a class that the file does not list", m->list.nameless);
}

static void run(struct import *m, const struct sb_tool *tool, const struct sb_args *args)
{
    sb_problems_open(&m->problems, m->problems_file);
    m->list.counts = &m->counts;
    m->list.problems = &m->problems;
    read_all(m, args);
    m->counts.in = m->list.count + m->list.files;
    if (m->regex && sb_annotated_group(&m->list, m->regex)) sb_die_error();
    m->out = sb_writer_open(m->output);
    sb_writer_drop(m->out, m->drop);
    sb_writer_header(m->out, NULL, tool, args);
    sb_pipeline_run(&(struct sb_pipeline){.jobs = (int)m->jobs,
                                          .item_size = sizeof(struct item),
                                          .produce = produce,
                                          .work = work,
                                          .consume = consume,
                                          .idle = idle,
                                          .release = release,
                                          .arg = m});
    sb_progress_end();
    if (m->counts.out == 0) sb_die("%s: nothing in it could be imported", args->operand[1]);
    sb_problems_close(&m->problems);
    sb_writer_close(m->out);
    sb_label_map_report(&m->map, m->map_file);
    if (m->unlabelled) sb_warn("%llu records without a label", (unsigned long long)m->unlabelled);
    sb_counts_print(&m->counts);
    sb_annotated_free(&m->list);
    sb_label_map_free(&m->map);
}

int main(int argc, char **argv)
{
    struct import m = {.jobs = sb_cores()};
    const struct sb_opt opts[] = {
        SB_OPT_OUTPUT(&m.output),
        {0, "images", "FOLDER", SB_TEXT, &m.options.images, SB_OPT_UNRECORDED,
         "where the pictures lie (default: beside the file)", 0, 0},
        {0, "whole", NULL, SB_FLAG, &m.style.whole, 0,
         "a record a picture, with labels and boxes, instead of a record an annotation", 0, 0},
        {0, "no-images", NULL, SB_FLAG, &m.style.no_images, 0,
         "records without pictures, which need not be there; always so for video", 0, 0},
        {0, "points", "PIXELS", SB_INT, &m.style.points, 0, "cut a square of this side around each point", 1, 100000},
        {0, "group-regex", "REGEX", SB_TEXT, &m.regex, 0,
         "what of a picture's path is its group (a track, a dive): the first part in "
         "parentheses, or all that matches this extended regular expression",
         0, 0},
        {0, "map", "FILE", SB_TEXT, &m.map_file, SB_OPT_FILE,
         "other names for labels: a table of old name, new name (empty: none) and, where known, AphiaID", 0, 0},
        {0, "encode", "raw|png|jpeg", SB_TEXT, &m.encode, 0,
         "how pictures are kept (default: whole ones as they are, crops as png)", 0, 0},
        {0, "source", "NAME", SB_TEXT, &m.options.source, 0, "the video that the file is about, where it does not say",
         0, 0},
        {0, "dataset", "FILE", SB_TEXT, &m.options.dataset, SB_OPT_FILE,
         "the COCO file whose images and categories COCO results are about", 0, 0},
        {0, "fps", "N", SB_REAL, &m.options.fps, 0, "frames a second of that video, where the file counts frames",
         0.001, 100000},
        {0, "zone", "ZONE", SB_TEXT, &m.zone, 0, "time zone of dates that name none: UTC, +02:00, Europe/Berlin", 0, 0},
        {0, "problems", "FILE", SB_TEXT, &m.problems_file, SB_OPT_UNRECORDED,
         "list all that was missing, broken or unlabelled in this CSV table", 0, 0},
        SB_OPT_DROP(&m.drop),
        SB_OPT_JOBS(&m.jobs),
        SB_OPT_QUIET,
        SB_OPT_END,
    };
    sb_program = "sb-import"; /* what its usage allocates may fail */
    const struct sb_tool tool = {sb_program, sb_format("%s FILE...", sb_annotation_format_names("|")),
                                 "Writes other people's annotations as records: a box cut out of its picture each, a "
                                 "picture each, or without pictures.",
                                 opts, false};
    struct sb_args args;
    sb_opt_parse(&tool, argc, argv, &args);
    m.format = args.count ? sb_annotation_format_named(args.operand[0]) : NULL;
    if (!m.format) sb_usage("say what to import: %s", sb_annotation_format_names(", "));
    if (args.count < 2) sb_usage("%s needs %s", m.format->name, m.format->operands);
    sb_opt_check(opts, "no-images,points,group-regex,map,encode,problems,drop", m.format->options, m.format->name);
    if (m.style.no_images && (m.encode || m.style.points))
        sb_usage("--no-images leaves nothing to encode or to cut out");
    if (m.map_file && sb_label_map_read(m.map_file, &m.map)) sb_die_error();
    if (m.encode && sb_image_encoding_parse(m.encode, &m.encoding)) sb_usage("%s", sb_error_message());
    m.style.single = m.format->single;
    if (m.encode) m.style.encoding = &m.encoding;
    if (m.zone && sb_zone_parse(m.zone, &m.options.zone)) sb_usage("--zone: %s", sb_error_message());
    run(&m, &tool, &args);
    return 0;
}
