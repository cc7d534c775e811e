/* See video_device.h. */
#include "media/video_device.h"

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int sb_video_device_open(const char *name, AVBufferRef **device)
{
    *device = NULL;
    if (!strcmp(name, "cpu")) return 0;
    const char *number = strncmp(name, "cuda", 4) ? NULL : name[4] == ':' ? name + 5 : name[4] ? NULL : "0";
    if (!number || !*number || strspn(number, "0123456789") != strlen(number))
        return sb_error("no device '%s': there are cpu, cuda and cuda:N", name);
    av_log_set_level(AV_LOG_QUIET);
    int rc = av_hwdevice_ctx_create(device, AV_HWDEVICE_TYPE_CUDA, number, NULL, 0);
    return rc < 0 ? sb_error("device %s: there is no GPU, or this FFmpeg can't decode on it", name) : 0;
}

void sb_video_device_close(AVBufferRef *device) { av_buffer_unref(&device); }

/* FFmpeg asks again, without the device's format, if that turns out not to work. */
static enum AVPixelFormat choose_format(AVCodecContext *codec, const enum AVPixelFormat *offered)
{
    (void)codec;
    const enum AVPixelFormat *f = offered;
    for (; *f != AV_PIX_FMT_NONE; f++)
        if (*f == AV_PIX_FMT_CUDA) return *f;
    for (f = offered; *f != AV_PIX_FMT_NONE; f++)
        if (!(av_pix_fmt_desc_get(*f)->flags & AV_PIX_FMT_FLAG_HWACCEL)) return *f;
    return AV_PIX_FMT_NONE;
}

void sb_video_device_use(AVCodecContext *codec, AVBufferRef *device)
{
    if (!device) return;
    codec->hw_device_ctx = av_buffer_ref(device);
    if (!codec->hw_device_ctx) sb_die("out of memory: no room for a decoder");
    codec->get_format = choose_format;
}

void sb_video_device_fetch(AVFrame *frame)
{
    if (!frame->hw_frames_ctx) return;
    AVFrame *here = av_frame_alloc();
    if (!here) sb_die("out of memory: no room for a video frame");
    int rc = av_hwframe_transfer_data(here, frame, 0);
    if (rc >= 0) rc = av_frame_copy_props(here, frame);
    if (rc < 0) sb_die("a frame can't be fetched from the GPU: %s", av_err2str(rc));
    av_frame_unref(frame);
    av_frame_move_ref(frame, here);
    av_frame_free(&here);
}
