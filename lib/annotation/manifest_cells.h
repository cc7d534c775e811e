/* The cells of a manifest's row to a record's fields. */
#ifndef SB_ANNOTATION_MANIFEST_CELLS_H
#define SB_ANNOTATION_MANIFEST_CELLS_H

#include "formats/cell_read.h"
#include "formats/csv_columns.h"

/* A zeroed one is valid, for one table; `reading.zone` is the caller's to set. It stays where it is in memory. */
struct sb_manifest_cells {
    struct sb_cell_reading reading;
    char **field; /* [count]: of each column; NULL: not a field */
    size_t count;
    int side[4]; /* the columns of x, y, w, h; -1 */
};

/* Sets what the row's cells say, but for `file` and `id`: fields by their names (cell_read.h), `box` out of x, y, w, h,
 * `points`, `boxes`, `scores`, and `predicted`, also out of predicted_label and probability alone. -1 with a message: a cell that can't be
 * read, two columns of one field. */
int sb_manifest_cells_read(struct sb_manifest_cells *c, const struct sb_csv_table *t, struct sb_record *fields);
void sb_manifest_cells_free(struct sb_manifest_cells *c);

#endif
