#include "media/exif_note.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "media/exif.h"
#include "media/exif_inner.h"

enum { ENTRIES = 256, TEXT_MOST = 2000, ID_MOST = 250 };
#define ARC_PARTS 1e7 /* parts of a second of arc */
#define MILLIMETRES 1e3

struct directory {
    uint8_t entry[ENTRIES][12]; /* by tag, upwards */
    int count;
    uint32_t next; /* the directory behind it: a small picture's */
};

struct writer {
    struct sb_buffer *out;
    bool big;
};

/* ---- bytes ---- */

static void put_number(const struct writer *w, uint8_t *at, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) at[i] = (uint8_t)(v >> 8 * (w->big ? bytes - 1 - i : i));
}

static void add_number(const struct writer *w, uint32_t v, int bytes)
{
    uint8_t b[4];
    put_number(w, b, v, bytes);
    sb_buffer_add(w->out, b, (size_t)bytes);
}

/* Where the next thing stands: at an even place, as TIFF wants it. */
static uint32_t place(const struct writer *w)
{
    if (w->out->size % 2) sb_buffer_add(w->out, "", 1);
    return (uint32_t)w->out->size;
}

/* ---- directories ---- */

static void remove_tag(struct directory *d, const struct writer *w, uint32_t tag)
{
    struct sb_exif_block b = {.big = w->big};
    for (int i = 0; i < d->count; i++) {
        if (sb_exif_number(&b, d->entry[i], 2) != tag) continue;
        memmove(d->entry[i], d->entry[i + 1], (size_t)(d->count - i - 1) * 12);
        d->count--;
        i--;
    }
}

/* An entry's place among those that are there; what it replaces is gone. NULL if there is no room. */
static uint8_t *make_entry(struct directory *d, const struct writer *w, uint32_t tag, uint32_t type, uint32_t count)
{
    struct sb_exif_block b = {.big = w->big};
    int at = 0;
    remove_tag(d, w, tag);
    if (d->count == ENTRIES) return NULL;
    while (at < d->count && sb_exif_number(&b, d->entry[at], 2) < tag) at++;
    memmove(d->entry[at + 1], d->entry[at], (size_t)(d->count - at) * 12);
    d->count++;
    put_number(w, d->entry[at], tag, 2);
    put_number(w, d->entry[at] + 2, type, 2);
    put_number(w, d->entry[at] + 4, count, 4);
    memset(d->entry[at] + 8, 0, 4);
    return d->entry[at] + 8;
}

static void set_bytes(struct directory *d, const struct writer *w, uint32_t tag, uint32_t type, const void *bytes,
                      size_t size)
{
    uint8_t *value = make_entry(d, w, tag, type, (uint32_t)size);
    if (value && size <= 4) {
        memcpy(value, bytes, size);
    } else if (value) {
        put_number(w, value, place(w), 4);
        sb_buffer_add(w->out, bytes, size);
    }
}

static void set_text(struct directory *d, const struct writer *w, uint32_t tag, const char *text)
{
    set_bytes(d, w, tag, SB_EXIF_ASCII, text, strlen(text) + 1);
}

static void set_number(struct directory *d, const struct writer *w, uint32_t tag, uint32_t type, uint32_t v)
{
    uint8_t *value = make_entry(d, w, tag, type, 1);
    if (value) put_number(w, value, v, type == SB_EXIF_SHORT ? 2 : 4);
}

static void set_rationals(struct directory *d, const struct writer *w, uint32_t tag, const uint32_t (*v)[2],
                          uint32_t count)
{
    uint8_t *value = make_entry(d, w, tag, SB_EXIF_RATIONAL, count);
    if (!value) return;
    put_number(w, value, place(w), 4);
    for (uint32_t i = 0; i < count; i++) {
        add_number(w, v[i][0], 4);
        add_number(w, v[i][1], 4);
    }
}

/* The entries of an old directory, whose offsets stay true. false: it is not whole, or out of all proportion. */
static bool take_directory(const struct sb_exif_block *b, const struct writer *w, size_t at, struct directory *d)
{
    *d = (struct directory){.count = 0};
    if (at == 0) return true;
    if (b->size < 2 || at > b->size - 2) return false;
    uint32_t count = sb_exif_number(b, b->data + at, 2);
    if (count > ENTRIES / 2 || 2 + count * 12 > b->size - at) return false;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *e = b->data + at + 2 + i * 12;
        uint8_t *value =
            make_entry(d, w, sb_exif_number(b, e, 2), sb_exif_number(b, e + 2, 2), sb_exif_number(b, e + 4, 4));
        memcpy(value, e + 8, 4);
    }
    if (b->size - at >= 2 + count * 12 + 4) d->next = sb_exif_number(b, b->data + at + 2 + count * 12, 4);
    return true;
}

