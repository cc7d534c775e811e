/* sb-export's formats that are pictures: a contact sheet, a PNG file each. */
#include <stdlib.h>

#include "formats/contact.h"
#include "formats/exporter.h"
#include "formats/picture_files.h"

/* ---- a contact sheet ---- */

struct contact_run {
    const struct sb_export_options *options;
};

static int contact_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    (void)header;
    ((struct contact_run *)run)->options = o;
    return 0;
}

static int contact_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)path;
    const struct sb_export_options *o = ((struct contact_run *)run)->options;
    (void)out;
    int across = o->across ? (int)o->across : 6, thumb = o->thumb ? (int)o->thumb : 160;
    sb_contact_init(output, across, thumb, o->max ? (uint64_t)o->max : 120, o->by);
    return 0;
}

static int contact_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    (void)run;
    (void)out;
    return sb_contact_add(output, rec);
}

static int contact_end(void *run, void *output, FILE *out)
{
    struct sb_buffer png = {0};
    (void)run;
    if (sb_contact_png(output, &png)) return -1;
    fwrite(png.data, 1, png.size, out);
    free(png.data);
    sb_contact_free(output);
    return 0;
}

const struct sb_exporter sb_export_contact = {.name = "contact",
                                              .suffix = ".png",
                                              .summary = "a contact sheet (PNG)",
                                              .options = "across,thumb,max,by",
                                              .left_out = "more than the sheet shows",
                                              .run_size = sizeof(struct contact_run),
                                              .output_size = sizeof(struct sb_contact),
                                              .open = contact_open,
                                              .begin = contact_begin,
                                              .write = contact_write,
                                              .end = contact_end};

/* ---- PNG files ---- */

static int png_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct sb_picture_files *files = run;
    (void)header;
    files->folder = o->folder;
    files->by = o->by;
    return 0;
}

static int png_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    (void)output;
    (void)out;
    return sb_picture_files_add(run, rec) ? -1 : 1;
}

static int png_close(void *run, uint64_t records)
{
    (void)records;
    sb_picture_files_close(run);
    return 0;
}

const struct sb_exporter sb_export_png = {.name = "png",
                                          .suffix = ".png",
                                          .summary = "PNG files in a folder",
                                          .options = "by",
                                          .is_folder = true,
                                          .run_size = sizeof(struct sb_picture_files),
                                          .open = png_open,
                                          .write = png_write,
                                          .close = png_close};
