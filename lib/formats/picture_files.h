/* Records' pictures as files in a folder. They appear together, once the stream has turned out to be whole. */
#ifndef SB_FORMATS_PICTURE_FILES_H
#define SB_FORMATS_PICTURE_FILES_H

#include "base/dictionary.h"
#include "base/output.h"
#include "base/record.h"
#include "formats/cell.h"
#include "media/image.h"

/* A zeroed one is valid; the folder is the caller's, and there. */
struct sb_picture_files {
    const char *folder;
    const char *by; /* NULL, or the column whose values have a folder each inside of it */
    struct sb_cell cell;
    struct sb_dictionary names;
    struct sb_output **file;
    size_t count, cap;
    struct sb_picture picture;
    struct sb_buffer scratch;
};

/* The record's `image` as a file's bytes, borrowed until the next call: those it has if it is a whole JPEG or PNG of
 * the wanted kind, else encoded anew. SB_IMAGE_RAW: as it is, and a PNG where it is an array. 0, or -1 with a message
 * if there is none, or it is broken. */
int sb_picture_files_encode(struct sb_picture_files *f, struct sb_record *rec, enum sb_image_encoding wanted,
                            const uint8_t **data, size_t *size, bool *jpeg);
/* Writes a file called `name` (names.h) into the record's folder, and gives the path below `folder`, which the caller
 * frees. NULL with a message; a failure to write ends the program. */
char *sb_picture_files_put(struct sb_picture_files *f, struct sb_record *rec, const char *name, const void *data,
                           size_t size);
/* Writes the picture of `image` as a PNG under a name of sb_name_record(); a PNG file stays byte for byte. -1 with a
 * message. */
int sb_picture_files_add(struct sb_picture_files *f, struct sb_record *rec);
void sb_picture_files_close(struct sb_picture_files *f); /* all appear; frees */

#endif
