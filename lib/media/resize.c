/* Resampling by convolution in fixed point. See resize.h. */
#include "media/resize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define PRECISION 22          /* fractional bits of a weight: 32, less 8 for the pixel and 2 for overshoot */
#define HALF (1 << (PRECISION - 1))
#define BAND 8                /* rows that the horizontal pass takes together */
#define LANES (BAND * 3)      /* their samples of one column */

/* For each output position, where its input samples start and how many there are, and their weights. */
struct axis {
    int count;   /* output positions */
    int stride;  /* weights reserved a position */
    int *start, *taps;
    int32_t *weight;
};

int sb_filter_kind_parse(const char *word, enum sb_filter_kind *kind)
{
    if (strcmp(word, "bicubic") == 0) *kind = SB_BICUBIC;
    else if (strcmp(word, "bilinear") == 0) *kind = SB_BILINEAR;
    else return sb_error("no such filter: '%s' (bicubic or bilinear)", word);
    return 0;
}

const char *sb_filter_kind_name(enum sb_filter_kind kind)
{
    return kind == SB_BICUBIC ? "bicubic" : "bilinear";
}

static double filter_value(enum sb_filter_kind kind, double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (kind == SB_BILINEAR) return x < 1.0 ? 1.0 - x : 0.0;
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static int32_t fixed(double w)
{
    return (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << PRECISION));
}

/* The operations and their order are Pillow's, since the last bit of a weight shows in the result. */
static void axis_weights(struct axis *a, int in, int out, int first, enum sb_filter_kind kind)
{
    double scale = (double)in / out, wide = scale < 1.0 ? 1.0 : scale;
    double support = (kind == SB_BICUBIC ? 2.0 : 1.0) * wide, narrow = 1.0 / wide;
    double *w = sb_malloc((size_t)a->stride * sizeof *w);
    for (int i = 0; i < a->count; i++) {
        double centre = (first + i + 0.5) * scale, sum = 0;
        int lo = (int)(centre - support + 0.5), hi = (int)(centre + support + 0.5);
        if (lo < 0) lo = 0;
        if (hi > in) hi = in;
        for (int k = 0; k < hi - lo; k++) {
            w[k] = filter_value(kind, (k + lo - centre + 0.5) * narrow);
            sum += w[k];
        }
        for (int k = 0; k < hi - lo; k++) a->weight[(size_t)i * a->stride + k] = fixed(sum != 0 ? w[k] / sum : w[k]);
        a->start[i] = lo;
        a->taps[i] = hi - lo;
    }
    free(w);
}

/* Positions first .. first + count - 1 of `out` that `in` is resized to; an axis that keeps its size is copied. */
static void axis_init(struct axis *a, int in, int out, int first, int count, enum sb_filter_kind kind)
{
    double scale = (double)in / out;
    a->count = count;
    a->stride = in == out ? 1 : (int)ceil((kind == SB_BICUBIC ? 2.0 : 1.0) * (scale < 1.0 ? 1.0 : scale)) * 2 + 1;
    a->start = sb_calloc((size_t)count, sizeof *a->start);
    a->taps = sb_calloc((size_t)count, sizeof *a->taps);
    a->weight = sb_calloc((size_t)count * (size_t)a->stride, sizeof *a->weight);
    if (in != out) {
        axis_weights(a, in, out, first, kind);
        return;
    }
    for (int i = 0; i < count; i++) {
        a->start[i] = first + i;
        a->taps[i] = 1;
        a->weight[i] = 1 << PRECISION;
    }
}

static int axis_end(const struct axis *a)
{
    return a->start[a->count - 1] + a->taps[a->count - 1];
}

static void axis_free(struct axis *a)
{
    free(a->start);
    free(a->taps);
    free(a->weight);
}

/* ---- the two inner loops, plainly and with AVX2: the same sums of integers ---------------------------------- */

