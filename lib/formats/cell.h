/* A record's fields as short plain text: the cells of a table, the words of a subtitle or of a contact sheet.
 *
 * A column is a field's name, or one of those that DERIVED fields have: x, y, w, h out of `box`, predicted_label and
 * probability out of the first of `predicted`. `time` is ISO 8601 in UTC, as exact as the number. Lists, small arrays,
 * `points`, `boxes` and `scores` are joined by "; ", bin is hex, other nested values are JSON, large arrays their type and shape. A text
 * in a list is JSON, too, where it is empty, holds ';', or begins or ends with a blank, or begins with '"'. */
#ifndef SB_FORMATS_CELL_H
#define SB_FORMATS_CELL_H

#include <stdio.h>

#include "base/buffer.h"
#include "base/record.h"

/* Writes the text of a column. 1 written, 0 absent or nil (nothing written), -1 with a message. */
int sb_cell_write(FILE *out, struct sb_record *rec, const char *column);

/* The best prediction: 1 with its label (not NUL-terminated) and probability, 0 if there is none, -1 with a message. */
int sb_cell_predicted(struct sb_record *rec, const char **label, size_t *size, double *probability);

/* "yellow fish 93 %": 1 written, 0 if nothing is predicted, -1 with a message. */
int sb_cell_prediction(FILE *out, struct sb_record *rec);

/* The text of a column in memory that is reused from cell to cell. A zeroed one is valid; it stays where it is in
 * memory. */
struct sb_cell {
    FILE *stream;
    struct sb_buffer bytes;
    char *text; /* NUL-terminated, size bytes; valid until the next call */
    size_t size;
};

int sb_cell_text(struct sb_cell *cell, struct sb_record *rec, const char *column); /* returns as sb_cell_write() */
/* What a record says in words: the column, where "predicted" stands for the best prediction with its percentage and
 * "time" is a date and time of day; or, with column NULL, its caption, or else its prediction. Returns as
 * sb_cell_write(). */
int sb_cell_words(struct sb_cell *cell, struct sb_record *rec, const char *column);
FILE *sb_cell_begin(struct sb_cell *cell); /* to write any text into it; then */
void sb_cell_end(struct sb_cell *cell);
void sb_cell_free(struct sb_cell *cell);

#endif
