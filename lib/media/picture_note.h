/* A picture's file with an Exif block put into its bytes: what it shows stays bit for bit. */
#ifndef SB_MEDIA_PICTURE_NOTE_H
#define SB_MEDIA_PICTURE_NOTE_H

#include "media/exif_note.h"

/* Replaces `out` with the JPEG or PNG that says what the note knows (exif_note.h), in place of the block that the file
 * has. -1 with a message: it is neither, or its parts are cut off. Its pixels are not looked at. */
int sb_picture_note(struct sb_buffer *out, const uint8_t *file, size_t size, const struct sb_exif_note *note);

#endif
