#include "media/nal.h"

enum { H264_SLICE = 1, H264_PART_A = 2, H264_IDR = 5, H264_SPS = 7, H264_PPS = 8, H264_END = 10, H264_END_STREAM = 11 };
enum {
    HEVC_RASL_N = 8,
    HEVC_RASL_R = 9,
    HEVC_FIRST_IRAP = 16,
    HEVC_LAST_IRAP = 23,
    HEVC_LAST_SLICE = 31,
    HEVC_VPS = 32,
    HEVC_SPS = 33,
    HEVC_PPS = 34,
    HEVC_END = 36,
    HEVC_END_STREAM = 37
};

struct units {
    const uint8_t *at, *end;
    int length_size;
    bool broken;
};

/* The next start code 00 00 01, or the end. */
static const uint8_t *start_code(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 3; p++)
        if (p[0] == 0 && p[1] == 0 && p[2] == 1) return p;
    return end;
}

static bool next_unit(struct units *u, const uint8_t **unit, size_t *size)
{
    if (u->length_size == 0) {
        const uint8_t *code = start_code(u->at, u->end);
        if (code == u->end) return false;
        *unit = code + 3;
        u->at = start_code(*unit, u->end);
        *size = (size_t)(u->at - *unit);
        return true;
    }
    if (u->at == u->end) return false;
    size_t n = 0;
    u->broken = u->end - u->at < u->length_size;
    if (u->broken) return false;
    for (int i = 0; i < u->length_size; i++) n = n << 8 | *u->at++;
    u->broken = n > (size_t)(u->end - u->at);
    if (u->broken) return false;
    *unit = u->at;
    *size = n;
    u->at += n;
    return true;
}

static void see_layers(struct sb_nal_format *f, const uint8_t *unit, size_t size)
{
    if (size < 3) return;
    int top = unit[2] >> 1 & 7; /* sps_max_sub_layers_minus1 */
    if (top > f->top_layer) f->top_layer = top;
}

void sb_nal_format_h264(struct sb_nal_format *f, const uint8_t *extra, size_t size)
{
    *f = (struct sb_nal_format){.codec = SB_NAL_H264, .top_layer = -1};
    if (size >= 7 && extra[0] == 1) f->length_size = (extra[4] & 3) + 1;
}

void sb_nal_format_hevc(struct sb_nal_format *f, const uint8_t *extra, size_t size)
{
    *f = (struct sb_nal_format){.codec = SB_NAL_HEVC, .top_layer = -1};
    if (size >= 23 && (extra[0] || extra[1] || extra[2] > 1)) {
        f->length_size = (extra[21] & 3) + 1;
        f->top_layer = (extra[21] >> 3 & 7) - 1; /* numTemporalLayers, 0: not known */
        return;
    }
    if (size > 0) sb_nal_look(f, extra, size);
}

/* A slice header begins with two Exp-Golomb codes: where the slice begins, and its type, 2 or 7 for I. */
static bool is_intra(const uint8_t *unit, size_t size)
{
    uint64_t bits = 0;
    unsigned value[2] = {0}, at = 0;
    for (size_t i = 1; i < 9; i++) bits = bits << 8 | (i < size ? unit[i] : 0);
    for (int k = 0; k < 2; k++) {
        unsigned zeros = 0;
        while (at + zeros < 64 && !(bits >> (63 - at - zeros) & 1)) zeros++;
        if (at + 2 * zeros + 1 > 64) return false;
        value[k] = (unsigned)(bits << (at + zeros) >> (63 - zeros)) - 1;
        at += 2 * zeros + 1;
    }
    return value[1] % 5 == 2;
}

static void look_h264(struct sb_nal_packet *p, const uint8_t *unit, size_t size, bool *slices, bool *wanted)
{
    int type = unit[0] & 31;
    bool slice = type == H264_SLICE || type == H264_PART_A || type == H264_IDR;
    if (type == H264_IDR) p->entry = true;
    if (slice) p->intra = (!*slices || p->intra) && is_intra(unit, size);
    if (slice) *slices = true;
    if ((slice && (unit[0] >> 5 & 3) != 0) || type == H264_SPS || type == H264_PPS) *wanted = true;
    if (type == H264_END || type == H264_END_STREAM) p->strange = true;
}

static void look_hevc(struct sb_nal_format *f, struct sb_nal_packet *p, const uint8_t *unit, size_t size, bool *slices,
                      bool *wanted)
{
    int type = unit[0] >> 1 & 63, layer = (unit[1] & 7) - 1;
    if (type == HEVC_SPS) see_layers(f, unit, size);
    if (type >= HEVC_VPS && type <= HEVC_PPS) *wanted = true;
    if (type == HEVC_END || type == HEVC_END_STREAM) p->strange = true;
    if (type > HEVC_LAST_SLICE) return;
    *slices = true;
    if (type >= HEVC_FIRST_IRAP && type <= HEVC_LAST_IRAP) p->entry = p->intra = true;
    if (type == HEVC_RASL_N || type == HEVC_RASL_R) p->leading = true;
    /* Even types below 16 are referred to by no picture of their own layer, and the top one has none above it. */
    if (type >= HEVC_FIRST_IRAP || type % 2 != 0 || layer < f->top_layer || f->top_layer < 0) *wanted = true;
}

struct sb_nal_packet sb_nal_look(struct sb_nal_format *f, const uint8_t *data, size_t size)
{
    struct sb_nal_packet p = {0};
    struct units u = {data, data + size, f->length_size, false};
    const uint8_t *unit;
    size_t length;
    bool slices = false, wanted = false;
    while (next_unit(&u, &unit, &length)) {
        if (length < 2) continue;
        if (f->codec == SB_NAL_H264)
            look_h264(&p, unit, length, &slices, &wanted);
        else
            look_hevc(f, &p, unit, length, &slices, &wanted);
    }
    p.strange = p.strange || u.broken || !slices;
    p.disposable = !wanted && !p.strange;
    return p;
}
