/* A picture's brightness (Rec. 601 luma), squeezed to a square of 64 x 64: what perceptual hashes are made from.
 *
 * Nothing is decoded in more detail than that needs: a JPEG at an eighth, a quarter or half of its size where both
 * sides stay at least 64 pixels, inside the transform that it is coded in and without its colours; pixels are averaged
 * in squares of the same size. The rest is Pillow's bilinear filter, in floats, added in one order on every machine. */
#ifndef SB_MEDIA_THUMB_H
#define SB_MEDIA_THUMB_H

#include "media/picture.h"

#define SB_THUMB_SIDE 64

/* 64 rows of 64 grey levels, 0 to 255. */
struct sb_thumb {
    float grey[SB_THUMB_SIDE][SB_THUMB_SIDE];
};

void sb_picture_thumb(const struct sb_picture *p, struct sb_thumb *thumb);
/* A JPEG's, turned upright. -1 with a message. */
int sb_jpeg_thumb(const uint8_t *data, size_t size, struct sb_thumb *thumb);

/* For decoders: how many times a picture may be shrunk, 1, 2, 4 or 8; the square made of what they shrunk, whose sides
 * were width and height; the square turned as EXIF says (orient.h). */
int sb_thumb_shrink(int width, int height);
void sb_thumb_squeeze(struct sb_thumb *thumb, const uint8_t *grey, int width, int height, int shrunk);
void sb_thumb_upright(struct sb_thumb *thumb, int orientation);

#endif
