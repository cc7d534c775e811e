#include "media/picture_note.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/err.h"
#include "media/codec.h"
#include "media/exif.h"
#include "media/exif_inner.h"

/* ---- JPEG: a segment APP1, behind the JFIF one that wants to be the first ---- */

static void add_segment(struct sb_buffer *out, const struct sb_buffer *block)
{
    size_t length = block->size + 8;
    uint8_t head[10] = {0xff, 0xe1, (uint8_t)(length >> 8), (uint8_t)length, 'E', 'x', 'i', 'f', 0, 0};
    sb_buffer_add(out, head, sizeof head);
    sb_buffer_add(out, block->data, block->size);
}

static void note_jpeg(struct sb_buffer *out, const uint8_t *file, size_t size, const struct sb_buffer *block)
{
    bool done = false;
    size_t from = 2, at = 2, length;
    int marker;
    sb_buffer_add(out, file, 2);
    while ((marker = sb_jpeg_segment(file, size, &at, &length)) && length <= size - at) {
        sb_buffer_add(out, file + from, at - from);
        if (!done && marker != 0xe0) {
            add_segment(out, block);
            done = true;
        }
        if (!sb_jpeg_is_exif(file + at, length)) sb_buffer_add(out, file + at, length);
        from = at += length;
    }
    if (!done) add_segment(out, block);
    sb_buffer_add(out, file + from, size - from);
}

/* ---- PNG: a chunk eXIf, behind the header ---- */

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void add_big(struct sb_buffer *out, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    sb_buffer_add(out, b, sizeof b);
}

static uint32_t chunk_crc(const uint8_t *name, size_t size) { return (uint32_t)crc32(0, name, (uInt)size); }

static void add_chunk(struct sb_buffer *out, const struct sb_buffer *block)
{
    add_big(out, (uint32_t)block->size);
    size_t name = out->size;
    sb_buffer_add(out, "eXIf", 4);
    sb_buffer_add(out, block->data, block->size);
    add_big(out, chunk_crc(out->data + name, out->size - name));
}

/* Readers pass over a chunk whose sum is wrong: what it says does not count. */
static bool is_true(const uint8_t *file, size_t size, const uint8_t *block, size_t block_size)
{
    return size - (size_t)(block - file) >= block_size + 4 &&
           chunk_crc(block - 4, block_size + 4) == big(block + block_size);
}

static int note_png(struct sb_buffer *out, const uint8_t *file, size_t size, const struct sb_buffer *block)
{
    sb_buffer_add(out, file, 8);
    for (size_t at = 8; size - at >= 12;) {
        const uint8_t *p = file + at;
        size_t length = (size_t)big(p) + 12;
        if (length > size - at) break;
        if (memcmp(p + 4, "eXIf", 4)) sb_buffer_add(out, p, length);
        if (at == 8) add_chunk(out, block);
        at += length;
        if (memcmp(p + 4, "IEND", 4)) continue;
        sb_buffer_add(out, file + at, size - at);
        return 0;
    }
    return sb_error("the PNG is cut off");
}

int sb_picture_note(struct sb_buffer *out, const uint8_t *file, size_t size, const struct sb_exif_note *note)
{
    struct sb_buffer block = {0};
    const uint8_t *old = NULL;
    size_t old_size = 0;
    int rc = 0;
    out->size = 0;
    if (!sb_is_jpeg(file, size) && !sb_is_png(file, size)) return sb_error("it is neither a JPEG nor a PNG");
    if (sb_exif_find(file, size, &old, &old_size) && sb_is_png(file, size) && !is_true(file, size, old, old_size))
        old_size = 0;
    sb_exif_note_write(&block, old, old_size, note);
    if (sb_is_jpeg(file, size)) {
        note_jpeg(out, file, size, &block);
    } else {
        rc = note_png(out, file, size, &block);
    }
    free(block.data);
    return rc;
}
