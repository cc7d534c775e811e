/* PNG through libpng. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "media/codec.h"
#include "media/exif.h"

struct source {
    const uint8_t *data;
    size_t size, at;
};

struct coder {
    png_structp png;
    png_infop info;
    jmp_buf back;
    struct source source;
    struct sb_buffer *out;
    const struct sb_decoding *how;
    int orientation;
    png_bytep *row;
    uint8_t *wide; /* pixels that are not yet RGB of 8 bits */
};

static _Noreturn void on_error(png_structp png, png_const_charp text)
{
    struct coder *c = png_get_error_ptr(png);
    sb_error("broken PNG: %s", text);
    longjmp(c->back, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static _Noreturn void fail(struct coder *c) { longjmp(c->back, 1); /* after sb_error() */ }

/* ---- decoding --------------------------------------------------------------------------------------------------- */

static void take(png_structp png, png_bytep to, size_t n)
{
    struct coder *c = png_get_io_ptr(png);
    if (n > c->source.size - c->source.at) {
        sb_error("the PNG is cut off");
        fail(c);
    }
    memcpy(to, c->source.data + c->source.at, n);
    c->source.at += n;
}

/* Everything becomes 8-bit RGB, but for 16-bit samples and alpha where there is more to be done with them. Colour
 * profiles and gamma are left alone. */
static void wish_rgb(png_structp png, png_infop info, const struct sb_decoding *how)
{
    int type = png_get_color_type(png, info);
    bool marked = png_get_valid(png, info, PNG_INFO_tRNS); /* one colour, or some of a palette, is transparent */
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (!(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
    if (!how->bits || how->bits == 16) png_set_strip_16(png);
    if (how->over && marked) png_set_tRNS_to_alpha(png);
    if (!how->over) png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* Pillow's division by 255, which rounds. */
static uint8_t blend(unsigned sample, unsigned background, unsigned alpha)
{
    unsigned t = sample * alpha + background * (255 - alpha) + 128;
    return (uint8_t)(((t >> 8) + t) >> 8);
}

/* Pixels of 3 or 4 samples, of one or two bytes, to RGB. */
static void narrow(const uint8_t *wide, uint8_t *rgb, size_t pixels, int channels, int bytes,
                   const struct sb_decoding *how)
{
    for (size_t i = 0; i < pixels; i++, wide += channels * bytes, rgb += 3)
        for (int c = 0; c < 3; c++) {
            const uint8_t *at = wide + c * bytes;
            rgb[c] = bytes == 2 ? sb_sample_eight(at[0] * 256u + at[1], how->bits) : at[0];
            if (channels == 4) rgb[c] = blend(rgb[c], how->background[c], wide[3 * bytes]);
        }
}

static void read_pixels(struct coder *c, struct sb_picture *p)
{
    size_t w = (size_t)p->width, h = (size_t)p->height, row = png_get_rowbytes(c->png, c->info);
    int channels = png_get_channels(c->png, c->info), bytes = png_get_bit_depth(c->png, c->info) / 8;
    if (channels < 3 || channels > 4 || bytes < 1 || row != w * (size_t)channels * (size_t)bytes) {
        sb_error("broken PNG: its pixels do not become RGB");
        fail(c);
    }
    bool direct = row == w * 3;
    if (!direct) c->wide = sb_malloc(h * row);
    c->row = sb_malloc(h * sizeof *c->row);
    for (size_t y = 0; y < h; y++) c->row[y] = (direct ? p->rgb : c->wide) + y * row;
    png_read_image(c->png, c->row);
    if (!direct) narrow(c->wide, p->rgb, w * h, channels, bytes, c->how);
}

static int exif_orientation(png_structp png, png_infop info)
{
    png_bytep tiff;
    png_uint_32 size;
    return png_get_eXIf_1(png, info, &size, &tiff) ? sb_exif_orientation(tiff, size) : 1;
}

static void decode(struct coder *c, struct sb_picture *p)
{
    c->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, c, on_error, on_warning);
    c->info = c->png ? png_create_info_struct(c->png) : NULL;
    if (!c->info) {
        sb_error("out of memory for a PNG");
        fail(c);
    }
    png_set_user_limits(c->png, 0x7fffffff, 0x7fffffff); /* sb_picture_size() has the say */
    png_set_chunk_malloc_max(c->png, 16u << 20);
    png_set_read_fn(c->png, c, take);
    png_read_info(c->png, c->info);
    png_uint_32 w = png_get_image_width(c->png, c->info), h = png_get_image_height(c->png, c->info);
    /* Deflate packs at most 1,032 to one. */
    if (png_get_rowbytes(c->png, c->info) > 1032 * c->source.size / h + 1) {
        sb_error("broken PNG: %zu bytes can't hold %u x %u pixels", c->source.size, (unsigned)w, (unsigned)h);
        fail(c);
    }
    if (sb_picture_size(p, (int)w, (int)h) < 0) fail(c);
    wish_rgb(c->png, c->info, c->how);
    read_pixels(c, p);
    png_read_end(c->png, c->info);
    c->orientation = exif_orientation(c->png, c->info);
}

int sb_png_decode(struct sb_picture *p, const uint8_t *data, size_t size, const struct sb_decoding *how,
                  int *orientation)
{
    struct coder c = {.source = {data, size, 0}, .how = how};
    volatile int status = -1;
    if (setjmp(c.back) == 0) {
        decode(&c, p);
        status = 0;
    }
    *orientation = c.orientation;
    free(c.row);
    free(c.wide);
    png_destroy_read_struct(&c.png, &c.info, NULL);
    return status;
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

static void give(png_structp png, png_bytep from, size_t n)
{
    sb_buffer_add(((struct coder *)png_get_io_ptr(png))->out, from, n);
}

static void flush(png_structp png) { (void)png; }

static void encode(struct coder *c, const struct sb_picture *p)
{
    c->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, c, on_error, on_warning);
    c->info = c->png ? png_create_info_struct(c->png) : NULL;
    if (!c->info) {
        sb_error("out of memory for a PNG");
        fail(c);
    }
    c->out->size = 0;
    png_set_write_fn(c->png, c, give, flush);
    png_set_user_limits(c->png, 0x7fffffff, 0x7fffffff);
    png_set_IHDR(c->png, c->info, (png_uint_32)p->width, (png_uint_32)p->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(c->png, 3);
    png_set_filter(c->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB | PNG_FILTER_UP | PNG_FILTER_PAETH);
    png_write_info(c->png, c->info);
    for (int y = 0; y < p->height; y++) png_write_row(c->png, p->rgb + (size_t)y * p->width * 3);
    png_write_end(c->png, NULL);
}

int sb_png_encode(const struct sb_picture *p, struct sb_buffer *out)
{
    struct coder c = {.out = out};
    volatile int status = -1;
    if (setjmp(c.back) == 0) {
        encode(&c, p);
        status = 0;
    }
    png_destroy_write_struct(&c.png, &c.info);
    return status;
}
