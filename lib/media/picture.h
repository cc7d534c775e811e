/* A picture in memory, and its two file formats: JPEG (libjpeg-turbo) and PNG (libpng).
 *
 * Decoding gives the pixels that Pillow's open().convert("RGB") gives, turned upright by their EXIF orientation. All of
 * it is safe in threads: a struct sb_picture belongs to one caller at a time. Nothing here prints or ends the program,
 * whatever the bytes are: functions return 0, or -1 with a message (base/err.h). */
#ifndef SB_MEDIA_PICTURE_H
#define SB_MEDIA_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"

#define SB_PICTURE_MAX ((size_t)1 << 28) /* pixels; larger ones are refused before anything is allocated */

/* A zeroed one is valid and empty. The pixels lie in the struct's own memory, which is reused by whatever fills it
 * next, or are somebody else's (sb_picture_view). */
struct sb_picture {
    int width, height; /* pixels */
    uint8_t *rgb;      /* sRGB, 3 bytes a pixel, rows from the top, tightly packed */
    uint8_t *own;      /* cap bytes */
    size_t cap;
};

/* -1 with a message for a size that is refused. */
int sb_picture_fits(int w, int h);
/* Makes room for w x h pixels (each at least 1), whose values are then undefined. */
int sb_picture_size(struct sb_picture *p, int w, int h);
/* p's pixels are w x h of the caller's, tightly packed, only read, until p is filled again. -1 if the size is refused.
 */
int sb_picture_view(struct sb_picture *p, const uint8_t *rgb, int w, int h);
void sb_picture_free(struct sb_picture *p); /* and zeroes it */

/* What becomes of that which RGB has no room for. A zeroed one is the usual way. */
struct sb_decoding {
    bool stored;           /* pixels stay as they are stored; else they are turned upright by their EXIF orientation */
    int bits;              /* of a 16-bit sample that are in use, 8 to 16, 0 being 16: the upper eight of them are kept,
                            * and what is above them is white. 8 is what Pillow does with 16-bit grey. */
    bool over;             /* transparent pixels are laid over the background; else alpha is dropped */
    uint8_t background[3]; /* RGB */
};

/* Decodes a whole JPEG or PNG, told apart by their first bytes. Grey and palettes become RGB; CMYK JPEGs are converted
 * without a colour profile. A cut off file is an error. */
int sb_picture_decode_as(struct sb_picture *p, const uint8_t *data, size_t size, const struct sb_decoding *how);
int sb_picture_decode(struct sb_picture *p, const uint8_t *data, size_t size); /* in the usual way */

/* Reads and decodes a file. */
int sb_picture_load(struct sb_picture *p, const char *path);
int sb_picture_load_as(struct sb_picture *p, const char *path, const struct sb_decoding *how);
/* And keeps the file's bytes. */
int sb_picture_load_bytes(struct sb_picture *p, const char *path, struct sb_buffer *file);

/* Reads a JPEG as it lies there: its header and its end are looked at, its pixels are not decoded. 1; 0 if the file is
 * no JPEG (`file` then holds its first bytes); -1 with a message. */
int sb_jpeg_load(const char *path, struct sb_buffer *file);

/* Encoders replace what `out` held. PNG is lossless. JPEG is baseline with full chroma resolution (4:4:4), since small
 * animals live in a few coloured pixels; quality is 1 to 100. The bytes depend on the pixels alone. */
int sb_png_encode(const struct sb_picture *p, struct sb_buffer *out);
int sb_jpeg_encode(const struct sb_picture *p, int quality, struct sb_buffer *out);

#define SB_JPEG_QUALITY 90

#endif
