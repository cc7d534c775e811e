/* Resizing and cropping, bit for bit as Pillow's Image.resize() and Image.crop() do it on RGB pictures.
 *
 * The method: convolution with a filter that is widened when shrinking (so that it does not alias), one axis after the
 * other, u8 between the passes, weights in fixed point with 22 fractional bits. An axis that does not change is
 * skipped. Which axis goes first is seen in the last bit: rows are shortened first, as in every Pillow, unless the
 * height shrinks by more than twice the pixels that the width does, where Pillow 13 and this begin with the height.
 * Same bytes on every machine and in any number of threads. */
#ifndef SB_MEDIA_RESIZE_H
#define SB_MEDIA_RESIZE_H

#include "media/picture.h"

enum sb_filter_kind { SB_BICUBIC, SB_BILINEAR }; /* Keys' cubic with a = -0.5; the triangle */

/* "bicubic", "bilinear" to the kind; -1 with a message for another word. */
int sb_filter_kind_parse(const char *word, enum sb_filter_kind *kind);
const char *sb_filter_kind_name(enum sb_filter_kind kind);

/* out becomes `in` at width x height; in and out differ. 0, or -1 with a message if the size is refused. */
int sb_resize(const struct sb_picture *in, struct sb_picture *out, int width, int height, enum sb_filter_kind kind);

/* The part at x, y of `width` x `height` pixels of a picture resized to full_width x full_height, which it lies in. */
struct sb_window {
    int full_width, full_height, x, y, width, height;
};

/* sb_resize() followed by sb_crop(), without computing what the crop throws away. */
int sb_resize_window(const struct sb_picture *in, struct sb_picture *out, const struct sb_window *window,
                     enum sb_filter_kind kind);

/* out becomes the width x height pixels of `in` whose top left is x, y; black where that lies outside of `in`, as
 * Pillow's crop does. in and out differ. */
int sb_crop(const struct sb_picture *in, struct sb_picture *out, int x, int y, int width, int height);

#endif
