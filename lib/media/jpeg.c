/* JPEG through libjpeg-turbo, with its defaults: the exact integer DCT and smooth chroma upsampling, as Pillow has. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "media/codec.h"
#include "media/exif.h"
#include "media/thumb.h"

#define MOST_SCANS 200 /* a progressive file has about ten; each costs a pass over the whole picture */

struct trap {
    struct jpeg_error_mgr base;
    jmp_buf back;
};

static _Noreturn void on_error(j_common_ptr j)
{
    char text[JMSG_LENGTH_MAX];
    j->err->format_message(j, text);
    sb_error("broken JPEG: %s", text);
    longjmp(((struct trap *)j->err)->back, 1);
}

/* Libjpeg only warns of a file that ends early and paints the rest grey: for us that is an error. */
static void on_message(j_common_ptr j, int level)
{
    if (level >= 0 || j->err->msg_code != JWRN_JPEG_EOF) return;
    sb_error("the JPEG is cut off");
    longjmp(((struct trap *)j->err)->back, 1);
}

static void on_output(j_common_ptr j) { (void)j; }

static void on_progress(j_common_ptr j)
{
    if (!j->is_decompressor || ((j_decompress_ptr)j)->input_scan_number <= MOST_SCANS) return;
    sb_error("broken JPEG: more than %d scans", MOST_SCANS);
    longjmp(((struct trap *)j->err)->back, 1);
}

static struct jpeg_error_mgr *trap_init(struct trap *t)
{
    struct jpeg_error_mgr *e = jpeg_std_error(&t->base);
    e->error_exit = on_error;
    e->emit_message = on_message;
    e->output_message = on_output;
    return e;
}

/* ---- decoding --------------------------------------------------------------------------------------------------- */

struct decoder {
    struct jpeg_decompress_struct j;
    struct jpeg_progress_mgr progress;
    struct trap trap;
    int width, height, shrunk; /* of a glance; the last is a divisor */
    uint8_t *grey;
};

