/* Lines of YOLO's label files: the inverse of what yolo_read.c reads. */
#ifndef SB_ANNOTATION_YOLO_LINE_H
#define SB_ANNOTATION_YOLO_LINE_H

#include <stdio.h>

#include "annotation/view.h"

/* What follows the class: " 0.5 0.5 0.25 0.5", the box's middle and size, or with `outline` its points, those of a
 * Polygon or a turned Rectangle, else of the box's corners, as parts of the picture's width and height; with at least
 * six decimals, and as many as it takes to get the same pixels back. What lies outside of the picture is cut off. With
 * `confidence` that follows. false: none of it lies in the picture. */
bool sb_yolo_line(FILE *out, const struct sb_view *v, const struct sb_viewed *one, bool outline, bool confidence);

#endif
