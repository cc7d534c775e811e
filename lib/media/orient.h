/* Turning pictures by quarter turns and mirrors, numbered as EXIF does. */
#ifndef SB_MEDIA_ORIENT_H
#define SB_MEDIA_ORIENT_H

#include "media/picture.h"

/* Makes a picture stored with EXIF orientation 1 to 8 upright, in place: 1 nothing, 2 mirrored left to right, 3 a half
 * turn, 4 mirrored top to bottom, 5 mirrored about the main diagonal, 6 wants a quarter turn clockwise, 7 mirrored
 * about the other diagonal, 8 wants a quarter turn anticlockwise. Other numbers change nothing. `scratch` is used by
 * all but 1. */
int sb_picture_upright(struct sb_picture *p, int orientation, struct sb_picture *scratch);

#endif
