/* What a picture's file says of its record, as an Exif block (JEITA CP-3451, Exif 2.32): which it is, when and where it
 * was taken, and in words what is in it. Cameras, exiftool, Pillow and mapping programs know these fields:
 *
 *   id              ImageUniqueID
 *   time            DateTimeOriginal, SubSecTimeOriginal, OffsetTimeOriginal +00:00; GPSDateStamp, GPSTimeStamp
 *   lat, lon        GPSLatitude, GPSLongitude, to 0.00001 seconds of arc; WGS-84
 *   depth           GPSAltitude below sea level (GPSAltitudeRef 1), to a millimetre
 *   text            ImageDescription, UTF-8 */
#ifndef SB_MEDIA_EXIF_NOTE_H
#define SB_MEDIA_EXIF_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Text is not NUL-terminated; size 0: none. Numbers are NAN where they are not known. */
struct sb_exif_note {
    const char *id, *text;
    size_t id_size, text_size;
    double time;                       /* Unix time */
    double latitude, longitude, depth; /* degrees; m, positive down */
};

#define SB_EXIF_MOST 65527 /* bytes of a block in a JPEG */

/* Replaces `out` with a block that says what the note knows. All else that `old` says (of `old_size` bytes; 0: there is
 * none) stays: its directories are written again behind it, and its bytes stay where they are, because what a camera's
 * maker put there points at them. Of an old block that is malformed, or too long, the orientation stays alone. */
void sb_exif_note_write(struct sb_buffer *out, const uint8_t *old, size_t old_size, const struct sb_exif_note *note);

/* What a block says; its text is borrowed from the block. Nothing is known of a malformed one. */
void sb_exif_note_read(const uint8_t *block, size_t size, struct sb_exif_note *note);

#endif
