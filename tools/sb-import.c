/* sb-import: other people's labelled pictures to records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dictionary.h"
#include "base/pipeline.h"
#include "formats/class_folders.h"
#include "formats/coco.h"
#include "stream/stream.h"

struct import {
    const char *output, *images, *regex, *encode, *drop;
    bool whole;
    int64_t jobs;
    enum sb_image_encoding encoding;
    struct sb_annotated_list list;
    size_t next, done; /* picture to begin with, pictures finished */
    struct sb_writer *out;
    struct sb_counts counts;
    uint64_t unlabelled;
};

struct item {
    const struct sb_annotated *from;
    struct sb_annotated_work work;
    char error[1024]; /* why there are no records */
};

/* ---- the ordered parallel map: pictures to records ---- */

static bool produce(void *arg, void *slot)
{
    struct import *m = arg;
    struct item *item = slot;
    while (m->next < m->list.count && !m->list.item[m->next].path) m->next++; /* missing ones */
    if (m->next == m->list.count) return false;
    item->from = &m->list.item[m->next++];
    return true;
}

static void work(void *arg, void *slot)
{
    struct import *m = arg;
    struct item *item = slot;
    item->error[0] = 0;
    if (sb_annotated_records(item->from, m->whole, m->encode ? &m->encoding : NULL, &item->work)) {
        snprintf(item->error, sizeof item->error, "%s", sb_error_message());
    }
}

static void consume(void *arg, void *slot)
{
    struct import *m = arg;
    struct item *item = slot;
    m->done++;
    sb_progress((double)m->done, (double)m->list.count, "%zu of %zu pictures", m->done, m->list.count);
    if (item->error[0]) {
        sb_warn("%s", item->error);
        sb_counts_skip(&m->counts, "broken");
        return;
    }
    for (size_t i = 0; i < item->work.count; i++) {
        const struct sb_record *rec = &item->work.record[i];
        if (!sb_record_find(rec, "label") && !sb_record_find(rec, "labels")) m->unlabelled++;
        sb_writer_put(m->out, rec);
        m->counts.out++;
    }
    for (size_t i = 0; i < item->work.outside; i++) sb_counts_skip(&m->counts, "box outside of its picture");
    if (item->work.count + item->work.outside == 0) sb_counts_skip(&m->counts, "without a box");
}

static void idle(void *arg) { sb_writer_flush(((struct import *)arg)->out); }

static void release(void *arg, void *slot)
{
    (void)arg;
    sb_annotated_work_free(&((struct item *)slot)->work);
}

/* ---- what there is ---- */

static void list_folders(struct import *m, const struct sb_args *args)
{
    struct sb_dictionary sources = {0};
    for (int i = 1; i < args->count; i++) {
        if (sb_class_folders_list(args->operand[i], &m->list)) sb_die_error();
    }
    if (m->list.count == 0) sb_die("%s: no JPEG or PNG files below it", args->operand[1]);
    for (size_t i = 0; i < m->list.count; i++) {
        const char *source = m->list.item[i].source;
        if (sb_dictionary_add(&sources, source, strlen(source)) < i) {
            sb_die("two pictures would be called '%s': name the folder that holds both folders", source);
        }
    }
    sb_dictionary_free(&sources);
    for (size_t i = 0; i < m->list.other; i++) sb_counts_skip(&m->counts, "not a JPEG or PNG file");
}

/* Pictures that are not here are listed with the place they were published at; if none is here, that is said once. */
static void find_missing(struct import *m, const char *path)
{
    size_t missing = 0;
    for (size_t i = 0; i < m->list.count; i++) missing += access(m->list.item[i].path, F_OK) != 0;
    if (missing == m->list.count) {
        sb_die("%s: none of its %zu pictures is below %s (the first: %s)", path, missing, m->images,
               m->list.item[0].source);
    }
    for (size_t i = 0; missing && i < m->list.count; i++) {
        struct sb_annotated *a = &m->list.item[i];
        if (access(a->path, F_OK) == 0) continue;
        sb_warn("missing: %s%s%s", a->source, a->url ? " " : "", a->url ? a->url : "");
        sb_counts_skip(&m->counts, missing == 1 ? "picture missing" : "pictures missing");
        free(a->path);
        a->path = NULL;
    }
}

static void list_coco(struct import *m, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *beside = slash ? sb_strndup(path, (size_t)(slash - path) + (slash == path)) : sb_strdup(".");
    if (!m->images) m->images = beside;
    if (sb_coco_read(path, m->images, &m->list)) sb_die_error();
    if (m->list.count == 0) sb_die("%s: names no pictures", path);
    find_missing(m, path);
    for (size_t i = 0; i < m->list.boxless; i++) sb_counts_skip(&m->counts, "annotation without a box or a picture");
    free(beside);
}

static void run(struct import *m, const struct sb_tool *tool, const struct sb_args *args)
{
    bool coco = !strcmp(args->operand[0], "coco");
    if (coco) {
        list_coco(m, args->operand[1]);
    } else {
        list_folders(m, args);
    }
    m->counts.in = m->list.count + m->list.other;
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
    sb_writer_close(m->out);
    if (m->unlabelled) sb_warn("%llu records without a label", (unsigned long long)m->unlabelled);
    sb_counts_print(&m->counts);
    sb_annotated_free(&m->list);
}

int main(int argc, char **argv)
{
    struct import m = {.jobs = sb_cores()};
    const struct sb_opt opts[] = {
        SB_OPT_OUTPUT(&m.output),
        {0, "images", "FOLDER", SB_TEXT, &m.images, SB_OPT_UNRECORDED,
         "coco: where the pictures lie (default: beside the JSON file)", 0, 0},
        {0, "whole", NULL, SB_FLAG, &m.whole, 0,
         "coco: a record a picture, with labels and boxes, instead of a record a box", 0, 0},
        {0, "group-regex", "REGEX", SB_TEXT, &m.regex, 0,
         "what of a picture's path is its group (a track, a dive): the first part in "
         "parentheses, or all that matches this extended regular expression",
         0, 0},
        {0, "encode", "AS", SB_TEXT, &m.encode, 0,
         "raw, png or jpeg (default: whole pictures as they are, crops as png)", 0, 0},
        SB_OPT_DROP(&m.drop),
        SB_OPT_JOBS(&m.jobs),
        SB_OPT_QUIET,
        SB_OPT_END,
    };
    const struct sb_tool tool = {
        "sb-import", "folders FOLDER... | coco FILE.json",
        "Writes labelled pictures as records: a folder for each class, or COCO's JSON with the boxes cut out.", opts,
        false};
    struct sb_args args;
    sb_opt_parse(&tool, argc, argv, &args);
    const char *kind = args.count ? args.operand[0] : "";
    bool coco = !strcmp(kind, "coco");
    if (!coco && strcmp(kind, "folders") != 0) sb_usage("say what to import: folders FOLDER..., or coco FILE.json");
    if (args.count < 2) sb_usage(coco ? "coco needs a JSON file" : "folders needs a folder");
    if (coco && args.count > 2) sb_usage("one JSON file at a time: '%s' is too much", args.operand[2]);
    if (!coco && (m.images || m.whole)) sb_usage("--images and --whole are for coco");
    if (m.encode && sb_image_encoding_parse(m.encode, &m.encoding)) sb_usage("%s", sb_error_message());
    if (!coco) m.whole = true;
    run(&m, &tool, &args);
    return 0;
}
