#include "formats/cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wire.h"
#include "formats/jsonl.h"
#include "formats/text.h"

static void number(FILE *out, const struct sb_tensor *t, int64_t index)
{
    char buf[SB_NUMBER];
    const char *at = (const char *)t->data + (size_t)index * sb_dtype_size(t->dtype);
    switch (t->dtype) {
    case SB_BF16: fputs(sb_text_f32(sb_bf16_to_f32(*(const uint16_t *)(const void *)at), buf), out); break;
    case SB_F16: fputs(sb_text_f32(sb_f16_to_f32(*(const uint16_t *)(const void *)at), buf), out); break;
    case SB_F32: fputs(sb_text_f32(*(const float *)(const void *)at, buf), out); break;
    case SB_F64: fputs(sb_text_f64(*(const double *)(const void *)at, buf), out); break;
    default: sb_json_element(out, t, index); break;
    }
}

static void elements(FILE *out, const struct sb_tensor *t)
{
    int64_t count = sb_tensor_count(t);
    for (int64_t i = 0; i < count; i++) {
        if (i) fputs("; ", out);
        number(out, t, i);
    }
}

static void array(FILE *out, const struct sb_tensor *t)
{
    bool empty = false;
    char text[128];
    for (int i = 0; i < t->ndim; i++) empty = empty || t->shape[i] == 0;
    if (empty || sb_tensor_count(t) > SB_JSON_SMALL) {
        fputs(sb_tensor_text(t, text, sizeof text), out);
        return;
    }
    elements(out, t);
}

static int item(FILE *out, struct sb_record *rec, const uint8_t *p, size_t size, bool outermost);

static int list(FILE *out, struct sb_record *rec, const uint8_t *p, size_t size, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        size_t one = sb_wire_value(p, size);
        if (one == 0) return sb_error("a list is not whole");
        if (i) fputs("; ", out);
        if (item(out, rec, p, one, false) < 0) return -1;
        p += one;
        size -= one;
    }
    return 1;
}

/* A text in a list: as JSON where it would not be told from what stands beside it. */
static void list_text(FILE *out, const char *s, size_t size)
{
    bool plain = size && *s != '"' && !memchr(s, ';', size) && *s != ' ' && s[size - 1] != ' ';
    if (plain) {
        sb_text_utf8(out, s, size);
    } else {
        sb_json_text(out, s, size);
    }
}

/* One value. A list inside a list is JSON: its parts could not be told apart. */
static int item(FILE *out, struct sb_record *rec, const uint8_t *p, size_t size, bool outermost)
{
    struct sb_wire w;
    char buf[SB_NUMBER];
    if (sb_wire_head(p, size, &w) != 1) return sb_error("a value is not whole");
    const uint8_t *at = p + w.head;
    struct sb_field f = {.key = "v", .key_size = 1, .value = p, .size = size};
    struct sb_tensor t;
    switch (w.type) {
    case SB_WIRE_NIL: return 0;
    case SB_WIRE_STR:
        if (outermost) sb_text_utf8(out, (const char *)at, w.size);
        if (!outermost) list_text(out, (const char *)at, w.size);
        return 1;
    case SB_WIRE_REAL: fputs(w.single ? sb_text_f32((float)w.v.real, buf) : sb_text_f64(w.v.real, buf), out); return 1;
    case SB_WIRE_BIN:
        if (w.size <= SB_JSON_SMALL) {
            sb_text_hex(out, at, w.size);
        } else {
            fprintf(out, "%" PRIu64 " bytes", w.size);
        }
        return 1;
    case SB_WIRE_ARRAY:
        if (outermost) return list(out, rec, at, size - w.head, w.size);
        break;
    case SB_WIRE_MAP:
        if (sb_field_is_tensor(&f) && sb_field_tensor(&f, rec, &t) == 1) {
            array(out, &t);
            return 1;
        }
        break;
    default: break;
    }
    return sb_json_value(out, rec, p, size) ? 1 : -1;
}

int sb_cell_predicted(struct sb_record *rec, const char **label, size_t *size, double *probability)
{
    msgpack_object o;
    int rc = sb_get_object(rec, "predicted", &o);
    if (rc != 1) return rc;
    if (o.type == MSGPACK_OBJECT_ARRAY && o.via.array.size == 0) return 0;
    if (o.type == MSGPACK_OBJECT_ARRAY && o.via.array.ptr[0].type == MSGPACK_OBJECT_ARRAY &&
        o.via.array.ptr[0].via.array.size == 2) {
        const msgpack_object *pair = o.via.array.ptr[0].via.array.ptr;
        bool number = pair[1].type == MSGPACK_OBJECT_FLOAT32 || pair[1].type == MSGPACK_OBJECT_FLOAT64;
        if (pair[0].type == MSGPACK_OBJECT_STR && (number || pair[1].type == MSGPACK_OBJECT_POSITIVE_INTEGER)) {
            *label = pair[0].via.str.ptr;
            *size = pair[0].via.str.size;
            *probability = number ? pair[1].via.f64 : (double)pair[1].via.u64;
            return 1;
        }
    }
    return sb_error("field 'predicted' is not a list of [label, probability]");
}

