/* Which frames of a video are taken: those on screen at regular times, the keyframes nearest to these, or each Nth. */
#ifndef SB_MEDIA_SAMPLER_H
#define SB_MEDIA_SAMPLER_H

#include "media/video.h"

struct sb_sampling {
    double fps;        /* samples a second, at the times 0, 1/fps, 2/fps ...: the frame that is on screen then */
    bool keys;         /* the keyframe nearest to each of these times instead, with its own time, and each once */
    int64_t every;     /* not 0: each Nth frame instead, counted from the first one at or after start */
    double start, end; /* only samples in [start, end), in seconds from the first frame; end 0: to the end */
    struct AVBufferRef *device; /* as sb_video_reading's */
    bool all;          /* decode every frame, even if few are taken: the same comes of it, later */
    double patience;   /* as sb_video_reading's */
};

struct sb_sampler;

/* As sb_video_open(). */
struct sb_sampler *sb_sampler_open(const char *path, const struct sb_sampling *how, int threads,
                                   const volatile sig_atomic_t *stop);
void sb_sampler_close(struct sb_sampler *s);
const struct sb_video *sb_sampler_video(const struct sb_sampler *s);

struct sb_sample {
    double pts, duration; /* the time sampled (for `keys` and `every`, the frame's own) and how long it stands for:
                           * until the next sample or the end of the video */
};

/* The next sample, its frame into f, which may be lazy (video.h): 1, or 0 at the end. Lazy frames can be decoded until
 * the sampler is closed. */
int sb_sampler_next(struct sb_sampler *s, struct sb_sample *sample, struct sb_video_frame *f);

#endif
