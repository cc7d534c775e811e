/* Reading video: packets, frames, times. See video.h; opening is in video_open.c, colours are in video_colour.c. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "media/video_device.h"
#include "media/video_inner.h"

int sb_video_read_packet(struct sb_video *v)
{
    for (;;) {
        int rc = av_read_frame(v->format, v->packet);
        if (rc == AVERROR(EAGAIN) && !sb_video_interrupted(v)) continue;
        if (rc < 0) {
            v->drained = true;
            v->broke = rc != AVERROR_EOF && rc != AVERROR_EXIT;
            return rc;
        }
        if (v->packet->stream_index == v->stream->index) return 0;
        av_packet_unref(v->packet);
    }
}

/* Gives the decoder one packet more; what it can't take is counted. */
static void feed(struct sb_video *v)
{
    if (sb_video_read_packet(v) < 0) {
        avcodec_send_packet(v->codec, NULL);
        return;
    }
    int rc = avcodec_send_packet(v->codec, v->packet);
    if (rc < 0 && rc != AVERROR(EAGAIN)) v->skipped++;
    if (v->plan.on) sb_plan_keep(v);
    av_packet_unref(v->packet);
}

int sb_video_decode_one(struct sb_video *v, AVFrame *frame)
{
    int failures = 0; /* in a row, with no packet left: frames may still come, but not for ever */
    while (!sb_video_interrupted(v) && failures < 100) {
        int rc = avcodec_receive_frame(v->codec, frame);
        if (rc == 0) {
            sb_video_device_fetch(frame);
            return 1;
        }
        if (rc == AVERROR_EOF) return 0;
        if (rc != AVERROR(EAGAIN)) v->skipped++;
        if (v->drained)
            failures++;
        else
            feed(v);
    }
    return 0;
}

int64_t sb_video_guess_duration(const struct sb_video *v, int64_t said)
{
    if (said > 0) return said;
    AVRational rate = av_guess_frame_rate(v->format, v->stream, NULL);
    if (rate.num <= 0 || rate.den <= 0) return v->last_duration;
    return av_rescale_q(1, av_inv_q(rate), v->stream->time_base);
}

double sb_video_seconds(const struct sb_video *v, int64_t ticks)
{
    /* One rounding, so that equal times written in different time bases are equal numbers. */
    return (double)(ticks * v->stream->time_base.num) / v->stream->time_base.den;
}

/* A timestamp that is missing or runs backwards (a recorder that was restarted) continues where the last frame ends. */
static int64_t shown_at(struct sb_video *v, int64_t timestamp)
{
    int64_t at = timestamp == AV_NOPTS_VALUE ? AV_NOPTS_VALUE : timestamp - v->first + v->shift;
    if (!v->began) return at == AV_NOPTS_VALUE ? 0 : at;
    if (at != AV_NOPTS_VALUE && at > v->last) return at;
    int64_t next = v->last + (v->last_duration > 0 ? v->last_duration : 1);
    if (at != AV_NOPTS_VALUE) v->shift += next - at;
    return next;
}

static void make_frame(struct sb_video_frame *f)
{
    if (!f->frame && !(f->frame = av_frame_alloc())) sb_die("out of memory: no room for a video frame");
}

int sb_video_next(struct sb_video *v, struct sb_video_frame *f)
{
    make_frame(f);
    sb_video_frame_empty(f);
    if (v->plan.on) return sb_plan_next(v, f);
    if (v->ahead->buf[0])
        av_frame_move_ref(f->frame, v->ahead);
    else if (!sb_video_decode_one(v, f->frame) && !sb_video_rejoin(v, f->frame))
        return 0;
    if (v->how.patience > 0) v->seen = sb_seconds();
    int64_t before = v->last;
    v->last = shown_at(v, f->frame->best_effort_timestamp);
    if (v->began && v->last - before > v->gap) v->gap = v->last - before;
    v->last_duration = sb_video_guess_duration(v, sb_ffmpeg_duration(f->frame));
    v->began = true;
    f->pts = sb_video_seconds(v, v->last);
    f->end = sb_video_seconds(v, v->last + v->last_duration);
    f->orientation = v->orientation;
    f->key = sb_ffmpeg_key(f->frame);
    return 1;
}

static int seek_to(struct sb_video *v, int64_t timestamp)
{
    if (av_seek_frame(v->format, v->stream->index, timestamp, AVSEEK_FLAG_BACKWARD) < 0) return -1;
    avcodec_flush_buffers(v->codec);
    v->drained = v->broke = false;
    av_frame_unref(v->ahead);
    return 0;
}

