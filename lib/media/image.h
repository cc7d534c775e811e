/* The picture that a record carries. */
#ifndef SB_MEDIA_IMAGE_H
#define SB_MEDIA_IMAGE_H

#include "base/record.h"
#include "media/picture.h"

/* Gives the picture in `field` (usually "image") as RGB: a u8 tensor [H,W,3], [H,W,1] or [H,W], or a JPEG or PNG as
 * bin. 1 found (copied or decoded into p, which the caller owns and reuses), 0 absent or nil, -1 there but no picture
 * (message). Safe in threads with different records and pictures. */
int sb_image_get(struct sb_record *rec, const char *field, struct sb_picture *p);

enum sb_image_encoding { SB_IMAGE_RAW, SB_IMAGE_PNG, SB_IMAGE_JPEG };

/* "raw", "png", "jpeg" to the encoding; -1 with a message for another word. */
int sb_image_encoding_parse(const char *word, enum sb_image_encoding *encoding);

/* Sets `field` to the picture: a u8 tensor [H,W,3], or bin. `scratch` is used for encoding and may be reused. */
int sb_image_set(struct sb_record *rec, const char *field, const struct sb_picture *p, enum sb_image_encoding encoding,
                 struct sb_buffer *scratch);

#endif
