/* Tables that other programs wrote: comma, semicolon or tab between cells, quotes, any line ends, a byte order mark.
 *
 * Rows are given one at a time, the first one that is not empty (the header) too; memory holds one row. */
#ifndef SB_FORMATS_CSV_READ_H
#define SB_FORMATS_CSV_READ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SB_CSV_ROW_MAX                                                                                                 \
    ((size_t)1 << 20) /* bytes of a row; longer ones end reading: mostly a quote that never closes                     \
                       */

struct sb_csv_row {
    const char *const *cell; /* [count], NUL-terminated, without blanks around; NULs inside are '?' */
    size_t count;
    uint64_t line;  /* where it ends, from 1 */
    char separator; /* between cells */
};

/* Calls `each` for every row until it returns other than 0, which is returned. The separator is the one that stands
 * most often in the first line that does not begin with #. 0 at the end; -1 with a message, "line 7: ...", that names
 * no file. `f` stays the caller's. */
int sb_csv_read(FILE *f, int (*each)(void *arg, const struct sb_csv_row *row), void *arg);

/* -1 with a message, "line 7: ...", if a cell is not UTF-8, as cells that are kept must be. */
int sb_csv_row_utf8(const struct sb_csv_row *row);

/* The same of a file; messages begin with the path. */
int sb_csv_load(const char *path, int (*each)(void *arg, const struct sb_csv_row *row), void *arg);

#endif
