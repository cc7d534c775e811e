/* sb-export's pictures for other people: files by name, each saying which record it is, and manifest.csv, which says
 * all else, and from which sb-import makes the records again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/opt.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/name_pattern.h"
#include "formats/names.h"
#include "formats/picture_files.h"
#include "media/picture_note.h"

/* Of csv's columns all, and those that annotations have besides (seabot(7)). */
static const char *const columns =
    "id,parent,source,time,pts,duration,lat,lon,depth,group,x,y,w,h,label,label_status,labelled_by,"
    "predicted_label,probability,caption,cluster,distance,split,fold,phash,duplicate_of,"
    "aphia_id,annotation_id,track,url,shape,points,radius,parent_size,boxes,labels,scores,predicted,confidence";

struct manifest_run {
    struct sb_picture_files files;
    struct sb_name_pattern pattern;
    enum sb_image_encoding encoding; /* SB_IMAGE_RAW: as it is */
    struct sb_csv csv;
    FILE *table;
    bool chosen; /* columns were named: those that no record has are worth a word */
    uint64_t rows;
    struct sb_buffer noted;
};

static void open_table(struct manifest_run *r, const struct sb_export_options *o)
{
    char *all = sb_format("file,%s", o->columns ? o->columns : columns),
         *path = sb_name_join(o->folder, "manifest.csv");
    if (sb_csv_init(&r->csv, all)) sb_usage("--columns: %s", sb_error_message());
    r->table = sb_output_stdio(path);
    sb_csv_head(&r->csv, r->table);
    sb_dictionary_add(&r->files.names, "manifest.csv", strlen("manifest.csv"));
    free(all);
    free(path);
}

static int manifest_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    static const char *const kinds[] = {"jpeg", "png", NULL};
    struct manifest_run *r = run;
    (void)header;
    r->files.folder = o->folder;
    r->files.by = o->by;
    r->chosen = o->columns != NULL;
    r->encoding = !o->format ? SB_IMAGE_RAW : sb_opt_choose("format", o->format, kinds) ? SB_IMAGE_PNG : SB_IMAGE_JPEG;
    if (sb_name_pattern_parse(&r->pattern, o->name ? o->name : "{group}_{time}_{pts}_{id8}"))
        sb_usage("--name: %s", sb_error_message());
    open_table(r, o);
    return 0;
}

/* A number that is there, else NAN. -1 with a message if it is something else. */
static int real_of(const struct sb_record *rec, const char *field, double *v)
{
    *v = NAN;
    return sb_get_real(rec, field, v) < 0 ? -1 : 0;
}

static int note_of(const struct sb_record *rec, struct sb_exif_note *note)
{
    *note = (struct sb_exif_note){.id = ""};
    if (sb_get_text(rec, "id", &note->id, &note->id_size) < 0 || real_of(rec, "time", &note->time) ||
        real_of(rec, "lat", &note->latitude) || real_of(rec, "lon", &note->longitude) ||
        real_of(rec, "depth", &note->depth))
        return -1;
    int rc = sb_get_text(rec, "caption", &note->text, &note->text_size);
    if (rc == 0) rc = sb_get_text(rec, "label", &note->text, &note->text_size);
    return rc < 0 ? -1 : 0;
}

/* The name of the record's file. NULL with a message; the caller frees it. */
static char *name_of(struct manifest_run *r, struct sb_record *rec, const struct sb_exif_note *note, bool jpeg)
{
    const char *text = sb_name_pattern_text(&r->pattern, rec);
    if (!text) return NULL;
    char *stem = sb_name_safe(text, strlen(text));
    char *name = sb_name_take(&r->files.names, stem, note->id, note->id_size, jpeg ? ".jpg" : ".png");
    free(stem);
    return name;
}

static int manifest_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct manifest_run *r = run;
    struct sb_exif_note note;
    const uint8_t *data;
    size_t size;
    bool jpeg;
    (void)output;
    (void)out;
    if (note_of(rec, &note) || sb_picture_files_encode(&r->files, rec, r->encoding, &data, &size, &jpeg) ||
        sb_picture_note(&r->noted, data, size, &note))
        return -1;
    char *name = name_of(r, rec, &note, jpeg);
    char *file = name ? sb_picture_files_put(&r->files, rec, name, r->noted.data, r->noted.size) : NULL;
    free(name);
    if (!file) return -1;
    sb_set_cstr(rec, "file", file);
    free(file);
    sb_csv_count(&r->rows);
    return sb_csv_write(&r->csv, r->table, rec) ? -1 : 1;
}

static int manifest_close(void *run, uint64_t records)
{
    struct manifest_run *r = run;
    sb_picture_files_close(&r->files);
    fclose(r->table);
    if (r->chosen && records) sb_csv_warn(&r->csv);
    sb_csv_free(&r->csv);
    sb_name_pattern_free(&r->pattern);
    free(r->noted.data);
    return 0;
}

const struct sb_exporter sb_export_manifest = {.name = "pictures",
                                               .suffix = "",
                                               .summary = "picture files and a table of them",
                                               .options = "format,name,columns,by",
                                               .left_out = "",
                                               .is_folder = true,
                                               .run_size = sizeof(struct manifest_run),
                                               .open = manifest_open,
                                               .write = manifest_write,
                                               .close = manifest_close};
