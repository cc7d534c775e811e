/* Reading frames lazily: their times from packets, before anything is decoded, and their packets in segments that
 * decode alone. It needs timestamps that rise and entry points that are clean; wherever it finds otherwise it gives up,
 * and the caller decodes all. See video_inner.h. */
#include <math.h>
#include <stdlib.h>

#include "media/video_inner.h"

#define FEW 4                   /* frames in one that is wanted: below this, all are decoded by frame threads */
#define SEGMENT_MAX (96u << 20) /* bytes of packets in a segment */
#define PACKETS_MAX 4096
#define JUMP 1.0 /* seconds of packets that it pays to seek over */

/* ---- whether, and the beginning --------------------------------------------------------------------------------- */

/* Codecs whose every packet is a picture, and whose keyframes nothing shown later looks behind. */
static bool is_simple(enum AVCodecID id)
{
    if (id == AV_CODEC_ID_VP8 || id == AV_CODEC_ID_VP9 || id == AV_CODEC_ID_AV1) return true;
    const AVCodecDescriptor *d = avcodec_descriptor_get(id);
    return d && (d->props & AV_CODEC_PROP_INTRA_ONLY);
}

bool sb_plan_can(const struct sb_video *v)
{
    const struct sb_video_reading *how = &v->how;
    enum AVCodecID id = v->stream->codecpar->codec_id;
    if (sb_video_still(v)) return false;
    AVRational rate = av_guess_frame_rate(v->format, v->stream, NULL);
    bool sparse = how->keys || how->every >= FEW || (how->fps > 0 && rate.den > 0 && av_q2d(rate) / how->fps >= FEW);
    bool file = v->format->pb && (v->format->pb->seekable & AVIO_SEEKABLE_NORMAL);
    return sparse && file && (how->keys || id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC || is_simple(id));
}

void sb_plan_keep(struct sb_video *v)
{
    struct sb_plan *p = &v->plan;
    SB_GROW(p->kept, p->kept_cap, p->kept_count + 1);
    AVPacket *copy = p->kept[p->kept_count++] = av_packet_clone(v->packet);
    if (!copy) sb_die("out of memory: no room for a packet");
    p->kept_bytes += (size_t)copy->size;
}

void sb_plan_begin(struct sb_video *v)
{
    struct sb_plan *p = &v->plan;
    const AVCodecParameters *par = v->stream->codecpar;
    if (par->codec_id == AV_CODEC_ID_H264) sb_nal_format_h264(&p->nal, par->extradata, (size_t)par->extradata_size);
    if (par->codec_id == AV_CODEC_ID_HEVC) sb_nal_format_hevc(&p->nal, par->extradata, (size_t)par->extradata_size);
    p->decoded = p->given = AV_NOPTS_VALUE;
    sb_decoders_init(&p->decoders, par, v->stream->time_base, v->how.device);
    sb_decoders_give(&p->decoders, v->codec);
    v->codec = NULL;
    av_frame_unref(v->ahead);
}

static void drop_segments(struct sb_plan *p)
{
    sb_segment_drop(p->now);
    sb_segment_drop(p->next);
    p->now = p->next = NULL;
    p->from = 0;
    p->closed = false;
}

static void drop_kept(struct sb_plan *p)
{
    for (size_t i = p->kept_at; i < p->kept_count; i++) av_packet_free(&p->kept[i]);
    free(p->kept);
    p->kept = NULL;
    p->kept_at = p->kept_count = p->kept_cap = 0;
}

void sb_plan_free(struct sb_video *v)
{
    drop_segments(&v->plan);
    drop_kept(&v->plan);
    sb_decoders_free(&v->plan.decoders);
}

/* ---- packets to segments ---------------------------------------------------------------------------------------- */

/* Goes to the next keyframe, where the index has every packet: what is between is not even read. (AVDISCARD_NONKEY
 * would do it, but MP4's reader then gives wrong timestamps.) */
static void go_to_key(struct sb_video *v)
{
    struct sb_plan *p = &v->plan;
    int entries = avformat_index_get_entries_count(v->stream);
    if (p->decoded == AV_NOPTS_VALUE || v->stream->nb_frames == 0 || entries < v->stream->nb_frames) return;
    int here = av_index_search_timestamp(v->stream, p->decoded, AVSEEK_FLAG_BACKWARD | AVSEEK_FLAG_ANY);
    int key = av_index_search_timestamp(v->stream, p->decoded + 1, 0);
    if (here < 0 || key < here + 4) return;
    /* A keyframe is found from the time it is shown, which is later than the index says: ask for the last time
     * possible. */
    int after = av_index_search_timestamp(v->stream, avformat_index_get_entry(v->stream, key)->timestamp + 1, 0);
    int64_t last = avformat_index_get_entry(v->stream, after > key ? after : entries - 1)->timestamp - (after > key);
    av_seek_frame(v->format, v->stream->index, last, AVSEEK_FLAG_BACKWARD);
}

