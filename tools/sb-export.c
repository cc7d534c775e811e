/* sb-export: records to JSON lines, a CSV table, WebVTT subtitles, a contact sheet, or PNG files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"
#include "formats/contact.h"
#include "formats/csv.h"
#include "formats/jsonl.h"
#include "formats/names.h"
#include "formats/picture_files.h"
#include "formats/vtt.h"
#include "stream/spool.h"

/* What is written for one source, or for all of them: text, or at the end a sheet. */
struct sink {
    FILE *out;
    struct sb_vtt vtt;
    struct sb_contact contact;
};

struct export;

struct format {
    const char *name, *suffix;
    void (*begin)(struct export *e, struct sink *s);
    bool (*write)(struct export *e, struct sink *s, struct sb_record *rec); /* false: nothing of it is shown */
    void (*end)(struct export *e, struct sink *s);
    const char *left_out;    /* why not */
    bool is_text, by_source; /* the second: one file can't hold two sources */
};

struct export {
    const struct format *format;
    struct sb_filter in; /* its reader and counts: what goes out is no stream */
    const char *output, *columns, *words, *by;
    int64_t across, thumb, max;
    bool folder;
    struct sink **sink;
    size_t sinks, sinks_cap;
    struct sb_dictionary sources, names;
    struct sb_csv csv;
    struct sb_cell cell;
    struct sb_picture_files files;
};

static _Noreturn void die_at(const struct export *e, const struct sb_record *rec)
{
    sb_filter_die(&e->in, rec, "%s", sb_error_message());
}

static bool jsonl_write(struct export *e, struct sink *s, struct sb_record *rec)
{
    if (sb_jsonl_write(s->out, rec)) die_at(e, rec);
    return true;
}

static void csv_begin(struct export *e, struct sink *s) { sb_csv_head(&e->csv, s->out); }

static bool csv_write(struct export *e, struct sink *s, struct sb_record *rec)
{
    if (sb_csv_write(&e->csv, s->out, rec)) die_at(e, rec);
    return true;
}

static void vtt_begin(struct export *e, struct sink *s)
{
    (void)e;
    sb_vtt_begin(&s->vtt, s->out);
}

static bool vtt_write(struct export *e, struct sink *s, struct sb_record *rec)
{
    int rc = sb_vtt_record(&s->vtt, rec, e->words, &e->cell);
    if (rc < 0) die_at(e, rec);
    return rc == 1;
}

static void vtt_end(struct export *e, struct sink *s)
{
    (void)e;
    sb_vtt_end(&s->vtt);
    sb_vtt_free(&s->vtt);
}

static void contact_begin(struct export *e, struct sink *s)
{
    sb_contact_init(&s->contact, (int)e->across, (int)e->thumb, (uint64_t)e->max, e->by);
}

static bool contact_write(struct export *e, struct sink *s, struct sb_record *rec)
{
    int rc = sb_contact_add(&s->contact, rec);
    if (rc < 0) die_at(e, rec);
    return rc == 1;
}

static void contact_end(struct export *e, struct sink *s)
{
    struct sb_buffer png = {0};
    (void)e;
    if (sb_contact_png(&s->contact, &png)) sb_die_error();
    fwrite(png.data, 1, png.size, s->out);
    free(png.data);
    sb_contact_free(&s->contact);
}

static bool png_write(struct export *e, struct sink *s, struct sb_record *rec)
{
    (void)s;
    if (sb_picture_files_add(&e->files, rec)) die_at(e, rec);
    return true;
}

static const struct format formats[] = {
    {"jsonl", ".jsonl", NULL, jsonl_write, NULL, "", true, false},
    {"csv", ".csv", csv_begin, csv_write, NULL, "", true, false},
    {"vtt", ".vtt", vtt_begin, vtt_write, vtt_end, "without text", true, true},
    {"contact", ".png", contact_begin, contact_write, contact_end, "more than the sheet shows", false, false},
    {"png", ".png", NULL, png_write, NULL, "", false, false},
};

/* ---- where it goes ---- */

static struct sink *sink_new(struct export *e, const char *path)
{
    struct sink *s = sb_calloc(1, sizeof *s);
    SB_GROW(e->sink, e->sinks_cap, e->sinks + 1);
    e->sink[e->sinks++] = s;
    s->out = sb_output_stdio(path);
    if (e->format->begin) e->format->begin(e, s);
    return s;
}

static struct sink *sink_of(struct export *e, const struct sb_record *rec)
{
    const char *source = "";
    size_t size = 0;
    if (!e->folder && !e->format->by_source) return e->sinks ? e->sink[0] : NULL;
    if (e->format->write == png_write) return NULL;
    if (sb_get_text(rec, "source", &source, &size) < 0) die_at(e, rec);
    size_t number = sb_dictionary_add(&e->sources, source, size);
    if (!e->folder && number > 0) {
        sb_filter_die(&e->in, rec, "a second source, '%.*s': -o FOLDER/ gives each a file",
                      (int)(size < 300 ? size : 300), source);
    }
    if (number < e->sinks) return e->sink[number];
    char *stem = size ? sb_name_stem(source, size) : sb_strdup("unnamed");
    char *name = sb_name_take(&e->names, stem, source, size, e->format->suffix), *path = sb_name_join(e->output, name);
    struct sink *s = sink_new(e, path);
    free(stem);
    free(name);
    free(path);
    return s;
}

