/* What stands in a row of VIAME's CSV from its tenth cell on: species with their scores, then cells that begin with a
 * keyword in parentheses. viame_read.c has the whole of the format. */
#ifndef SB_ANNOTATION_VIAME_CELLS_H
#define SB_ANNOTATION_VIAME_CELLS_H

#include "annotation/gathered.h"
#include "annotation/shape.h"
#include "formats/csv_read.h"

enum { SB_VIAME_PAIRS = 9 }; /* where they begin */

struct sb_viame_pair {
    const char *name;
    double score;
};

/* Memory to read with. A zeroed one is valid; reused. */
struct sb_viame_cells {
    struct sb_gathered attributes, track_attributes, keypoints, other;
    struct sb_viame_pair *pair;
    size_t pairs, cap;
    struct sb_shape_numbers polygon;
};

/* Sets label, predicted, keypoints, attributes, track_attributes, note, shape, points, viame: those that there are. */
void sb_viame_cells_read(struct sb_viame_cells *c, const struct sb_csv_row *row, struct sb_record *fields);
void sb_viame_cells_free(struct sb_viame_cells *c);

bool sb_viame_number(const char *text, double *v); /* a finite number and no more */

#endif
