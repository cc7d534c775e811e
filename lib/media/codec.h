/* The two picture formats behind picture.h. */
#ifndef SB_MEDIA_CODEC_H
#define SB_MEDIA_CODEC_H

#include <stdbool.h>

#include "media/picture.h"

bool sb_is_jpeg(const uint8_t *data, size_t size); /* by the first bytes */
bool sb_is_png(const uint8_t *data, size_t size);

/* As stored; the EXIF orientation is only told (1 where there is none). */
int sb_jpeg_decode(struct sb_picture *p, const uint8_t *data, size_t size, int *orientation);
/* -1 with a message if the header can't be used, or the end is missing. */
int sb_jpeg_check(const uint8_t *data, size_t size);
int sb_png_decode(struct sb_picture *p, const uint8_t *data, size_t size, const struct sb_decoding *how,
                  int *orientation);

/* The eight bits that are kept of a 16-bit sample with so many in use. */
static inline uint8_t sb_sample_eight(unsigned sample, int bits)
{
    unsigned v = sample >> ((bits ? bits : 16) - 8);
    return (uint8_t)(v > 255 ? 255 : v);
}

#endif
