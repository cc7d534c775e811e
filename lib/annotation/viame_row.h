/* An annotation as a row of VIAME's CSV: the inverse of what viame_read.c and viame_cells.c read. */
#ifndef SB_ANNOTATION_VIAME_ROW_H
#define SB_ANNOTATION_VIAME_ROW_H

#include <stdio.h>

#include "annotation/view.h"

/* Cells 4 to the last, and the line's end. -1 with a message if a field is of a wrong type. */
int sb_viame_row(FILE *out, struct sb_record *rec, const struct sb_viewed *one);

#endif
