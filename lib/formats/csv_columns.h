/* Tables whose first row names their columns: cells by what they are, wherever they stand.
 *
 * Titles are compared by their letters and digits alone, in any case: "depth (m)" is "depth_m". Lines before them that
 * begin with # and have no title that is wanted are comments. */
#ifndef SB_FORMATS_CSV_COLUMNS_H
#define SB_FORMATS_CSV_COLUMNS_H

#include <stdbool.h>

#include "formats/csv_read.h"

struct sb_csv_column {
    const char *names; /* "depth|depthMeters": the first of them that is a title counts */
    bool needed;
};

/* A table being read. All of it is valid while each() is called. */
struct sb_csv_table {
    const struct sb_csv_column *column; /* [columns], the caller's: what is wanted */
    size_t columns;
    int *at;      /* [columns]: where each stands in a row, -1: not in this table */
    char **title; /* [titles], as they are written */
    size_t titles;
    const struct sb_csv_row *row;
};

/* Calls `each` for every row below the titles until it returns other than 0, which is returned. -1 with a message that
 * begins with the path: a needed column is not there (all of them that are not are named), a title that is wanted
 * stands twice, there is no row at all; or the message of each(), which should begin with the line, "line 7: ". */
int sb_csv_table_load(const char *path, const struct sb_csv_column *column, size_t columns,
                      int (*each)(void *arg, const struct sb_csv_table *t), void *arg);

/* Warns of the columns that are not wanted: "q.csv: columns that are not kept: a, b". */
void sb_csv_table_warn(const struct sb_csv_table *t, const char *path);

/* The cell of a wanted column by its number; "" where it has none. */
const char *sb_csv_table_text(const struct sb_csv_table *t, size_t column);
/* 1 with a finite number, of which the decimal sign may be a comma; 0 where the cell is empty, or says NaN, NA, null or
 * None; -1 with a message, "line 7: column 'x': 'abc' is no number". */
int sb_csv_table_real(const struct sb_csv_table *t, size_t column, double *v);
/* The same for a whole number. */
int sb_csv_table_int(const struct sb_csv_table *t, size_t column, int64_t *v);
/* The same for 0 and 1, true and false, yes and no. */
int sb_csv_table_bool(const struct sb_csv_table *t, size_t column, bool *v);

#endif
