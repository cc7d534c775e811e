/* Sampling frames. See sampler.h. */
#include "media/sampler.h"

#include <math.h>
#include <stdlib.h>

#define EARLY 1e-6 /* seconds by which a frame may miss a tick and still count as on screen: time bases round */

struct sb_sampler {
    struct sb_sampling how;
    char *path;
    int threads;
    const volatile sig_atomic_t *stop;
    struct sb_video *video;
    struct sb_video *given_up;       /* read lazily until that could not go on; frames of it may still be decoded */
    struct sb_video_frame now, next; /* on screen, and what follows it */
    struct sb_video_frame held;      /* of the sample whose duration is not known yet */
    bool has_now, has_next, has_held;
    int64_t tick;   /* the next one is tick / fps */
    int64_t passed; /* frames since start */
    double held_pts;
    int64_t given; /* samples */
};

static void swap(struct sb_video_frame *a, struct sb_video_frame *b)
{
    struct sb_video_frame t = *a;
    *a = *b;
    *b = t;
}

static int next_frame(struct sb_sampler *s, struct sb_video_frame *f)
{
    int rc;
    do rc = sb_video_next(s->video, f);
    while (rc > 0 && s->how.keys && !f->key);
    return rc;
}

/* Opens the video and reads its first frame. Where that can't be read lazily all are decoded. */
static int begin(struct sb_sampler *s)
{
    struct sb_video_reading how = {.device = s->how.device, .threads = s->threads, .patience = s->how.patience};
    if (!s->how.all) {
        how.keys = s->how.keys;
        how.every = s->how.every;
        how.fps = s->how.every ? 0 : s->how.fps;
    }
    s->video = sb_video_open(s->path, &how, s->stop);
    if (!s->video) return -1;
    if (sb_video_still(s->video)) s->how = (struct sb_sampling){.every = 1, .all = true}; /* no time to choose from */
    if (s->how.end <= 0) s->how.end = INFINITY;
    s->tick = s->how.every ? 0 : (int64_t)ceil(s->how.start * s->how.fps - 1e-9);
    s->passed = 0;
    s->has_held = false;
    if (sb_video_seek(s->video, s->how.start) < 0) return -1;
    int rc = next_frame(s, &s->next);
    s->has_next = rc > 0;
    if (rc >= 0) return 0;
    sb_video_close(s->video);
    s->how.all = true;
    return begin(s);
}

struct sb_sampler *sb_sampler_open(const char *path, const struct sb_sampling *how, int threads,
                                   const volatile sig_atomic_t *stop)
{
    struct sb_sampler *s = sb_calloc(1, sizeof *s);
    s->how = *how;
    s->path = sb_strdup(path);
    s->threads = threads;
    s->stop = stop;
    if (begin(s) == 0) return s;
    sb_sampler_close(s);
    return NULL;
}

void sb_sampler_close(struct sb_sampler *s)
{
    if (!s) return;
    sb_video_frame_free(&s->now);
    sb_video_frame_free(&s->next);
    sb_video_frame_free(&s->held);
    sb_video_close(s->video);
    sb_video_close(s->given_up);
    free(s->path);
    free(s);
}

const struct sb_video *sb_sampler_video(const struct sb_sampler *s) { return s->video; }

/* False: the frames from here on can't be read lazily. */
static bool advance(struct sb_sampler *s)
{
    swap(&s->now, &s->next);
    s->has_now = true;
    int rc = next_frame(s, &s->next);
    s->has_next = rc > 0;
    return rc >= 0;
}

enum { LOST = -1, NONE, FOUND }; /* LOST: not to be read lazily from here on */

/* Makes `now` the frame on screen at t; NONE if the video is over by then. */
static int advance_to(struct sb_sampler *s, double t)
{
    sb_video_skip_to(s->video, t);
    while (s->has_next && s->next.pts <= t + EARLY)
        if (!advance(s)) return LOST;
    bool shown = s->has_now && (s->has_next || t < s->now.end - EARLY || t <= s->now.pts + EARLY);
    return shown ? FOUND : NONE;
}