static void open_output(struct export *e)
{
    struct stat st;
    struct rlimit files;
    size_t size = e->output ? strlen(e->output) : 0;
    bool named = size && e->output[size - 1] == '/';
    bool there = e->output && stat(e->output, &st) == 0 && S_ISDIR(st.st_mode);
    e->folder = named || there;
    bool is_png = e->format->write == png_write;
    if (is_png && !e->output) sb_usage("png needs a folder: -o FOLDER");
    if ((named || is_png) && !there && mkdir(e->output, 0777) != 0)
        sb_die("%s: %s", e->output, strerror(errno == EEXIST ? ENOTDIR : errno));
    if (!e->output && !e->format->is_text && isatty(STDOUT_FILENO))
        sb_usage("a picture is no text for a terminal: name a file with -o");
    /* A file stays open for each source until the stream is known to be whole. */
    if (e->folder && getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (e->output && (e->folder || is_png)) {
        char *folder = sb_name_join(e->output, "");
        sb_output_sweep(folder);
        free(folder);
    } else if (e->output) {
        sb_output_sweep(e->output);
    }
    e->files = (struct sb_picture_files){.folder = e->output, .by = e->by};
    if (!e->folder && !is_png) sink_new(e, e->output);
}

static void close_outputs(struct export *e)
{
    for (size_t i = 0; i < e->sinks && e->format->end; i++) e->format->end(e, e->sink[i]);
    for (size_t i = e->sinks; i-- > 0;) fclose(e->sink[i]->out);
    sb_picture_files_close(&e->files);
}

static void flush_text(void *arg)
{
    struct export *e = arg;
    if (!e->folder && e->sinks) fflush(e->sink[0]->out);
}

static const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!strcmp(name, formats[i].name)) return &formats[i];
    }
    sb_usage("no such format: '%s' (jsonl, csv, vtt, contact or png)", name);
}

static void run(struct export *e, const char *input, const char *records)
{
    struct sb_range range = sb_range_parse(records);
    struct sb_record rec = {0};
    if (sb_csv_init(&e->csv, e->columns ? e->columns : sb_csv_columns)) sb_usage("--columns: %s", sb_error_message());
    e->in.in = sb_reader_open(input);
    if (!e->in.in) sb_die_error();
    sb_filter_range(&e->in, range);
    open_output(e);
    if (e->in.in) sb_reader_idle(e->in.in, flush_text, e);
    while (sb_filter_next(&e->in, &rec)) {
        if (e->format->write(e, sink_of(e, &rec), &rec)) {
            e->in.counts.out++;
        } else {
            sb_counts_skip(&e->in.counts, e->format->left_out);
        }
    }
    close_outputs(e);
    if (e->columns && e->in.counts.in) sb_csv_warn(&e->csv);
    sb_counts_print(&e->in.counts);
    sb_record_free(&rec);
    sb_reader_close(e->in.in);
    sb_spool_close(e->in.whole);
}

int main(int argc, char **argv)
{
    static struct export e = {.across = 6, .thumb = 160, .max = 120};
    const char *records = NULL;
    const struct sb_opt opts[] = {
        SB_OPT_OUTPUT(&e.output),
        {0, "columns", "NAMES", SB_TEXT, &e.columns, 0, "csv: these columns (default: the usual fields)", 0, 0},
        {0, "text", "FIELD", SB_TEXT, &e.words, 0, "vtt: show this (default: caption, else best prediction)", 0, 0},
        {0, "across", "N", SB_INT, &e.across, 0, "contact: pictures in a row (default 6)", 1, 1000},
        {0, "thumb", "PIXELS", SB_INT, &e.thumb, 0, "contact: longer side of a small picture (default 160)", 16, 2048},
        {0, "max", "N", SB_INT, &e.max, 0, "contact: pictures at most (default 120)", 1, 1000000},
        {0, "by", "FIELD", SB_TEXT, &e.by, 0, "contact, png: a row, or a folder, for each value of this field", 0, 0},
        SB_OPT_RECORDS(&records),
        SB_OPT_QUIET,
        SB_OPT_END};
    const struct sb_tool tool = {
        "sb-export", "jsonl|csv|vtt|contact|png [FILE]",
        "Writes records as JSON lines, a CSV table, WebVTT subtitles, a contact sheet (PNG) or PNG files. With -o FOLDER/ "
        "each source gets a file.",
        opts, true};
    struct sb_args args;
    sb_opt_parse(&tool, argc, argv, &args);
    if (args.count == 0) sb_usage("name a format: jsonl, csv, vtt, contact or png");
    if (args.count > 2) sb_usage("one input at most: '%s' is too much", args.operand[2]);
    e.format = format_named(args.operand[0]);
    if (args.count == 1 && isatty(STDIN_FILENO)) sb_usage("name a stream, or pipe one in");
    if (e.columns && e.format->write != csv_write) sb_usage("--columns is for csv");
    if (e.words && e.format->write != vtt_write) sb_usage("--text is for vtt");
    if (e.by && e.format->is_text) sb_usage("--by is for contact and png");
    run(&e, args.operand[1], records);
    return 0;
}
