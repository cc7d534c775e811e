/* One annotation, or one result, of COCO's JSON. */
#ifndef SB_ANNOTATION_COCO_ANNOTATION_H
#define SB_ANNOTATION_COCO_ANNOTATION_H

#include "annotation/gathered.h"
#include "annotation/shape.h"
#include "formats/json_file.h"

/* Memory that is reused. A zeroed one is valid. */
struct sb_coco_annotation {
    struct sb_record fields; /* annotation_id, confidence, crowd, shape, points, occluded, track, attributes */
    double box[4];
    bool simplified; /* its outline was one of several pieces or a mask: the box alone is kept */
    struct sb_shape_numbers outline;
    struct sb_gathered attributes;
};

/* Reads all but its image and its category. NULL, or what is the matter with it: it has no box. */
const char *sb_coco_annotation_read(struct sb_coco_annotation *a, const json_t *one);
void sb_coco_annotation_free(struct sb_coco_annotation *a);

/* The text by which an id is looked up: 7, or "x" in quotes, as some files have it; NULL: it is none. */
char *sb_coco_id(const json_t *id);

#endif
