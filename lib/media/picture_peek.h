/* How large a picture is, from the first bytes of its file. */
#ifndef SB_MEDIA_PICTURE_PEEK_H
#define SB_MEDIA_PICTURE_PEEK_H

#include <stddef.h>
#include <stdint.h>

/* Pixels of a JPEG or PNG as it is decoded: upright, where its Exif block says how and stands in its first 64 KiB. 0,
 * or -1 with a message that begins with the path. */
int sb_picture_peek(const char *path, int *width, int *height);
/* The same of a file's bytes in memory; the message names nothing. */
int sb_picture_peek_bytes(const uint8_t *data, size_t size, int *width, int *height);

#endif
