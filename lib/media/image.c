/* A record's picture. See image.h. */
#include "media/image.h"

#include <string.h>

#include "media/codec.h"
#include "media/picture_peek.h"

/* Samples to RGB: of 8 or 16 bits, one or three a pixel. */
static void spread(uint8_t *rgb, const struct sb_tensor *t, size_t pixels, int channels, int bits)
{
    const uint8_t *eight = t->data;
    const uint16_t *sixteen = t->data;
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++, rgb++) {
            size_t at = channels == 3 ? i * 3 + (size_t)c : i;
            *rgb = t->dtype == SB_U8 ? eight[at] : sb_sample_eight(sixteen[at], bits);
        }
}

/* The array of a picture; -1 with a message if it is of another shape. */
static int picture_tensor(struct sb_record *rec, const char *field, struct sb_tensor *t)
{
    char text[128];
    if (sb_get_tensor(rec, field, t) < 0) return -1;
    if ((t->dtype != SB_U8 && t->dtype != SB_U16) || t->ndim < 2 || t->ndim > 3 ||
        (t->ndim == 3 && t->shape[2] != 1 && t->shape[2] != 3) || t->shape[0] > INT32_MAX || t->shape[1] > INT32_MAX)
        return sb_error("field '%s' is %s, not a picture: u8 or u16, [H,W,3] or [H,W]", field,
                        sb_tensor_text(t, text, sizeof text));
    return 0;
}

static int from_tensor(struct sb_record *rec, const char *field, struct sb_picture *p, const struct sb_decoding *how)
{
    struct sb_tensor t;
    if (picture_tensor(rec, field, &t) < 0) return -1;
    int channels = t.ndim == 3 ? (int)t.shape[2] : 1, width = (int)t.shape[1], height = (int)t.shape[0];
    if (t.dtype == SB_U8 && channels == 3) return sb_picture_view(p, t.data, width, height) < 0 ? -1 : 1;
    if (sb_picture_size(p, width, height) < 0) return -1;
    spread(p->rgb, &t, (size_t)width * (size_t)height, channels, how->bits);
    return 1;
}

int sb_image_get_as(struct sb_record *rec, const char *field, struct sb_picture *p, const struct sb_decoding *how)
{
    const uint8_t *data;
    size_t size;
    const struct sb_field *f = sb_record_find(rec, field);
    if (!f) return 0;
    if (sb_field_is_tensor(f)) return from_tensor(rec, field, p, how);
    int found = sb_get_bin(rec, field, &data, &size);
    if (found < 0) return sb_error("field '%s' is no picture: neither a u8 tensor nor a JPEG or PNG", field);
    if (found == 0) return 0;
    if (sb_picture_decode_as(p, data, size, how) < 0) {
        char why[1024];
        snprintf(why, sizeof why, "%s", sb_error_message());
        return sb_error("field '%s': %s", field, why);
    }
    return 1;
}

int sb_image_get(struct sb_record *rec, const char *field, struct sb_picture *p)
{
    return sb_image_get_as(rec, field, p, &(struct sb_decoding){0});
}

int sb_image_jpeg(const struct sb_record *rec, const char *field, const uint8_t **data, size_t *size)
{
    const struct sb_field *f = sb_record_find(rec, field);
    return f && !sb_field_is_tensor(f) && sb_get_bin(rec, field, data, size) > 0 && sb_is_jpeg(*data, *size);
}

int sb_image_size(struct sb_record *rec, const char *field, int *width, int *height)
{
    struct sb_tensor t;
    const uint8_t *data;
    size_t size;
    const struct sb_field *f = sb_record_find(rec, field);
    if (f && sb_field_is_tensor(f)) {
        if (picture_tensor(rec, field, &t) < 0) return -1;
        *width = (int)t.shape[1];
        *height = (int)t.shape[0];
        return 1;
    }
    int found = f ? sb_get_bin(rec, field, &data, &size) : 0;
    if (found < 1) return found;
    return sb_picture_peek_bytes(data, size, width, height) < 0 ? -1 : 1;
}

int sb_image_encoding_parse(const char *word, enum sb_image_encoding *encoding)
{
    if (strcmp(word, "raw") == 0)
        *encoding = SB_IMAGE_RAW;
    else if (strcmp(word, "png") == 0)
        *encoding = SB_IMAGE_PNG;
    else if (strcmp(word, "jpeg") == 0)
        *encoding = SB_IMAGE_JPEG;
    else
        return sb_error("no such encoding: '%s' (raw, png or jpeg)", word);
    return 0;
}

int sb_image_set(struct sb_record *rec, const char *field, const struct sb_picture *p, enum sb_image_encoding encoding,
                 struct sb_buffer *scratch)
{
    if (encoding == SB_IMAGE_RAW) {
        struct sb_tensor t = {SB_U8, 3, {p->height, p->width, 3}, p->rgb};
        sb_set_tensor(rec, field, &t);
        return 0;
    }
    int status = encoding == SB_IMAGE_PNG ? sb_png_encode(p, scratch) : sb_jpeg_encode(p, SB_JPEG_QUALITY, scratch);
    if (status == 0) sb_set_bin(rec, field, scratch->data, scratch->size);
    return status;
}

void sb_set_parent_size(struct sb_record *rec, int64_t width, int64_t height)
{
    struct sb_buffer sides = {0};
    msgpack_packer pk;
    if (width <= 0 || height <= 0) return;
    msgpack_packer_init(&pk, &sides, sb_buffer_write);
    msgpack_pack_int64(&pk, width);
    msgpack_pack_int64(&pk, height);
    sb_set_list(rec, "parent_size", 2, sides.data, sides.size);
    free(sides.data);
}

int sb_get_parent_size(struct sb_record *rec, int *width, int *height)
{
    msgpack_object o;
    int rc = sb_get_object(rec, "parent_size", &o);
    if (rc < 1) return rc;
    bool pair = o.type == MSGPACK_OBJECT_ARRAY && o.via.array.size == 2;
    for (uint32_t i = 0; pair && i < 2; i++) {
        const msgpack_object *side = &o.via.array.ptr[i];
        pair = side->type == MSGPACK_OBJECT_POSITIVE_INTEGER && side->via.u64 > 0 && side->via.u64 <= INT32_MAX;
    }
    if (!pair) return sb_error("field 'parent_size' is not [width, height]");
    *width = (int)o.via.array.ptr[0].via.u64;
    *height = (int)o.via.array.ptr[1].via.u64;
    return 1;
}