static uint8_t clip(int32_t sum)
{
    int32_t v = sum >> PRECISION;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* One output row: the weighted sum of `taps` rows, `pitch` bytes apart. */
static void sum_rows(uint8_t *to, const uint8_t *from, size_t pitch, int taps, const int32_t *weight, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        int32_t sum = HALF;
        for (int k = 0; k < taps; k++) sum += from[i + (size_t)k * pitch] * weight[k];
        to[i] = clip(sum);
    }
}

/* A band of rows whose columns were laid side by side: `columns` is [x][LANES] from the first column that is read, the
 * result likewise. */
static void sum_columns(uint8_t *to, const uint8_t *columns, const struct axis *a)
{
    for (int x = 0; x < a->count; x++, to += LANES)
        sum_rows(to, columns + (size_t)(a->start[x] - a->start[0]) * LANES, LANES, a->taps[x],
                 a->weight + (size_t)x * a->stride, LANES);
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline void add_product(__m256i *sum, const uint8_t *p, __m256i w)
{
    __m256i v = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
    *sum = _mm256_add_epi32(*sum, _mm256_mullo_epi32(v, w));
}

/* Packing with saturation is the clip. */
AVX2 static inline void store(uint8_t *to, __m256i sum)
{
    __m256i v = _mm256_srai_epi32(sum, PRECISION);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)to, _mm_packus_epi16(half, half));
}

AVX2 static void sum_rows_avx2(uint8_t *to, const uint8_t *from, size_t pitch, int taps, const int32_t *weight,
                               size_t bytes)
{
    size_t i = 0;
    for (; i + 32 <= bytes; i += 32) {
        __m256i half = _mm256_set1_epi32(HALF), s0 = half, s1 = half, s2 = half, s3 = half;
        const uint8_t *p = from + i;
        for (int k = 0; k < taps; k++, p += pitch) {
            __m256i w = _mm256_set1_epi32(weight[k]);
            add_product(&s0, p, w);
            add_product(&s1, p + 8, w);
            add_product(&s2, p + 16, w);
            add_product(&s3, p + 24, w);
        }
        store(to + i, s0);
        store(to + i + 8, s1);
        store(to + i + 16, s2);
        store(to + i + 24, s3);
    }
    sum_rows(to + i, from + i, pitch, taps, weight, bytes - i);
}

AVX2 static void sum_columns_avx2(uint8_t *to, const uint8_t *columns, const struct axis *a)
{
    for (int x = 0; x < a->count; x++, to += LANES) {
        __m256i half = _mm256_set1_epi32(HALF), s0 = half, s1 = half, s2 = half;
        const uint8_t *p = columns + (size_t)(a->start[x] - a->start[0]) * LANES;
        const int32_t *weight = a->weight + (size_t)x * a->stride;
        for (int k = 0; k < a->taps[x]; k++, p += LANES) {
            __m256i w = _mm256_set1_epi32(weight[k]);
            add_product(&s0, p, w);
            add_product(&s1, p + 8, w);
            add_product(&s2, p + 16, w);
        }
        store(to, s0);
        store(to + 8, s1);
        store(to + 16, s2);
    }
}

#define PICK(name) (__builtin_cpu_supports("avx2") ? name##_avx2 : name)
#else
#define PICK(name) name
#endif

/* ---- the passes ------------------------------------------------------------------------------------------------ */

/* n rows (n <= BAND) of `width` pixels, so that one column's samples lie together. */
static void gather_columns(uint8_t *columns, const uint8_t *rows, size_t pitch, int n, int width)
{
    for (int r = 0; r < n; r++) {
        const uint8_t *from = rows + (size_t)r * pitch;
        uint8_t *to = columns + r * 3;
        for (int x = 0; x < width; x++, from += 3, to += LANES) memcpy(to, from, 3);
    }
}

/* Samples of some rows: `pitch` bytes apart; data begins with column x of row y of the picture. */
struct rows {
    const uint8_t *data;
    size_t pitch;
    int x, y;
};

