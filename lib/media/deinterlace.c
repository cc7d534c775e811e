#include "media/deinterlace.h"

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <stdio.h>

#include "base/err.h"
#include "media/ffmpeg.h"

static int fill_graph(AVFilterGraph *g, const AVFrame *f, AVFilterContext **in, AVFilterContext **out)
{
    char args[128];
    AVFilterContext *filter;
    snprintf(args, sizeof args, "video_size=%dx%d:pix_fmt=%d:time_base=1/1:pixel_aspect=1/1", f->width, f->height,
             f->format);
    g->nb_threads = 1;
    return avfilter_graph_create_filter(in, avfilter_get_by_name("buffer"), "in", args, NULL, g) < 0 ||
                   avfilter_graph_create_filter(&filter, avfilter_get_by_name("estdif"), "filter", "mode=frame", NULL,
                                                g) < 0 ||
                   avfilter_graph_create_filter(out, avfilter_get_by_name("buffersink"), "out", NULL, NULL, g) < 0 ||
                   avfilter_link(*in, 0, filter, 0) < 0 || avfilter_link(filter, 0, *out, 0) < 0 ||
                   avfilter_graph_config(g, NULL) < 0
               ? -1
               : 0;
}

int sb_deinterlace(AVFrame *frame)
{
    if (!sb_ffmpeg_interlaced(frame)) return 0;
    AVFilterContext *in, *out;
    AVFilterGraph *g = avfilter_graph_alloc();
    AVFrame *done = av_frame_alloc();
    if (!g || !done) sb_die("out of memory: no room for a deinterlacer");
    int rc = fill_graph(g, frame, &in, &out);
    if (rc == 0 && av_buffersrc_add_frame_flags(in, frame, AV_BUFFERSRC_FLAG_KEEP_REF) < 0) rc = -1;
    if (rc == 0 && av_buffersrc_add_frame(in, NULL) < 0) rc = -1;
    if (rc == 0 && av_buffersink_get_frame(out, done) < 0) rc = -1;
    if (rc == 0) {
        av_frame_unref(frame);
        av_frame_move_ref(frame, done);
    }
    avfilter_graph_free(&g);
    av_frame_free(&done);
    return rc < 0 ? sb_error("an interlaced frame can't be deinterlaced") : 0;
}
