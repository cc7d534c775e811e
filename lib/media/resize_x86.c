/* The inner loops of resizing with AVX2, and with AVX-512's VNNI. Samples are u8, so four of them or two of them and
 * their weights, cut into pieces of 8 or 16 bits, are multiplied and added in one instruction. */
#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#include "media/resize_inner.h"

#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define HALF (1 << (SB_RESIZE_BITS - 1))

/* Where in a vector of four pixels, or of two bytes and four and a half pixels, the first tap's red is: a row's last
 * pixels are read with what lies before them, so that nothing is read past the row. */
static int bytes_before(const struct sb_axis *a, int i)
{
    return a->start[i] + a->taps + SB_RESIZE_SPARE > a->readable ? 4 : 0;
}

/* The rows of a band; those that are missing repeat the last one, and give its result again. */
struct band {
    const uint8_t *from[SB_RESIZE_BAND];
    uint8_t *to[SB_RESIZE_BAND];
};

static void band_init(struct band *b, uint8_t *out, size_t out_pitch, const uint8_t *in, size_t pitch, int rows)
{
    for (int r = 0; r < SB_RESIZE_BAND; r++) {
        size_t row = (size_t)(r < rows ? r : rows - 1);
        b->from[r] = in + row * pitch;
        b->to[r] = out + row * out_pitch;
    }
}

/* A pixel, with a byte more where another pixel follows, which then overwrites it. */
static inline void put(uint8_t *to, int pixel, bool last)
{
    if (!last)
        memcpy(to, &pixel, 4);
    else
        memcpy(to, &pixel, 3);
}

/* ---- AVX2: a weight is high * 2^12 + low, each of 16 bits ------------------------------------------------------- */

#define LOW_BITS 12

static bool can_avx2(void) { return __builtin_cpu_supports("avx2"); }

/* Four high parts, four low ones. */
static void pack_avx2(void *to, const int32_t weight[4])
{
    int16_t part[8];
    for (int k = 0; k < 4; k++) {
        part[k] = (int16_t)((weight[k] + (1 << (LOW_BITS - 1))) >> LOW_BITS);
        part[4 + k] = (int16_t)(weight[k] - part[k] * (1 << LOW_BITS));
    }
    memcpy(to, part, sizeof part);
}

struct sum_avx2 {
    __m256i high, low;
};

AVX2 static inline __m256i two_weights(const uint8_t *packed)
{
    int pair;
    memcpy(&pair, packed, sizeof pair);
    return _mm256_set1_epi32(pair);
}

AVX2 static inline void add_avx2(struct sum_avx2 *s, __m256i samples, __m256i high, __m256i low)
{
    s->high = _mm256_add_epi32(s->high, _mm256_madd_epi16(samples, high));
    s->low = _mm256_add_epi32(s->low, _mm256_madd_epi16(samples, low));
}

AVX2 static inline __m256i finish_avx2(struct sum_avx2 s)
{
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(s.high, LOW_BITS), s.low);
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), SB_RESIZE_BITS);
}

/* Of four pixels the first two, and the last two, as pairs of 16 bits: red, green, blue, nothing. */
static const uint8_t pairs_avx2[2][2][16] = {
    {{0, 128, 3, 128, 1, 128, 4, 128, 2, 128, 5, 128, 128, 128, 128, 128},
     {6, 128, 9, 128, 7, 128, 10, 128, 8, 128, 11, 128, 128, 128, 128, 128}},
    {{4, 128, 7, 128, 5, 128, 8, 128, 6, 128, 9, 128, 128, 128, 128, 128},
     {10, 128, 13, 128, 11, 128, 14, 128, 12, 128, 15, 128, 128, 128, 128, 128}},
};

AVX2 static inline __m256i two_rows(const uint8_t *a, const uint8_t *b)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)a)),
                                   _mm_loadu_si128((const __m128i *)b), 1);
}

AVX2 static inline __m256i shuffle_of(const uint8_t mask[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)mask));
}

/* Pixel i of four rows. */
AVX2 static inline void pixels_avx2(const uint8_t *const from[4], uint8_t *const to[4], const struct sb_axis *a, int i)
{
    int before = bytes_before(a, i);
    size_t at = (size_t)a->start[i] * 3 - (size_t)before;
    __m256i first = shuffle_of(pairs_avx2[before / 4][0]), second = shuffle_of(pairs_avx2[before / 4][1]);
    const uint8_t *packed = a->packed + (size_t)i * (size_t)a->taps / 4 * SB_RESIZE_PACK;
    struct sum_avx2 s[2] = {0};
    for (int k = 0; k < a->taps; k += 4, at += 12, packed += SB_RESIZE_PACK) {
        __m256i h0 = two_weights(packed), h1 = two_weights(packed + 4), l0 = two_weights(packed + 8),
                l1 = two_weights(packed + 12);
        for (int r = 0; r < 2; r++) {
            __m256i p = two_rows(from[2 * r] + at, from[2 * r + 1] + at);
            add_avx2(&s[r], _mm256_shuffle_epi8(p, first), h0, l0);
            add_avx2(&s[r], _mm256_shuffle_epi8(p, second), h1, l1);
        }
    }
    __m256i words = _mm256_packs_epi32(finish_avx2(s[0]), finish_avx2(s[1])), bytes = _mm256_packus_epi16(words, words);
    __m128i even = _mm256_castsi256_si128(bytes), odd = _mm256_extracti128_si256(bytes, 1);
    bool last = i + 1 == a->count;
    put(to[0] + i * 3, _mm_cvtsi128_si32(even), last);
    put(to[1] + i * 3, _mm_cvtsi128_si32(odd), last);
    put(to[2] + i * 3, _mm_extract_epi32(even, 1), last);
    put(to[3] + i * 3, _mm_extract_epi32(odd, 1), last);
}

