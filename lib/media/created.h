/* When footage was taken, as the file itself says. That can be wrong: see --trust-container in sb-frames(1). */
#ifndef SB_MEDIA_CREATED_H
#define SB_MEDIA_CREATED_H

#include "base/clock.h"
#include "media/inputs.h"

/* Of a JPEG or PNG Exif's DateTimeOriginal; of what FFmpeg opens com.apple.quicktime.creationdate, else creation_time.
 * Nothing is decoded. The input is opened once more than it is read, so it must be a file. `zone` is for a time that
 * names none. 0, or -1 with a message that begins with the path. */
int sb_created(const struct sb_input *input, const struct sb_zone *zone, double *unix_time);

#endif
