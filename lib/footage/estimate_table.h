/* Estimates as a person reads them: a line a video, one for all pictures, their sum, the room there is. */
#ifndef SB_FOOTAGE_ESTIMATE_TABLE_H
#define SB_FOOTAGE_ESTIMATE_TABLE_H

#include <stdio.h>

#include "base/table.h"
#include "footage/estimate.h"

struct sb_estimate_table {
    struct sb_table lines;
    struct sb_estimate pictures, sum;
};

/* A zeroed table is empty and valid. */
void sb_estimate_table_add(struct sb_estimate_table *t, const struct sb_input *input,
                           const struct sb_estimate *estimate);
/* `overhead` bytes of a stream belong to no input. `output` (may be NULL) is the file to be: the free space of its file
 * system is said. Frees the table. */
void sb_estimate_table_print(struct sb_estimate_table *t, double overhead, const char *output, FILE *out);

#endif
