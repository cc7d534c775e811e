/* Short videos of every kind, made for tests: a scene that moves, in the codec, group structure and container asked
 * for. */
#ifndef SB_TESTS_CLIP_H
#define SB_TESTS_CLIP_H

#include <stdbool.h>

struct clip {
    const char *file;    /* its ending tells the container */
    const char *encoder; /* "libx264" */
    const char *options; /* "key=value:key=value", of the encoder */
    int frames, gop, b_frames;
    const char *format; /* of pixels; NULL: yuv420p */
    bool uneven;        /* a variable rate */
    bool late;          /* timestamps begin at 10 s */
    bool full, bt601, interlaced;
    bool twice;        /* the file's bytes are repeated: timestamps jump back */
    int width, height; /* 0: 160 x 96 */
};

/* False where this FFmpeg has no such encoder. */
bool clip_make(const struct clip *c, const char *path);

/* The value, of 8 bits, at x, y of plane 0, 1 or 2 (w wide) in a frame, before it was encoded. */
int clip_pixel(const struct clip *c, int number, int plane, int x, int y, int w);

#endif
