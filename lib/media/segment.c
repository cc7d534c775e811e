/* Segments and their decoders. See segment.h. */
#include "media/segment.h"

#include <stdlib.h>

#include "media/picture.h"
#include "media/video_device.h"

/* ---- segments --------------------------------------------------------------------------------------------------- */

struct sb_segment *sb_segment_new(struct sb_decoders *decoders)
{
    struct sb_segment *s = sb_calloc(1, sizeof *s);
    s->decoders = decoders;
    s->holders = 1;
    return s;
}

void sb_segment_add(struct sb_segment *s, AVPacket *p, bool disposable, bool shown)
{
    SB_GROW(s->packet, s->cap, s->count + 1);
    struct sb_packet *to = &s->packet[s->count++];
    *to = (struct sb_packet){av_packet_alloc(), disposable, !shown};
    if (!to->packet) sb_die("out of memory: no room for a packet");
    av_packet_move_ref(to->packet, p);
    s->bytes += (size_t)to->packet->size;
}

struct sb_segment *sb_segment_hold(struct sb_segment *s)
{
    if (s) s->holders++;
    return s;
}

void sb_segment_drop(struct sb_segment *s)
{
    if (!s || --s->holders > 0) return;
    for (size_t i = 0; i < s->count; i++) av_packet_free(&s->packet[i].packet);
    free(s->packet);
    free(s);
}

/* ---- decoders --------------------------------------------------------------------------------------------------- */

void sb_decoders_init(struct sb_decoders *d, const AVCodecParameters *parameters, AVRational timebase,
                      AVBufferRef *device)
{
    *d = (struct sb_decoders){.parameters = avcodec_parameters_alloc(), .timebase = timebase, .device = device};
    if (!d->parameters || avcodec_parameters_copy(d->parameters, parameters) < 0)
        sb_die("out of memory: no room for a decoder");
    pthread_mutex_init(&d->lock, NULL);
}

void sb_decoders_free(struct sb_decoders *d)
{
    if (!d->parameters) return;
    for (size_t i = 0; i < d->count; i++) avcodec_free_context(&d->idle[i]);
    free(d->idle);
    avcodec_parameters_free(&d->parameters);
    pthread_mutex_destroy(&d->lock);
}

AVCodecContext *sb_decoders_take(struct sb_decoders *d)
{
    AVCodecContext *c = NULL;
    pthread_mutex_lock(&d->lock);
    if (d->count > 0) c = d->idle[--d->count];
    pthread_mutex_unlock(&d->lock);
    if (c) return c;
    const AVCodec *codec = avcodec_find_decoder(d->parameters->codec_id);
    c = avcodec_alloc_context3(codec);
    if (!c) sb_die("out of memory: no room for a decoder");
    if (avcodec_parameters_to_context(c, d->parameters) < 0) {
        avcodec_free_context(&c);
        sb_error("its video is described wrongly");
        return NULL;
    }
    c->thread_count = 1;
    sb_video_device_use(c, d->device);
    c->pkt_timebase = d->timebase;
    c->max_pixels = SB_PICTURE_MAX;
    if (avcodec_open2(c, codec, NULL) < 0) {
        avcodec_free_context(&c);
        sb_error("its video can't be decoded");
    }
    return c;
}

void sb_decoders_give(struct sb_decoders *d, AVCodecContext *codec)
{
    avcodec_flush_buffers(codec);
    pthread_mutex_lock(&d->lock);
    SB_GROW(d->idle, d->cap, d->count + 1);
    d->idle[d->count++] = codec;
    pthread_mutex_unlock(&d->lock);
}

/* ---- decoding --------------------------------------------------------------------------------------------------- */

struct job {
    const struct sb_segment *s;
    const int64_t *wanted;
    size_t n, done; /* wanted ones given so far */
    sb_segment_give *give;
    void *arg;
    AVCodecContext *codec;
    AVFrame *frame, *before; /* just decoded, and the one shown before it */
    bool whole;              /* nothing is left out, and what is missing is made up for */
    uint64_t skipped;
};

static void give_while(struct job *j, int64_t until, AVFrame *frame)
{
    if (j->done < j->n && j->wanted[j->done] <= until) sb_video_device_fetch(frame);
    while (j->done < j->n && j->wanted[j->done] <= until) j->give(j->arg, j->done++, frame);
}

/* A frame came out of the decoder. False: one that was wanted did not. */
static bool see(struct job *j)
{
    int64_t pts = j->frame->pts;
    if (j->whole && j->before->buf[0] && pts != AV_NOPTS_VALUE) give_while(j, pts - 1, j->before);
    if (!j->whole && j->wanted[j->done] < pts) return false;
    if (j->done < j->n && j->wanted[j->done] == pts) give_while(j, pts, j->frame);
    if (j->whole) {
        av_frame_unref(j->before);
        av_frame_move_ref(j->before, j->frame);
    }
    return true;
}

static bool receive(struct job *j)
{
    int failures = 0;
    while (j->done < j->n) {
        int rc = avcodec_receive_frame(j->codec, j->frame);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return true;
        if (rc < 0) {
            j->skipped++;
            if (!j->whole || ++failures > 100) return j->whole;
        } else if (!see(j)) {
            return false;
        }
        av_frame_unref(j->frame);
    }
    return true;
}

static bool is_wanted(const struct job *j, int64_t pts)
{
    for (size_t i = j->done; i < j->n && j->wanted[i] <= pts; i++)
        if (j->wanted[i] == pts) return true;
    return false;
}

/* The packets that must be decoded are those up to the last one wanted. */
static size_t last_needed(const struct job *j)
{
    size_t i = j->s->count;
    while (i > 0 && !is_wanted(j, j->s->packet[i - 1].packet->pts)) i--;
    return i;
}

/* True if all came, or all that is there. */
static bool decode(struct job *j)
{
    size_t end = j->whole ? j->s->count : last_needed(j);
    for (size_t i = 0; i < end && j->done < j->n; i++) {
        const struct sb_packet *p = &j->s->packet[i];
        if (!j->whole && p->disposable && !j->s->careful && !is_wanted(j, p->packet->pts)) continue;
        if (avcodec_send_packet(j->codec, p->packet) < 0) {
            if (!j->whole) return false;
            j->skipped++;
        }
        if (!receive(j)) return false;
    }
    avcodec_send_packet(j->codec, NULL);
    if (!receive(j)) return false;
    if (j->whole && j->before->buf[0]) give_while(j, INT64_MAX, j->before);
    return j->done == j->n;
}

int sb_segment_decode(struct sb_segment *s, const int64_t *wanted, size_t n, sb_segment_give *give, void *arg)
{
    struct job j = {.s = s, .wanted = wanted, .n = n, .give = give, .arg = arg};
    j.codec = sb_decoders_take(s->decoders);
    if (!j.codec) return -1;
    j.frame = av_frame_alloc();
    j.before = av_frame_alloc();
    if (!j.frame || !j.before) sb_die("out of memory: no room for a video frame");
    if (!decode(&j)) {
        j.whole = true;
        j.skipped = 0;
        av_frame_unref(j.frame);
        avcodec_flush_buffers(j.codec);
        decode(&j);
    }
    sb_decoders_give(s->decoders, j.codec);
    pthread_mutex_lock(&s->decoders->lock);
    s->decoders->skipped += j.skipped;
    s->decoders->missed += n - j.done;
    pthread_mutex_unlock(&s->decoders->lock);
    av_frame_free(&j.frame);
    av_frame_free(&j.before);
    return 0;
}
