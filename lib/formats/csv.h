/* Records as a table: RFC 4180, UTF-8, CRLF line ends, the same columns in each line. */
#ifndef SB_FORMATS_CSV_H
#define SB_FORMATS_CSV_H

#include <stdbool.h>
#include <stdio.h>

#include "base/opt.h"
#include "formats/cell.h"

/* What a table has if nobody chooses: the fields of seabot(7) that fit into cells. "id,parent,source,..." */
extern const char *const sb_csv_columns;

struct sb_csv {
    struct sb_texts columns;
    bool *seen; /* [columns.count]: some record had it */
    struct sb_cell cell;
};

int sb_csv_init(struct sb_csv *csv, const char *columns); /* "id,label,...". -1 with a message if none is named */
void sb_csv_head(const struct sb_csv *csv, FILE *out);
int sb_csv_write(struct sb_csv *csv, FILE *out, struct sb_record *rec); /* -1 with a message */
void sb_csv_warn(const struct sb_csv *csv);                             /* names the columns that no record had */
void sb_csv_free(struct sb_csv *csv);

/* Counts a row of a table, and warns when spreadsheets can't hold the next. */
void sb_csv_count(uint64_t *rows);

void sb_csv_text(FILE *out, const char *s, size_t size); /* a cell, quoted where it must be */

#endif
