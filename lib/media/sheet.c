#include "media/sheet.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "media/font.h"
#include "media/resize.h"

enum { GAP = 8, FRAME = 3, LINES = 6 };

static const uint8_t ground[3] = {24, 28, 34}, ink[3] = {222, 226, 230}, strong[3] = {255, 214, 110};
static const uint8_t frame_colour[3][3] = {{0, 0, 0}, {80, 200, 120}, {235, 80, 70}};

void sb_sheet_init(struct sb_sheet *s, int across, int thumb)
{
    memset(s, 0, sizeof *s);
    s->across = across;
    s->thumb = thumb;
}

struct sb_sheet_part *sb_sheet_part(struct sb_sheet *s, const char *heading)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!strcmp(s->part[i].heading, heading)) return &s->part[i];
    }
    SB_GROW(s->part, s->cap, s->count + 1);
    s->part[s->count] = (struct sb_sheet_part){.heading = sb_strdup(heading)};
    return &s->part[s->count++];
}

int sb_sheet_add(const struct sb_sheet *s, struct sb_sheet_part *part, const struct sb_picture *picture,
                 const char *text, enum sb_sheet_mark mark, double order)
{
    double scale = (double)s->thumb / (picture->width > picture->height ? picture->width : picture->height);
    int width = (int)(picture->width * scale + 0.5), height = (int)(picture->height * scale + 0.5);
    struct sb_sheet_cell cell = {.mark = mark, .order = order};
    if (sb_resize(picture, &cell.picture, width > 0 ? width : 1, height > 0 ? height : 1, SB_BICUBIC)) return -1;
    cell.text = sb_strdup(text);
    SB_GROW(part->cell, part->cap, part->count + 1);
    size_t at = part->count++;
    for (; at > 0 && part->cell[at - 1].order > order; at--) part->cell[at] = part->cell[at - 1];
    part->cell[at] = cell;
    return 0;
}

void sb_sheet_drop_last(struct sb_sheet_part *part)
{
    struct sb_sheet_cell *last = &part->cell[--part->count];
    sb_picture_free(&last->picture);
    free(last->text);
}

/* ---- text ---- */

struct line {
    const char *text;
    size_t size;
};

/* Bytes of the first `count` characters. */
static size_t characters(const char *text, size_t size, size_t count)
{
    size_t at = 0;
    while (at < size && count-- > 0) {
        size_t n = sb_utf8_length(text + at, size - at);
        at += n ? n : 1;
    }
    return at;
}

/* Text may break at this blank, but a percent sign stays with its number. */
static bool breaks(const char *at) { return *at == ' ' && at[1] != '%'; }

/* The next line of at most `width` characters: it breaks at a blank where there is one. */
static struct line next_line(const char **text, size_t width)
{
    const char *from = *text;
    size_t whole = strcspn(from, "\n"), fits = characters(from, whole, width), size = fits;
    if (fits < whole && !breaks(from + fits)) {
        while (size > 0 && !breaks(from + size - 1)) size--;
        if (size == 0) size = fits;
    }
    const char *rest = from + size;
    while (*rest == ' ' && size < whole) rest++;
    if (*rest == '\n') rest++;
    *text = rest;
    while (size > 0 && from[size - 1] == ' ') size--;
    return (struct line){from, size};
}

static int split_lines(const char *text, size_t width, struct line line[LINES])
{
    int count = 0;
    while (*text && count < LINES) line[count++] = next_line(&text, width);
    return count;
}

/* ---- drawing ---- */

static int scale_of(const struct sb_sheet *s) { return s->thumb < 240 ? 1 : s->thumb / 120; }

static size_t width_of(const struct sb_sheet *s)
{
    size_t width = (size_t)(s->thumb / (SB_FONT_WIDTH * scale_of(s)));
    return width ? width : 1;
}

static void fill(struct sb_picture *out, int x, int y, int width, int height, const uint8_t colour[3])
{
    for (int row = y; row < y + height; row++) {
        uint8_t *at = out->rgb + ((size_t)row * (size_t)out->width + (size_t)x) * 3;
        for (int i = 0; i < width * 3; i++) at[i] = colour[i % 3];
    }
}