static int read_packet(struct sb_video *v)
{
    struct sb_plan *p = &v->plan;
    if (p->kept_at == p->kept_count) {
        drop_kept(p);
        if (v->drained) return AVERROR_EOF;
        if (v->how.keys) go_to_key(v);
        return sb_video_read_packet(v);
    }
    av_packet_move_ref(v->packet, p->kept[p->kept_at]);
    av_packet_free(&p->kept[p->kept_at++]);
    return 0;
}

static struct sb_nal_packet look(struct sb_video *v)
{
    const AVPacket *packet = v->packet;
    bool key = packet->flags & AV_PKT_FLAG_KEY;
    if (v->plan.nal.codec == SB_NAL_NONE) return (struct sb_nal_packet){.entry = key};
    if (v->how.keys && !key) return (struct sb_nal_packet){0};
    struct sb_nal_packet kind = sb_nal_look(&v->plan.nal, packet->data, (size_t)packet->size);
    if (v->how.keys)
        kind.entry = kind.intra; /* what containers call keyframes may be the beginning of a gradual refresh */
    return kind;
}

/* The packet's decoder needs to be told more than packets. */
static bool changes_decoder(const AVPacket *p)
{
    return av_packet_get_side_data(p, AV_PKT_DATA_NEW_EXTRADATA, NULL) ||
           av_packet_get_side_data(p, AV_PKT_DATA_PARAM_CHANGE, NULL);
}

static void add(struct sb_segment *s, AVPacket *packet, const struct sb_nal_packet *kind)
{
    if (kind->strange || (packet->flags & (AV_PKT_FLAG_CORRUPT | AV_PKT_FLAG_DISCARD))) s->careful = true;
    sb_segment_add(s, packet, kind->disposable, !(packet->flags & AV_PKT_FLAG_DISCARD));
}

static AVPacket *copy_of(const AVPacket *packet)
{
    AVPacket *copy = av_packet_clone(packet);
    if (!copy) sb_die("out of memory: no room for a packet");
    return copy;
}

/* An entry point begins the next segment. Pictures that are shown before it may follow, in HEVC: for them it stands at
 * the end of this segment too. */
static void enter(struct sb_video *v, const struct sb_nal_packet *kind)
{
    struct sb_plan *p = &v->plan;
    p->entry = v->packet->pts;
    struct sb_segment *s = sb_segment_new(&p->decoders);
    bool leads = p->nal.codec == SB_NAL_HEVC && !v->how.keys;
    if (p->now && leads) {
        AVPacket *copy = copy_of(v->packet);
        sb_segment_add(p->now, copy, false, false);
        av_packet_free(&copy);
    }
    add(s, v->packet, kind);
    if (p->now)
        p->next = s;
    else
        p->now = s;
    p->closed = v->how.keys || (p->next && !leads);
}

/* Puts the packet that was read where it belongs, or finds that `now` must be given first. False: it can't be placed.
 */
static bool place(struct sb_video *v)
{
    struct sb_plan *p = &v->plan;
    AVPacket *packet = v->packet;
    struct sb_nal_packet kind = look(v);
    if (v->how.keys && packet->dts != AV_NOPTS_VALUE) {
        if (p->decoded != AV_NOPTS_VALUE && packet->dts <= p->decoded) return false; /* it would go round for ever */
        p->decoded = packet->dts;
    }
    if (v->how.keys && !kind.entry) {
        av_packet_unref(packet);
        return true;
    }
    if (packet->pts == AV_NOPTS_VALUE || changes_decoder(packet)) return false;
    bool leading = packet->pts < p->entry;
    if (p->next && (!leading || kind.entry)) {
        p->closed = true;
        return true;
    }
    if (packet->dts != AV_NOPTS_VALUE) p->decoded = packet->dts;
    if (kind.entry)
        enter(v, &kind);
    else if (!p->now && p->joined)
        av_packet_unref(packet); /* before the first entry: no use */
    else if (!p->now)
        return false;
    else if (!leading || p->next)
        add(p->now, packet, &kind);
    else if (p->joined || kind.leading)
        av_packet_unref(packet);
    else
        return false;
    return true;
}

