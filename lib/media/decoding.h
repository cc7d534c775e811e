/* The options that say what becomes of that which RGB has no room for (struct sb_decoding). */
#ifndef SB_MEDIA_DECODING_H
#define SB_MEDIA_DECODING_H

#include "base/opt.h"
#include "media/picture.h"

struct sb_decoding_options {
    const char *orientation, *background; /* NULL, and 0: not given */
    int64_t bits;
};

/* clang-format off */
#define SB_OPT_DECODING(o) \
    {0, "orientation", "upright|stored", SB_TEXT, &(o).orientation, 0, \
     "of pictures: upright, as their EXIF says, or as stored (default upright)", 0, 0}, \
    {0, "background", "R,G,B", SB_TEXT, &(o).background, 0, \
     "what shows through a picture's transparent pixels (default: alpha is dropped)", 0, 0}, \
    {0, "bits", "N", SB_INT, &(o).bits, 0, \
     "of 16-bit samples, that the camera fills; the upper 8 are kept (default 16)", 8, 16}
/* clang-format on */

/* Wrong usage ends the program. */
void sb_decoding_options_apply(const struct sb_decoding_options *o, struct sb_decoding *how);

#endif
