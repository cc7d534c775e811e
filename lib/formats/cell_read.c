/* See cell_read.h. What spreadsheets do to numbers: they write 1783087509.25 as 1783087509 or 1.78309E+09, and hex
 * digits that happen to be decimal ones as a number. Neither may cost a record what it has. */
#include "formats/cell_read.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/seconds.h"
#include "base/utf8.h"
#include "base/wire.h"
#include "formats/names.h"
#include "media/image.h"

enum kind { TEXT, REAL, SECONDS, TIME, INT, TEXTS, HEX, TRUTH, SIDE, SIZE, UNREAD };

enum { ROUNDED_LEAST = 6 }; /* digits: fewer were typed */

#define UNIX_LEAST 1e8  /* s: smaller numbers are a spreadsheet's days, or seconds of a dive */
#define WHOLE_MOST 9e15 /* below 2^53 */

static const struct known {
    const char *name;
    enum kind kind;
    double least, most;
    const char *what;
} known[] = {
    {"id", UNREAD, 0, 0, NULL},
    {"parent", TEXT, 0, 0, NULL},
    {"source", TEXT, 0, 0, NULL},
    {"group", TEXT, 0, 0, NULL},
    {"time", TIME, UNIX_LEAST, SB_CLOCK_MOST, "no Unix time in seconds"},
    {"pts", SECONDS, -1e9, 1e9, "no seconds"},
    {"duration", SECONDS, 0, 1e9, "no seconds"},
    {"lat", REAL, -90, 90, "no latitude in degrees"},
    {"lon", REAL, -180, 360, "no longitude in degrees"},
    {"depth", REAL, -10, 12000, "no depth in metres, positive down"},
    {"confidence", REAL, -INFINITY, INFINITY, ""},
    {"radius", REAL, 0, INFINITY, "no radius"},
    {"distance", REAL, -INFINITY, INFINITY, ""},
    {"altitude", REAL, -INFINITY, INFINITY, ""},
    {"temperature", REAL, -INFINITY, INFINITY, ""},
    {"salinity", REAL, -INFINITY, INFINITY, ""},
    {"oxygen", REAL, -INFINITY, INFINITY, ""},
    {"pressure", REAL, -INFINITY, INFINITY, ""},
    {"length", REAL, -INFINITY, INFINITY, ""},
    {"fps", REAL, 0, INFINITY, "no frames a second"},
    {"labelled_at", TIME, UNIX_LEAST, SB_CLOCK_MOST, "no Unix time in seconds"},
    {"frame", INT, 0, WHOLE_MOST, "no frame's number"},
    {"segment", INT, 0, WHOLE_MOST, "no segment's number"},
    {"cluster", INT, -WHOLE_MOST, WHOLE_MOST, "too large"},
    {"fold", INT, -WHOLE_MOST, WHOLE_MOST, "too large"},
    {"aphia_id", INT, 0, WHOLE_MOST, "no AphiaID"},
    {"label", TEXT, 0, 0, NULL},
    {"labels", TEXTS, 0, 0, NULL},
    {"label_status", TEXT, 0, 0, NULL},
    {"labelled_by", TEXT, 0, 0, NULL},
    {"caption", TEXT, 0, 0, NULL},
    {"split", TEXT, 0, 0, NULL},
    {"shape", TEXT, 0, 0, NULL},
    {"track", TEXT, 0, 0, NULL},
    {"annotation_id", TEXT, 0, 0, NULL},
    {"url", TEXT, 0, 0, NULL},
    {"duplicate_of", TEXT, 0, 0, NULL},
    {"phash", HEX, 0, 0, NULL},
    {"group_of", TRUTH, 0, 0, NULL},
    {"occluded", TRUTH, 0, 0, NULL},
    {"truncated", TRUTH, 0, 0, NULL},
    {"difficult", TRUTH, 0, 0, NULL},
    {"crowd", TRUTH, 0, 0, NULL},
    {"parent_size", SIZE, 0, 0, NULL},
    {"x", SIDE, 0, 0, NULL},
    {"y", SIDE, 0, 0, NULL},
    {"w", SIDE, 0, 0, NULL},
    {"h", SIDE, 0, 0, NULL},
    {"predicted_label", UNREAD, 0, 0, NULL},
    {"probability", UNREAD, 0, 0, NULL},
    {"predicted", UNREAD, 0, 0, NULL},
    {"embedding", UNREAD, 0, 0, NULL},
    {"tensor", UNREAD, 0, 0, NULL},
    {"image", UNREAD, 0, 0, NULL},
    {"box", UNREAD, 0, 0, NULL},
    {"boxes", UNREAD, 0, 0, NULL},
    {"scores", UNREAD, 0, 0, NULL},
    {"points", UNREAD, 0, 0, NULL},
    {"region", UNREAD, 0, 0, NULL},
};