static bool fill(struct sb_video *v)
{
    struct sb_plan *p = &v->plan;
    if (!v->packet->data && read_packet(v) < 0) {
        p->closed = true;
        return true;
    }
    return place(v) && (!p->now || (p->now->bytes <= SEGMENT_MAX && p->now->count <= PACKETS_MAX));
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

/* The packet of `now` that is shown first of those not given. */
static struct sb_packet *earliest(struct sb_plan *p)
{
    struct sb_packet *best = NULL;
    if (!p->now) return NULL;
    while (p->from < p->now->count && p->now->packet[p->from].passed) p->from++;
    for (size_t i = p->from; i < p->now->count; i++) {
        struct sb_packet *at = &p->now->packet[i];
        if (!at->passed && (!best || at->packet->pts < best->packet->pts)) best = at;
    }
    return best;
}

static void give(struct sb_video *v, const AVPacket *packet, struct sb_video_frame *f)
{
    struct sb_plan *p = &v->plan;
    p->given = f->timestamp = packet->pts;
    int64_t at = packet->pts - v->first;
    if (v->began && at - v->last > v->gap) v->gap = at - v->last;
    v->last = at;
    v->last_duration = sb_video_guess_duration(v, packet->duration);
    v->began = true;
    f->segment = sb_segment_hold(p->now);
    f->pts = sb_video_seconds(v, v->last);
    f->end = sb_video_seconds(v, v->last + v->last_duration);
    f->key = packet->flags & AV_PKT_FLAG_KEY;
    f->orientation = v->orientation;
}

static void promote(struct sb_plan *p, bool closed)
{
    sb_segment_drop(p->now);
    p->now = p->next;
    p->next = NULL;
    p->from = 0;
    p->closed = closed;
}

int sb_plan_next(struct sb_video *v, struct sb_video_frame *f)
{
    struct sb_plan *p = &v->plan;
    while (!p->lost) {
        struct sb_packet *at = earliest(p);
        /* Nothing is shown before it is decoded: what is still to be read can't come earlier. */
        if (at && (p->closed || (p->decoded != AV_NOPTS_VALUE && at->packet->pts <= p->decoded))) {
            bool again = p->given != AV_NOPTS_VALUE && at->packet->pts <= p->given;
            if (again && !p->joined) return -1;
            at->passed = true;
            if (again || at->packet->pts < v->first) continue;
            give(v, at->packet, f);
            return 1;
        }
        if (p->now && p->closed)
            promote(p, v->how.keys && p->next);
        else if (p->closed && v->drained && p->kept_at == p->kept_count)
            return 0;
        else if (!fill(v))
            return -1;
    }
    return -1;
}

/* ---- leaving out ------------------------------------------------------------------------------------------------ */

/* Goes to the last entry point at or before timestamp; false if there is none. */
static bool join(struct sb_video *v, int64_t timestamp)
{
    struct sb_plan *p = &v->plan;
    if (av_seek_frame(v->format, v->stream->index, timestamp, AVSEEK_FLAG_BACKWARD) < 0) return false;
    drop_kept(p);
    drop_segments(p);
    av_packet_unref(v->packet);
    p->decoded = AV_NOPTS_VALUE;
    p->joined = true;
    v->drained = v->broke = false;
    while (!p->now && !v->drained)
        if (!fill(v)) return false;
    return p->now != NULL;
}

void sb_video_skip_to(struct sb_video *v, double pts)
{
    struct sb_plan *p = &v->plan;
    if (!p->on || v->how.keys || p->lost || avformat_index_get_entries_count(v->stream) < 2) return;
    double ticks = (double)v->stream->time_base.den / v->stream->time_base.num;
    int64_t wanted = v->first + (int64_t)floor(pts * ticks);
    int i = av_index_search_timestamp(v->stream, wanted, AVSEEK_FLAG_BACKWARD);
    const AVIndexEntry *entry = i < 0 ? NULL : avformat_index_get_entry(v->stream, i);
    int64_t here = p->decoded == AV_NOPTS_VALUE ? v->first : p->decoded;
    if (!entry || entry->timestamp < here + (int64_t)(JUMP * ticks)) return;
    /* An index may tell when a picture is decoded, and it is shown later: too late, perhaps. */
    int64_t timestamp = wanted;
    for (int tries = 0; tries < 3 && join(v, timestamp); tries++) {
        int64_t shown = p->now->packet[0].packet->pts;
        if (shown <= wanted) return;
        timestamp = p->now->packet[0].packet->dts - 1;
    }
    p->lost = true;
}
