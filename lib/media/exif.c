/* Exif blocks: a TIFF header, and directories of entries of twelve bytes. See exif.h. */
#include "media/exif.h"

#include <stdio.h>
#include <string.h>

enum {
    ORIENTATION = 0x0112,
    EXIF_DIRECTORY = 0x8769,
    TAKEN = 0x9003,
    TAKEN_OFFSET = 0x9011,
    TAKEN_FRACTION = 0x9291,
    ASCII = 2,
    SHORT = 3
};

struct block {
    const uint8_t *data;
    size_t size;
    bool big; /* endian */
};

static uint32_t number(const uint8_t *p, int bytes, bool big)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint32_t)p[i] << 8 * (big ? bytes - 1 - i : i);
    return v;
}

/* An entry of the directory that begins at `at`. */
static const uint8_t *entry(const struct block *b, size_t at, uint32_t tag)
{
    if (b->size < 2 || at > b->size - 2) return NULL;
    uint32_t count = number(b->data + at, 2, b->big);
    for (at += 2; count > 0 && at + 12 <= b->size; count--, at += 12)
        if (number(b->data + at, 2, b->big) == tag) return b->data + at;
    return NULL;
}

/* An entry's text without the blanks at its end; "" if there is none. */
static void text_of(const struct block *b, size_t directory, uint32_t tag, char *text, size_t size)
{
    const uint8_t *e = entry(b, directory, tag);
    text[0] = 0;
    if (!e || number(e + 2, 2, b->big) != ASCII) return;
    size_t length = number(e + 4, 4, b->big), at = number(e + 8, 4, b->big);
    const uint8_t *from = length <= 4 ? e + 8 : b->data + at;
    if (length >= size || (length > 4 && (at > b->size || length > b->size - at))) return;
    memcpy(text, from, length);
    text[length] = 0;
    for (length = strlen(text); length > 0 && text[length - 1] == ' ';) text[--length] = 0;
}

/* Whether there is a block of that kind, and where its first directory begins. */
static bool open_block(struct block *b, const uint8_t *data, size_t size, size_t *directory)
{
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0)) return false;
    *b = (struct block){data, size, data[0] == 'M'};
    *directory = number(data + 4, 4, b->big);
    return true;
}

int sb_exif_orientation(const uint8_t *block, size_t size)
{
    struct block b;
    size_t directory;
    const uint8_t *e = open_block(&b, block, size, &directory) ? entry(&b, directory, ORIENTATION) : NULL;
    if (!e || number(e + 2, 2, b.big) != SHORT) return 1;
    uint32_t v = number(e + 8, 2, b.big);
    return v >= 1 && v <= 8 ? (int)v : 1;
}

bool sb_exif_taken(const uint8_t *block, size_t size, char text[SB_EXIF_TAKEN])
{
    struct block b;
    size_t first;
    char taken[24], fraction[12], offset[12];
    const uint8_t *e = open_block(&b, block, size, &first) ? entry(&b, first, EXIF_DIRECTORY) : NULL;
    if (!e) return false;
    size_t directory = number(e + 8, 4, b.big);
    text_of(&b, directory, TAKEN, taken, sizeof taken);
    text_of(&b, directory, TAKEN_FRACTION, fraction, sizeof fraction);
    text_of(&b, directory, TAKEN_OFFSET, offset, sizeof offset);
    snprintf(text, SB_EXIF_TAKEN, "%s%s%s%s", taken, *fraction ? "." : "", fraction, offset);
    return taken[strspn(taken, " :")] != 0; /* a camera whose clock was never set leaves blanks */
}

static bool find_in_jpeg(const uint8_t *p, size_t size, const uint8_t **block, size_t *block_size)
{
    for (size_t at = 2; at + 4 <= size && p[at] == 0xff && p[at + 1] != 0xda;) {
        size_t length = number(p + at + 2, 2, true), here = size - at - 2;
        bool exif = p[at + 1] == 0xe1 && length >= 8 && here >= 8 && memcmp(p + at + 4, "Exif\0\0", 6) == 0;
        if (exif) {
            *block = p + at + 10;
            *block_size = (length < here ? length : here) - 8;
            return true;
        }
        at += 2 + (length < 2 ? 2 : length);
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
