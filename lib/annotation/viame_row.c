#include "annotation/viame_row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "formats/csv.h"
#include "formats/text.h"

static void put_number(FILE *out, double v)
{
    char text[SB_NUMBER];
    fprintf(out, ",%s", sb_text_real(v, text));
}

static void put_box(FILE *out, const float box[4])
{
    char text[SB_NUMBER];
    for (int i = 0; i < 2; i++) put_number(out, (double)box[i]);
    for (int i = 0; i < 2; i++) fprintf(out, ",%s", sb_text_end(box[i], box[i + 2], text));
}

static bool same(struct sb_span a, struct sb_span b) { return a.size == b.size && !memcmp(a.text, b.text, a.size); }

/* A cell that begins with a parenthesis is no name to VIAME. */
static void put_pair(FILE *out, struct sb_span name, double score)
{
    if (!name.size) return;
    char *text = sb_strndup(name.text, name.size);
    if (text[0] == '(') text[0] = '[';
    putc(',', out);
    sb_csv_text(out, text, name.size);
    put_number(out, score);
    free(text);
}

/* The name that counts stands first: a person's, which no machine thought best, with the score 1. */
static void put_pairs(FILE *out, const struct sb_viewed *one, double confidence)
{
    bool first = one->predictions && same(one->predicted[0].label, one->name);
    if (!first && one->name.size)
        put_pair(out, one->name, one->predictions && one->named_by != SB_NAMED_BY_MACHINE ? 1 : confidence);
    for (size_t i = 0; i < one->predictions; i++) {
        if (first || !same(one->predicted[i].label, one->name))
            put_pair(out, one->predicted[i].label, one->predicted[i].probability);
    }
}

/* ---- cells in parentheses ---- */

static void text_of(FILE *out, const msgpack_object *o)
{
    char text[SB_NUMBER];
    switch (o->type) {
    case MSGPACK_OBJECT_STR: fwrite(o->via.str.ptr, 1, o->via.str.size, out); break;
    case MSGPACK_OBJECT_BOOLEAN: fputs(o->via.boolean ? "true" : "false", out); break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER: fprintf(out, "%llu", (unsigned long long)o->via.u64); break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: fprintf(out, "%lld", (long long)o->via.i64); break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: fputs(sb_text_real(o->via.f64, text), out); break;
    default: break;
    }
}

static void put_cell(FILE *out, const struct sb_buffer *cell)
{
    putc(',', out);
    sb_csv_text(out, (const char *)cell->data, cell->size);
}

/* "(atr) name value", "(kp) name x y": a cell for each key; blanks in an attribute's name become '_'. */
static int put_map(FILE *out, struct sb_record *rec, const char *field, const char *keyword)
{
    msgpack_object o;
    struct sb_buffer cell = {0};
    bool point = !strcmp(keyword, "(kp)");
    int rc = sb_get_object(rec, field, &o);
    if (rc < 1) return rc;
    if (o.type != MSGPACK_OBJECT_MAP) return sb_error("field '%s' is not a map", field);
    for (uint32_t i = 0; i < o.via.map.size; i++) {
        const msgpack_object_kv *kv = &o.via.map.ptr[i];
        bool list = kv->val.type == MSGPACK_OBJECT_ARRAY;
        if (kv->key.type != MSGPACK_OBJECT_STR || list != point) continue;
        cell.size = 0;
        FILE *text = sb_buffer_stdio(&cell);
        fprintf(text, "%s ", keyword);
        for (uint32_t k = 0; k < kv->key.via.str.size; k++) {
            char c = kv->key.via.str.ptr[k];
            putc(c == ' ' && !point ? '_' : c, text);
        }
        for (uint32_t k = 0; k < (list ? kv->val.via.array.size : 1); k++) {
            putc(' ', text);
            text_of(text, list ? &kv->val.via.array.ptr[k] : &kv->val);
        }
        fclose(text);
        put_cell(out, &cell);
    }
    free(cell.data);
    return 0;
}

static int put_note(FILE *out, struct sb_record *rec)
{
    struct sb_buffer cell = {0};
    const char *note;
    size_t size;
    int rc = sb_get_text(rec, "note", &note, &size);
    if (rc < 1) return rc;
    sb_buffer_add(&cell, "(note) ", 7);
    sb_buffer_add(&cell, note, size);
    put_cell(out, &cell);
    free(cell.data);
    return 0;
}

static void put_polygon(FILE *out, const struct sb_viewed *one)
{
    char text[SB_NUMBER];
    bool polygon = (one->shape.size == 7 && !memcmp(one->shape.text, "Polygon", 7)) ||
                   (one->shape.size == 9 && !memcmp(one->shape.text, "Rectangle", 9));
    if (!polygon || one->point_count < 3) return;
    fputs(",(poly)", out);
    for (size_t i = 0; i < 2 * one->point_count; i++) fprintf(out, " %s", sb_text_f32(one->points[i], text));
}

/* Cells that were not understood when they were read. */
static int put_others(FILE *out, struct sb_record *rec)
{
    msgpack_object o;
    int rc = sb_get_object(rec, "viame", &o);
    if (rc < 1) return rc;
    for (uint32_t i = 0; o.type == MSGPACK_OBJECT_ARRAY && i < o.via.array.size; i++) {
        const msgpack_object *cell = &o.via.array.ptr[i];
        if (cell->type != MSGPACK_OBJECT_STR) continue;
        putc(',', out);
        sb_csv_text(out, cell->via.str.ptr, cell->via.str.size);
    }
    return 0;
}

int sb_viame_row(FILE *out, struct sb_record *rec, const struct sb_viewed *one)
{
    double length = -1, confidence = one->confidence;
    if (isnan(confidence)) confidence = isnan(one->probability) ? 1 : one->probability;
    if (sb_get_real(rec, "length", &length) < 0) return -1;
    put_box(out, one->box);
    put_number(out, confidence);
    put_number(out, length > 0 ? length : -1);
    put_pairs(out, one, confidence);
    if (put_map(out, rec, "keypoints", "(kp)") || put_map(out, rec, "attributes", "(atr)") ||
        put_map(out, rec, "track_attributes", "(trk-atr)") || put_note(out, rec))
        return -1;
    put_polygon(out, one);
    if (put_others(out, rec) < 0) return -1;
    putc('\n', out);
    return 0;
}