/* Frames just after a place that was sought can refer to frames before it; a second's margin lets decoding settle. */
int sb_video_seek(struct sb_video *v, double pts)
{
    const double margin = 1;
    if (v->plan.on) {
        sb_video_skip_to(v, pts);
        return 0;
    }
    bool can = v->format->pb && (v->format->pb->seekable & AVIO_SEEKABLE_NORMAL);
    if (pts <= 2 * margin || !can || sb_video_still(v)) return 0;
    double ticks = (double)v->stream->time_base.den / v->stream->time_base.num;
    if (seek_to(v, v->first + (int64_t)((pts - margin) * ticks)) < 0) return 0;
    int64_t latest = v->first + (int64_t)(pts * ticks);
    if (sb_video_decode_one(v, v->ahead) && v->ahead->best_effort_timestamp != AV_NOPTS_VALUE &&
        v->ahead->best_effort_timestamp <= latest)
        return 0;
    /* The index led too far, or to nothing: from the start, then. */
    if (seek_to(v, v->first) < 0) return sb_error("can't go to %g s", pts);
    return 0;
}

double sb_video_duration(const struct sb_video *v)
{
    int64_t promised = v->stream->duration; /* of the stream: sound may go on longer */
    int64_t start = v->stream->start_time == AV_NOPTS_VALUE ? v->first : v->stream->start_time;
    if (promised != AV_NOPTS_VALUE) return sb_video_seconds(v, promised + start - v->first);
    if (v->format->nb_streams == 1 && v->format->duration != AV_NOPTS_VALUE)
        return (double)v->format->duration / AV_TIME_BASE;
    return 0;
}

double sb_video_rate(const struct sb_video *v)
{
    AVRational rate = v->stream->avg_frame_rate;
    return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

uint64_t sb_video_skipped(const struct sb_video *v) { return v->skipped + v->plan.decoders.skipped; }

double sb_video_missing(const struct sb_video *v)
{
    if (!v->drained || (v->stop && *v->stop)) return 0;
    double promised = sb_video_duration(v), missing = promised - sb_video_seconds(v, v->last + v->last_duration);
    int64_t usual = v->how.keys ? v->gap : v->last_duration;
    if (v->broke) return missing > 1e-3 ? missing : 1e-3;
    return promised > 0 && missing > 0.5 + 2 * sb_video_seconds(v, usual) ? missing : 0;
}

uint64_t sb_video_missed(const struct sb_video *v) { return v->plan.decoders.missed; }

/* Appends to text, after a comma where something stands there. */
static void append(char *text, size_t size, const char *fmt, ...)
{
    size_t n = strlen(text);
    va_list list;
    if (n > 0) n += (size_t)snprintf(text + n, size - n, ", ");
    va_start(list, fmt);
    if (n < size) vsnprintf(text + n, size - n, fmt, list);
    va_end(list);
}

bool sb_video_flaws(const struct sb_video *v, char *text, size_t size)
{
    double missing = sb_video_missing(v);
    uint64_t skipped = sb_video_skipped(v), missed = sb_video_missed(v);
    *text = 0;
    if (missing > 0) append(text, size, "it ends %.3g s early", missing);
    if (skipped == 1)
        append(text, size, "a damaged packet was skipped");
    else if (skipped > 0)
        append(text, size, "%" PRIu64 " damaged packets were skipped", skipped);
    if (missed > 0) append(text, size, "%" PRIu64 " frames could not be decoded", missed);
    return *text != 0;
}

void sb_video_frame_empty(struct sb_video_frame *f)
{
    if (f->frame) av_frame_unref(f->frame);
    sb_segment_drop(f->segment);
    f->segment = NULL;
}

void sb_video_frame_set(struct sb_video_frame *f, const struct AVFrame *frame, int orientation)
{
    make_frame(f);
    sb_video_frame_empty(f);
    if (av_frame_ref(f->frame, frame) < 0) sb_die("out of memory: no room for a video frame");
    f->orientation = orientation;
}

void sb_video_frame_copy(struct sb_video_frame *to, const struct sb_video_frame *from)
{
    if (from->frame && from->frame->buf[0])
        sb_video_frame_set(to, from->frame, from->orientation);
    else
        sb_video_frame_empty(to);
    to->segment = sb_segment_hold(from->segment);
    to->timestamp = from->timestamp;
    to->pts = from->pts;
    to->end = from->end;
    to->key = from->key;
    to->orientation = from->orientation;
}

int sb_video_decode(const struct sb_video_frame *f, size_t n, sb_video_give *give, void *arg)
{
    int64_t *wanted = sb_calloc(n, sizeof *wanted);
    for (size_t i = 0; i < n; i++) wanted[i] = f[i].timestamp;
    int rc = sb_segment_decode(f->segment, wanted, n, give, arg);
    free(wanted);
    return rc;
}

static void put_in_place(void *arg, size_t index, AVFrame *frame)
{
    struct sb_video_frame *f = arg;
    (void)index;
    make_frame(f);
    av_frame_unref(f->frame);
    if (av_frame_ref(f->frame, frame) < 0) sb_die("out of memory: no room for a video frame");
}

int sb_video_frame_decode(struct sb_video_frame *f)
{
    if (!f->segment) return 1;
    int rc = sb_video_decode(f, 1, put_in_place, f);
    sb_segment_drop(f->segment);
    f->segment = NULL;
    return rc < 0 ? -1 : f->frame && f->frame->buf[0];
}