static const struct known *find(const char *column, bool any_case)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (any_case ? !strcasecmp(known[i].name, column) : !strcmp(known[i].name, column)) return &known[i];
    return NULL;
}

/* ---- titles ---- */

/* A name that options can list and that does not make a record look like a stream's header. */
static char *plain(const char *title, size_t size)
{
    char *name = sb_name_safe(title, size);
    for (char *p = name; *p; p++)
        if (*p == ',') *p = '_';
    if (strcmp(name, "seabot") == 0) *name = '_';
    return name;
}

char *sb_column_name(const char *title)
{
    size_t size;
    while (isspace((unsigned char)*title)) title++;
    size = strlen(title);
    while (size > 0 && isspace((unsigned char)title[size - 1])) size--;
    if (size == 0) return NULL;
    char *trimmed = sb_strndup(title, size);
    const struct known *k = find(trimmed, true);
    free(trimmed);
    return k ? sb_strdup(k->name) : plain(title, size);
}

bool sb_column_is_read(const char *column)
{
    const struct known *k = find(column, false);
    return !k || k->kind != UNREAD;
}

/* ---- numbers ---- */

static int bad(const char *column, const char *text, const char *what)
{
    return sb_error("column '%s': '%.60s' is %s", column, text, what);
}

static bool is_empty(const char *text)
{
    return !*text || !strcasecmp(text, "nan") || !strcasecmp(text, "na") || !strcasecmp(text, "null");
}

struct number {
    double value, half; /* half a unit of the last digit, where the text may be a rounded one; else 0 */
};

/* -1 if it is none. */
static int parse(const char *text, struct number *n)
{
    char copy[64], *end;
    size_t size = strlen(text), digits = 0, behind = 0;
    if (size >= sizeof copy || strspn(text, "+-.,0123456789eE") != size) return -1;
    memcpy(copy, text, size + 1);
    char *comma = strchr(copy, ',');
    if (comma && !strchr(copy, '.')) *comma = '.';
    n->value = strtod(copy, &end);
    if (!isdigit((unsigned char)copy[strcspn(copy, "0123456789")]) || *end || !isfinite(n->value)) return -1;
    const char *e = strpbrk(copy, "eE"), *point = strchr(copy, '.');
    for (const char *p = copy; *p && p != e; p++) {
        bool digit = isdigit((unsigned char)*p);
        digits += digit && (digits || *p != '0');
        behind += digit && point && p > point;
    }
    n->half = e || digits >= ROUNDED_LEAST ? pow(10, (e ? atof(e + 1) : 0) - (double)behind) / 2 : 0;
    return 0;
}

static bool same(const struct number *n, double have)
{
    return n->value == have || fabs(n->value - have) <= n->half * (1 + 1e-9);
}

/* 1 with the number, 0 if the cell is empty. */
static int number(const struct known *k, const char *text, struct number *n)
{
    if (is_empty(text)) return 0;
    if (parse(text, n) < 0) {
        n->half = 0;
        if (k->kind != SECONDS || sb_seconds_parse(text, &n->value) < 0) return bad(k->name, text, "no number");
    }
    return n->value >= k->least && n->value <= k->most ? 1 : bad(k->name, text, k->what);
}

static int moment(struct sb_cell_reading *r, const struct known *k, const char *text, struct number *n)
{
    struct sb_date date;
    struct number plain_number;
    if (is_empty(text) || parse(text, &plain_number) == 0) return number(k, text, n);
    n->half = 0.5e-6;
    if (sb_date_parse(text, strlen(text), &date) < 0 || sb_date_unix(&date, &r->zone, &n->value) < 0) {
        char why[600];
        snprintf(why, sizeof why, "%s", sb_error_message());
        return sb_error("column '%s': %s", k->name, why);
    }
    return 1;
}

