/* Pictures: memory, and which decoder takes which bytes. */
#include "media/picture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "media/codec.h"
#include "media/orient.h"

int sb_picture_fits(int w, int h)
{
    if (w >= 1 && h >= 1 && (size_t)w <= SB_PICTURE_MAX / (size_t)h) return 0;
    return sb_error("a picture of %d x %d pixels is refused (at least 1 x 1, at most %zu pixels)", w, h,
                    SB_PICTURE_MAX);
}

int sb_picture_size(struct sb_picture *p, int w, int h)
{
    if (sb_picture_fits(w, h) < 0) return -1;
    size_t need = (size_t)w * (size_t)h * 3 + 64; /* FFmpeg's vector code writes past the end of a row */
    if (need > p->cap) {
        free(p->own); /* the old pixels are not kept: realloc would copy them */
        p->own = p->rgb = NULL;
        p->cap = 0;
        p->own = sb_malloc(need);
        p->cap = need;
    }
    p->rgb = p->own;
    p->width = w;
    p->height = h;
    return 0;
}

int sb_picture_view(struct sb_picture *p, const uint8_t *rgb, int w, int h)
{
    if (sb_picture_fits(w, h) < 0) return -1;
    p->rgb = (uint8_t *)(uintptr_t)rgb;
    p->width = w;
    p->height = h;
    return 0;
}

void sb_picture_free(struct sb_picture *p)
{
    free(p->own);
    *p = (struct sb_picture){0};
}

bool sb_is_jpeg(const uint8_t *data, size_t size) { return size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0; }

bool sb_is_png(const uint8_t *data, size_t size) { return size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0; }

static int decode(struct sb_picture *p, const uint8_t *data, size_t size, const struct sb_decoding *how,
                  int *orientation)
{
    if (sb_is_jpeg(data, size)) return sb_jpeg_decode(p, data, size, orientation);
    if (sb_is_png(data, size)) return sb_png_decode(p, data, size, how, orientation);
    return sb_error("neither a JPEG nor a PNG");
}

int sb_picture_decode_as(struct sb_picture *p, const uint8_t *data, size_t size, const struct sb_decoding *how)
{
    int orientation = 1;
    struct sb_picture scratch = {0};
    int status = decode(p, data, size, how, &orientation);
    if (status == 0 && !how->stored) status = sb_picture_upright(p, orientation, &scratch);
    sb_picture_free(&scratch);
    return status;
}

int sb_picture_decode(struct sb_picture *p, const uint8_t *data, size_t size)
{
    return sb_picture_decode_as(p, data, size, &(struct sb_decoding){0});
}

/* A file is read whole; what is no picture is noticed by its first bytes, before that. */
static int read_file(FILE *f, const char *path, struct sb_buffer *b)
{
    struct stat st;
    if (fstat(fileno(f), &st) < 0) return sb_error("%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return sb_error("%s: is a folder", path);
    SB_GROW(b->data, b->cap, 65536);
    for (;;) {
        size_t n = fread(b->data + b->size, 1, b->cap - b->size, f);
        b->size += n;
        if (b->size < b->cap) break;
        if (!sb_is_jpeg(b->data, b->size) && !sb_is_png(b->data, b->size)) break;
        SB_GROW(b->data, b->cap, b->cap * 2);
    }
    if (ferror(f)) return sb_error("%s: can't be read: %s", path, strerror(errno));
    return 0;
}

static int load_file(const char *path, struct sb_buffer *b)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    b->size = 0;
    int status = read_file(f, path, b);
    fclose(f);
    return status;
}

static int fail(const char *path)
{
    char why[1024];
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", path, why);
}

static int load(struct sb_picture *p, const char *path, struct sb_buffer *b, const struct sb_decoding *how)
{
    if (load_file(path, b) < 0) return -1;
    return sb_picture_decode_as(p, b->data, b->size, how) < 0 ? fail(path) : 0;
}

int sb_picture_load_bytes(struct sb_picture *p, const char *path, struct sb_buffer *b)
{
    return load(p, path, b, &(struct sb_decoding){0});
}

int sb_jpeg_load(const char *path, struct sb_buffer *b)
{
    if (load_file(path, b) < 0) return -1;
    if (!sb_is_jpeg(b->data, b->size)) return 0;
    return sb_jpeg_check(b->data, b->size) < 0 ? fail(path) : 1;
}

int sb_picture_load_as(struct sb_picture *p, const char *path, const struct sb_decoding *how)
{
    struct sb_buffer b = {0};
    int status = load(p, path, &b, how);
    free(b.data);
    return status;
}

int sb_picture_load(struct sb_picture *p, const char *path)
{
    return sb_picture_load_as(p, path, &(struct sb_decoding){0});
}
