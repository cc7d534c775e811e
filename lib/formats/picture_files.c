#include "formats/picture_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "formats/names.h"
#include "media/codec.h"
#include "media/image.h"

/* The folder for a record below `folder`, made if need be; "" for that one itself. NULL with a message. The caller
 * frees it. */
static char *folder_for(struct sb_picture_files *f, struct sb_record *rec)
{
    if (!f->by) return sb_strdup("");
    int rc = sb_cell_text(&f->cell, rec, f->by);
    if (rc < 0) return NULL;
    char *value = rc && f->cell.size ? sb_name_safe(f->cell.text, f->cell.size) : sb_format("no %s", f->by);
    char *folder = sb_name_join(f->folder, value), *below = sb_format("%s/", value);
    bool made = mkdir(folder, 0777) == 0 || errno == EEXIST;
    if (!made) sb_error("%s: %s", folder, strerror(errno));
    free(value);
    free(folder);
    if (made) return below;
    free(below);
    return NULL;
}

static bool is_bin(const struct sb_record *rec, const uint8_t **data, size_t *size)
{
    return !sb_field_is_tensor(sb_record_find(rec, "image")) && sb_get_bin(rec, "image", data, size) == 1;
}

int sb_picture_files_encode(struct sb_picture_files *f, struct sb_record *rec, enum sb_image_encoding wanted,
                            const uint8_t **data, size_t *size, bool *jpeg)
{
    const struct sb_field *image = sb_record_find(rec, "image");
    bool is_file = image && is_bin(rec, data, size);
    if (is_file && wanted != SB_IMAGE_PNG && sb_is_jpeg(*data, *size)) {
        *jpeg = true;
        return sb_jpeg_check(*data, *size);
    }
    int rc = sb_image_get(rec, "image", &f->picture);
    if (rc == 0) return sb_error("no field 'image'");
    if (rc < 0) return -1;
    *jpeg = wanted == SB_IMAGE_JPEG;
    if (is_file && !*jpeg && sb_is_png(*data, *size)) return 0;
    if (*jpeg ? sb_jpeg_encode(&f->picture, SB_JPEG_QUALITY, &f->scratch) : sb_png_encode(&f->picture, &f->scratch))
        return -1;
    *data = f->scratch.data;
    *size = f->scratch.size;
    return 0;
}

char *sb_picture_files_put(struct sb_picture_files *f, struct sb_record *rec, const char *name, const void *data,
                           size_t size)
{
    char *folder = folder_for(f, rec);
    if (!folder) return NULL;
    char *below = sb_format("%s%s", folder, name), *path = sb_name_join(f->folder, below);
    struct sb_output *file = sb_output_open(path);
    sb_output_write(file, data, size);
    sb_output_finish(file);
    SB_GROW(f->file, f->cap, f->count + 1);
    f->file[f->count++] = file;
    free(folder);
    free(path);
    return below;
}

int sb_picture_files_add(struct sb_picture_files *f, struct sb_record *rec)
{
    const uint8_t *data;
    size_t size;
    bool jpeg;
    if (sb_picture_files_encode(f, rec, SB_IMAGE_PNG, &data, &size, &jpeg)) return -1;
    char *name = sb_name_record(&f->names, rec, ".png");
    char *path = name ? sb_picture_files_put(f, rec, name, data, size) : NULL;
    free(name);
    free(path);
    return path ? 0 : -1;
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
