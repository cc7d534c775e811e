/* Reading video: packets, frames, times. See video.h; colours are in video_colour.c. */
#include "media/video.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "media/ffmpeg.h"

struct sb_video {
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet;
    AVFrame *ahead;  /* the first frame, decoded when opening, until it is asked for */
    const volatile sig_atomic_t *stop;
    int orientation;
    bool drained;    /* no more packets */
    bool broke;      /* reading failed before the end */
    bool sought;
    int64_t first;   /* timestamp of the first frame shown */
    int64_t last;    /* of the last one, and what it is expected to last */
    int64_t last_duration;
    int64_t shift;   /* added to timestamps after they jumped backwards */
    bool began;
    uint64_t skipped;
};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static int interrupted(void *arg)
{
    const struct sb_video *v = arg;
    return v->stop && *v->stop;
}

static void silence(void)
{
    av_log_set_level(AV_LOG_QUIET);
}

/* The matrix sends a point x, y to a x + c y, b x + d y. Angles between quarter turns go to the nearest one. */
static int matrix_orientation(const int32_t *m)
{
    if (!m) return 1;
    int64_t a = m[0], b = m[1], c = m[3], d = m[4];
    if (llabs(a) + llabs(d) >= llabs(b) + llabs(c)) return a >= 0 ? (d >= 0 ? 1 : 4) : d >= 0 ? 2 : 3;
    return b >= 0 ? (c >= 0 ? 5 : 6) : c >= 0 ? 8 : 7;
}

/* FFmpeg would show text files as films of a terminal. */
static bool is_text_art(enum AVCodecID id)
{
    return id == AV_CODEC_ID_ANSI || id == AV_CODEC_ID_BINTEXT || id == AV_CODEC_ID_XBIN || id == AV_CODEC_ID_IDF;
}

static int open_format(struct sb_video *v, const char *path)
{
    bool url = strstr(path, "://") != NULL;
    AVDictionary *options = NULL;
    /* A file has no business sending us to other places; its name may look like a protocol's. */
    if (!url) av_dict_set(&options, "protocol_whitelist", "file,pipe,crypto,data", 0);
    char *name = url ? sb_strdup(path) : sb_format("file:%s", path);
    v->format = avformat_alloc_context();
    if (!v->format) sb_die("out of memory: no room for a video reader");
    v->format->interrupt_callback = (AVIOInterruptCB){interrupted, v};
    int rc = avformat_open_input(&v->format, name, NULL, &options);
    av_dict_free(&options);
    free(name);
    if (rc == AVERROR_INVALIDDATA) return sb_error("%s: not a video (or it was cut off before its index)", path);
    if (rc < 0) return sb_error("%s: %s", path, av_err2str(rc));
    if (avformat_find_stream_info(v->format, NULL) < 0) return sb_error("%s: not a video", path);
    return 0;
}

