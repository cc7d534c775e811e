/* The evaluation transform: a picture to a square network input, the pixels that torchvision's and timm's pipelines
 * give (Resize on the short side, CenterCrop, on Pillow pictures), or transformers' with Pillow. */
#ifndef SB_MEDIA_TRANSFORM_H
#define SB_MEDIA_TRANSFORM_H

#include <stdbool.h>

#include "media/resize.h"

enum sb_fit {
    SB_FIT_SHORT,    /* the short side is resized to floor(S / crop), the long one in proportion, rounded down */
    SB_FIT_STRETCH,  /* a square of floor(S / crop), whatever the shape */
    SB_FIT_LETTERBOX /* the long side is resized to floor(S / crop), the short one in proportion, rounded to the nearest
                      * as timm's ResizeKeepRatio does, and padded to S, the odd pixel below or at the right */
};

struct sb_transform {
    int size;        /* S, pixels; at least 1 */
    double crop;     /* (0, 1] */
    enum sb_fit fit; /* and the middle S x S is kept */
    enum sb_filter_kind filter;
    bool bgr;       /* channel order of the result; else RGB */
    bool down;      /* where the middle lies between two pixels: the first, as in transformers; else the
                     * even one, as in torchvision and timm */
    uint8_t pad[3]; /* a letterbox's margin, by the channel's place in the tensor */
};

/* u8 [3,S,S] into out, 3 * S * S bytes. `scratch` belongs to the caller and is reused. 0, or -1 with a message. */
int sb_transform(const struct sb_transform *t, const struct sb_picture *in, struct sb_picture *scratch, uint8_t *out);

/* (value / 255 - mean) / std in f32, `plane` values a channel; mean and std by the channel's place in the tensor. */
void sb_transform_normalize(const uint8_t *in, float *out, size_t plane, const float mean[3], const float std[3]);

#endif
