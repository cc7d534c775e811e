#include "media/encode.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdlib.h>

#include "base/output.h"

struct sb_encoder {
    struct sb_output *output;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVFrame *frame;
    AVPacket *packet;
    struct SwsContext *scale;
    int64_t frames;
};

static int fail(const struct sb_encoder *e, const char *what, int error)
{
    char text[AV_ERROR_MAX_STRING_SIZE];
    av_strerror(error, text, sizeof text);
    return sb_error("%s: %s: %s", sb_output_name(e->output), what, text);
}

static int open_codec(struct sb_encoder *e, int width, int height, double rate)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    bool h264 = codec != NULL;
    if (!codec) codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!codec) return sb_error("this FFmpeg encodes neither H.264 nor MPEG-4");
    AVCodecContext *c = e->codec = avcodec_alloc_context3(codec);
    if (!c) return sb_error("out of memory");
    c->width = width;
    c->height = height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->framerate = av_d2q(rate, 1001000);
    c->time_base = av_inv_q(c->framerate);
    c->gop_size = (int)(rate * 2.0 + 0.5);
    c->thread_count = 1;
    c->flags |= AV_CODEC_FLAG_BITEXACT;
    if (e->format->oformat->flags & AVFMT_GLOBALHEADER) c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    c->color_range = AVCOL_RANGE_MPEG;
    c->colorspace = AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    if (h264) {
        av_opt_set(c->priv_data, "preset", "superfast", 0);
        av_opt_set(c->priv_data, "crf", "23", 0);
        av_opt_set(c->priv_data, "x264-params", "trellis=0", 0); /* it would spend its time on the camera's noise */
    } else {
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = FF_QP2LAMBDA * 4;
    }
    int error = avcodec_open2(c, codec, NULL);
    return error < 0 ? fail(e, "the encoder can't be opened", error) : 0;
}

static int open_format(struct sb_encoder *e, const char *path)
{
    const AVOutputFormat *kind = av_guess_format(NULL, path, NULL);
    if (!kind || kind->video_codec == AV_CODEC_ID_NONE) kind = av_guess_format("mp4", NULL, NULL);
    int error = avformat_alloc_output_context2(&e->format, kind, NULL, NULL);
    return error < 0 ? fail(e, "no such container", error) : 0;
}

static int open_file(struct sb_encoder *e, double rate)
{
    e->stream = avformat_new_stream(e->format, NULL);
    if (!e->stream) return sb_error("out of memory");
    e->stream->time_base = e->codec->time_base;
    e->stream->avg_frame_rate = av_d2q(rate, 1001000);
    avcodec_parameters_from_context(e->stream->codecpar, e->codec);
    e->format->flags |= AVFMT_FLAG_BITEXACT;
    int error = avio_open(&e->format->pb, sb_output_path(e->output), AVIO_FLAG_WRITE);
    if (error < 0) return fail(e, "can't be written", error);
    error = avformat_write_header(e->format, NULL);
    return error < 0 ? fail(e, "can't be written", error) : 0;
}

static int open_frame(struct sb_encoder *e, int width, int height)
{
    e->frame = av_frame_alloc();
    e->packet = av_packet_alloc();
    if (!e->frame || !e->packet) return sb_error("out of memory");
    e->frame->format = AV_PIX_FMT_YUV420P;
    e->frame->width = width;
    e->frame->height = height;
    int error = av_frame_get_buffer(e->frame, 0);
    if (error < 0) return fail(e, "no frame", error);
    e->scale = sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                              SWS_AREA | SWS_BITEXACT | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!e->scale) return sb_error("out of memory");
    const int *bt709 = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(e->scale, sws_getCoefficients(SWS_CS_DEFAULT), 1, bt709, 0, 0, 1 << 16, 1 << 16);
    return 0;
}

static void release(struct sb_encoder *e)
{
    sws_freeContext(e->scale);
    av_packet_free(&e->packet);
    av_frame_free(&e->frame);
    avcodec_free_context(&e->codec);
    if (e->format && e->format->pb) avio_closep(&e->format->pb);
    avformat_free_context(e->format);
    free(e);
}

struct sb_encoder *sb_encoder_open(const char *path, int width, int height, double rate)
{
    struct sb_encoder *e = sb_calloc(1, sizeof *e);
    av_log_set_level(AV_LOG_QUIET);
    sb_output_sweep(path);
    e->output = sb_output_open(path);
    if (!sb_output_path(e->output)) sb_error("a video can't be written to standard output");
    else if (!open_format(e, path) && !open_codec(e, width, height, rate) && !open_file(e, rate) &&
             !open_frame(e, width, height))
        return e;
    release(e);
    return NULL;
}

/* Moves what the encoder has ready to the file. */
static int drain(struct sb_encoder *e)
{
    for (;;) {
        int error = avcodec_receive_packet(e->codec, e->packet);
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return 0;
        if (error < 0) return fail(e, "encoding failed", error);
        e->packet->duration = 1;
        av_packet_rescale_ts(e->packet, e->codec->time_base, e->stream->time_base);
        e->packet->stream_index = e->stream->index;
        error = av_interleaved_write_frame(e->format, e->packet);
        if (error < 0) return fail(e, "can't be written", error);
    }
}

int sb_encoder_put(struct sb_encoder *e, const struct sb_picture *p)
{
    int error = av_frame_make_writable(e->frame);
    if (error < 0) return fail(e, "no frame", error);
    const uint8_t *rows[1] = {p->rgb};
    const int stride[1] = {3 * p->width};
    sws_scale(e->scale, rows, stride, 0, p->height, e->frame->data, e->frame->linesize);
    e->frame->pts = e->frames++;
    error = avcodec_send_frame(e->codec, e->frame);
    return error < 0 ? fail(e, "encoding failed", error) : drain(e);
}

int sb_encoder_close(struct sb_encoder *e)
{
    int error = avcodec_send_frame(e->codec, NULL), rc = -1;
    if (error < 0) fail(e, "encoding failed", error);
    else rc = drain(e);
    if (!rc) {
        error = av_write_trailer(e->format);
        if (error >= 0) error = e->format->pb->error;
        int closed = avio_closep(&e->format->pb);
        if (error >= 0) error = closed;
        if (error < 0) rc = fail(e, "can't be written", error);
    }
    struct sb_output *output = e->output;
    release(e);
    if (!rc) sb_output_close(output);
    return rc;
}
