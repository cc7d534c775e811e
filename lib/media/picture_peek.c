#include "media/picture_peek.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "media/codec.h"
#include "media/exif.h"

static int big16(const uint8_t *p) { return p[0] << 8 | p[1]; }

/* A frame header (SOF0 to SOF15, but for the tables and the extension that stand among them) holds the size. */
static bool is_frame_header(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static bool peek_jpeg(FILE *f, int *width, int *height)
{
    uint8_t m[4], size[5];
    if (fseek(f, 2, SEEK_SET) < 0) return false;
    while (fread(m, 1, 4, f) == 4 && m[0] == 0xff) {
        if (m[1] == 0xff) { /* a byte that fills */
            if (fseek(f, -3, SEEK_CUR) < 0) return false;
            continue;
        }
        if (is_frame_header(m[1])) {
            if (fread(size, 1, 5, f) != 5) return false;
            *height = big16(size + 1);
            *width = big16(size + 3);
            return true;
        }
        if (big16(m + 2) < 2 || fseek(f, big16(m + 2) - 2, SEEK_CUR) < 0) return false;
    }
    return false;
}

static bool peek_png(const uint8_t *head, int *width, int *height)
{
    *width = (int)((uint32_t)big16(head + 16) << 16 | (uint32_t)big16(head + 18));
    *height = (int)((uint32_t)big16(head + 20) << 16 | (uint32_t)big16(head + 22));
    return memcmp(head + 12, "IHDR", 4) == 0;
}

/* Whether it is stored lying on its side. */
static bool lies(FILE *f)
{
    enum { HEAD = 1 << 16 };
    const uint8_t *block;
    size_t size;
    uint8_t *head = sb_malloc(HEAD);
    rewind(f);
    size_t n = fread(head, 1, HEAD, f);
    bool turned = sb_exif_find(head, n, &block, &size) && sb_exif_orientation(block, size) >= 5;
    free(head);
    return turned;
}

static bool peek(FILE *f, int *width, int *height)
{
    uint8_t head[24] = {0};
    int w = 0, h = 0;
    size_t n = fread(head, 1, sizeof head, f);
    bool known =
        sb_is_png(head, n) ? n == sizeof head && peek_png(head, &w, &h) : sb_is_jpeg(head, n) && peek_jpeg(f, &w, &h);
    if (!known || w <= 0 || h <= 0 || (size_t)w > SB_PICTURE_MAX / (size_t)h) return false;
    bool turned = lies(f);
    *width = turned ? h : w;
    *height = turned ? w : h;
    return true;
}

int sb_picture_peek(const char *path, int *width, int *height)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    bool known = peek(f, width, height);
    fclose(f);
    return known ? 0 : sb_error("%s: its head does not say how large the picture is", path);
}

int sb_picture_peek_bytes(const uint8_t *data, size_t size, int *width, int *height)
{
    FILE *f = size ? fmemopen((void *)data, size, "rb") : NULL; /* only read */
    bool known = f && peek(f, width, height);
    if (f) fclose(f);
    return known ? 0 : sb_error("its head does not say how large the picture is");
}
