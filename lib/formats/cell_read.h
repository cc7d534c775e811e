/* Cells of a table that a person had in a spreadsheet, back into a record's fields: the way back of cell.h.
 *
 * A column is the field of its name. Of seabot(7)'s fields a cell is read as what the field holds; of others it is
 * text. Columns that only tell what a record has (id, predicted_label, probability, predicted, embedding, an image's
 * size) are not read. A decimal comma is a point. */
#ifndef SB_FORMATS_CELL_READ_H
#define SB_FORMATS_CELL_READ_H

#include "base/clock.h"
#include "formats/cell.h"

/* A zeroed one is valid: times must name their zone. It stays where it is in memory. */
struct sb_cell_reading {
    struct sb_zone zone;
    struct sb_cell cell;
};
void sb_cell_reading_free(struct sb_cell_reading *r);

/* The column that a title stands for: a known one whatever its case, else the title made a plain name. NULL if it is
 * empty. The caller frees it. */
char *sb_column_name(const char *title);
bool sb_column_is_read(const char *column);

/* Sets the field to what the cell says. 1: it has another value now. 0: it stays as it is, byte for byte, because the
 * cell is empty or says what the field holds, also as a number that a spreadsheet has rounded, or the column is not
 * read. -1 with a message that names the column. */
int sb_cell_read(struct sb_cell_reading *r, struct sb_record *rec, const char *column, const char *text);
/* The same for `box`, out of the columns x, y, w and h: all of them or none are filled. */
int sb_cell_read_box(struct sb_cell_reading *r, struct sb_record *rec, const char *const text[4]);

#endif
