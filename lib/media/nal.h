/* What the unit headers of an H.264 or HEVC packet tell without decoding: where decoding can begin, and what can be
 * left out. (ITU-T H.264 and H.265, clause 7.4: nal_ref_idc, nal_unit_type.) */
#ifndef SB_MEDIA_NAL_H
#define SB_MEDIA_NAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sb_nal_format {
    enum { SB_NAL_NONE, SB_NAL_H264, SB_NAL_HEVC } codec;
    int length_size; /* bytes of the length before each unit; 0: start codes (Annex B) */
    int top_layer;   /* HEVC: the highest temporal layer; -1: not known */
};

/* From the codec's extradata, as containers carry it. */
void sb_nal_format_h264(struct sb_nal_format *f, const uint8_t *extra, size_t size);
void sb_nal_format_hevc(struct sb_nal_format *f, const uint8_t *extra, size_t size);

struct sb_nal_packet {
    bool entry;      /* H.264: IDR, HEVC: IRAP. Pictures shown after this one decode exactly from here on. */
    bool intra;      /* it is decoded without any other */
    bool leading;    /* HEVC: shown before the entry that it follows, and undecodable from there (RASL) */
    bool disposable; /* no other picture refers to it */
    bool strange;    /* its units can't be read, or they end a sequence: nothing is known about it */
};

/* f->top_layer rises where the packet holds parameter sets that say so. */
struct sb_nal_packet sb_nal_look(struct sb_nal_format *f, const uint8_t *data, size_t size);

#endif