AVX2 static void across_avx2(uint8_t *out, size_t out_pitch, const uint8_t *in, size_t pitch, int rows,
                             const struct sb_axis *a)
{
    struct band b;
    band_init(&b, out, out_pitch, in, pitch, rows);
    for (int r = 0; r < rows; r += 4)
        for (int i = 0; i < a->count; i++) pixels_avx2(b.from + r, b.to + r, a, i);
}

/* 32 samples of two rows, times two weights. */
AVX2 static inline void add_rows_avx2(struct sum_avx2 s[4], const uint8_t *in, size_t pitch, const uint8_t *packed)
{
    __m256i none = _mm256_setzero_si256(), high = two_weights(packed), low = two_weights(packed + 8);
    __m256i a = _mm256_loadu_si256((const __m256i *)in), b = _mm256_loadu_si256((const __m256i *)(in + pitch));
    __m256i lower = _mm256_unpacklo_epi8(a, b), upper = _mm256_unpackhi_epi8(a, b);
    add_avx2(&s[0], _mm256_unpacklo_epi8(lower, none), high, low);
    add_avx2(&s[1], _mm256_unpackhi_epi8(lower, none), high, low);
    add_avx2(&s[2], _mm256_unpacklo_epi8(upper, none), high, low);
    add_avx2(&s[3], _mm256_unpackhi_epi8(upper, none), high, low);
}

/* 32 samples of one output row. */
AVX2 static inline void samples_avx2(uint8_t *out, const uint8_t *in, size_t pitch, const uint8_t *packed, int taps)
{
    struct sum_avx2 s[4] = {0};
    for (int k = 0; k < taps; k += 4, in += 4 * pitch, packed += SB_RESIZE_PACK) {
        add_rows_avx2(s, in, pitch, packed);
        add_rows_avx2(s, in + 2 * pitch, pitch, packed + 4);
    }
    __m256i first = _mm256_packs_epi32(finish_avx2(s[0]), finish_avx2(s[1]));
    __m256i second = _mm256_packs_epi32(finish_avx2(s[2]), finish_avx2(s[3]));
    _mm256_storeu_si256((__m256i *)out, _mm256_packus_epi16(first, second));
}

AVX2 static void down_avx2(uint8_t *out, const uint8_t *in, size_t pitch, size_t bytes, const struct sb_axis *a, int y)
{
    const uint8_t *packed = a->packed + (size_t)y * (size_t)a->taps / 4 * SB_RESIZE_PACK;
    const uint8_t *top = in + (size_t)a->start[y] * pitch;
    size_t i = 0;
    for (; i + 32 <= bytes; i += 32) samples_avx2(out + i, top + i, pitch, packed, a->taps);
    sb_resize_down_rest(out, in, pitch, i, bytes, a, y);
}

const struct sb_resize_way sb_resize_avx2 = {"AVX2", can_avx2, pack_avx2, across_avx2, down_avx2};

/* ---- AVX-512 VNNI: a weight is three signed digits of 8 bits ---------------------------------------------------- */

static bool can_avx512(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

/* Four lowest digits, four middle ones, four highest. */
static void pack_avx512(void *to, const int32_t weight[4])
{
    int8_t digit[16] = {0};
    for (int k = 0; k < 4; k++) {
        int32_t w = weight[k];
        for (int d = 0; d < 3; d++) {
            digit[4 * d + k] = (int8_t)w;
            w = (w - digit[4 * d + k]) / 256;
        }
    }
    memcpy(to, digit, sizeof digit);
}

struct sum_avx512 {
    __m512i digit[3];
};

struct weights_avx512 {
    __m512i digit[3];
};

AVX512 static inline struct weights_avx512 four_weights(const uint8_t *packed)
{
    struct weights_avx512 w;
    for (int d = 0; d < 3; d++) {
        int four;
        memcpy(&four, packed + 4 * d, sizeof four);
        w.digit[d] = _mm512_set1_epi32(four);
    }
    return w;
}

AVX512 static inline void add_avx512(struct sum_avx512 *s, __m512i samples, const struct weights_avx512 *w)
{
    for (int d = 0; d < 3; d++) s->digit[d] = _mm512_dpbusd_epi32(s->digit[d], samples, w->digit[d]);
}

AVX512 static inline __m512i finish_avx512(const struct sum_avx512 *s)
{
    __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(s->digit[2], 16), _mm512_slli_epi32(s->digit[1], 8));
    sum = _mm512_add_epi32(_mm512_add_epi32(sum, s->digit[0]), _mm512_set1_epi32(HALF));
    return _mm512_srai_epi32(sum, SB_RESIZE_BITS);
}

