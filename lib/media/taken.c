#include "media/taken.h"

#include "base/err.h"
#include "media/created.h"

bool sb_taken_known(const struct sb_taken *taken) { return taken->given || taken->name || taken->file; }

int sb_taken_at(const struct sb_taken *taken, const struct sb_input *input, double *unix_time)
{
    int rc = 0;
    if (taken->given)
        *unix_time = *taken->given;
    else if (taken->name)
        rc = sb_name_time_find(taken->name, input->source, &taken->zone, unix_time);
    else
        rc = sb_created(input, &taken->zone, unix_time);
    *unix_time += taken->offset;
    return rc;
}
