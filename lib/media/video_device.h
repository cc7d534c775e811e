/* Where video is decoded: by the processor, or by a GPU's decoder (NVDEC) through FFmpeg. Frames that were decoded
 * there are fetched into memory before anything is done with them. */
#ifndef SB_MEDIA_VIDEO_DEVICE_H
#define SB_MEDIA_VIDEO_DEVICE_H

struct AVBufferRef;
struct AVCodecContext;
struct AVFrame;

/* "cpu", for which *device is NULL, "cuda" or "cuda:N". The caller closes it. 0, or -1 with a message. */
int sb_video_device_open(const char *name, struct AVBufferRef **device);
void sb_video_device_close(struct AVBufferRef *device);
/* Before the codec is opened: it decodes on the device (NULL: by the processor). What the device can't decode, the
 * processor does. */
void sb_video_device_use(struct AVCodecContext *codec, struct AVBufferRef *device);
/* A frame that lies on a device comes to memory, in its place; another is left as it is. A device that fails ends the
 * program. */
void sb_video_device_fetch(struct AVFrame *frame);

#endif
