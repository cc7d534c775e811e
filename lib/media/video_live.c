/* Live sources that break off. See video_inner.h. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "media/video_inner.h"

#define FIRST_PAUSE 0.25 /* seconds; each is twice the one before */
#define LONGEST_PAUSE 30.0

/* Without user and password. */
static const char *name_of(const struct sb_video *v)
{
    const char *at = strrchr(v->path, '@');
    return at ? at + 1 : v->path;
}

static void wait(const struct sb_video *v, double seconds)
{
    double until = sb_seconds() + seconds;
    while (!sb_video_interrupted(v) && sb_seconds() < until) usleep(20000);
}

/* Times go on by this machine's clock, whatever the source counts from now. */
static void go_on(struct sb_video *v, AVRational before, const AVFrame *frame)
{
    AVRational now = v->stream->time_base;
    int64_t gap = llround((sb_seconds() - v->seen) * now.den / now.num);
    int64_t usual = av_rescale_q(v->last_duration, before, now);
    v->last = av_rescale_q(v->last, before, now);
    v->gap = av_rescale_q(v->gap, before, now);
    v->last_duration = usual;
    v->first = frame->best_effort_timestamp == AV_NOPTS_VALUE ? 0 : frame->best_effort_timestamp;
    v->shift = v->last + (gap > usual ? gap : usual > 0 ? usual : 1);
}

int sb_video_rejoin(struct sb_video *v, AVFrame *frame)
{
    if (v->how.patience <= 0 || !v->began || !sb_video_live(v)) return 0;
    AVRational before = v->stream->time_base;
    double begun = sb_seconds();
    for (double pause = FIRST_PAUSE; sb_seconds() + pause - begun < v->how.patience; pause = fmin(2 * pause, LONGEST_PAUSE)) {
        wait(v, pause);
        if (sb_video_interrupted(v)) return 0;
        if (sb_video_open_again(v) < 0 || !sb_video_decode_one(v, frame)) continue;
        sb_warn("%s: broke off for %.1f s", name_of(v), sb_seconds() - begun);
        go_on(v, before, frame);
        return 1;
    }
    sb_warn("%s: broke off, and did not come back in %.1f s", name_of(v), sb_seconds() - begun);
    return 0;
}