static int exif_orientation(struct jpeg_decompress_struct *j)
{
    for (jpeg_saved_marker_ptr m = j->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return sb_exif_orientation(m->data + 6, m->data_length - 6);
    return 1;
}

/* Adobe's convention, which all CMYK JPEGs are taken to follow: samples are stored inverted. */
static void row_from_cmyk(uint8_t *row, const uint8_t *cmyk, int width)
{
    for (int x = 0; x < width; x++, row += 3, cmyk += 4) {
        for (int c = 0; c < 3; c++) {
            unsigned t = (255u - cmyk[c]) * cmyk[3] + 128;
            row[c] = (uint8_t)(cmyk[3] - (((t >> 8) + t) >> 8));
        }
    }
}

/* Runs under the trap: locals that are needed after it live in the struct. */
static void read_header(struct decoder *d, const uint8_t *data, size_t size)
{
    struct jpeg_decompress_struct *j = &d->j;
    jpeg_create_decompress(j);
    j->progress = &d->progress;
    jpeg_save_markers(j, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(j, data, size);
    jpeg_read_header(j, TRUE);
    /* An 8 x 8 block takes at least a bit with Huffman codes, so a short file with large sides is a lie. */
    if (!j->arith_code && (size_t)j->image_width * j->image_height / 1024 > size) {
        sb_error("broken JPEG: %zu bytes can't hold %u x %u pixels", size, j->image_width, j->image_height);
        longjmp(d->trap.back, 1);
    }
}

static void decode(struct decoder *d, struct sb_picture *p, const uint8_t *data, size_t size)
{
    struct jpeg_decompress_struct *j = &d->j;
    read_header(d, data, size);
    if (sb_picture_size(p, (int)j->image_width, (int)j->image_height) < 0) longjmp(d->trap.back, 1);
    bool cmyk = j->num_components == 4;
    j->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(j);
    JSAMPARRAY line = cmyk ? j->mem->alloc_sarray((j_common_ptr)j, JPOOL_IMAGE, j->output_width * 4, 1) : NULL;
    while (j->output_scanline < j->output_height) {
        uint8_t *row = p->rgb + (size_t)j->output_scanline * j->output_width * 3;
        if (cmyk) {
            jpeg_read_scanlines(j, line, 1);
            row_from_cmyk(row, line[0], p->width);
        } else {
            jpeg_read_scanlines(j, &row, 1);
        }
    }
}

int sb_jpeg_decode(struct sb_picture *p, const uint8_t *data, size_t size, int *orientation)
{
    struct decoder d = {0};
    d.j.err = trap_init(&d.trap);
    d.progress.progress_monitor = on_progress;
    if (setjmp(d.trap.back)) {
        jpeg_destroy_decompress(&d.j);
        return -1;
    }
    decode(&d, p, data, size);
    *orientation = exif_orientation(&d.j);
    jpeg_destroy_decompress(&d.j);
    return 0;
}

/* ---- a glance ---------------------------------------------------------------------------------------------------- */

/* As decode(): the brightness alone, shrunk. Four components are left to those who know how they are inverted. */
static void decode_grey(struct decoder *d, const uint8_t *data, size_t size)
{
    struct jpeg_decompress_struct *j = &d->j;
    read_header(d, data, size);
    d->width = (int)j->image_width;
    d->height = (int)j->image_height;
    if (sb_picture_fits(d->width, d->height) < 0) longjmp(d->trap.back, 1);
    if (j->num_components == 4) return;
    j->out_color_space = JCS_GRAYSCALE;
    d->shrunk = sb_thumb_shrink(d->width, d->height);
    j->scale_num = 1;
    j->scale_denom = (unsigned)d->shrunk;
    jpeg_calc_output_dimensions(j);
    d->grey = sb_malloc((size_t)j->output_width * j->output_height);
    jpeg_start_decompress(j);
    while (j->output_scanline < j->output_height) {
        uint8_t *row = d->grey + (size_t)j->output_scanline * j->output_width;
        jpeg_read_scanlines(j, &row, 1);
    }
}

int sb_jpeg_thumb(const uint8_t *data, size_t size, struct sb_thumb *thumb)
{
    struct decoder d = {0};
    d.j.err = trap_init(&d.trap);
    d.progress.progress_monitor = on_progress;
    int status = -1;
    if (!setjmp(d.trap.back)) {
        decode_grey(&d, data, size);
        status = 0;
    }
    int orientation = status == 0 ? exif_orientation(&d.j) : 1;
    jpeg_destroy_decompress(&d.j);
    if (d.grey) {
        if (status == 0) sb_thumb_squeeze(thumb, d.grey, d.width, d.height, d.shrunk);
        if (status == 0) sb_thumb_upright(thumb, orientation);
        free(d.grey);
    } else if (status == 0) {
        struct sb_picture p = {0};
        status = sb_picture_decode(&p, data, size);
        if (status == 0) sb_picture_thumb(&p, thumb);
        sb_picture_free(&p);
    }
    return status;
}

/* From behind: it stands there, as a rule, and what is between are hundreds of kilobytes. */
static bool has_end(const uint8_t *scan, const uint8_t *end)
{
    while ((end = memrchr(scan, 0xd9, (size_t)(end - scan))))
        if (end > scan && end[-1] == 0xff) return true;
    return false;
}

/* An end of image behind the first scan's start: where it lacks, decoding would find the file cut off. And tables that
 * decoding can begin with. */
static void look_for_end(struct decoder *d, const uint8_t *data, size_t size)
{
    struct jpeg_decompress_struct *j = &d->j;
    read_header(d, data, size);
    if (sb_picture_fits((int)j->image_width, (int)j->image_height) < 0) longjmp(d->trap.back, 1);
    const uint8_t *scan = j->src->next_input_byte;
    if (!has_end(scan, data + size)) {
        sb_error("the JPEG is cut off");
        longjmp(d->trap.back, 1);
    }
    j->scale_num = 1;
    j->scale_denom = 8;
    jpeg_start_decompress(j);
}

int sb_jpeg_check(const uint8_t *data, size_t size)
{
    struct decoder d = {0};
    d.j.err = trap_init(&d.trap);
    d.progress.progress_monitor = on_progress;
    int status = -1;
    if (!setjmp(d.trap.back)) {
        look_for_end(&d, data, size);
        status = 0;
    }
    jpeg_destroy_decompress(&d.j);
    return status;
}

/* ---- encoding --------------------------------------------------------------------------------------------------- */

struct encoder {
    struct jpeg_compress_struct j;
    struct jpeg_destination_mgr base;
    struct trap trap;
    struct sb_buffer *out;
};

static struct encoder *encoder_of(j_compress_ptr j) { return (struct encoder *)j; /* its first member */ }

static void room(struct encoder *e)
{
    SB_GROW(e->out->data, e->out->cap, e->out->size + 65536);
    e->base.next_output_byte = e->out->data + e->out->size;
    e->base.free_in_buffer = e->out->cap - e->out->size;
}

static void output_start(j_compress_ptr j)
{
    encoder_of(j)->out->size = 0;
    room(encoder_of(j));
}

/* Called when the buffer is full to the last byte. */
static boolean output_full(j_compress_ptr j)
{
    struct encoder *e = encoder_of(j);
    e->out->size = e->out->cap;
    room(e);
    return TRUE;
}

static void output_end(j_compress_ptr j)
{
    struct encoder *e = encoder_of(j);
    e->out->size = e->out->cap - e->base.free_in_buffer;
}

static void encode(struct encoder *e, const struct sb_picture *p, int quality)
{
    struct jpeg_compress_struct *j = &e->j;
    jpeg_create_compress(j);
    e->base = (struct jpeg_destination_mgr){
        .init_destination = output_start, .empty_output_buffer = output_full, .term_destination = output_end};
    j->dest = &e->base;
    j->image_width = (JDIMENSION)p->width;
    j->image_height = (JDIMENSION)p->height;
    j->input_components = 3;
    j->in_color_space = JCS_RGB;
    jpeg_set_defaults(j);
    jpeg_set_quality(j, quality, TRUE);
    j->comp_info[0].h_samp_factor = j->comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(j, TRUE);
    while (j->next_scanline < j->image_height) {
        uint8_t *row = p->rgb + (size_t)j->next_scanline * p->width * 3;
        jpeg_write_scanlines(j, &row, 1);
    }
    jpeg_finish_compress(j);
}

int sb_jpeg_encode(const struct sb_picture *p, int quality, struct sb_buffer *out)
{
    struct encoder e = {.out = out};
    e.j.err = trap_init(&e.trap);
    if (setjmp(e.trap.back)) {
        jpeg_destroy_compress(&e.j);
        return -1;
    }
    encode(&e, p, quality);
    jpeg_destroy_compress(&e.j);
    return 0;
}
