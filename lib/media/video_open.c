/* Opening video: files, URLs, what is in them, and their first frame. See video.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "media/video_device.h"
#include "media/video_inner.h"

bool sb_video_interrupted(const struct sb_video *v) { return v->stop && *v->stop; }

static int interrupted(void *arg) { return sb_video_interrupted(arg); }

static void silence(void) { av_log_set_level(AV_LOG_QUIET); }

/* The matrix sends a point x, y to a x + c y, b x + d y. Angles between quarter turns go to the nearest one. */
static int matrix_orientation(const int32_t *m)
{
    if (!m) return 1;
    int64_t a = m[0], b = m[1], c = m[3], d = m[4];
    if (llabs(a) + llabs(d) >= llabs(b) + llabs(c)) return a >= 0 ? (d >= 0 ? 1 : 4) : d >= 0 ? 2 : 3;
    return b >= 0 ? (c >= 0 ? 5 : 6) : c >= 0 ? 8 : 7;
}

/* FFmpeg would show text files as films of a terminal. */
static bool is_text_art(enum AVCodecID id)
{
    return id == AV_CODEC_ID_ANSI || id == AV_CODEC_ID_BINTEXT || id == AV_CODEC_ID_XBIN || id == AV_CODEC_ID_IDF;
}

static int open_format(struct sb_video *v, const char *path)
{
    bool url = strstr(path, "://") != NULL;
    AVDictionary *options = NULL;
    /* A file has no business sending us to other places; its name may look like a protocol's. */
    if (!url) av_dict_set(&options, "protocol_whitelist", "file,pipe,crypto,data", 0);
    char *name = url ? sb_strdup(path) : sb_format("file:%s", path);
    v->format = avformat_alloc_context();
    if (!v->format) sb_die("out of memory: no room for a video reader");
    v->format->interrupt_callback = (AVIOInterruptCB){interrupted, v};
    int rc = avformat_open_input(&v->format, name, NULL, &options);
    av_dict_free(&options);
    free(name);
    if (rc == AVERROR_INVALIDDATA) return sb_error("%s: not a video (or it was cut off before its index)", path);
    if (rc < 0) return sb_error("%s: %s", path, av_err2str(rc));
    if (avformat_find_stream_info(v->format, NULL) < 0) return sb_error("%s: not a video", path);
    return 0;
}

static int find_stream(struct sb_video *v, const char *path, const AVCodec **codec)
{
    int index = av_find_best_stream(v->format, AVMEDIA_TYPE_VIDEO, -1, -1, codec, 0);
    if (index == AVERROR_DECODER_NOT_FOUND) return sb_error("%s: this FFmpeg can't decode its video", path);
    if (index < 0) return sb_error("%s: there is no video in it", path);
    v->stream = v->format->streams[index];
    if (is_text_art(v->stream->codecpar->codec_id)) return sb_error("%s: not a video", path);
    if (v->stream->disposition & AV_DISPOSITION_ATTACHED_PIC) return sb_error("%s: sound with a cover, no video", path);
    for (unsigned i = 0; i < v->format->nb_streams; i++)
        if ((int)i != index) v->format->streams[i]->discard = AVDISCARD_ALL;
    v->orientation = matrix_orientation(sb_ffmpeg_matrix(v->stream));
    return 0;
}

static int open_codec(struct sb_video *v, const char *path)
{
    const AVCodec *codec = NULL;
    if (find_stream(v, path, &codec) < 0) return -1;
    v->plan.on = sb_plan_can(v);
    v->codec = avcodec_alloc_context3(codec);
    if (!v->codec || avcodec_parameters_to_context(v->codec, v->stream->codecpar) < 0)
        return sb_error("%s: its video is described wrongly", path);
    v->codec->thread_count = v->plan.on || v->how.device ? 1 : v->how.threads;
    sb_video_device_use(v->codec, v->how.device);
    /* Where nothing but keyframes is asked for and they can't be read lazily: timestamps must not come from counting.
     */
    if (v->how.keys && !v->plan.on && !(v->format->iformat->flags & AVFMT_NOTIMESTAMPS))
        v->codec->skip_frame = AVDISCARD_NONKEY;
    v->codec->pkt_timebase = v->stream->time_base;
    v->codec->max_pixels = SB_PICTURE_MAX;
    if (avcodec_open2(v->codec, codec, NULL) < 0) return sb_error("%s: its video can't be decoded", path);
    return 0;
}

static int check_file(const char *path)
{
    struct stat st;
    if (strstr(path, "://")) return 0;
    if (stat(path, &st) < 0) return sb_error("%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return sb_error("%s: is a folder", path);
    if (S_ISREG(st.st_mode) && st.st_size == 0) return sb_error("%s: the file is empty", path);
    return 0;
}

bool sb_video_live(const struct sb_video *v)
{
    return strstr(v->path, "://") && !(v->format && v->format->pb && (v->format->pb->seekable & AVIO_SEEKABLE_NORMAL));
}

int sb_video_open_again(struct sb_video *v)
{
    struct sb_video old = *v;
    v->format = NULL;
    v->codec = NULL;
    v->drained = v->broke = false;
    if (open_format(v, v->path) == 0 && open_codec(v, v->path) == 0) {
        avcodec_free_context(&old.codec);
        avformat_close_input(&old.format);
        return 0;
    }
    avcodec_free_context(&v->codec);
    avformat_close_input(&v->format);
    *v = old;
    return -1;
}

struct sb_video *sb_video_open(const char *path, const struct sb_video_reading *how, const volatile sig_atomic_t *stop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, silence);
    if (check_file(path) < 0) return NULL;
    struct sb_video *v = sb_calloc(1, sizeof *v);
    v->how = *how;
    v->path = sb_strdup(path);
    v->stop = stop;
    v->packet = av_packet_alloc();
    v->ahead = av_frame_alloc();
    if (!v->packet || !v->ahead) sb_die("out of memory: no room for a video frame");
    if (open_format(v, path) < 0 || open_codec(v, path) < 0) {
        sb_video_close(v);
        return NULL;
    }
    if (!sb_video_decode_one(v, v->ahead) && !interrupted(v)) {
        sb_error("%s: no frame of its video can be decoded", path);
        sb_video_close(v);
        return NULL;
    }
    v->first = v->ahead->best_effort_timestamp == AV_NOPTS_VALUE ? 0 : v->ahead->best_effort_timestamp;
    if (v->plan.on) sb_plan_begin(v);
    return v;
}

void sb_video_close(struct sb_video *v)
{
    if (!v) return;
    sb_plan_free(v);
    avcodec_free_context(&v->codec);
    avformat_close_input(&v->format);
    av_packet_free(&v->packet);
    free(v->path);
    av_frame_free(&v->ahead);
    free(v);
}

bool sb_video_still(const struct sb_video *v)
{
    const char *name = v->format->iformat->name;
    size_t n = strlen(name);
    return strcmp(name, "image2") == 0 || (n > 5 && strcmp(name + n - 5, "_pipe") == 0);
}
