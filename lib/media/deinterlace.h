/* Interlaced frames hold two moments, one in the even rows and one in the odd ones. */
#ifndef SB_MEDIA_DEINTERLACE_H
#define SB_MEDIA_DEINTERLACE_H

struct AVFrame;

/* Replaces a frame that says it is interlaced by the moment it shows first, its missing rows made from those around them
 * along edges (FFmpeg's estdif); any other is left as it is. It looks at no other frame, so that the picture does not depend
 * on what else is decoded. 0, or -1 with a message. Any thread. */
int sb_deinterlace(struct AVFrame *frame);

#endif
