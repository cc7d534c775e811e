/* What COCO's data sets and COCO's results have in common: where an annotation is, as JSON. */
#ifndef SB_ANNOTATION_COCO_PARTS_H
#define SB_ANNOTATION_COCO_PARTS_H

#include <stdio.h>

#include "annotation/view.h"
#include "formats/jsonl.h"

void sb_coco_box(FILE *out, const struct sb_viewed *one); /* ,"bbox":[x,y,w,h] */
/* ,"area":a,"segmentation":[[x,y,...]]: the outline of a Polygon or a turned Rectangle, and its area. */
void sb_coco_outline(FILE *out, const struct sb_viewed *one);
/* ,"iscrowd":0,"attributes":{"occluded":true,"track_id":"7"}: crowd; occluded, track and the texts of the map
 * attributes as CVAT has them. -1 with a message. */
int sb_coco_attributes(FILE *out, struct sb_record *rec);
void sb_coco_score(FILE *out, double score); /* ,"score":0.5 */

#endif
