/* A stretch of coded video that decodes alone: from an entry point up to the next one, and on through what is shown
 * before that. It is how frames are decoded only where they are wanted, and by many threads at once. Inner to
 * lib/media. */
#ifndef SB_MEDIA_SEGMENT_H
#define SB_MEDIA_SEGMENT_H

#include <libavcodec/avcodec.h>
#include <pthread.h>
#include <stdbool.h>

struct sb_segment {
    struct sb_packet {
        AVPacket *packet;
        bool disposable; /* no other picture refers to it */
        bool passed;     /* given to the reader, or never shown */
    } * packet;          /* in the order of decoding */
    size_t count, cap, bytes;
    bool careful; /* something is odd: leave no packet out */
    struct sb_decoders *decoders;
    _Atomic int holders;
};

struct sb_segment *sb_segment_new(struct sb_decoders *decoders);
/* Takes over what is in p. */
void sb_segment_add(struct sb_segment *s, AVPacket *p, bool disposable, bool shown);
struct sb_segment *sb_segment_hold(struct sb_segment *s); /* NULL is nothing */
void sb_segment_drop(struct sb_segment *s);               /* the last one frees it */

/* Decoders of one video, of one thread each and one for each thread that decodes; they outlive its segments. */
struct sb_decoders {
    AVCodecParameters *parameters;
    AVRational timebase;
    struct AVBufferRef *device; /* that they decode on; NULL: the processor. Not theirs */
    pthread_mutex_t lock;
    AVCodecContext **idle;
    size_t count, cap;
    uint64_t skipped, missed; /* packets that could not be decoded, frames that were wanted and are not there */
};

void sb_decoders_init(struct sb_decoders *d, const AVCodecParameters *parameters, AVRational timebase,
                      struct AVBufferRef *device);
void sb_decoders_free(struct sb_decoders *d);
/* NULL with a message: the codec is not there, or its parameters are wrong. */
AVCodecContext *sb_decoders_take(struct sb_decoders *d);
void sb_decoders_give(struct sb_decoders *d, AVCodecContext *codec); /* flushed */

/* Decodes the n frames of these timestamps, which rise (equal ones are the same frame), and gives each. Where one can't
 * be decoded all that comes before it is, and the last frame that is there stands for it, as in a player; where there
 * is none it is counted as missed. Any thread. */
typedef void sb_segment_give(void *arg, size_t index, AVFrame *frame);
int sb_segment_decode(struct sb_segment *s, const int64_t *wanted, size_t n, sb_segment_give *give, void *arg);

#endif