static int read_number(struct sb_cell_reading *r, struct sb_record *rec, const struct known *k, const char *text)
{
    struct number n;
    double have;
    int found = k->kind == TIME ? moment(r, k, text, &n) : number(k, text, &n);
    if (found <= 0) return found;
    if (k->kind == INT && n.value != floor(n.value)) return bad(k->name, text, "no whole number");
    int there = sb_get_real(rec, k->name, &have);
    if (there < 0) return -1;
    if (there && same(&n, have)) return 0;
    if (k->kind == INT)
        sb_set_int(rec, k->name, (int64_t)n.value);
    else
        sb_set_real(rec, k->name, n.value);
    return 1;
}

/* ---- boxes, sizes, hashes ---- */

int sb_cell_read_box(struct sb_cell_reading *r, struct sb_record *rec, const char *const text[4])
{
    static const char *const name[] = {"x", "y", "w", "h"};
    struct sb_tensor t;
    struct number n;
    float side[4];
    int filled = 0, alike = 0;
    (void)r;
    int there = sb_get_tensor(rec, "box", &t);
    if (there < 0) return -1;
    bool is_box = there && t.dtype == SB_F32 && t.ndim == 1 && t.shape[0] == 4;
    for (int i = 0; i < 4; i++) {
        if (is_empty(text[i])) continue;
        if (parse(text[i], &n) < 0) return bad(name[i], text[i], "no number");
        filled++;
        side[i] = (float)n.value;
        double have = is_box ? ((const float *)t.data)[i] : 0;
        alike += is_box && (side[i] == (float)have || same(&n, have));
    }
    if (filled == 0 || alike == 4) return 0;
    if (filled < 4) return sb_error("columns 'x', 'y', 'w' and 'h': a box has all of them");
    if (!(side[2] > 0 && side[3] > 0)) return sb_error("columns 'w' and 'h': a box has a width and a height above 0");
    t = (struct sb_tensor){SB_F32, 1, {4}, side};
    sb_set_tensor(rec, "box", &t);
    return 1;
}

static int read_size(struct sb_record *rec, const char *column, const char *text)
{
    char *end, *rest;
    unsigned long width = strtoul(text, &end, 10), height = strtoul(end + strspn(end, "; x,"), &rest, 10);
    if (!isdigit((unsigned char)*text) || *rest || !width || !height || width > INT32_MAX || height > INT32_MAX)
        return bad(column, text, "no size such as 1920; 1080");
    sb_set_parent_size(rec, (int64_t)width, (int64_t)height);
    return 1;
}

