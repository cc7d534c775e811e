/* How much a run would write, told beforehand: a frame or a few of each video are decoded, and no picture but a few. */
#ifndef SB_FOOTAGE_ESTIMATE_H
#define SB_FOOTAGE_ESTIMATE_H

#include <signal.h>

#include "media/frame_record.h"

struct sb_estimator {
    const struct sb_inputs *inputs;
    struct sb_sampling how;
    struct sb_frame_style style;
    int jobs; /* threads of a decoder */
    const volatile sig_atomic_t *stop;
    bool no_image; /* records are written without it */
    /* Every record that would be written, but for its image: the bytes it takes. */
    uint64_t (*put)(void *arg, const struct sb_input *input, struct sb_record *rec);
    void *arg;
    /* What has been found out: of pictures whose size was known, and of those that were encoded. */
    int width, height;
    double raw_bytes, encoded_bytes;
    uint64_t pictures, encoded;
    struct sb_frame_memory memory;
    struct sb_record rec, tick;
};

struct sb_estimate {
    double duration; /* seconds; 0 of a picture */
    uint64_t frames;
    double bytes; /* of their records */
    bool about;   /* not exact, if the file is what it says: pictures are compressed, or frames not at regular times */
};

/* One input: 0, or -1 with a message that begins with its path. */
int sb_estimate(struct sb_estimator *e, const struct sb_input *input, struct sb_estimate *out);
void sb_estimator_free(struct sb_estimator *e); /* what it has found out */

#endif
