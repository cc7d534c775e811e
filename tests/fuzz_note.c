/* libFuzzer target: any bytes behind the first, which is fuzz_picture's, as a JPEG or PNG that a note is put into. What
 * decodes, decodes to the same pixels with it, and the note is read again. Run: make fuzz && build/fuzz_note
 * -max_len=4096 tests/corpus/note tests/corpus/picture */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/exif.h"
#include "media/picture.h"
#include "media/picture_note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const uint8_t *a, size_t a_size, const struct sb_buffer *b)
{
    struct sb_picture p = {0}, q = {0};
    if (sb_picture_decode(&p, a, a_size) == 0) {
        if (sb_picture_decode(&q, b->data, b->size)) abort();
        if (p.width != q.width || p.height != q.height) abort();
        if (memcmp(p.rgb, q.rgb, (size_t)p.width * (size_t)p.height * 3)) abort();
    }
    sb_picture_free(&p);
    sb_picture_free(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_exif_note said, note = {.id = "abc",
                                      .id_size = 3,
                                      .text = "fish",
                                      .text_size = 4,
                                      .time = 1783087509.25,
                                      .latitude = 36.5,
                                      .longitude = -122,
                                      .depth = 800};
    struct sb_buffer out = {0};
    const uint8_t *block;
    size_t block_size;
    if (size < 1) return 0;
    data++;
    size--;
    if (sb_picture_note(&out, data, size, &note) == 0) {
        if (!sb_exif_find(out.data, out.size, &block, &block_size)) abort();
        sb_exif_note_read(block, block_size, &said);
        if (said.time != note.time || said.id_size != 3 || memcmp(said.id, "abc", 3) || said.latitude != 36.5 ||
            said.longitude != -122 || said.depth != 800)
            abort();
        same(data, size, &out);
    }
    free(out.data);
    return 0;
}
