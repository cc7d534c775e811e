/* Video files and live sources through FFmpeg: frames in the order they are shown, upright, as sRGB pictures.
 *
 * Times are seconds from the first frame shown, as players count. FFmpeg's own messages are silenced; what matters of
 * them comes back as errors and counts. Packets that can't be decoded are skipped and counted. A reader belongs to one
 * thread; frames may be turned into pictures in others. */
#ifndef SB_MEDIA_VIDEO_H
#define SB_MEDIA_VIDEO_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/picture.h"

struct sb_video;
struct AVBufferRef;
struct AVFrame;
struct sb_segment;
struct SwsContext;

/* A frame that is not yet a picture. A zeroed one is valid and empty. */
struct sb_video_frame {
    double pts;                 /* when it appears */
    double end;                 /* when it has had its time, by its own duration or the frame rate */
    int orientation;            /* as EXIF numbers it */
    bool key;                   /* it is decoded without any other */
    struct AVFrame *frame;      /* NULL: empty */
    struct sb_segment *segment; /* not NULL: it is not decoded yet, and stands in there under this timestamp */
    int64_t timestamp;
    struct SwsContext *convert; /* kept between uses, for frames of this kind */
    struct sb_video_kind {
        int width, height, format, range, matrix, chroma;
    } kind;
    struct sb_picture turned, planes; /* scratch */
};

/* What will be asked for. Where little is, only that is decoded: sb_video_next() then gives frames lazily. */
struct sb_video_reading {
    struct AVBufferRef *device; /* video_device.h; NULL: the processor decodes. The caller's, until the video is closed */
    int threads;   /* that decode; the pixels do not depend on it unless the file is damaged */
    bool keys;     /* keyframes only */
    double fps;    /* so many frames a second at most; 0: not known */
    int64_t every; /* one frame in so many; 0: not known */
    double patience; /* seconds to try to come back to a live source that broke off */
};

/* Opens a file, or a URL that has "://" in it. `stop` (may be NULL) is looked at while waiting for data: once it is not
 * 0, reading ends as at the end of the file. NULL with a message that begins with the path if there is no video in it.
 */
struct sb_video *sb_video_open(const char *path, const struct sb_video_reading *how, const volatile sig_atomic_t *stop);
void sb_video_close(struct sb_video *v);

/* A picture of a format that only FFmpeg reads (TIFF, BMP, WebP), no film. */
bool sb_video_still(const struct sb_video *v);

double sb_video_duration(const struct sb_video *v); /* as the file promises it, in seconds; 0: it does not say */

double sb_video_rate(const struct sb_video *v); /* frames a second on average, as it says; 0: it does not */

/* Makes sb_video_next() go on some time before `pts` (by at least the frame on screen then, if there is one), from the
 * nearest place where decoding can begin. Call it before the first sb_video_next(). A source that can't be sought in is
 * read from its start. */
int sb_video_seek(struct sb_video *v, double pts);

/* Only the frame on screen at `pts` and later ones will be asked for: what comes before may be left out from now on. */
void sb_video_skip_to(struct sb_video *v, double pts);

/* The next frame shown into f, which the caller owns and reuses: 1, or 0 at the end. What stood in f is released.
 * -1: frames were given lazily, and from here on that can't be done truly; the caller opens the video again to read all
 * (a zero `how` but for device and threads) and leaves out what it has. */
int sb_video_next(struct sb_video *v, struct sb_video_frame *f);

/* Decodes n frames that were given lazily, in order and from one segment, and lends them to `give`, each once. A frame
 * that can't be decoded is stood for by the one before it in the segment; where there is none it is not given, and
 * counted. Any thread, until the video is closed. -1 with a message if there is no decoder. */
typedef void sb_video_give(void *arg, size_t index, struct AVFrame *frame);
int sb_video_decode(const struct sb_video_frame *f, size_t n, sb_video_give *give, void *arg);

/* After the end: packets that were skipped, and how many seconds the file promised but lacks (0: it is whole). */
uint64_t sb_video_skipped(const struct sb_video *v);
double sb_video_missing(const struct sb_video *v);
uint64_t sb_video_missed(const struct sb_video *v); /* frames given lazily for which there was nothing to decode */
/* The same in words, "it ends 5.3 s early, 2 damaged packets were skipped"; false and "" if there is nothing to say. */
bool sb_video_flaws(const struct sb_video *v, char *text, size_t size);

/* The same of one frame, in its place: 1, 0 if there is nothing to decode, or -1. A frame that is not lazy is left as
 * it is. */
int sb_video_frame_decode(struct sb_video_frame *f);

/* `to` shares the pixels of `from`. */
void sb_video_frame_copy(struct sb_video_frame *to, const struct sb_video_frame *from);
/* A decoded frame, its pixels shared, to be made a picture. */
void sb_video_frame_set(struct sb_video_frame *f, const struct AVFrame *frame, int orientation);
void sb_video_frame_empty(struct sb_video_frame *f); /* lets go of what it holds; its memory is kept for reuse */
void sb_video_frame_free(struct sb_video_frame *f);

/* The frame as a picture: upright, colours by the matrix and range that the stream names, else BT.709 from 1280 pixels
 * width or 577 height on and BT.601 below, in limited range. Pixels are taken as square. 0, or -1 with a message. */
int sb_video_picture(struct sb_video_frame *f, struct sb_picture *p);

#endif
