/* Sampling frames. See sampler.h. */
#include "media/sampler.h"

#include <math.h>
#include <stdlib.h>

#define EARLY 1e-6 /* seconds by which a frame may miss a tick and still count as on screen: time bases round */

struct sb_sampler {
    struct sb_sampling how;
    struct sb_video *video;
    struct sb_video_frame now, next; /* on screen, and what follows it */
    struct sb_video_frame held;      /* of the sample whose duration is not known yet */
    bool has_next, has_held;
    int64_t tick;    /* the next one is tick / fps */
    int64_t passed;  /* frames since start */
    double held_pts;
};

static void swap(struct sb_video_frame *a, struct sb_video_frame *b)
{
    struct sb_video_frame t = *a;
    *a = *b;
    *b = t;
}

struct sb_sampler *sb_sampler_open(const char *path, const struct sb_sampling *how, int threads,
                                   const volatile sig_atomic_t *stop)
{
    struct sb_video *video = sb_video_open(path, threads, stop);
    if (!video) return NULL;
    struct sb_sampler *s = sb_calloc(1, sizeof *s);
    s->how = *how;
    s->video = video;
    if (sb_video_still(video)) s->how = (struct sb_sampling){.every = 1}; /* a picture has no time to choose from */
    if (s->how.end <= 0) s->how.end = INFINITY;
    s->tick = (int64_t)ceil(s->how.start * s->how.fps - 1e-9);
    if (sb_video_seek(video, s->how.start) < 0) {
        sb_sampler_close(s);
        return NULL;
    }
    s->has_next = sb_video_next(video, &s->next) > 0;
    return s;
}

void sb_sampler_close(struct sb_sampler *s)
{
    if (!s) return;
    sb_video_frame_free(&s->now);
    sb_video_frame_free(&s->next);
    sb_video_frame_free(&s->held);
    sb_video_close(s->video);
    free(s);
}

const struct sb_video *sb_sampler_video(const struct sb_sampler *s)
{
    return s->video;
}

static void advance(struct sb_sampler *s)
{
    swap(&s->now, &s->next);
    s->has_next = sb_video_next(s->video, &s->next) > 0;
}

/* Makes `now` the frame on screen at t; false if the video is over by then. */
static bool advance_to(struct sb_sampler *s, double t)
{
    while (s->has_next && s->next.pts <= t + EARLY) advance(s);
    return s->now.frame && (s->has_next || t < s->now.end - EARLY || t <= s->now.pts + EARLY);
}

static bool find_tick(struct sb_sampler *s, double *pts)
{
    for (;;) {
        double t = (double)s->tick / s->how.fps;
        bool shown = advance_to(s, fmin(t, s->how.end));
        if (t >= s->how.end - EARLY) return false;
        if (!shown && !s->has_next) return false;
        s->tick++;
        *pts = t;
        if (shown) return true; /* else the video was joined late, after this tick */
    }
}

static bool find_nth(struct sb_sampler *s, double *pts)
{
    while (s->has_next) {
        advance(s);
        if (s->now.pts >= s->how.end - EARLY) return false;
        if (s->now.pts < s->how.start - EARLY) continue;
        *pts = s->now.pts;
        if (s->passed++ % s->how.every == 0) return true;
    }
    return false;
}

int sb_sampler_next(struct sb_sampler *s, struct sb_sample *sample, struct sb_video_frame *f)
{
    double pts = 0;
    for (;;) {
        bool found = s->how.every > 0 ? find_nth(s, &pts) : find_tick(s, &pts);
        bool give = s->has_held;
        if (give) {
            double over = fmin(s->now.end, s->how.end), whole = s->how.every > 0 ? INFINITY : 1 / s->how.fps;
            if (!found && s->has_next) over = fmin(s->next.pts, s->how.end);
            sample->pts = s->held_pts;
            sample->duration = fmax(0, found ? pts - s->held_pts : fmin(whole, over - s->held_pts));
            sb_video_frame_copy(f, &s->held);
        }
        s->has_held = found;
        if (found) {
            sb_video_frame_copy(&s->held, &s->now);
            s->held_pts = pts;
        }
        if (give) return 1;
        if (!found) return 0;
    }
}
