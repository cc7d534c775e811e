#include "formats/jsonl.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "base/wire.h"
#include "formats/text.h"

static const uint8_t *value_at(FILE *out, struct sb_record *memory, const uint8_t *p, const uint8_t *end, int depth);

void sb_json_text(FILE *out, const char *s, size_t size)
{
    putc('"', out);
    size_t from = 0;
    for (size_t i = 0; i <= size; i++) {
        unsigned char c = i < size ? (unsigned char)s[i] : 0;
        if (i < size && c >= 0x20 && c != '"' && c != '\\') continue;
        sb_text_utf8(out, s + from, i - from);
        from = i + 1;
        if (i == size) break;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            fprintf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        } else {
            fprintf(out, "\\u%04x", c);
        }
    }
    putc('"', out);
}

/* A real keeps a mark of being one: a reader that tells integers from reals gets the same type in each record. */
static void real(FILE *out, double v, const char *text)
{
    fputs(isfinite(v) ? text : "null", out);
    if (isfinite(v) && !strpbrk(text, ".e")) fputs(".0", out);
}

static void real_f64(FILE *out, double v)
{
    char buf[SB_NUMBER];
    real(out, v, sb_text_f64(v, buf));
}

static void real_f32(FILE *out, float v)
{
    char buf[SB_NUMBER];
    real(out, (double)v, sb_text_f32(v, buf));
}

void sb_json_element(FILE *out, const struct sb_tensor *t, int64_t index)
{
    const char *at = (const char *)t->data + (size_t)index * sb_dtype_size(t->dtype);
    switch (t->dtype) {
    case SB_U8: fprintf(out, "%u", *(const uint8_t *)at); break;
    case SB_I8: fprintf(out, "%d", *(const int8_t *)at); break;
    case SB_BOOL: fputs(*(const uint8_t *)at ? "true" : "false", out); break;
    case SB_U16: fprintf(out, "%u", *(const uint16_t *)(const void *)at); break;
    case SB_I16: fprintf(out, "%d", *(const int16_t *)(const void *)at); break;
    case SB_BF16: real_f32(out, sb_bf16_to_f32(*(const uint16_t *)(const void *)at)); break;
    case SB_F16: real_f32(out, sb_f16_to_f32(*(const uint16_t *)(const void *)at)); break;
    case SB_U32: fprintf(out, "%" PRIu32, *(const uint32_t *)(const void *)at); break;
    case SB_I32: fprintf(out, "%" PRId32, *(const int32_t *)(const void *)at); break;
    case SB_F32: real_f32(out, *(const float *)(const void *)at); break;
    case SB_U64: fprintf(out, "%" PRIu64, *(const uint64_t *)(const void *)at); break;
    case SB_I64: fprintf(out, "%" PRId64, *(const int64_t *)(const void *)at); break;
    default: real_f64(out, *(const double *)(const void *)at); break;
    }
}

/* One dimension of an array, and those inside it; `first` is the element that it begins with. */
static void nested(FILE *out, const struct sb_tensor *t, int dim, int64_t first)
{
    if (dim == t->ndim) {
        sb_json_element(out, t, first);
        return;
    }
    int64_t stride = 1;
    for (int i = dim + 1; i < t->ndim; i++) stride *= t->shape[i];
    putc('[', out);
    for (int64_t i = 0; i < t->shape[dim]; i++) {
        if (i) putc(',', out);
        nested(out, t, dim + 1, first + i * stride);
    }
    putc(']', out);
}

/* A shape may name sizes without end beside a zero: only an array with elements is written out. */
static void array(FILE *out, const struct sb_tensor *t)
{
    bool empty = false;
    for (int i = 0; i < t->ndim; i++) empty = empty || t->shape[i] == 0;
    if (!empty && sb_tensor_count(t) <= SB_JSON_SMALL) {
        nested(out, t, 0, 0);
        return;
    }
    fprintf(out, "{\"dtype\":\"%s\",\"shape\":[", sb_dtype_name(t->dtype));
    for (int i = 0; i < t->ndim; i++) fprintf(out, "%s%" PRId64, i ? "," : "", t->shape[i]);
    fputs("]}", out);
}

static void bytes(FILE *out, const uint8_t *p, size_t size)
{
    if (size <= SB_JSON_SMALL) {
        putc('"', out);
        sb_text_hex(out, p, size);
        putc('"', out);
        return;
    }
    const char *format = !memcmp(p, "\xff\xd8\xff", 3) ? "jpeg" : !memcmp(p, "\x89PNG\r\n\x1a\n", 8) ? "png" : NULL;
    if (format) {
        fprintf(out, "{\"format\":\"%s\",\"bytes\":%zu}", format, size);
    } else {
        fprintf(out, "{\"bytes\":%zu}", size);
    }
}

static void extension(FILE *out, const struct sb_wire *w, const uint8_t *p)
{
    fprintf(out, "{\"ext\":%d,", w->ext);
    if (w->size <= SB_JSON_SMALL) {
        fputs("\"hex\":\"", out);
        sb_text_hex(out, p, w->size);
        fputs("\"}", out);
    } else {
        fprintf(out, "\"bytes\":%" PRIu64 "}", w->size);
    }
}

