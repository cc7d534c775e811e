/* Cells of BIIGLE's CSV reports: the inverse of what biigle_read.c reads. */
#ifndef SB_ANNOTATION_BIIGLE_CELLS_H
#define SB_ANNOTATION_BIIGLE_CELLS_H

#include <stdio.h>

#include "annotation/shape.h"
#include "annotation/view.h"

/* Which of BIIGLE's shapes it is: its own, an upright box's, or the whole picture's. -1: none of them, or one whose
 * points are not there. */
int sb_biigle_shape(const struct sb_viewed *one);
void sb_biigle_points(FILE *out, int shape, const struct sb_viewed *one); /* "[30.5,20]" */
/* ",5,Rectangle": BIIGLE's number of it and its name. */
void sb_biigle_shape_cells(FILE *out, int shape);

/* The cells from the first to the file's name: its label's, its person's, its picture's. `first` is the title of the
 * first, `number` that of the picture's or the video's number. -1 with a message. */
int sb_biigle_label(FILE *out, const struct sb_view *v, const struct sb_viewed *one, const char *first,
                    const char *number);
void sb_biigle_id(FILE *out, const struct sb_view *v);        /* ",100": annotation_id, or else track */
int sb_biigle_created(FILE *out, const struct sb_view *v);    /* ",2023-06-05 16:21:15" */
int sb_biigle_attributes(FILE *out, const struct sb_view *v); /* of the picture, as JSON */

#endif
