#include "formats/export_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/opt.h"
#include "base/output.h"
#include "formats/jsonl.h"
#include "formats/names.h"

/* ---- the history beside a file ---- */

/* What is no regular file, as /dev/null or a pipe, has nothing beside it. */
static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

static FILE *open_history(const char *path, bool sweep)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') size--;
    char *name = sb_format("%.*s.history.json", (int)size, path);
    if (sweep) sb_output_sweep(name);
    FILE *out = sb_output_stdio(name);
    free(name);
    return out;
}

static void write_history(struct sb_export_run *r, const char *path)
{
    if (!path || !is_file(path)) return;
    FILE *out = open_history(path, !r->split);
    if (sb_jsonl_write(out, &r->header)) sb_die("the header's %s", sb_error_message());
    fclose(out);
}

/* ---- outputs ---- */

static struct sb_export_output *add_output(struct sb_export_run *r, char *path)
{
    SB_GROW(r->output, r->cap, r->outputs + 1);
    struct sb_export_output *o = &r->output[r->outputs++];
    *o = (struct sb_export_output){.memory = r->format->output_size ? sb_calloc(1, r->format->output_size) : NULL,
                                   .path = path};
    o->out = r->format->is_folder ? NULL : sb_output_stdio(path);
    if (r->format->begin && r->format->begin(r->memory, o->memory, o->out, path)) sb_die_error();
    return o;
}

static const char *split_field(const struct sb_export_run *r)
{
    return r->format->by_any && r->options.by ? r->options.by : "source";
}

/* What the file is called that a value of the field gets. The caller frees it. */
static char *stem_of(const char *field, const char *value, size_t size)
{
    bool source = !strcmp(field, "source");
    if (size) return source ? sb_name_stem(value, size) : sb_name_safe(value, size);
    return source ? sb_strdup("unnamed") : sb_format("no %s", field);
}

/* NULL with a message. */
static struct sb_export_output *output_of(struct sb_export_run *r, struct sb_record *rec)
{
    const char *field = split_field(r), *value = "";
    size_t size = 0;
    if (!r->split && !r->format->by_source) return r->output;
    if (!strcmp(field, "source")) {
        if (sb_get_text(rec, field, &value, &size) < 0) return NULL;
    } else {
        if (sb_cell_text(&r->cell, rec, field) < 0) return NULL;
        value = r->cell.text;
        size = r->cell.size;
    }
    size_t number = sb_dictionary_add(&r->values, value, size);
    if (!r->split && number > 0) {
        sb_error("a second source, '%.*s': -o FOLDER/ gives each a file", (int)(size < 300 ? size : 300), value);
        return NULL;
    }
    if (number < r->outputs) return &r->output[number];
    char *stem = stem_of(field, value, size), *name = sb_name_take(&r->names, stem, value, size, r->format->suffix);
    struct sb_export_output *o = add_output(r, sb_name_join(r->path, name));
    free(stem);
    free(name);
    return o;
}

/* A file stays open for each value until the stream is known to be whole. */
static void allow_many_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files)) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void open_folder(const char *path)
{
    struct stat st;
    bool made = mkdir(path, 0777) == 0;
    if (!made && errno != EEXIST) sb_die("%s: %s", path, strerror(errno));
    if (!made && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))) sb_die("%s: %s", path, strerror(ENOTDIR));
    char *folder = sb_name_join(path, "");
    sb_output_sweep(folder);
    free(folder);
    allow_many_files();
}

void sb_export_open(struct sb_export_run *r)
{
    struct stat st;
    size_t size = r->path ? strlen(r->path) : 0;
    bool folder = size && (r->path[size - 1] == '/' || (stat(r->path, &st) == 0 && S_ISDIR(st.st_mode)));
    r->split = folder && !r->format->is_folder;
    if (r->format->by_any && r->options.by && !r->split) sb_usage("--by fills a folder with files: -o FOLDER/");
    if (folder || r->format->is_folder) {
        open_folder(r->path);
    } else if (r->path) {
        sb_output_sweep(r->path);
    }
    r->options.folder = r->format->is_folder ? r->path : NULL;
    if (r->format->run_size) r->memory = sb_calloc(1, r->format->run_size);
    if (r->format->open && r->format->open(r->memory, &r->options, &r->header)) sb_die_error();
    if (!r->split) add_output(r, r->path ? sb_strdup(r->path) : NULL);
}

int sb_export_write(struct sb_export_run *r, struct sb_record *rec)
{
    struct sb_export_output *o = output_of(r, rec);
    return o ? r->format->write(r->memory, o->memory, o->out, rec) : -1;
}

void sb_export_flush(struct sb_export_run *r)
{
    if (!r->split && r->outputs && r->output[0].out) fflush(r->output[0].out);
}

void sb_export_close(struct sb_export_run *r, uint64_t records)
{
    for (size_t i = 0; i < r->outputs && r->format->end; i++) {
        if (r->format->end(r->memory, r->output[i].memory, r->output[i].out)) sb_die_error();
    }
    /* A file stands for its history too: where a run is killed between the two, make must not take it for done. */
    for (size_t i = 0; i < r->outputs; i++) write_history(r, r->output[i].path);
    for (size_t i = r->outputs; i-- > 0;) { /* the list of unfinished files is last in, first out */
        if (r->output[i].out) fclose(r->output[i].out);
    }
    if (r->format->close && r->format->close(r->memory, records)) sb_die_error();
    for (size_t i = 0; i < r->outputs; i++) {
        free(r->output[i].path);
        free(r->output[i].memory);
    }
    free(r->output);
    free(r->memory);
    sb_record_free(&r->header);
    sb_dictionary_free(&r->values);
    sb_dictionary_free(&r->names);
    sb_cell_free(&r->cell);
}
