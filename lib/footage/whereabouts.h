/* When and where each record of a run was taken: the time its input began plus its pts, and the place on a track then.
 */
#ifndef SB_FOOTAGE_WHEREABOUTS_H
#define SB_FOOTAGE_WHEREABOUTS_H

#include "formats/nav.h"
#include "media/taken.h"

/* A zeroed one knows nothing and sets nothing. */
struct sb_whereabouts {
    const struct sb_inputs *inputs;
    double *began;            /* [inputs->count] Unix time of each one's first frame, NaN if not known; NULL: of none */
    const struct sb_nav *nav; /* NULL: no places */
    const char *nav_name;     /* for messages */
    double gap;               /* seconds between fixes that are bridged */
    uint64_t timed, unplaced; /* records with a time; of them without a place */
    double first, last;       /* their times */
};

/* Finds out when each input began: -1 with a message at the first one that does not tell; with `go_on` it is a warning.
 */
int sb_whereabouts_begin(struct sb_whereabouts *w, const struct sb_taken *taken, const struct sb_inputs *inputs,
                         bool go_on);
/* Sets time, lat, lon and depth of a record of that input, as far as they are known. */
void sb_whereabouts_set(struct sb_whereabouts *w, const struct sb_input *input, struct sb_record *rec);
void sb_whereabouts_report(const struct sb_whereabouts *w); /* warns of bad rows and of records without a place */
void sb_whereabouts_free(struct sb_whereabouts *w);

#endif