static int find_tick(struct sb_sampler *s, double *pts)
{
    for (;;) {
        double t = (double)s->tick / s->how.fps;
        int shown = advance_to(s, fmin(t, s->how.end));
        if (shown == LOST) return LOST;
        if (t >= s->how.end - EARLY) return NONE;
        if (shown == NONE && !s->has_next) return NONE;
        s->tick++;
        *pts = t;
        if (shown == FOUND) return FOUND; /* else the video was joined late, after this tick */
    }
}

static int find_nth(struct sb_sampler *s, double *pts)
{
    while (s->has_next) {
        if (!advance(s)) return LOST;
        if (s->now.pts >= s->how.end - EARLY) return NONE;
        if (s->now.pts < s->how.start - EARLY) continue;
        *pts = s->now.pts;
        if (s->passed++ % s->how.every == 0) return FOUND;
    }
    return NONE;
}

/* A keyframe is the nearest one to the ticks that are after the middle between it and the one before, up to the middle
 * between it and the one after. `tick` is the first that no keyframe so far is nearest to. */
static int find_key(struct sb_sampler *s, double *pts)
{
    while (s->has_next) {
        if (!advance(s)) return LOST;
        *pts = s->now.pts;
        if (*pts >= s->how.end - EARLY) return NONE;
        if (*pts < s->how.start - EARLY) continue;
        double over = fmax(*pts, sb_video_duration(s->video) - EARLY); /* the last one serves what is left */
        if (s->has_next && s->next.pts < s->how.end) over = (*pts + s->next.pts) / 2;
        over = fmin(over, s->how.end - EARLY);
        if ((double)s->tick / s->how.fps > over) continue;
        s->tick = (int64_t)floor(over * s->how.fps) + 1;
        return FOUND;
    }
    return NONE;
}

static int find(struct sb_sampler *s, double *pts)
{
    return s->how.every > 0 ? find_nth(s, pts) : s->how.keys ? find_key(s, pts) : find_tick(s, pts);
}

static double duration_of_held(const struct sb_sampler *s, bool found, double pts)
{
    if (found) return fmax(0, pts - s->held_pts);
    double over = s->how.keys ? fmax(s->now.end, sb_video_duration(s->video)) : s->now.end;
    double whole = s->how.every > 0 || s->how.keys ? INFINITY : 1 / s->how.fps;
    if (s->has_next) over = s->next.pts;
    return fmax(0, fmin(whole, fmin(over, s->how.end) - s->held_pts));
}

/* Reads the video again, decoding all, and goes to where it was. */
static int give_up(struct sb_sampler *s)
{
    struct sb_sample sample;
    struct sb_video_frame f = {0};
    int64_t given = s->given;
    s->given_up = s->video;
    s->how.all = true;
    s->given = 0;
    s->has_now = false;
    int rc = begin(s) < 0 ? 0 : 1;
    while (rc > 0 && s->given < given) rc = sb_sampler_next(s, &sample, &f);
    sb_video_frame_free(&f);
    return rc;
}

int sb_sampler_next(struct sb_sampler *s, struct sb_sample *sample, struct sb_video_frame *f)
{
    double pts = 0;
    for (;;) {
        int found = find(s, &pts);
        if (found == LOST) {
            if (!give_up(s)) return 0;
            continue;
        }
        bool give = s->has_held;
        if (give) {
            sample->pts = s->held_pts;
            sample->duration = duration_of_held(s, found == FOUND, pts);
            sb_video_frame_copy(f, &s->held);
            s->given++;
        }
        s->has_held = found == FOUND;
        if (s->has_held) {
            sb_video_frame_copy(&s->held, &s->now);
            s->held_pts = pts;
        }
        if (give) return 1;
        if (found == NONE) return 0;
    }
}