static uint32_t put_directory(const struct writer *w, const struct directory *d)
{
    uint32_t at = place(w);
    add_number(w, (uint32_t)d->count, 2);
    sb_buffer_add(w->out, d->entry, (size_t)d->count * 12);
    add_number(w, d->next, 4);
    return at;
}

/* ---- what is known ---- */

/* Text of at most so many bytes, without half a character at its end. */
static void set_words(struct directory *d, const struct writer *w, uint32_t tag, const char *text, size_t size,
                      size_t most)
{
    char words[TEXT_MOST + 1];
    size_t n = 0, one;
    if (size == 0) return;
    while (n < size && text[n] && (one = sb_utf8_length(text + n, size - n)) > 0 && n + one <= most) n += one;
    memcpy(words, text, n);
    words[n] = 0;
    set_text(d, w, tag, words);
}

/* "2026-07-03T14:05:09.25Z" as Exif has it, in pieces. */
static void set_time(struct directory *exif, struct directory *gps, const struct writer *w, double time)
{
    char text[SB_CLOCK_TEXT], date[24];
    struct sb_date at;
    if (!(time >= SB_CLOCK_LEAST && time < SB_CLOCK_MOST)) return;
    sb_clock_text(time, -1, text);
    if (sb_date_parse(text, strlen(text), &at)) return;
    snprintf(date, sizeof date, "%04d:%02d:%02d", at.year % 10000, at.month % 100, at.day % 100);
    set_text(gps, w, SB_GPS_DATE, date);
    uint32_t micro = (uint32_t)at.ns / 1000;
    set_rationals(gps, w, SB_GPS_TIME,
                  (const uint32_t[][2]){
                      {(uint32_t)at.hour, 1},
                      {(uint32_t)at.minute, 1},
                      {micro ? (uint32_t)at.second * 1000000 + micro : (uint32_t)at.second, micro ? 1000000 : 1}},
                  3);
    snprintf(date + 10, sizeof date - 10, " %02d:%02d:%02d", at.hour % 100, at.minute % 100, at.second % 100);
    set_text(exif, w, SB_TAG_TAKEN, date);
    set_text(exif, w, SB_TAG_TAKEN_OFFSET, "+00:00");
    char *point = strchr(text, '.');
    remove_tag(exif, w, SB_TAG_TAKEN_FRACTION);
    if (!point) return;
    point[strcspn(point, "Z")] = 0;
    set_text(exif, w, SB_TAG_TAKEN_FRACTION, point + 1);
}

static void set_angle(struct directory *gps, const struct writer *w, uint32_t tag, double degrees, const char *signs)
{
    uint64_t parts = (uint64_t)llround(fabs(degrees) * 3600 * ARC_PARTS), minute = (uint64_t)(60 * ARC_PARTS);
    char sign[2] = {signs[degrees < 0], 0};
    set_text(gps, w, tag - 1, sign);
    set_rationals(gps, w, tag,
                  (const uint32_t[][2]){{(uint32_t)(parts / minute / 60), 1},
                                        {(uint32_t)(parts / minute % 60), 1},
                                        {(uint32_t)(parts % minute), (uint32_t)ARC_PARTS}},
                  3);
}

static void set_place(struct directory *gps, const struct writer *w, const struct sb_exif_note *n)
{
    if (fabs(n->latitude) <= 90 && fabs(n->longitude) <= 180) {
        set_angle(gps, w, SB_GPS_LATITUDE, n->latitude, "NS");
        set_angle(gps, w, SB_GPS_LONGITUDE, n->longitude, "EW");
        set_text(gps, w, SB_GPS_DATUM, "WGS-84");
    }
    if (fabs(n->depth) < 20000) {
        uint8_t below = n->depth >= 0;
        set_bytes(gps, w, SB_GPS_ALTITUDE_REF, SB_EXIF_BYTE, &below, 1);
        set_rationals(gps, w, SB_GPS_ALTITUDE,
                      (const uint32_t[][2]){{(uint32_t)llround(fabs(n->depth) * MILLIMETRES), (uint32_t)MILLIMETRES}},
                      1);
    }
}