/* What is no hash any more, since a spreadsheet took its digits for a number, is left: nobody types one. */
static int read_hex(struct sb_record *rec, const char *column, const char *text)
{
    uint8_t bytes[32];
    size_t size = strlen(text);
    bool hash = size == 16 || size == 64;
    if (!hash || strspn(text, "0123456789abcdef") != size || sb_record_find(rec, column)) return 0;
    for (size_t i = 0; i < size / 2; i++) {
        unsigned byte;
        sscanf(text + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    sb_set_bin(rec, column, bytes, size / 2);
    return 1;
}

/* ---- texts ---- */

static void pack_text(msgpack_packer *pk, const char *text, size_t size)
{
    msgpack_pack_str(pk, size);
    msgpack_pack_str_body(pk, text, size);
}

/* A text in quotes, as cell.h writes one that would not be told from its neighbours; where it ends. NULL: it is none.
 */
static const char *read_quoted(msgpack_packer *pk, const char *text)
{
    json_error_t at;
    json_t *json = *text == '"' ? json_loads(text, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &at) : NULL;
    const char *end = json ? text + at.position + strspn(text + at.position, " ") : NULL;
    if (end && *end && *end != ';') end = NULL;
    if (end) pack_text(pk, json_string_value(json), json_string_length(json));
    json_decref(json);
    return end;
}

/* Names of boxes that were fewer would be other boxes' names. */
static int check_labels(struct sb_record *rec, const char *text, uint32_t count)
{
    struct sb_tensor boxes = {.ndim = 0};
    if (sb_get_tensor(rec, "boxes", &boxes) < 0) return -1;
    if (boxes.ndim != 2 || count >= boxes.shape[0]) return 0;
    return sb_error("column 'labels': '%.60s': names for %u of %d boxes; one without a name is \"\"", text, count,
                    (int)boxes.shape[0]);
}

/* Between ';', without the blanks around them; empty ones are none. */
static int read_texts(struct sb_record *rec, const char *column, const char *text)
{
    struct sb_buffer items = {0};
    const char *whole = text;
    msgpack_packer pk;
    uint32_t count = 0;
    msgpack_packer_init(&pk, &items, sb_buffer_write);
    while (*(text += strspn(text, " "))) {
        const char *end = read_quoted(&pk, text);
        size_t n = end ? 0 : strcspn(text, ";");
        count += end || n;
        if (!end) end = text + n;
        while (n > 0 && text[n - 1] == ' ') n--;
        if (n) pack_text(&pk, text, n);
        text = end + (*end == ';');
    }
    if (!strcmp(column, "labels") && check_labels(rec, whole, count)) {
        free(items.data);
        return -1;
    }
    sb_set_list(rec, column, count, items.data, items.size);
    free(items.data);
    return 1;
}

/* Spreadsheets write TRUE for true, or it in their language. */
static int read_truth(struct sb_record *rec, const char *column, const char *text)
{
    bool yes = !strcasecmp(text, "true") || !strcmp(text, "1"), no = !strcasecmp(text, "false") || !strcmp(text, "0"),
         have;
    if (!yes && !no) return bad(column, text, "neither true nor false");
    if (sb_get_bool(rec, column, &have) == 1 && have == yes) return 0;
    sb_set_bool(rec, column, yes);
    return 1;
}

/* A column that people added: text, or what the record has there already, a number or a list; other things they can't
 * have meant. */
static int read_other(struct sb_record *rec, const char *column, const char *text)
{
    const struct sb_field *f = sb_record_find(rec, column);
    struct sb_wire w = {.type = SB_WIRE_NIL};
    struct number n;
    double have;
    if (f) sb_wire_head(f->value, f->size, &w);
    if (w.type == SB_WIRE_MAP || w.type == SB_WIRE_BIN || w.type == SB_WIRE_EXT) return 0;
    if (w.type == SB_WIRE_BOOL) return read_truth(rec, column, text);
    if (w.type == SB_WIRE_ARRAY) return read_texts(rec, column, text);
    if (!is_empty(text) && parse(text, &n) == 0 && w.type != SB_WIRE_STR && sb_get_real(rec, column, &have) == 1) {
        if (same(&n, have)) return 0;
        sb_set_real(rec, column, n.value);
        return 1;
    }
    sb_set_cstr(rec, column, text);
    return 1;
}

/* Whether the field's text is the cell's, but for blanks around it, which tables do not keep. */
static int says(struct sb_cell_reading *r, struct sb_record *rec, const char *column, const char *text)
{
    int rc = sb_cell_text(&r->cell, rec, column);
    if (rc <= 0) return rc;
    const char *have = r->cell.text;
    size_t size = r->cell.size, wanted = strlen(text);
    while (size > 0 && isspace((unsigned char)*have)) have++, size--;
    while (size > 0 && isspace((unsigned char)have[size - 1])) size--;
    return size == wanted && memcmp(have, text, size) == 0;
}

int sb_cell_read(struct sb_cell_reading *r, struct sb_record *rec, const char *column, const char *text)
{
    const struct known *k = find(column, false);
    enum kind kind = k ? k->kind : TEXT;
    if (!*text || kind == UNREAD || kind == SIDE) return 0;
    if (!sb_utf8_valid(text, strlen(text)))
        return sb_error("column '%s': it is not UTF-8: save the table as UTF-8", column);
    int alike = says(r, rec, column, text);
    if (alike < 0) return -1;
    if (alike) return 0;
    switch (kind) {
    case TEXTS: return read_texts(rec, column, text);
    case HEX: return read_hex(rec, column, text);
    case TRUTH: return read_truth(rec, column, text);
    case SIZE: return read_size(rec, column, text);
    case TEXT: return read_other(rec, column, text);
    default: return read_number(r, rec, k, text);
    }
}

void sb_cell_reading_free(struct sb_cell_reading *r) { sb_cell_free(&r->cell); }
