#include "tests/clip.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 20 };

struct writer {
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet;
};

static void open_codec(struct writer *w, const struct clip *c, const AVCodec *codec)
{
    AVCodecContext *e = w->codec = avcodec_alloc_context3(codec);
    AVDictionary *options = NULL;
    e->width = c->width ? c->width : 160;
    e->height = c->height ? c->height : 96;
    e->pix_fmt = c->format ? av_get_pix_fmt(c->format) : AV_PIX_FMT_YUV420P;
    e->time_base = (AVRational){1, c->uneven ? 1000 : RATE};
    e->framerate = (AVRational){RATE, 1};
    e->gop_size = c->gop;
    e->max_b_frames = c->b_frames;
    e->thread_count = 1;
    e->color_range = c->full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    e->colorspace = c->bt601 ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT709;
    e->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    if (c->interlaced) {
        e->flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME;
        e->field_order = AV_FIELD_TT;
    }
    if (w->format->oformat->flags & AVFMT_GLOBALHEADER) e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (c->options) assert_int_equal(av_dict_parse_string(&options, c->options, "=", " ", 0), 0);
    assert_int_equal(avcodec_open2(e, codec, &options), 0);
    assert_null(av_dict_get(options, "", NULL, AV_DICT_IGNORE_SUFFIX));
    av_dict_free(&options);
}

int clip_pixel(const struct clip *c, int number, int plane, int x, int y, int w)
{
    int t = 2 * number + (c->interlaced ? 6 * (y % 2) : 0);
    return 60 + (x * 3 + y * 2 + 3 * t) % 120 + (plane ? 0 : 40 * ((x + 2 * t) % w < w / 8));
}

/* A bar that moves over a texture that moves otherwise; the two fields of an interlaced frame stand apart. */
static void paint(AVFrame *f, const struct clip *c, int number)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    int depth = d->comp[0].depth;
    for (int plane = 0; plane < 3; plane++) {
        int w = plane ? -((-f->width) >> d->log2_chroma_w) : f->width;
        int h = plane ? -((-f->height) >> d->log2_chroma_h) : f->height;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                int v = clip_pixel(c, number, plane, x, y, w);
                v <<= depth - 8;
                uint8_t *at = f->data[plane] + y * f->linesize[plane];
                if (depth > 8)
                    ((uint16_t *)at)[x] = (uint16_t)v;
                else
                    at[x] = (uint8_t)v;
            }
    }
}

static void drain(struct writer *w, int64_t shift)
{
    while (avcodec_receive_packet(w->codec, w->packet) == 0) {
        if (w->packet->pts != AV_NOPTS_VALUE) w->packet->pts += shift;
        if (w->packet->dts != AV_NOPTS_VALUE) w->packet->dts += shift;
        av_packet_rescale_ts(w->packet, w->codec->time_base, w->stream->time_base);
        w->packet->stream_index = 0;
        if (av_write_frame(w->format, w->packet) < 0) fail_msg("%s can't be written", w->format->url);
        av_packet_unref(w->packet);
    }
}

static void write_frames(struct writer *w, const struct clip *c)
{
    AVFrame *f = av_frame_alloc();
    int64_t shift = c->late ? 10 * w->codec->time_base.den : 0;
    f->format = w->codec->pix_fmt;
    f->width = w->codec->width;
    f->height = w->codec->height;
    f->interlaced_frame = f->top_field_first = c->interlaced;
    assert_int_equal(av_frame_get_buffer(f, 0), 0);
    for (int i = 0; i < c->frames; i++) {
        assert_int_equal(av_frame_make_writable(f), 0);
        paint(f, c, i);
        f->pts = c->uneven ? 50 * i + i * 37 % 11 * 4 + 300 * (i > 50) : i;
        assert_int_equal(avcodec_send_frame(w->codec, f), 0);
        drain(w, shift);
    }
    avcodec_send_frame(w->codec, NULL);
    drain(w, shift);
    av_frame_free(&f);
}

static void repeat(const char *path)
{
    static char bytes[1 << 20];
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    assert_true(n > 0 && n < sizeof bytes);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

bool clip_make(const struct clip *c, const char *path)
{
    struct writer w = {0};
    const AVCodec *codec = avcodec_find_encoder_by_name(c->encoder);
    av_log_set_level(AV_LOG_QUIET);
    if (!codec) return false;
    assert_true(avformat_alloc_output_context2(&w.format, NULL, NULL, path) >= 0);
    open_codec(&w, c, codec);
    w.packet = av_packet_alloc();
    w.stream = avformat_new_stream(w.format, NULL);
    w.stream->time_base = w.codec->time_base;
    w.stream->avg_frame_rate = (AVRational){RATE, 1};
    avcodec_parameters_from_context(w.stream->codecpar, w.codec);
    assert_true(avio_open(&w.format->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(w.format, NULL) >= 0);
    write_frames(&w, c);
    assert_int_equal(av_write_trailer(w.format), 0);
    avio_closep(&w.format->pb);
    avcodec_free_context(&w.codec);
    avformat_free_context(w.format);
    av_packet_free(&w.packet);
    if (c->twice) repeat(path);
    return true;
}