/* A block behind the old one, whose size may be 0. false: nothing but its orientation can stay. */
static bool write_block(struct sb_buffer *out, const struct sb_exif_block *old, size_t first,
                        const struct sb_exif_note *n)
{
    struct writer w = {out, old->big};
    struct directory image, exif, gps;
    out->size = 0;
    if (old->size) sb_buffer_add(out, old->data, old->size);
    if (!old->size) sb_buffer_add(out, "II*\0\0\0\0\0", 8);
    if (!take_directory(old, &w, first, &image) ||
        !take_directory(old, &w, sb_exif_directory(old, first, SB_TAG_EXIF), &exif) ||
        !take_directory(old, &w, sb_exif_directory(old, first, SB_TAG_GPS), &gps))
        return false;
    set_words(&image, &w, SB_TAG_DESCRIPTION, n->text, n->text_size, TEXT_MOST);
    set_words(&exif, &w, SB_TAG_ID, n->id, n->id_size, ID_MOST);
    set_time(&exif, &gps, &w, n->time);
    set_place(&gps, &w, n);
    if (exif.count) set_bytes(&exif, &w, SB_TAG_VERSION, SB_EXIF_ANY, "0232", 4);
    if (gps.count) set_bytes(&gps, &w, SB_GPS_VERSION, SB_EXIF_BYTE, "\2\3\0\0", 4);
    if (exif.count) set_number(&image, &w, SB_TAG_EXIF, SB_EXIF_LONG, put_directory(&w, &exif));
    if (gps.count) set_number(&image, &w, SB_TAG_GPS, SB_EXIF_LONG, put_directory(&w, &gps));
    uint32_t at = put_directory(&w, &image);
    put_number(&w, out->data + 4, at, 4);
    return out->size <= SB_EXIF_MOST;
}

void sb_exif_note_write(struct sb_buffer *out, const uint8_t *old, size_t old_size, const struct sb_exif_note *note)
{
    struct sb_exif_block b;
    size_t first;
    if (old_size <= SB_EXIF_MOST && sb_exif_open(&b, old, old_size, &first) && write_block(out, &b, first, note))
        return;
    int orientation = old_size ? sb_exif_orientation(old, old_size) : 1;
    uint8_t turned[26] = {
        'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, SB_TAG_ORIENTATION & 255, SB_TAG_ORIENTATION >> 8, SB_EXIF_SHORT, 0, 1};
    turned[18] = (uint8_t)orientation;
    b = (struct sb_exif_block){turned, orientation == 1 ? 0 : sizeof turned, false};
    write_block(out, &b, orientation == 1 ? 0 : 8, note);
}

/* ---- reading ---- */

static double rational(const struct sb_exif_block *b, const uint8_t *at)
{
    return (double)sb_exif_number(b, at, 4) / (double)sb_exif_number(b, at + 4, 4);
}

static double angle(const struct sb_exif_block *b, size_t gps, uint32_t tag, char negative)
{
    uint32_t count = 0, letters = 0;
    const uint8_t *v = sb_exif_values(b, gps, tag, SB_EXIF_RATIONAL, &count);
    const uint8_t *sign = sb_exif_values(b, gps, tag - 1, SB_EXIF_ASCII, &letters);
    if (!v || count != 3 || !sign || !letters) return NAN;
    double degrees = rational(b, v) + rational(b, v + 8) / 60 + rational(b, v + 16) / 3600;
    if (!(degrees <= 180)) return NAN;
    return sign[0] == negative ? -degrees : degrees;
}

static double depth(const struct sb_exif_block *b, size_t gps)
{
    uint32_t count = 0, ones = 0;
    const uint8_t *v = sb_exif_values(b, gps, SB_GPS_ALTITUDE, SB_EXIF_RATIONAL, &count);
    const uint8_t *below = sb_exif_values(b, gps, SB_GPS_ALTITUDE_REF, SB_EXIF_BYTE, &ones);
    if (!v || count != 1 || !below || ones != 1) return NAN;
    double metres = rational(b, v);
    return !isfinite(metres) ? NAN : *below ? metres : -metres;
}

static size_t words(const struct sb_exif_block *b, size_t directory, uint32_t tag, const char **text)
{
    uint32_t count = 0;
    *text = (const char *)sb_exif_values(b, directory, tag, SB_EXIF_ASCII, &count);
    return *text ? strnlen(*text, count) : 0;
}

void sb_exif_note_read(const uint8_t *block, size_t size, struct sb_exif_note *note)
{
    struct sb_exif_block b;
    size_t first;
    char taken[SB_EXIF_TAKEN];
    *note = (struct sb_exif_note){.time = NAN, .latitude = NAN, .longitude = NAN, .depth = NAN};
    if (!sb_exif_open(&b, block, size, &first)) return;
    size_t exif = sb_exif_directory(&b, first, SB_TAG_EXIF), gps = sb_exif_directory(&b, first, SB_TAG_GPS);
    note->text_size = words(&b, first, SB_TAG_DESCRIPTION, &note->text);
    if (exif) note->id_size = words(&b, exif, SB_TAG_ID, &note->id);
    if (sb_exif_taken(block, size, taken) && sb_clock_parse(taken, strlen(taken), NULL, &note->time)) note->time = NAN;
    if (!gps) return;
    note->latitude = angle(&b, gps, SB_GPS_LATITUDE, 'S');
    note->longitude = angle(&b, gps, SB_GPS_LONGITUDE, 'W');
    note->depth = depth(&b, gps);
}
