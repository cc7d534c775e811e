/* One frame of a video, or one picture, as a record: its fields, shrunk and encoded as asked. */
#ifndef SB_MEDIA_FRAME_RECORD_H
#define SB_MEDIA_FRAME_RECORD_H

#include "media/image.h"
#include "media/inputs.h"
#include "media/sampler.h"

/* How records are made; the same for all of a run, and read by all threads. */
struct sb_frame_style {
    int64_t size; /* pixels that the short side has at most; 0: as it comes */
    enum sb_image_encoding encoding;
    struct sb_decoding decoding; /* of pictures that FFmpeg does not read */
    size_t most;                 /* bytes that a picture may have in a record */
};

/* Memory that is reused from record to record; a zeroed one is valid and empty. One belongs to one thread at a time. */
struct sb_frame_memory {
    struct sb_picture picture, small;
    struct sb_buffer bytes;
};
void sb_frame_memory_free(struct sb_frame_memory *m);

/* Fills rec, which is reset first: a frame has pts, duration and group, a picture (`sample` NULL where FFmpeg read it)
 * has none of them, but the group that its input is given. 0, or -1 with a message that begins with the input's path.
 */
int sb_frame_record(const struct sb_frame_style *style, const struct sb_input *input, const struct sb_sample *sample,
                    struct sb_video_frame *frame, struct sb_frame_memory *m, struct sb_record *rec);
int sb_picture_record(const struct sb_frame_style *style, const struct sb_input *input, struct sb_frame_memory *m,
                      struct sb_record *rec);

/* The image alone: rec's other fields stay. */
int sb_frame_image(const struct sb_frame_style *style, const struct sb_input *input, struct sb_video_frame *frame,
                   struct sb_frame_memory *m, struct sb_record *rec);
int sb_picture_image(const struct sb_frame_style *style, const struct sb_input *input, struct sb_frame_memory *m,
                     struct sb_record *rec);

/* What is known before a picture is decoded: how large it will be, of its size (false: as it comes); all fields of its
 * record but the image. */
bool sb_frame_size(const struct sb_frame_style *style, int *width, int *height);
void sb_picture_origin(const struct sb_input *input, struct sb_record *rec);

#endif
