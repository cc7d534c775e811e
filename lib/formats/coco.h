/* COCO's JSON: images, annotations with boxes, categories. FathomNet publishes its data sets so. */
#ifndef SB_FORMATS_COCO_H
#define SB_FORMATS_COCO_H

#include "formats/annotated.h"

/* Adds each image of the file, in its order, with its annotations; pictures are looked for below `images`. What names
 * no category (FathomNet's test set: null) has no label; annotations without a box of four numbers or without an image
 * are counted in list->boxless. -1 with a message if it is no such file. */
int sb_coco_read(const char *path, const char *images, struct sb_annotated_list *list);

#endif