/* Four pixels: their reds, greens, blues. */
static const uint8_t fours_avx512[2][16] = {{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 128, 128, 128, 128},
                                            {4, 7, 10, 13, 5, 8, 11, 14, 6, 9, 12, 15, 128, 128, 128, 128}};

AVX512 static inline __m512i four_rows(const uint8_t *const from[4], size_t at)
{
    __m512i p = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(from[0] + at)));
    p = _mm512_inserti32x4(p, _mm_loadu_si128((const __m128i *)(from[1] + at)), 1);
    p = _mm512_inserti32x4(p, _mm_loadu_si128((const __m128i *)(from[2] + at)), 2);
    return _mm512_inserti32x4(p, _mm_loadu_si128((const __m128i *)(from[3] + at)), 3);
}

/* Pixel i of the rows. */
AVX512 static inline void pixels_avx512(const struct band *b, const struct sb_axis *a, int i)
{
    int before = bytes_before(a, i);
    size_t at = (size_t)a->start[i] * 3 - (size_t)before;
    __m512i shuffle = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)fours_avx512[before / 4]));
    const uint8_t *packed = a->packed + (size_t)i * (size_t)a->taps / 4 * SB_RESIZE_PACK;
    struct sum_avx512 s[2];
    memset(s, 0, sizeof s);
    for (int k = 0; k < a->taps; k += 4, at += 12, packed += SB_RESIZE_PACK) {
        struct weights_avx512 w = four_weights(packed);
        add_avx512(&s[0], _mm512_shuffle_epi8(four_rows(b->from, at), shuffle), &w);
        add_avx512(&s[1], _mm512_shuffle_epi8(four_rows(b->from + 4, at), shuffle), &w);
    }
    int pixel[SB_RESIZE_BAND];
    for (int half = 0; half < 2; half++) {
        __m512i sum = _mm512_max_epi32(finish_avx512(&s[half]), _mm512_setzero_si512());
        _mm_storeu_si128((__m128i *)(pixel + 4 * half), _mm512_cvtusepi32_epi8(sum));
    }
    for (int r = 0; r < SB_RESIZE_BAND; r++) put(b->to[r] + i * 3, pixel[r], i + 1 == a->count);
}

AVX512 static void across_avx512(uint8_t *out, size_t out_pitch, const uint8_t *in, size_t pitch, int rows,
                                 const struct sb_axis *a)
{
    struct band b;
    band_init(&b, out, out_pitch, in, pitch, rows);
    for (int i = 0; i < a->count; i++) pixels_avx512(&b, a, i);
}

/* 64 samples of one output row. */
AVX512 static inline void samples_avx512(uint8_t *out, const uint8_t *in, size_t pitch, const uint8_t *packed, int taps)
{
    struct sum_avx512 s[4];
    memset(s, 0, sizeof s);
    for (int k = 0; k < taps; k += 4, in += 4 * pitch, packed += SB_RESIZE_PACK) {
        __m512i a = _mm512_loadu_si512(in), b = _mm512_loadu_si512(in + pitch);
        __m512i c = _mm512_loadu_si512(in + 2 * pitch), d = _mm512_loadu_si512(in + 3 * pitch);
        __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d);
        struct weights_avx512 w = four_weights(packed);
        add_avx512(&s[0], _mm512_unpacklo_epi16(ab, cd), &w);
        add_avx512(&s[1], _mm512_unpackhi_epi16(ab, cd), &w);
        ab = _mm512_unpackhi_epi8(a, b);
        cd = _mm512_unpackhi_epi8(c, d);
        add_avx512(&s[2], _mm512_unpacklo_epi16(ab, cd), &w);
        add_avx512(&s[3], _mm512_unpackhi_epi16(ab, cd), &w);
    }
    __m512i first = _mm512_packs_epi32(finish_avx512(&s[0]), finish_avx512(&s[1]));
    __m512i second = _mm512_packs_epi32(finish_avx512(&s[2]), finish_avx512(&s[3]));
    _mm512_storeu_si512(out, _mm512_packus_epi16(first, second));
}

AVX512 static void down_avx512(uint8_t *out, const uint8_t *in, size_t pitch, size_t bytes, const struct sb_axis *a,
                               int y)
{
    const uint8_t *packed = a->packed + (size_t)y * (size_t)a->taps / 4 * SB_RESIZE_PACK;
    const uint8_t *top = in + (size_t)a->start[y] * pitch;
    size_t i = 0;
    for (; i + 64 <= bytes; i += 64) samples_avx512(out + i, top + i, pitch, packed, a->taps);
    sb_resize_down_rest(out, in, pitch, i, bytes, a, y);
}

const struct sb_resize_way sb_resize_avx512 = {"AVX-512", can_avx512, pack_avx512, across_avx512, down_avx512};

#endif
