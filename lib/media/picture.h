/* A picture in memory, and its two file formats: JPEG (libjpeg-turbo) and PNG (libpng).
 *
 * Decoding gives the pixels that Pillow's open().convert("RGB") gives, for a JPEG turned upright by its EXIF
 * orientation. All of it is safe in threads: a struct sb_picture belongs to one caller at a time. Nothing here prints
 * or ends the program, whatever the bytes are: functions return 0, or -1 with a message (base/err.h). */
#ifndef SB_MEDIA_PICTURE_H
#define SB_MEDIA_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"

#define SB_PICTURE_MAX ((size_t)1 << 28) /* pixels; larger ones are refused before anything is allocated */

/* A zeroed one is valid and empty. The pixels belong to the struct and are reused by whatever fills it next. */
struct sb_picture {
    int width, height; /* pixels */
    size_t cap;        /* bytes allocated at rgb */
    uint8_t *rgb;      /* sRGB, 3 bytes a pixel, rows from the top, tightly packed */
};

/* Makes room for w x h pixels (each at least 1), whose values are then undefined. */
int sb_picture_size(struct sb_picture *p, int w, int h);
void sb_picture_free(struct sb_picture *p); /* and zeroes it */

/* Decodes a whole JPEG or PNG, told apart by their first bytes. 16-bit samples keep their high byte, alpha is dropped,
 * grey and palettes become RGB; CMYK JPEGs are converted without a colour profile. A cut off file is an error. */
int sb_picture_decode(struct sb_picture *p, const uint8_t *data, size_t size);

/* Reads and decodes a file. */
int sb_picture_load(struct sb_picture *p, const char *path);
/* And keeps the file's bytes. */
int sb_picture_load_bytes(struct sb_picture *p, const char *path, struct sb_buffer *file);

/* Encoders replace what `out` held. PNG is lossless. JPEG is baseline with full chroma resolution (4:4:4), since small
 * animals live in a few coloured pixels; quality is 1 to 100. The bytes depend on the pixels alone. */
int sb_png_encode(const struct sb_picture *p, struct sb_buffer *out);
int sb_jpeg_encode(const struct sb_picture *p, int quality, struct sb_buffer *out);

#define SB_JPEG_QUALITY 90

#endif
