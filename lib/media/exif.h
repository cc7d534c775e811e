/* What cameras write into pictures: Exif blocks (JEITA CP-3451), in JPEG and PNG files. */
#ifndef SB_MEDIA_EXIF_H
#define SB_MEDIA_EXIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The block (what follows "Exif\0\0") in the first `size` bytes of a JPEG or PNG, which it borrows; it may be cut off
 * where they end. False if there is none. */
bool sb_exif_find(const uint8_t *file, size_t size, const uint8_t **block, size_t *block_size);

/* How a picture is stored, 1 to 8 (orient.h): 1 if the block is malformed or does not say. */
int sb_exif_orientation(const uint8_t *block, size_t size);

/* When the picture was taken (DateTimeOriginal, with SubSecTimeOriginal and OffsetTimeOriginal where they stand), as
 * base/clock.h reads it: "2026:07:03 14:05:09.25+02:00". False if it does not say. */
#define SB_EXIF_TAKEN 64
bool sb_exif_taken(const uint8_t *block, size_t size, char text[SB_EXIF_TAKEN]);

#endif