/* JSON's keys are text: bytes that are text stand as it, any other value as its JSON. */
static const uint8_t *key(FILE *out, struct sb_record *memory, const uint8_t *p, const uint8_t *end, int depth)
{
    struct sb_wire w;
    if (sb_wire_head(p, (size_t)(end - p), &w) == 1 && w.size <= (size_t)(end - p) - w.head) {
        const char *text = (const char *)p + w.head;
        if (w.type == SB_WIRE_STR || (w.type == SB_WIRE_BIN && sb_utf8_valid(text, w.size))) {
            sb_json_text(out, text, w.size);
            return p + w.head + w.size;
        }
    }
    struct sb_buffer text = {0};
    FILE *copy = sb_buffer_stdio(&text);
    p = value_at(copy, memory, p, end, depth);
    fclose(copy);
    bool quoted = text.size >= 2 && text.data[0] == '"';
    if (p && quoted) fwrite(text.data, 1, text.size, out);
    if (p && !quoted) sb_json_text(out, (const char *)text.data, text.size);
    free(text.data);
    return p;
}

static const uint8_t *list(FILE *out, struct sb_record *memory, uint64_t count, const uint8_t *p, const uint8_t *end,
                           int depth)
{
    putc('[', out);
    for (uint64_t i = 0; p && i < count; i++) {
        if (i) putc(',', out);
        p = value_at(out, memory, p, end, depth + 1);
    }
    putc(']', out);
    return p;
}

/* A map, or what numpy wrote as one: an array or a scalar. */
static const uint8_t *map(FILE *out, struct sb_record *memory, const uint8_t *p, const uint8_t *end, int depth)
{
    struct sb_field f = {.key = "v", .key_size = 1, .value = p, .size = sb_wire_value(p, (size_t)(end - p))};
    struct sb_record one = {.field = &f, .count = 1};
    struct sb_tensor t;
    int64_t whole;
    double v;
    bool truth;
    if (f.size && sb_field_is_tensor(&f) && sb_field_tensor(&f, memory, &t) == 1) {
        array(out, &t);
        return p + f.size;
    }
    if (f.size && sb_get_bool(&one, "v", &truth) == 1) {
        fputs(truth ? "true" : "false", out);
        return p + f.size;
    }
    if (f.size && sb_get_int(&one, "v", &whole) == 1) {
        fprintf(out, "%" PRId64, whole);
        return p + f.size;
    }
    if (f.size && sb_field_real(&f, &v) == 1) {
        real_f32(out, (float)v); /* numpy's float64 scalars travel as plain reals */
        return p + f.size;
    }
    struct sb_wire w;
    sb_wire_head(p, (size_t)(end - p), &w);
    p += w.head;
    putc('{', out);
    for (uint64_t i = 0; p && i < w.size; i++) {
        if (i) putc(',', out);
        p = key(out, memory, p, end, depth + 1);
        putc(':', out);
        if (p) p = value_at(out, memory, p, end, depth + 1);
    }
    putc('}', out);
    return p;
}

static const uint8_t *value_at(FILE *out, struct sb_record *memory, const uint8_t *p, const uint8_t *end, int depth)
{
    struct sb_wire w;
    if (depth > SB_WIRE_DEPTH) {
        sb_error("a value nests deeper than %d", SB_WIRE_DEPTH);
        return NULL;
    }
    if (sb_wire_head(p, (size_t)(end - p), &w) != 1 || w.size > (size_t)(end - p) - w.head) {
        sb_error("a value is not whole");
        return NULL;
    }
    const uint8_t *at = p + w.head;
    switch (w.type) {
    case SB_WIRE_NIL: fputs("null", out); return at;
    case SB_WIRE_BOOL: fputs(w.v.truth ? "true" : "false", out); return at;
    case SB_WIRE_UINT: fprintf(out, "%" PRIu64, w.v.u); return at;
    case SB_WIRE_INT: fprintf(out, "%" PRId64, w.v.i); return at;
    case SB_WIRE_REAL:
        if (w.single) {
            real_f32(out, (float)w.v.real);
        } else {
            real_f64(out, w.v.real);
        }
        return at;
    case SB_WIRE_STR: sb_json_text(out, (const char *)at, w.size); return at + w.size;
    case SB_WIRE_BIN: bytes(out, at, w.size); return at + w.size;
    case SB_WIRE_EXT: extension(out, &w, at); return at + w.size;
    case SB_WIRE_ARRAY: return list(out, memory, w.size, at, end, depth);
    default: return map(out, memory, p, end, depth);
    }
}

const uint8_t *sb_json_value(FILE *out, struct sb_record *memory, const uint8_t *value, size_t size)
{
    return value_at(out, memory, value, value + size, 1);
}

int sb_jsonl_write(FILE *out, struct sb_record *rec)
{
    putc('{', out);
    for (size_t i = 0; i < rec->count; i++) {
        const struct sb_field *f = &rec->field[i];
        if (i) putc(',', out);
        sb_json_text(out, f->key, f->key_size);
        putc(':', out);
        if (!sb_json_value(out, rec, f->value, f->size)) {
            return sb_error("field '%.*s': %s", (int)(f->key_size < 200 ? f->key_size : 200), f->key,
                            sb_error_message());
        }
    }
    fputs("}\n", out);
    return 0;
}
