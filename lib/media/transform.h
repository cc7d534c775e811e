/* The evaluation transform: a picture to a square network input, the pixels that torchvision's and timm's pipelines
 * give (Resize on the short side, CenterCrop, on Pillow pictures), or transformers' with Pillow. */
#ifndef SB_MEDIA_TRANSFORM_H
#define SB_MEDIA_TRANSFORM_H

#include <stdbool.h>

#include "media/resize.h"

struct sb_transform {
    int size;                   /* S, pixels; at least 1 */
    double crop;                /* (0, 1]: the short side is resized to floor(S / crop), the long one in proportion,
                                 * rounded down; the middle S x S is kept */
    bool stretch;               /* resize to a square of floor(S / crop) instead, whatever the shape */
    enum sb_filter_kind filter;
    bool bgr;                   /* channel order of the result; else RGB */
    bool down;                  /* where the middle lies between two pixels: the first, as in transformers; else the
                                 * even one, as in torchvision and timm */
};

/* u8 [3,S,S] into out, 3 * S * S bytes. `scratch` belongs to the caller and is reused. 0, or -1 with a message. */
int sb_transform(const struct sb_transform *t, const struct sb_picture *in, struct sb_picture *scratch, uint8_t *out);

/* (value / 255 - mean) / std in f32, `plane` values a channel; mean and std by the channel's place in the tensor. */
void sb_transform_normalize(const uint8_t *in, float *out, size_t plane, const float mean[3], const float std[3]);

#endif
