/* The picture that a record carries. */
#ifndef SB_MEDIA_IMAGE_H
#define SB_MEDIA_IMAGE_H

#include "base/record.h"
#include "media/picture.h"

/* Gives the picture in `field` (usually "image") as RGB: a u8 or u16 tensor [H,W,3], [H,W,1] or [H,W], or a JPEG or PNG
 * as bin. 1 found, 0 absent or nil, -1 there but no picture (message). The caller owns p and reuses it; the pixels are
 * not to be written: those of u8 [H,W,3] are the record's own, and last as long as the field does. Safe in threads with
 * different records and pictures. */
int sb_image_get_as(struct sb_record *rec, const char *field, struct sb_picture *p, const struct sb_decoding *how);
int sb_image_get(struct sb_record *rec, const char *field, struct sb_picture *p); /* in the usual way */

/* 1 with the bytes in `field` if they are a JPEG, else 0. */
int sb_image_jpeg(const struct sb_record *rec, const char *field, const uint8_t **data, size_t *size);

/* 1 with the size of the picture in `field`, turned upright, without decoding it; 0 absent or nil; -1 with a message.
 */
int sb_image_size(struct sb_record *rec, const char *field, int *width, int *height);

enum sb_image_encoding { SB_IMAGE_RAW, SB_IMAGE_PNG, SB_IMAGE_JPEG };

/* "raw", "png", "jpeg" to the encoding; -1 with a message for another word. */
int sb_image_encoding_parse(const char *word, enum sb_image_encoding *encoding);

/* Sets `field` to the picture: a u8 tensor [H,W,3], or bin. `scratch` is used for encoding and may be reused. */
int sb_image_set(struct sb_record *rec, const char *field, const struct sb_picture *p, enum sb_image_encoding encoding,
                 struct sb_buffer *scratch);

/* Sets `parent_size`, the pixels of the picture that boxes are of; nothing where one is not positive. */
void sb_set_parent_size(struct sb_record *rec, int64_t width, int64_t height);
int sb_get_parent_size(struct sb_record *rec, int *width, int *height); /* 1, 0 absent, -1 with a message */

#endif
