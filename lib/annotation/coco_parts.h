/* What COCO's data sets and COCO's results have in common: where an annotation is, as JSON. */
#ifndef SB_ANNOTATION_COCO_PARTS_H
#define SB_ANNOTATION_COCO_PARTS_H

#include <stdio.h>

#include "annotation/view.h"
#include "formats/jsonl.h"

void sb_coco_box(FILE *out, const struct sb_viewed *one); /* ,"bbox":[x,y,w,h] */
/* ,"area":a,"iscrowd":0,"segmentation":[[x,y,...]]: the outline of a Polygon or a turned Rectangle, and its area. */
void sb_coco_outline(FILE *out, const struct sb_viewed *one);
void sb_coco_score(FILE *out, double score); /* ,"score":0.5 */

#endif
