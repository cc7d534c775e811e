/* Whether a picture shows something else than the one kept before it.
 *
 * The measure: both are averaged to 32 x 32 grey pixels, each the mean of its part of the picture; the mean absolute
 * difference of these, as a share of full scale. 0 is the same, black to white is 1; what is small or only flickers
 * counts little. */
#ifndef SB_MEDIA_SCENE_H
#define SB_MEDIA_SCENE_H

#include "media/picture.h"

#define SB_SCENE_SIDE 32

struct sb_scene {
    float grey[SB_SCENE_SIDE * SB_SCENE_SIDE]; /* 0 to 1; ITU-R BT.601 luma of the R'G'B' values */
};

void sb_scene_measure(struct sb_scene *s, const struct sb_picture *p);
double sb_scene_difference(const struct sb_scene *a, const struct sb_scene *b);

#endif
