/* The two picture formats behind picture.h. */
#ifndef SB_MEDIA_CODEC_H
#define SB_MEDIA_CODEC_H

#include <stdbool.h>

#include "media/picture.h"

bool sb_is_jpeg(const uint8_t *data, size_t size); /* by the first bytes */
bool sb_is_png(const uint8_t *data, size_t size);

int sb_jpeg_decode(struct sb_picture *p, const uint8_t *data, size_t size);
int sb_png_decode(struct sb_picture *p, const uint8_t *data, size_t size);

#endif
