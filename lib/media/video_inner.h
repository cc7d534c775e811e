/* What the files of video reading share: video_open.c, video.c (all frames, times), video_plan.c (chosen ones). */
#ifndef SB_MEDIA_VIDEO_INNER_H
#define SB_MEDIA_VIDEO_INNER_H

#include "media/ffmpeg.h"
#include "media/nal.h"
#include "media/segment.h"
#include "media/video.h"

struct sb_video {
    struct sb_video_reading how;
    char *path;
    AVFormatContext *format;
    AVCodecContext *codec; /* NULL once frames are read lazily */
    AVStream *stream;
    AVPacket *packet;
    AVFrame *ahead; /* the first frame, decoded when opening, until it is asked for */
    const volatile sig_atomic_t *stop;
    int orientation;
    bool drained;  /* no more packets */
    bool broke;    /* reading failed before the end */
    int64_t first; /* timestamp of the first frame shown */
    int64_t last;  /* of the last one, less the first, and what it is expected to last */
    int64_t last_duration;
    int64_t shift; /* added to timestamps after they jumped backwards */
    int64_t gap;   /* the longest from one frame given to the next */
    bool began;
    uint64_t skipped;
    double seen;     /* when a frame of a live source came, on this machine's clock */

    struct sb_plan {
        bool on; /* frames are read lazily */
        struct sb_nal_format nal;
        AVPacket **kept; /* read while opening, to be read again */
        size_t kept_count, kept_cap, kept_at, kept_bytes;
        struct sb_segment *now, *next; /* being given, and begun while the first still gets its last packets */
        int64_t entry;                 /* timestamp of next's first packet */
        int64_t decoded, given; /* dts of the last packet read, pts of the last frame given; AV_NOPTS_VALUE: none */
        size_t from;            /* packets of `now` before this one were given */
        bool closed;            /* `now` has all its packets */
        bool joined;            /* reading went on at a place that was sought */
        bool lost;              /* and there was none */
        struct sb_decoders decoders;
    } plan;
};

bool sb_video_interrupted(const struct sb_video *v);
double sb_video_seconds(const struct sb_video *v, int64_t ticks);        /* of the stream's timebase */
int64_t sb_video_guess_duration(const struct sb_video *v, int64_t said); /* of a frame, in ticks */
/* The next packet of the video stream, into v->packet: 0, or FFmpeg's error. */
int sb_video_read_packet(struct sb_video *v);
/* The next frame decoded: 1, or 0 at the end. */
int sb_video_decode_one(struct sb_video *v, AVFrame *frame);

bool sb_video_live(const struct sb_video *v);
int sb_video_open_again(struct sb_video *v); /* 0, or -1 with all as it was */
/* The next frame of a live source that broke off: it is opened again and again, with growing pauses. 1, or 0 once that has
 * taken too long or reading is to stop. */
int sb_video_rejoin(struct sb_video *v, AVFrame *frame);

/* Whether frames can be read lazily, which is decided before the first packet is read, and the switch to it. */
bool sb_plan_can(const struct sb_video *v);
void sb_plan_begin(struct sb_video *v);
void sb_plan_keep(struct sb_video *v);                          /* a packet that was read while opening */
int sb_plan_next(struct sb_video *v, struct sb_video_frame *f); /* as sb_video_next() */
void sb_plan_free(struct sb_video *v);

#endif
