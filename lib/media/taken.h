/* When footage was taken: the moment of an input's first frame, from the one place that the user trusts. */
#ifndef SB_MEDIA_TAKEN_H
#define SB_MEDIA_TAKEN_H

#include "media/inputs.h"
#include "media/name_time.h"

/* A zeroed one knows of no time. Of the three at most one is set. */
struct sb_taken {
    const double *given;             /* Unix time, of a single input */
    const struct sb_name_time *name; /* in each one's source */
    bool file;                       /* what files say of themselves */
    struct sb_zone zone;             /* for times that name none */
    double offset;                   /* seconds that the camera's clock was late, added to what it says */
};

bool sb_taken_known(const struct sb_taken *taken);

/* The Unix time of the input's first frame: 0, or -1 with a message that begins with the input. */
int sb_taken_at(const struct sb_taken *taken, const struct sb_input *input, double *unix_time);

#endif
