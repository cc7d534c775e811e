#include "annotation/manifest_cells.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dictionary.h"
#include "formats/text.h"

enum { NUMBERS_MOST = 1 << 20 }; /* of a cell */

/* ---- columns ---- */

static int name_columns(struct sb_manifest_cells *c, const struct sb_csv_table *t)
{
    static const char *const sides[] = {"x", "y", "w", "h"};
    struct sb_dictionary seen = {0};
    int rc = 0;
    c->count = t->titles;
    c->field = sb_calloc(t->titles + 1, sizeof *c->field);
    for (int i = 0; i < 4; i++) c->side[i] = -1;
    for (size_t i = 0; i < t->titles && rc == 0; i++) {
        char *name = (int)i == t->at[0] || (int)i == t->at[1] ? NULL : sb_column_name(t->title[i]);
        if (!name) continue;
        c->field[i] = name;
        size_t before = seen.count;
        sb_dictionary_add(&seen, name, strlen(name));
        if (seen.count == before) rc = sb_error("two of its columns are '%s'", name);
        for (int k = 0; k < 4; k++)
            if (!strcmp(name, sides[k])) c->side[k] = (int)i;
    }
    sb_dictionary_free(&seen);
    return rc;
}

static const char *cell(const struct sb_csv_table *t, int column)
{
    return column >= 0 && (size_t)column < t->row->count ? t->row->cell[column] : "";
}

/* ---- arrays ---- */

/* What was drawn: rows of so many numbers, and what they are. */
static const struct drawn {
    const char *name;
    size_t width; /* 1: a flat list, in which a number may be missing (NaN) */
    const char *what;
} drawn[] = {
    {"points", 2, "x and y by turns"}, {"boxes", 4, "x, y, width and height by turns"}, {"scores", 1, "numbers"}};

static const struct drawn *drawn_called(const char *name)
{
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        if (!strcmp(drawn[i].name, name)) return &drawn[i];
    return NULL;
}

/* "1; 2; 3; 4": rows, one after the other. */
static int read_drawn(struct sb_record *fields, const struct drawn *d, const char *text)
{
    float *v = NULL;
    size_t count = 0, cap = 0;
    bool good = *text;
    while (good && *text) {
        char *end;
        float number = strtof(text, &end);
        good = end > text && (isfinite(number) || (isnan(number) && d->width == 1)) && count < NUMBERS_MOST;
        SB_GROW(v, cap, count + 1);
        v[count++] = number;
        text = end + strspn(end, "; ");
    }
    bool whole = good && count % d->width == 0;
    struct sb_tensor tensor = {SB_F32, d->width > 1 ? 2 : 1, {(int64_t)(count / d->width), (int64_t)d->width}, v};
    if (whole) sb_set_tensor(fields, d->name, &tensor);
    free(v);
    return whole ? 0 : sb_error("column '%s': not %s, with ';' between them", d->name, d->what);
}

/* ---- predictions ---- */

/* A probability as programs write it, f32, where that says the same. */
static void pack_number(msgpack_packer *pk, double v)
{
    char as_f32[SB_NUMBER], as_f64[SB_NUMBER];
    if (!strcmp(sb_text_f32((float)v, as_f32), sb_text_f64(v, as_f64))) {
        msgpack_pack_float(pk, (float)v);
    } else {
        msgpack_pack_double(pk, v);
    }
}

struct predictions {
    struct sb_buffer packed;
    size_t count;
};

static void add_prediction(struct predictions *p, const char *label, double probability)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, &p->packed, sb_buffer_write);
    msgpack_pack_array(&pk, 2);
    msgpack_pack_str(&pk, strlen(label));
    msgpack_pack_str_body(&pk, label, strlen(label));
    pack_number(&pk, probability);
    p->count++;
}

static void set_predictions(struct sb_record *fields, struct predictions *p)
{
    sb_set_list(fields, "predicted", p->count, p->packed.data, p->packed.size);
}

/* ["crab",0.75]; ["eel",0.25] */
static int read_predicted(struct sb_record *fields, const char *text)
{
    struct predictions p = {0};
    int rc = 0;
    while (*text && rc == 0) {
        json_error_t why;
        json_t *pair = json_loads(text, JSON_DISABLE_EOF_CHECK, &why);
        const char *label = json_string_value(json_array_get(pair, 0));
        const json_t *probability = json_array_get(pair, 1);
        if (label && json_is_number(probability) && json_array_size(pair) == 2) {
            add_prediction(&p, label, json_number_value(probability));
            text += why.position; /* where it ended */
            text += strspn(text, "; ");
        } else {
            rc = sb_error("column 'predicted': not [\"name\",probability], with ';' between them");
        }
        json_decref(pair);
    }
    if (rc == 0) set_predictions(fields, &p);
    free(p.packed.data);
    return rc;
}

static int read_best(struct sb_record *fields, const char *label, const char *probability)
{
    struct predictions p = {0};
    char *end;
    double v = strtod(probability, &end);
    if (end == probability || *end || !isfinite(v))
        return sb_error("column 'probability': '%.60s' is no number", probability);
    add_prediction(&p, label, v);
    set_predictions(fields, &p);
    free(p.packed.data);
    return 0;
}

/* ---- a row ---- */

int sb_manifest_cells_read(struct sb_manifest_cells *c, const struct sb_csv_table *t, struct sb_record *fields)
{
    const char *label = "", *probability = "", *side[4];
    if (!c->field && name_columns(c, t)) return -1;
    for (size_t i = 0; i < c->count; i++) {
        const char *name = c->field[i], *text = cell(t, (int)i);
        int rc = 0;
        if (!name || !*text) continue;
        if (drawn_called(name)) {
            rc = read_drawn(fields, drawn_called(name), text);
        } else if (!strcmp(name, "predicted")) {
            rc = read_predicted(fields, text);
        } else if (!strcmp(name, "predicted_label")) {
            label = text;
        } else if (!strcmp(name, "probability")) {
            probability = text;
        } else {
            rc = sb_cell_read(&c->reading, fields, name, text);
        }
        if (rc < 0) return -1;
    }
    for (int i = 0; i < 4; i++) side[i] = cell(t, c->side[i]);
    if (sb_cell_read_box(&c->reading, fields, side) < 0) return -1;
    if (!*label || !*probability || sb_record_find(fields, "predicted")) return 0;
    return read_best(fields, label, probability);
}

void sb_manifest_cells_free(struct sb_manifest_cells *c)
{
    for (size_t i = 0; i < c->count; i++) free(c->field[i]);
    free(c->field);
    sb_cell_reading_free(&c->reading);
}
