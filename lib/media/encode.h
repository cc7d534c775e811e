/* Pictures to a video file (FFmpeg): H.264 by libx264, or MPEG-4 where the FFmpeg at hand lacks it; yuv420p, BT.709.
 *
 * The file appears when it is closed whole. The bytes depend on the pictures, the rate and the FFmpeg alone: the
 * encoder runs in one thread and writes no date and no version. One caller at a time. */
#ifndef SB_MEDIA_ENCODE_H
#define SB_MEDIA_ENCODE_H

#include "media/picture.h"

struct sb_encoder;

/* width and height are even. The container follows the name (.mp4, .mkv, ...; else MP4). `rate`: frames a second.
 * NULL with a message. */
struct sb_encoder *sb_encoder_open(const char *path, int width, int height, double rate);
int sb_encoder_put(struct sb_encoder *e, const struct sb_picture *p); /* the next frame, of the size given above */
/* Writes what is held back and makes the file appear; frees e in any case. 0, or -1 with a message. */
int sb_encoder_close(struct sb_encoder *e);

#endif
