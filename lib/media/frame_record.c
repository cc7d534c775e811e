#include "media/frame_record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "media/codec.h"
#include "media/resize.h"

void sb_frame_memory_free(struct sb_frame_memory *m)
{
    sb_picture_free(&m->picture);
    sb_picture_free(&m->small);
    free(m->bytes.data);
    *m = (struct sb_frame_memory){0};
}

bool sb_frame_size(const struct sb_frame_style *style, int *width, int *height)
{
    int shorter = *width < *height ? *width : *height;
    if (style->size == 0 || shorter <= style->size) return false;
    *width = (int)(style->size * *width / shorter);
    *height = (int)(style->size * *height / shorter);
    return true;
}

static int shrink(const struct sb_frame_style *style, struct sb_frame_memory *m, const struct sb_picture **done)
{
    struct sb_picture *p = &m->picture;
    int width = p->width, height = p->height;
    *done = p;
    if (!sb_frame_size(style, &width, &height)) return 0;
    *done = &m->small;
    return sb_resize(p, &m->small, width, height, SB_BICUBIC);
}

/* The message that was recorded, behind the input's path. */
static int fail(const struct sb_input *input)
{
    char why[1024];
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", input->path, why);
}

static int set_image(const struct sb_frame_style *style, const struct sb_input *input, struct sb_frame_memory *m,
                     struct sb_record *rec)
{
    const struct sb_picture *p;
    if (shrink(style, m, &p) < 0) return fail(input);
    if (style->encoding == SB_IMAGE_RAW && (size_t)p->width * (size_t)p->height * 3 > style->most)
        return sb_error("%s: %d x %d pixels are too many for one raw record: use --encode or --size", input->path,
                        p->width, p->height);
    return sb_image_set(rec, "image", p, style->encoding, &m->bytes);
}

static void set_origin(const struct sb_input *input, int64_t time, struct sb_record *rec)
{
    char id[SB_HEX];
    sb_record_reset(rec);
    sb_hash_id(input->source, time, NULL, id);
    sb_set_cstr(rec, "id", id);
    sb_set_cstr(rec, "source", input->source);
    if (input->group) sb_set_cstr(rec, "group", input->group);
}

int sb_frame_image(const struct sb_frame_style *style, const struct sb_input *input, struct sb_video_frame *frame,
                   struct sb_frame_memory *m, struct sb_record *rec)
{
    if (sb_video_picture(frame, &m->picture) < 0) return fail(input);
    return set_image(style, input, m, rec);
}

/* Reads a picture: 1 where the file's own bytes are what was asked for, 0 with the picture decoded, -1 with a message. */
static int read_picture(const struct sb_frame_style *style, const struct sb_input *input, struct sb_frame_memory *m)
{
    const struct sb_decoding *how = &style->decoding;
    if (style->size || style->encoding == SB_IMAGE_RAW || how->stored || how->bits || how->over)
        return sb_picture_load_as(&m->picture, input->path, how);
    int jpeg = style->encoding == SB_IMAGE_JPEG ? sb_jpeg_load(input->path, &m->bytes) : 0;
    if (jpeg) return jpeg;
    if (sb_picture_load_bytes(&m->picture, input->path, &m->bytes) < 0) return -1;
    return style->encoding == SB_IMAGE_PNG && sb_is_png(m->bytes.data, m->bytes.size);
}

int sb_picture_image(const struct sb_frame_style *style, const struct sb_input *input, struct sb_frame_memory *m,
                     struct sb_record *rec)
{
    int as_it_is = read_picture(style, input, m);
    if (as_it_is < 0) return -1;
    if (!as_it_is) return set_image(style, input, m, rec);
    if (m->bytes.size > style->most)
        return sb_error("%s: %zu bytes are too many for one record: use --size", input->path, m->bytes.size);
    sb_set_bin(rec, "image", m->bytes.data, m->bytes.size);
    return 0;
}

int sb_frame_record(const struct sb_frame_style *style, const struct sb_input *input, const struct sb_sample *sample,
                    struct sb_video_frame *frame, struct sb_frame_memory *m, struct sb_record *rec)
{
    set_origin(input, sample ? llround(sample->pts * 1e9) : 0, rec);
    if (sample) {
        sb_set_real(rec, "pts", sample->pts);
        sb_set_real(rec, "duration", sample->duration);
        if (!input->group) sb_set_cstr(rec, "group", input->source);
    }
    return sb_frame_image(style, input, frame, m, rec);
}

void sb_picture_origin(const struct sb_input *input, struct sb_record *rec) { set_origin(input, 0, rec); }

int sb_picture_record(const struct sb_frame_style *style, const struct sb_input *input, struct sb_frame_memory *m,
                      struct sb_record *rec)
{
    sb_picture_origin(input, rec);
    return sb_picture_image(style, input, m, rec);
}
