/* Exif blocks: a TIFF header, and directories of entries of twelve bytes. See exif.h. */
#include "media/exif.h"

#include <stdio.h>
#include <string.h>

#include "media/exif_inner.h"

static uint32_t number(const uint8_t *p, int bytes, bool big)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint32_t)p[i] << 8 * (big ? bytes - 1 - i : i);
    return v;
}

uint32_t sb_exif_number(const struct sb_exif_block *b, const uint8_t *at, int bytes)
{
    return number(at, bytes, b->big);
}

const uint8_t *sb_exif_entry(const struct sb_exif_block *b, size_t at, uint32_t tag)
{
    if (b->size < 2 || at > b->size - 2) return NULL;
    uint32_t count = number(b->data + at, 2, b->big);
    for (at += 2; count > 0 && at + 12 <= b->size; count--, at += 12)
        if (number(b->data + at, 2, b->big) == tag) return b->data + at;
    return NULL;
}

const uint8_t *sb_exif_values(const struct sb_exif_block *b, size_t directory, uint32_t tag, uint32_t type,
                              uint32_t *count)
{
    static const size_t bytes[] = {[SB_EXIF_BYTE] = 1, [SB_EXIF_ASCII] = 1,    [SB_EXIF_SHORT] = 2,
                                   [SB_EXIF_LONG] = 4, [SB_EXIF_RATIONAL] = 8, [SB_EXIF_ANY] = 1};
    const uint8_t *e = sb_exif_entry(b, directory, tag);
    if (!e || number(e + 2, 2, b->big) != type) return NULL;
    *count = number(e + 4, 4, b->big);
    size_t size = *count * bytes[type], at = number(e + 8, 4, b->big);
    if (size <= 4) return e + 8;
    return at > b->size || size > b->size - at ? NULL : b->data + at;
}

size_t sb_exif_directory(const struct sb_exif_block *b, size_t first, uint32_t tag)
{
    const uint8_t *e = sb_exif_entry(b, first, tag);
    return e ? number(e + 8, 4, b->big) : 0;
}

bool sb_exif_open(struct sb_exif_block *b, const uint8_t *data, size_t size, size_t *directory)
{
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0)) return false;
    *b = (struct sb_exif_block){data, size, data[0] == 'M'};
    *directory = number(data + 4, 4, b->big);
    return true;
}

/* An entry's text without the blanks at its end; "" if there is none. */
static void text_of(const struct sb_exif_block *b, size_t directory, uint32_t tag, char *text, size_t size)
{
    uint32_t length = 0;
    const uint8_t *from = sb_exif_values(b, directory, tag, SB_EXIF_ASCII, &length);
    text[0] = 0;
    if (!from || length >= size) return;
    memcpy(text, from, length);
    text[length] = 0;
    for (size_t end = strlen(text); end > 0 && text[end - 1] == ' ';) text[--end] = 0;
}

int sb_exif_orientation(const uint8_t *block, size_t size)
{
    struct sb_exif_block b;
    size_t directory;
    const uint8_t *e =
        sb_exif_open(&b, block, size, &directory) ? sb_exif_entry(&b, directory, SB_TAG_ORIENTATION) : NULL;
    if (!e || number(e + 2, 2, b.big) != SB_EXIF_SHORT) return 1;
    uint32_t v = number(e + 8, 2, b.big);
    return v >= 1 && v <= 8 ? (int)v : 1;
}

bool sb_exif_taken(const uint8_t *block, size_t size, char text[SB_EXIF_TAKEN])
{
    struct sb_exif_block b;
    size_t first;
    char taken[24], fraction[12], offset[12];
    size_t directory = sb_exif_open(&b, block, size, &first) ? sb_exif_directory(&b, first, SB_TAG_EXIF) : 0;
    if (!directory) return false;
    text_of(&b, directory, SB_TAG_TAKEN, taken, sizeof taken);
    text_of(&b, directory, SB_TAG_TAKEN_FRACTION, fraction, sizeof fraction);
    text_of(&b, directory, SB_TAG_TAKEN_OFFSET, offset, sizeof offset);
    snprintf(text, SB_EXIF_TAKEN, "%s%s%s%s", taken, *fraction ? "." : "", fraction, offset);
    return taken[strspn(taken, " :")] != 0; /* a camera whose clock was never set leaves blanks */
}

int sb_jpeg_segment(const uint8_t *p, size_t size, size_t *at, size_t *length)
{
    size_t i = *at;
    int marker;
    do {
        while (i < size && p[i] != 0xff) i++;
        while (i + 1 < size && p[i + 1] == 0xff) i++;
        if (size < 4 || i > size - 4) return 0;
        marker = p[i + 1];
        i += 2;
    } while (marker <= 1 || (marker >= 0xd0 && marker <= 0xd7));
    *at = i - 2;
    *length = 2 + number(p + i, 2, true);
    return marker < 0xc0 || (marker >= 0xd8 && marker <= 0xda) || *length < 4 ? 0 : marker;
}

bool sb_jpeg_is_exif(const uint8_t *segment, size_t length)
{
    return segment[1] == 0xe1 && length >= 10 && memcmp(segment + 4, "Exif\0\0", 6) == 0;
}

static bool find_in_jpeg(const uint8_t *p, size_t size, const uint8_t **block, size_t *block_size)
{
    size_t length;
    for (size_t at = 2; at < size && sb_jpeg_segment(p, size, &at, &length); at += length) {
        size_t here = length < size - at ? length : size - at;
        if (!sb_jpeg_is_exif(p + at, here)) continue;
        *block = p + at + 10;
        *block_size = here - 10;
        return true;
    }
    return false;
}

static bool find_in_png(const uint8_t *p, size_t size, const uint8_t **block, size_t *block_size)
{
    for (size_t at = 8; at + 8 <= size;) {
        size_t length = number(p + at, 4, true), here = size - at - 8;
        if (memcmp(p + at + 4, "eXIf", 4) == 0) {
            *block = p + at + 8;
            *block_size = length < here ? length : here;
            return true;
        }
        at += 12 + length;
    }
    return false;
}

bool sb_exif_find(const uint8_t *file, size_t size, const uint8_t **block, size_t *block_size)
{
    if (size > 2 && file[0] == 0xff && file[1] == 0xd8) return find_in_jpeg(file, size, block, block_size);
    if (size > 8 && memcmp(file, "\x89PNG\r\n\x1a\n", 8) == 0) return find_in_png(file, size, block, block_size);
    return false;
}
