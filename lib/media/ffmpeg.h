/* FFmpeg 5.1 (Debian 12), where versions before and after it differ: 4.4 (Ubuntu 22.04) to 7.1. */
#ifndef SB_MEDIA_FFMPEG_H
#define SB_MEDIA_FFMPEG_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

static inline int64_t sb_ffmpeg_duration(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_MAJOR >= 58
    return f->duration;
#else
    return f->pkt_duration;
#endif
}

/* The nine numbers of the display matrix, or NULL. */
static inline const int32_t *sb_ffmpeg_matrix(const AVStream *s)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVCodecParameters *par = s->codecpar;
    const AVPacketSideData *d =
        av_packet_side_data_get(par->coded_side_data, par->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    return d && d->size >= 36 ? (const int32_t *)d->data : NULL;
#elif LIBAVFORMAT_VERSION_MAJOR >= 59
    size_t size = 0;
    const uint8_t *d = av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return d && size >= 36 ? (const int32_t *)d : NULL;
#else
    int size = 0;
    const uint8_t *d = av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return d && size >= 36 ? (const int32_t *)d : NULL;
#endif
}

/* The number of the best video stream that can be decoded, and its decoder; or an error. */
static inline int sb_ffmpeg_video(AVFormatContext *format, const AVCodec **codec)
{
#if LIBAVFORMAT_VERSION_MAJOR >= 59
    return av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, codec, 0);
#else
    AVCodec *found = NULL;
    int index = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, &found, 0);
    *codec = found;
    return index;
#endif
}

#endif
