/* Records' pictures as PNG files in a folder. They appear together, once the stream has turned out to be whole. */
#ifndef SB_FORMATS_PICTURE_FILES_H
#define SB_FORMATS_PICTURE_FILES_H

#include "base/dictionary.h"
#include "base/output.h"
#include "base/record.h"
#include "formats/cell.h"
#include "media/picture.h"

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

/* Writes the picture of `image` under a name of sb_name_record(); a PNG file stays byte for byte. -1 with a message if
 * there is none or it is broken; a failure to write ends the program. */
int sb_picture_files_add(struct sb_picture_files *f, struct sb_record *rec);
void sb_picture_files_close(struct sb_picture_files *f); /* all appear; frees */

#endif