/* Pictures in a row have the height of its tallest to lie in. */
static void draw_cell(const struct sb_sheet *s, const struct sb_sheet_cell *cell, int tallest, struct sb_picture *out,
                      int x, int y)
{
    const struct sb_picture *p = &cell->picture;
    int left = x + (s->thumb - p->width) / 2, top = y + (tallest - p->height) / 2, scale = scale_of(s);
    struct line line[LINES];
    if (cell->mark != SB_SHEET_PLAIN) {
        fill(out, left - FRAME, top - FRAME, p->width + 2 * FRAME, p->height + 2 * FRAME, frame_colour[cell->mark]);
    }
    for (int row = 0; row < p->height; row++) {
        memcpy(out->rgb + ((size_t)(top + row) * (size_t)out->width + (size_t)left) * 3,
               p->rgb + (size_t)row * (size_t)p->width * 3, (size_t)p->width * 3);
    }
    int lines = split_lines(cell->text, width_of(s), line);
    for (int i = 0; i < lines; i++) {
        sb_font_draw(out, x, y + tallest + GAP + i * SB_FONT_HEIGHT * scale, scale, ink, line[i].text, line[i].size);
    }
}

struct row {
    int tallest, height; /* of its pictures; of all of it */
};

/* The row of cells that begins at `first`. */
static struct row row_at(const struct sb_sheet *s, const struct sb_sheet_part *part, size_t first)
{
    int most = 0;
    struct row row = {0, 0};
    struct line line[LINES];
    for (size_t i = first; i < part->count && i < first + (size_t)s->across; i++) {
        int lines = split_lines(part->cell[i].text, width_of(s), line), height = part->cell[i].picture.height;
        if (lines > most) most = lines;
        if (height > row.tallest) row.tallest = height;
    }
    row.height = row.tallest + GAP + most * SB_FONT_HEIGHT * scale_of(s) + GAP;
    return row;
}

/* Lays the sheet out; draws it too where `out` is given. Returns its height. */
static int64_t lay_out(const struct sb_sheet *s, struct sb_picture *out)
{
    int64_t y = GAP;
    for (size_t p = 0; p < s->count; p++) {
        const struct sb_sheet_part *part = &s->part[p];
        if (part->heading[0]) {
            if (p) y += GAP;
            if (out) sb_font_draw(out, GAP, (int)y, 2 * scale_of(s), strong, part->heading, strlen(part->heading));
            y += 2 * SB_FONT_HEIGHT * scale_of(s) + GAP;
        }
        for (size_t first = 0; first < part->count; first += (size_t)s->across) {
            struct row row = row_at(s, part, first);
            for (size_t i = first; out && i < part->count && i < first + (size_t)s->across; i++) {
                draw_cell(s, &part->cell[i], row.tallest, out, GAP + (int)(i - first) * (s->thumb + GAP), (int)y);
            }
            y += row.height;
        }
    }
    return y;
}

static int by_heading(const void *a, const void *b)
{
    return strverscmp(((const struct sb_sheet_part *)a)->heading, ((const struct sb_sheet_part *)b)->heading);
}

int sb_sheet_draw(struct sb_sheet *s, struct sb_picture *out)
{
    if (s->count) qsort(s->part, s->count, sizeof *s->part, by_heading);
    size_t most = 0;
    for (size_t i = 0; i < s->count; i++) most = s->part[i].count > most ? s->part[i].count : most;
    int columns = most < (size_t)s->across ? (int)most : s->across;
    int64_t height = lay_out(s, NULL), width = GAP + (int64_t)columns * (s->thumb + GAP);
    if (width * height > (int64_t)SB_PICTURE_MAX || height > INT32_MAX) {
        return sb_error("the sheet would be %lld x %lld pixels: choose fewer or smaller pictures", (long long)width,
                        (long long)height);
    }
    if (sb_picture_size(out, (int)width, (int)height)) return -1;
    fill(out, 0, 0, out->width, out->height, ground);
    lay_out(s, out);
    return 0;
}

void sb_sheet_free(struct sb_sheet *s)
{
    for (size_t p = 0; p < s->count; p++) {
        for (size_t i = 0; i < s->part[p].count; i++) {
            sb_picture_free(&s->part[p].cell[i].picture);
            free(s->part[p].cell[i].text);
        }
        free(s->part[p].cell);
        free(s->part[p].heading);
    }
    free(s->part);
    memset(s, 0, sizeof *s);
}
