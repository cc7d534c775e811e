/* From what a video stores (usually luma and half-size chroma) to sRGB. */
#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "media/deinterlace.h"
#include "media/orient.h"
#include "media/segment.h"
#include "media/video.h"

/* The old formats that mean full range by their name, as the new ones that don't. */
static enum AVPixelFormat plain_format(enum AVPixelFormat f, bool *full_range)
{
    *full_range = true;
    switch (f) {
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P: return AV_PIX_FMT_YUV411P;
    default: *full_range = false; return f;
    }
}

static int matrix_of(const AVFrame *f)
{
    switch (f->colorspace) {
    case AVCOL_SPC_BT709: return SWS_CS_ITU709;
    case AVCOL_SPC_FCC: return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M: return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return SWS_CS_BT2020;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M: return SWS_CS_ITU601;
    default: return f->width >= 1280 || f->height > 576 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    }
}

/* Where chroma samples lie between luma samples, in 1/256 of one: on the left ones unless the stream says otherwise. */
static void set_chroma_position(struct SwsContext *c, const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    if (!d || (d->flags & AV_PIX_FMT_FLAG_RGB) || d->log2_chroma_w != 1) return;
    enum AVChromaLocation at = f->chroma_location;
    bool middle = at == AVCHROMA_LOC_CENTER || at == AVCHROMA_LOC_TOP || at == AVCHROMA_LOC_BOTTOM;
    av_opt_set_int(c, "src_h_chr_pos", middle ? 128 : 0, 0);
    if (d->log2_chroma_h != 1) return;
    bool top = at == AVCHROMA_LOC_TOP || at == AVCHROMA_LOC_TOPLEFT;
    bool bottom = at == AVCHROMA_LOC_BOTTOM || at == AVCHROMA_LOC_BOTTOMLEFT;
    av_opt_set_int(c, "src_v_chr_pos", top ? 0 : bottom ? 256 : 128, 0);
}

/* swscale writes planes of green, blue and red with vector instructions, packed pixels one by one: the same values, and
 * with the packing below in a fifth of the time. */
static bool by_planes(const AVFrame *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    return d && d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
}

static struct SwsContext *converter(const AVFrame *f)
{
    bool full;
    enum AVPixelFormat format = plain_format(f->format, &full);
    full = full || f->color_range == AVCOL_RANGE_JPEG;
    struct SwsContext *c = sws_alloc_context();
    if (!c) return NULL;
    av_opt_set_int(c, "srcw", f->width, 0);
    av_opt_set_int(c, "srch", f->height, 0);
    av_opt_set_int(c, "src_format", format, 0);
    av_opt_set_int(c, "dstw", f->width, 0);
    av_opt_set_int(c, "dsth", f->height, 0);
    av_opt_set_int(c, "dst_format", by_planes(f) ? AV_PIX_FMT_GBRP : AV_PIX_FMT_RGB24, 0);
    av_opt_set_int(c, "sws_flags", SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP, 0);
    set_chroma_position(c, f);
    const int *matrix = sws_getCoefficients(matrix_of(f));
    /* Fails for formats without a matrix, RGB for one, where there is nothing to set. */
    sws_setColorspaceDetails(c, matrix, full, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    if (sws_init_context(c, NULL, NULL) < 0) {
        sws_freeContext(c);
        return NULL;
    }
    return c;
}

/* Frames of one stream may change their size or colours midway; a converter is made for one kind. */
static bool same_kind(const struct sb_video_frame *f)
{
    const AVFrame *now = f->frame;
    const struct sb_video_kind *k = &f->kind;
    return f->convert && k->width == now->width && k->height == now->height && k->format == now->format &&
           k->range == (int)now->color_range && k->matrix == (int)now->colorspace &&
           k->chroma == (int)now->chroma_location;
}

static int make_converter(struct sb_video_frame *f)
{
    const AVFrame *now = f->frame;
    if (same_kind(f)) return 0;
    sws_freeContext(f->convert);
    f->convert = converter(now);
    if (!f->convert) {
        const char *name = av_get_pix_fmt_name(now->format);
        return sb_error("frames stored as %s can't be converted", name ? name : "an unknown format");
    }
    f->kind = (struct sb_video_kind){
        now->width, now->height, now->format, (int)now->color_range, (int)now->colorspace, (int)now->chroma_location};
    return 0;
}

static void pack(const uint8_t *restrict green, const uint8_t *restrict blue, const uint8_t *restrict red,
                 size_t pixels, uint8_t *restrict rgb)
{
    for (size_t i = 0; i < pixels; i++) {
        rgb[3 * i] = red[i];
        rgb[3 * i + 1] = green[i];
        rgb[3 * i + 2] = blue[i];
    }
}

int sb_video_picture(struct sb_video_frame *f, struct sb_picture *p)
{
    const AVFrame *now = f->frame;
    if (sb_deinterlace(f->frame) < 0) return -1;
    bool planes = by_planes(now);
    if (make_converter(f) < 0 || sb_picture_size(p, now->width, now->height) < 0) return -1;
    if (planes && sb_picture_size(&f->planes, now->width, now->height) < 0) return -1;
    size_t pixels = (size_t)now->width * (size_t)now->height;
    uint8_t *out = planes ? f->planes.rgb : p->rgb;
    uint8_t *to[4] = {out, planes ? out + pixels : NULL, planes ? out + 2 * pixels : NULL};
    int pitch[4] = {now->width * 3};
    if (planes) pitch[0] = pitch[1] = pitch[2] = now->width;
    if (sws_scale(f->convert, (const uint8_t *const *)now->data, now->linesize, 0, now->height, to, pitch) !=
        now->height)
        return sb_error("a frame can't be converted to RGB");
    if (planes) pack(to[0], to[1], to[2], pixels, p->rgb);
    return sb_picture_upright(p, f->orientation, &f->turned);
}

void sb_video_frame_free(struct sb_video_frame *f)
{
    av_frame_free(&f->frame);
    sb_segment_drop(f->segment);
    sws_freeContext(f->convert);
    sb_picture_free(&f->turned);
    sb_picture_free(&f->planes);
    *f = (struct sb_video_frame){0};
}