static int open_codec(struct sb_video *v, const char *path, int threads)
{
    const AVCodec *codec = NULL;
    int index = av_find_best_stream(v->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (index == AVERROR_DECODER_NOT_FOUND) return sb_error("%s: this FFmpeg can't decode its video", path);
    if (index < 0) return sb_error("%s: there is no video in it", path);
    v->stream = v->format->streams[index];
    if (is_text_art(v->stream->codecpar->codec_id)) return sb_error("%s: not a video", path);
    if (v->stream->disposition & AV_DISPOSITION_ATTACHED_PIC) return sb_error("%s: sound with a cover, no video", path);
    for (unsigned i = 0; i < v->format->nb_streams; i++)
        if ((int)i != index) v->format->streams[i]->discard = AVDISCARD_ALL;
    v->codec = avcodec_alloc_context3(codec);
    if (!v->codec || avcodec_parameters_to_context(v->codec, v->stream->codecpar) < 0)
        return sb_error("%s: its video is described wrongly", path);
    v->codec->thread_count = threads;
    v->codec->pkt_timebase = v->stream->time_base;
    v->codec->max_pixels = SB_PICTURE_MAX;
    if (avcodec_open2(v->codec, codec, NULL) < 0) return sb_error("%s: its video can't be decoded", path);
    v->orientation = matrix_orientation(sb_ffmpeg_matrix(v->stream));
    return 0;
}

static int check_file(const char *path)
{
    struct stat st;
    if (strstr(path, "://")) return 0;
    if (stat(path, &st) < 0) return sb_error("%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return sb_error("%s: is a folder", path);
    if (S_ISREG(st.st_mode) && st.st_size == 0) return sb_error("%s: the file is empty", path);
    return 0;
}

static int decode_one(struct sb_video *v, AVFrame *frame);

struct sb_video *sb_video_open(const char *path, int threads, const volatile sig_atomic_t *stop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, silence);
    if (check_file(path) < 0) return NULL;
    struct sb_video *v = sb_calloc(1, sizeof *v);
    v->stop = stop;
    v->packet = av_packet_alloc();
    v->ahead = av_frame_alloc();
    if (!v->packet || !v->ahead) sb_die("out of memory: no room for a video frame");
    if (open_format(v, path) < 0 || open_codec(v, path, threads) < 0) {
        sb_video_close(v);
        return NULL;
    }
    if (!decode_one(v, v->ahead) && !interrupted(v)) {
        sb_error("%s: no frame of its video can be decoded", path);
        sb_video_close(v);
        return NULL;
    }
    v->first = v->ahead->best_effort_timestamp == AV_NOPTS_VALUE ? 0 : v->ahead->best_effort_timestamp;
    return v;
}

void sb_video_close(struct sb_video *v)
{
    if (!v) return;
    avcodec_free_context(&v->codec);
    avformat_close_input(&v->format);
    av_packet_free(&v->packet);
    av_frame_free(&v->ahead);
    free(v);
}

bool sb_video_still(const struct sb_video *v)
{
    const char *name = v->format->iformat->name;
    size_t n = strlen(name);
    return strcmp(name, "image2") == 0 || (n > 5 && strcmp(name + n - 5, "_pipe") == 0);
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

/* Gives the decoder one packet more; what it can't take is counted. */
static void feed(struct sb_video *v)
{
    int rc = av_read_frame(v->format, v->packet);
    if (rc == AVERROR(EAGAIN)) return;
    if (rc < 0) {
        v->drained = true;
        v->broke = rc != AVERROR_EOF && rc != AVERROR_EXIT;
        avcodec_send_packet(v->codec, NULL);
        return;
    }
    if (v->packet->stream_index == v->stream->index) {
        rc = avcodec_send_packet(v->codec, v->packet);
        if (rc < 0 && rc != AVERROR(EAGAIN)) v->skipped++;
    }
    av_packet_unref(v->packet);
}

static int decode_one(struct sb_video *v, AVFrame *frame)
{
    int failures = 0; /* in a row, with no packet left: frames may still come, but not for ever */
    while (!interrupted(v) && failures < 100) {
        int rc = avcodec_receive_frame(v->codec, frame);
        if (rc == 0) return 1;
        if (rc == AVERROR_EOF) return 0;
        if (rc != AVERROR(EAGAIN)) v->skipped++;
        if (v->drained) failures++;
        else feed(v);
    }
    return 0;
}

static int64_t frame_duration(const struct sb_video *v, const AVFrame *f)
{
    if (sb_ffmpeg_duration(f) > 0) return sb_ffmpeg_duration(f);
    AVRational rate = av_guess_frame_rate(v->format, v->stream, NULL);
    if (rate.num <= 0 || rate.den <= 0) return v->last_duration;
    return av_rescale_q(1, av_inv_q(rate), v->stream->time_base);
}

static double seconds(const struct sb_video *v, int64_t ticks)
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

int sb_video_next(struct sb_video *v, struct sb_video_frame *f)
{
    if (!f->frame && !(f->frame = av_frame_alloc())) sb_die("out of memory: no room for a video frame");
    av_frame_unref(f->frame);
    if (v->ahead->buf[0]) av_frame_move_ref(f->frame, v->ahead);
    else if (!decode_one(v, f->frame)) return 0;
    v->last = shown_at(v, f->frame->best_effort_timestamp);
    v->last_duration = frame_duration(v, f->frame);
    v->began = true;
    f->pts = seconds(v, v->last);
    f->end = seconds(v, v->last + v->last_duration);
    f->orientation = v->orientation;
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
    bool can = v->format->pb && (v->format->pb->seekable & AVIO_SEEKABLE_NORMAL);
    if (pts <= 2 * margin || !can || sb_video_still(v)) return 0;
    double ticks = (double)v->stream->time_base.den / v->stream->time_base.num;
    if (seek_to(v, v->first + (int64_t)((pts - margin) * ticks)) < 0) return 0;
    int64_t latest = v->first + (int64_t)(pts * ticks);
    if (decode_one(v, v->ahead) && v->ahead->best_effort_timestamp != AV_NOPTS_VALUE &&
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
    if (promised != AV_NOPTS_VALUE) return seconds(v, promised + start - v->first);
    if (v->format->nb_streams == 1 && v->format->duration != AV_NOPTS_VALUE)
        return (double)v->format->duration / AV_TIME_BASE;
    return 0;
}

double sb_video_rate(const struct sb_video *v)
{
    AVRational rate = v->stream->avg_frame_rate;
    return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

uint64_t sb_video_skipped(const struct sb_video *v)
{
    return v->skipped;
}

double sb_video_missing(const struct sb_video *v)
{
    if (!v->drained || (v->stop && *v->stop)) return 0;
    double promised = sb_video_duration(v), missing = promised - seconds(v, v->last + v->last_duration);
    if (v->broke) return missing > 1e-3 ? missing : 1e-3;
    return promised > 0 && missing > 0.5 + 2 * seconds(v, v->last_duration) ? missing : 0;
}

bool sb_video_flaws(const struct sb_video *v, char *text, size_t size)
{
    double missing = sb_video_missing(v);
    char early[64] = "", damaged[64] = "";
    if (missing > 0) snprintf(early, sizeof early, "it ends %.3g s early", missing);
    if (v->skipped == 1) snprintf(damaged, sizeof damaged, "a damaged packet was skipped");
    else if (v->skipped > 0) snprintf(damaged, sizeof damaged, "%" PRIu64 " damaged packets were skipped", v->skipped);
    snprintf(text, size, "%s%s%s", early, *early && *damaged ? ", " : "", damaged);
    return *text != 0;
}

void sb_video_frame_copy(struct sb_video_frame *to, const struct sb_video_frame *from)
{
    if (!to->frame && !(to->frame = av_frame_alloc())) sb_die("out of memory: no room for a video frame");
    av_frame_unref(to->frame);
    if (av_frame_ref(to->frame, from->frame) < 0) sb_die("out of memory: no room for a video frame");
    to->pts = from->pts;
    to->end = from->end;
    to->orientation = from->orientation;
}