static int predicted_column(FILE *out, struct sb_record *rec, bool probability)
{
    const char *label;
    size_t size;
    double p;
    char buf[SB_NUMBER];
    int rc = sb_cell_predicted(rec, &label, &size, &p);
    if (rc != 1) return rc;
    if (probability) {
        fputs(sb_text_f32((float)p, buf), out);
    } else {
        sb_text_utf8(out, label, size);
    }
    return 1;
}

static int box_column(FILE *out, struct sb_record *rec, int index)
{
    struct sb_tensor t;
    int rc = sb_get_tensor(rec, "box", &t);
    if (rc != 1) return rc;
    if (t.ndim != 1 || t.shape[0] != 4) return sb_error("field 'box' does not hold 4 numbers");
    number(out, &t, index);
    return 1;
}

/* A spreadsheet would show 1783087509.25 as 1.78E+09, and save that. */
static int time_column(FILE *out, struct sb_record *rec)
{
    char text[SB_CLOCK_TEXT];
    double time;
    if (sb_get_real(rec, "time", &time) != 1 || !isfinite(time)) return 0;
    fputs(sb_clock_text(time, -1, text), out);
    return 1;
}

/* Arrays that are written whole, however large: they are what was drawn. */
static bool is_drawn(const char *column)
{
    return !strcmp(column, "points") || !strcmp(column, "boxes") || !strcmp(column, "scores");
}

int sb_cell_write(FILE *out, struct sb_record *rec, const char *column)
{
    static const char *const side = "xywh";
    if (column[0] && !column[1] && strchr(side, column[0])) {
        int rc = box_column(out, rec, (int)(strchr(side, column[0]) - side));
        if (rc != 0) return rc;
    }
    if (!strcmp(column, "time") && time_column(out, rec)) return 1;
    const struct sb_field *f = sb_record_find(rec, column);
    struct sb_tensor drawn;
    if (f && is_drawn(column) && sb_field_is_tensor(f) && sb_get_tensor(rec, column, &drawn) == 1) {
        elements(out, &drawn);
        return 1;
    }
    if (!f && !strcmp(column, "predicted_label")) return predicted_column(out, rec, false);
    if (!f && !strcmp(column, "probability")) return predicted_column(out, rec, true);
    return f ? item(out, rec, f->value, f->size, true) : 0;
}

int sb_cell_prediction(FILE *out, struct sb_record *rec)
{
    const char *label;
    size_t size;
    double p;
    int rc = sb_cell_predicted(rec, &label, &size, &p);
    if (rc != 1) return rc;
    sb_text_utf8(out, label, size);
    fprintf(out, " %.0f %%", p * 100);
    return 1;
}

FILE *sb_cell_begin(struct sb_cell *cell)
{
    if (!cell->stream) cell->stream = sb_buffer_stdio(&cell->bytes);
    cell->bytes.size = 0;
    return cell->stream;
}

void sb_cell_end(struct sb_cell *cell)
{
    putc(0, cell->stream);
    fflush(cell->stream);
    cell->text = (char *)cell->bytes.data;
    cell->size = cell->bytes.size - 1;
}

int sb_cell_text(struct sb_cell *cell, struct sb_record *rec, const char *column)
{
    int rc = sb_cell_write(sb_cell_begin(cell), rec, column);
    sb_cell_end(cell);
    return rc;
}

int sb_cell_words(struct sb_cell *cell, struct sb_record *rec, const char *column)
{
    bool caption = !column && sb_record_find(rec, "caption");
    double time;
    if (column && strcmp(column, "time") == 0 && sb_get_real(rec, column, &time) == 1) {
        char text[SB_CLOCK_TEXT];
        fputs(sb_clock_text(time, 0, text), sb_cell_begin(cell));
        sb_cell_end(cell);
        return 1;
    }
    if (caption || (column && strcmp(column, "predicted") != 0))
        return sb_cell_text(cell, rec, caption ? "caption" : column);
    int rc = sb_cell_prediction(sb_cell_begin(cell), rec);
    sb_cell_end(cell);
    return rc;
}

void sb_cell_free(struct sb_cell *cell)
{
    if (cell->stream) fclose(cell->stream);
    free(cell->bytes.data);
    memset(cell, 0, sizeof *cell);
}
