/* Resampling by convolution in fixed point: the passes. See resize.h. */
#include <stdlib.h>
#include <string.h>

#include "media/resize_inner.h"

int sb_filter_kind_parse(const char *word, enum sb_filter_kind *kind)
{
    if (strcmp(word, "bicubic") == 0)
        *kind = SB_BICUBIC;
    else if (strcmp(word, "bilinear") == 0)
        *kind = SB_BILINEAR;
    else
        return sb_error("no such filter: '%s' (bicubic or bilinear)", word);
    return 0;
}

const char *sb_filter_kind_name(enum sb_filter_kind kind) { return kind == SB_BICUBIC ? "bicubic" : "bilinear"; }

/* ---- the two inner loops, plainly ------------------------------------------------------------------------------- */

static uint8_t weighted(const uint8_t *in, size_t pitch, const int32_t *weight, int taps)
{
    int32_t sum = 1 << (SB_RESIZE_BITS - 1);
    for (int k = 0; k < taps; k++) sum += in[(size_t)k * pitch] * weight[k];
    sum >>= SB_RESIZE_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

void sb_resize_down_rest(uint8_t *out, const uint8_t *in, size_t pitch, size_t from, size_t bytes,
                         const struct sb_axis *a, int y)
{
    in += (size_t)a->start[y] * pitch;
    for (size_t i = from; i < bytes; i++)
        out[i] = weighted(in + i, pitch, a->weight + (size_t)y * (size_t)a->taps, a->taps);
}

static void down(uint8_t *out, const uint8_t *in, size_t pitch, size_t bytes, const struct sb_axis *a, int y)
{
    sb_resize_down_rest(out, in, pitch, 0, bytes, a, y);
}

static void across(uint8_t *out, size_t out_pitch, const uint8_t *in, size_t pitch, int rows, const struct sb_axis *a)
{
    for (int r = 0; r < rows; r++, in += pitch, out += out_pitch)
        for (int i = 0; i < a->count; i++)
            for (int c = 0; c < 3; c++)
                out[i * 3 + c] =
                    weighted(in + a->start[i] * 3 + c, 3, a->weight + (size_t)i * (size_t)a->taps, a->taps);
}

static bool always(void) { return true; }

const struct sb_resize_way sb_resize_plain = {"plain", always, NULL, across, down};

#ifdef __x86_64__
const struct sb_resize_way *const sb_resize_ways[] = {&sb_resize_avx512, &sb_resize_avx2, &sb_resize_plain, NULL};
#else
const struct sb_resize_way *const sb_resize_ways[] = {&sb_resize_plain, NULL};
#endif

static const struct sb_resize_way *best_way(void)
{
    const struct sb_resize_way *const *w = sb_resize_ways;
    while (!(*w)->can()) w++;
    return *w;
}

/* ---- the passes ------------------------------------------------------------------------------------------------- */

/* Samples of some rows: `pitch` bytes apart. */
struct rows {
    const uint8_t *data;
    size_t pitch;
};

struct work {
    const struct sb_resize_way *way;
    struct sb_axis across, down;
};

/* The horizontal pass over `count` rows. */
static void go_across(const struct work *w, uint8_t *out, struct rows in, int count)
{
    const struct sb_resize_way *way = w->across.packed ? w->way : &sb_resize_plain;
    size_t out_pitch = (size_t)w->across.count * 3;
    for (int y = 0; y < count; y += SB_RESIZE_BAND) {
        int n = count - y < SB_RESIZE_BAND ? count - y : SB_RESIZE_BAND;
        way->across(out + (size_t)y * out_pitch, out_pitch, in.data + (size_t)y * in.pitch, in.pitch, n, &w->across);
    }
}

/* Rows y .. y + count - 1 of the vertical pass. */
static void go_down(const struct work *w, uint8_t *out, struct rows in, size_t bytes, int y, int count)
{
    const struct sb_resize_way *way = w->down.packed ? w->way : &sb_resize_plain;
    for (int end = y + count; y < end; y++, out += bytes) way->down(out, in.data, in.pitch, bytes, &w->down, y);
}

/* Both passes, in turn, so that what the first one makes is still in the cache when the second one reads it. The first
 * makes only what the second one reads. */
static void across_then_down(const struct work *w, uint8_t *out, struct rows in)
{
    size_t pitch = (size_t)w->across.count * 3;
    int height = w->down.last - w->down.first, done = 0;
    uint8_t *between = sb_malloc((size_t)height * pitch);
    in.data += (size_t)w->down.first * in.pitch;
    for (int y = 0; y < w->down.count; y++) {
        int least = w->down.start[y] + w->down.taps, n = least - done;
        if (n > 0) {
            n = (n + SB_RESIZE_BAND - 1) / SB_RESIZE_BAND * SB_RESIZE_BAND;
            if (n > height - done) n = height - done;
            go_across(w, between + (size_t)done * pitch, (struct rows){in.data + (size_t)done * in.pitch, in.pitch}, n);
            done += n;
        }
        go_down(w, out + (size_t)y * pitch, (struct rows){between, pitch}, pitch, y, 1);
    }
    free(between);
}

static void down_then_across(const struct work *w, uint8_t *out, struct rows in)
{
    size_t pitch = (size_t)(w->across.last - w->across.first) * 3;
    uint8_t *between = sb_malloc(SB_RESIZE_BAND * pitch);
    in.data += (size_t)w->across.first * 3;
    for (int y = 0; y < w->down.count; y += SB_RESIZE_BAND) {
        int n = w->down.count - y < SB_RESIZE_BAND ? w->down.count - y : SB_RESIZE_BAND;
        go_down(w, between, in, pitch, y, n);
        go_across(w, out + (size_t)y * (size_t)w->across.count * 3, (struct rows){between, pitch}, n);
    }
    free(between);
}

static void resize_across(struct work *w, const struct sb_picture *in, struct sb_picture *out,
                          const struct sb_window *win, enum sb_filter_kind kind)
{
    size_t pitch = (size_t)in->width * 3;
    sb_axis_init(&w->across, in->width, win->full_width, win->x, win->width, kind);
    sb_axis_settle(&w->across, 0, in->width, w->way);
    go_across(w, out->rgb, (struct rows){in->rgb + (size_t)win->y * pitch, pitch}, win->height);
}

static void resize_down(struct work *w, const struct sb_picture *in, struct sb_picture *out,
                        const struct sb_window *win, enum sb_filter_kind kind)
{
    size_t pitch = (size_t)in->width * 3;
    sb_axis_init(&w->down, in->height, win->full_height, win->y, win->height, kind);
    sb_axis_settle(&w->down, 0, in->height, w->way);
    go_down(w, out->rgb, (struct rows){in->rgb + (size_t)win->x * 3, pitch}, (size_t)win->width * 3, 0, win->height);
}

static void resize_both(struct work *w, const struct sb_picture *in, struct sb_picture *out,
                        const struct sb_window *win, enum sb_filter_kind kind)
{
    struct rows rows = {in->rgb, (size_t)in->width * 3};
    int64_t less_high = (int64_t)in->height - win->full_height, less_wide = (int64_t)in->width - win->full_width;
    sb_axis_init(&w->across, in->width, win->full_width, win->x, win->width, kind);
    sb_axis_init(&w->down, in->height, win->full_height, win->y, win->height, kind);
    if (less_high > 0 && less_high > 2 * less_wide) {
        sb_axis_settle(&w->across, w->across.first, w->across.last, w->way);
        sb_axis_settle(&w->down, 0, in->height, w->way);
        down_then_across(w, out->rgb, rows);
    } else {
        sb_axis_settle(&w->across, 0, in->width, w->way);
        sb_axis_settle(&w->down, w->down.first, w->down.last, w->way);
        across_then_down(w, out->rgb, rows);
    }
}

int sb_resize_window_by(const struct sb_resize_way *way, const struct sb_picture *in, struct sb_picture *out,
                        const struct sb_window *w, enum sb_filter_kind kind)
{
    if (w->full_width < 1 || w->full_height < 1 || w->x < 0 || w->y < 0 || w->width < 1 || w->height < 1 ||
        w->width > w->full_width - w->x || w->height > w->full_height - w->y)
        return sb_error("can't resize to %d x %d and cut out %d x %d", w->full_width, w->full_height, w->width,
                        w->height);
    if (w->full_width == in->width && w->full_height == in->height)
        return sb_crop(in, out, w->x, w->y, w->width, w->height);
    if (sb_picture_size(out, w->width, w->height) < 0) return -1;
    struct work work = {.way = way};
    if (w->full_height == in->height)
        resize_across(&work, in, out, w, kind);
    else if (w->full_width == in->width)
        resize_down(&work, in, out, w, kind);
    else
        resize_both(&work, in, out, w, kind);
    sb_axis_free(&work.across);
    sb_axis_free(&work.down);
    return 0;
}

int sb_resize_window(const struct sb_picture *in, struct sb_picture *out, const struct sb_window *window,
                     enum sb_filter_kind kind)
{
    return sb_resize_window_by(best_way(), in, out, window, kind);
}

int sb_resize(const struct sb_picture *in, struct sb_picture *out, int width, int height, enum sb_filter_kind kind)
{
    struct sb_window all = {width, height, 0, 0, width, height};
    return sb_resize_window(in, out, &all, kind);
}

int sb_crop(const struct sb_picture *in, struct sb_picture *out, int x, int y, int width, int height)
{
    if (sb_picture_size(out, width, height) < 0) return -1;
    int64_t left = x < 0 ? 0 : x, right = (int64_t)x + width < in->width ? (int64_t)x + width : in->width;
    for (int row = 0; row < height; row++) {
        uint8_t *to = out->rgb + (size_t)row * width * 3;
        int64_t from = (int64_t)y + row;
        memset(to, 0, (size_t)width * 3);
        if (from < 0 || from >= in->height || right <= left) continue;
        memcpy(to + (size_t)(left - x) * 3, in->rgb + ((size_t)from * in->width + (size_t)left) * 3,
               (size_t)(right - left) * 3);
    }
    return 0;
}