/* The horizontal pass over `count` rows from `y` on. */
static void resize_across(uint8_t *out, struct rows in, const struct axis *a, int y, int count)
{
    void (*columns)(uint8_t *, const uint8_t *, const struct axis *) = PICK(sum_columns);
    int lo = a->start[0], hi = axis_end(a);
    uint8_t *from = sb_calloc((size_t)(hi - lo), LANES), *to = sb_malloc((size_t)a->count * LANES);
    in.data += (size_t)(y - in.y) * in.pitch + (size_t)(lo - in.x) * 3;
    for (; count > 0; count -= BAND, in.data += BAND * in.pitch) {
        int n = count < BAND ? count : BAND;
        gather_columns(from, in.data, in.pitch, n, hi - lo);
        columns(to, from, a);
        for (int r = 0; r < n; r++) {
            const uint8_t *column = to + r * 3;
            for (int x = 0; x < a->count; x++, out += 3, column += LANES) memcpy(out, column, 3);
        }
    }
    free(from);
    free(to);
}

/* The vertical pass over `count` columns from `x` on. */
static void resize_down(uint8_t *out, struct rows in, const struct axis *a, int x, int count)
{
    void (*sum)(uint8_t *, const uint8_t *, size_t, int, const int32_t *, size_t) = PICK(sum_rows);
    size_t bytes = (size_t)count * 3;
    in.data += (size_t)(x - in.x) * 3;
    for (int y = 0; y < a->count; y++, out += bytes)
        sum(out, in.data + (size_t)(a->start[y] - in.y) * in.pitch, in.pitch, a->taps[y],
            a->weight + (size_t)y * a->stride, bytes);
}

/* Both passes, the first of them over only those samples that the second one reads. */
static void resize_both(uint8_t *out, struct rows in, const struct axis *across, const struct axis *down,
                        bool down_first)
{
    int x = across->start[0], width = axis_end(across) - x, y = down->start[0], height = axis_end(down) - y;
    struct rows between = {.x = down_first ? x : 0, .y = down_first ? 0 : y};
    between.pitch = (size_t)(down_first ? width : across->count) * 3;
    uint8_t *data = sb_malloc((size_t)(down_first ? down->count : height) * between.pitch);
    between.data = data;
    if (down_first) {
        resize_down(data, in, down, x, width);
        resize_across(out, between, across, 0, down->count);
    } else {
        resize_across(data, in, across, y, height);
        resize_down(out, between, down, 0, across->count);
    }
    free(data);
}

int sb_resize_window(const struct sb_picture *in, struct sb_picture *out, const struct sb_window *w,
                     enum sb_filter_kind kind)
{
    if (w->full_width < 1 || w->full_height < 1 || w->x < 0 || w->y < 0 || w->width < 1 || w->height < 1 ||
        w->width > w->full_width - w->x || w->height > w->full_height - w->y)
        return sb_error("can't resize to %d x %d and cut out %d x %d", w->full_width, w->full_height, w->width,
                        w->height);
    if (w->full_width == in->width && w->full_height == in->height)
        return sb_crop(in, out, w->x, w->y, w->width, w->height);
    if (sb_picture_size(out, w->width, w->height) < 0) return -1;

    struct axis across, down;
    struct rows rows = {in->rgb, (size_t)in->width * 3, 0, 0};
    axis_init(&across, in->width, w->full_width, w->x, w->width, kind);
    axis_init(&down, in->height, w->full_height, w->y, w->height, kind);
    if (w->full_height == in->height) {
        resize_across(out->rgb, rows, &across, w->y, w->height);
    } else if (w->full_width == in->width) {
        resize_down(out->rgb, rows, &down, w->x, w->width);
    } else {
        int64_t less_high = (int64_t)in->height - w->full_height, less_wide = (int64_t)in->width - w->full_width;
        resize_both(out->rgb, rows, &across, &down, less_high > 0 && less_high > 2 * less_wide);
    }
    axis_free(&across);
    axis_free(&down);
    return 0;
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
