#include "formats/picture_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/names.h"
#include "media/codec.h"
#include "media/image.h"

/* The folder for a record, made if need be. NULL with a message. The caller frees it. */
static char *folder_for(struct sb_picture_files *f, struct sb_record *rec)
{
    if (!f->by) return sb_strdup(f->folder);
    int rc = sb_cell_text(&f->cell, rec, f->by);
    if (rc < 0) return NULL;
    char *value = rc ? sb_name_safe(f->cell.text, f->cell.size) : sb_format("no %s", f->by);
    char *folder = sb_name_join(f->folder, value);
    free(value);
    if (mkdir(folder, 0777) == 0 || errno == EEXIST) return folder;
    sb_error("%s: %s", folder, strerror(errno));
    free(folder);
    return NULL;
}

int sb_picture_files_add(struct sb_picture_files *f, struct sb_record *rec)
{
    const uint8_t *data;
    size_t size;
    int rc = sb_image_get(rec, "image", &f->picture);
    if (rc == 0) return sb_error("no field 'image'");
    if (rc < 0) return -1;
    bool is_bin = !sb_field_is_tensor(sb_record_find(rec, "image")) && sb_get_bin(rec, "image", &data, &size) == 1;
    if (!is_bin || !sb_is_png(data, size)) {
        if (sb_png_encode(&f->picture, &f->scratch)) return -1;
        data = f->scratch.data;
        size = f->scratch.size;
    }
    char *folder = folder_for(f, rec), *name = folder ? sb_name_record(&f->names, rec, ".png") : NULL;
    if (!name) return -1;
    char *path = sb_name_join(folder, name);
    struct sb_output *file = sb_output_open(path);
    sb_output_write(file, data, size);
    sb_output_finish(file);
    SB_GROW(f->file, f->cap, f->count + 1);
    f->file[f->count++] = file;
    free(folder);
    free(name);
    free(path);
    return 0;
}

void sb_picture_files_close(struct sb_picture_files *f)
{
    for (size_t i = f->count; i-- > 0;)
        sb_output_close(f->file[i]); /* the list of unfinished files is last in, first out */
    free(f->file);
    free(f->scratch.data);
    sb_picture_free(&f->picture);
    sb_dictionary_free(&f->names);
    sb_cell_free(&f->cell);
    memset(f, 0, sizeof *f);
}
