#include "formats/picture_files.h"

#include <stdlib.h>
#include <string.h>

#include "formats/names.h"
#include "media/codec.h"
#include "media/image.h"

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
    char *name = sb_name_record(&f->names, rec, ".png");
    if (!name) return -1;
    char *path = sb_format("%s/%s", f->folder, name);
    struct sb_output *file = sb_output_open(path);
    sb_output_write(file, data, size);
    sb_output_finish(file);
    SB_GROW(f->file, f->cap, f->count + 1);
    f->file[f->count++] = file;
    free(name);
    free(path);
    return 0;
}

void sb_picture_files_close(struct sb_picture_files *f)
{
    for (size_t i = f->count; i-- > 0;) sb_output_close(f->file[i]); /* the list of unfinished files is last in, first out */
    free(f->file);
    free(f->scratch.data);
    sb_picture_free(&f->picture);
    sb_dictionary_free(&f->names);
    memset(f, 0, sizeof *f);
}
