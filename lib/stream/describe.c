#include <math.h>
#include <string.h>

#include "base/labels.h"
#include "base/wire.h"
#include "stream/describe_inner.h"

struct sb_description *sb_description_new(void)
{
    struct sb_description *d = sb_calloc(1, sizeof *d);
    d->label.title = "labels";
    d->predicted.title = "predicted";
    d->split.title = "split";
    return d;
}

void sb_description_free(struct sb_description *d)
{
    struct tally *const tally[] = {&d->label, &d->predicted, &d->split};
    for (int i = 0; i < 3; i++) {
        sb_dictionary_free(&tally[i]->names);
        free(tally[i]->count);
    }
    sb_dictionary_free(&d->names);
    sb_dictionary_free(&d->sources);
    sb_record_free(&d->memory);
    free(d->field);
    free(d->source);
    free(d);
}

/* The number of a name, -1 if it is new and there are `most` already. */
static int64_t number_of(struct sb_dictionary *names, size_t most, const char *text, size_t size)
{
    int64_t n = sb_dictionary_find(names, text, size);
    return n >= 0 || names->count >= most ? n : (int64_t)sb_dictionary_add(names, text, size);
}

/* ---- gathering ---- */

static void widen(struct range *r, double v)
{
    if (!r->any || v < r->least) r->least = v;
    if (!r->any || v > r->most) r->most = v;
    r->any = true;
}

static void widen_number(struct field_stats *s, double v)
{
    if (isnan(v)) {
        s->nan = true;
    } else {
        widen(&s->value, v);
    }
}

#define WIDEN(type, read)                                                                                           \
    do {                                                                                                            \
        const type *p = t->data;                                                                                    \
        double least = INFINITY, most = -INFINITY;                                                                  \
        for (int64_t i = 0; i < n; i++) {                                                                           \
            double v = (double)read(p[i]);                                                                          \
            least = v < least ? v : least;                                                                          \
            most = v > most ? v : most;                                                                             \
            nan |= v != v;                                                                                          \
        }                                                                                                           \
        if (least <= most) {                                                                                        \
            widen(&s->value, least);                                                                                \
            widen(&s->value, most);                                                                                 \
        }                                                                                                           \
    } while (0)

static void widen_by_elements(struct field_stats *s, const struct sb_tensor *t)
{
    int64_t n = sb_tensor_count(t);
    bool nan = false;
    switch (t->dtype) {
    case SB_U8: case SB_BOOL: WIDEN(uint8_t, ); break;
    case SB_I8: WIDEN(int8_t, ); break;
    case SB_U16: WIDEN(uint16_t, ); break;
    case SB_I16: WIDEN(int16_t, ); break;
    case SB_BF16: WIDEN(uint16_t, sb_bf16_to_f32); break;
    case SB_F16: WIDEN(uint16_t, sb_f16_to_f32); break;
    case SB_U32: WIDEN(uint32_t, ); break;
    case SB_I32: WIDEN(int32_t, ); break;
    case SB_F32: WIDEN(float, ); break;
    case SB_U64: WIDEN(uint64_t, ); break;
    case SB_I64: WIDEN(int64_t, ); break;
    case SB_F64: WIDEN(double, ); break;
    default: break;
    }
    s->nan |= nan;
}

static void widen_by_shape(struct field_stats *s, const struct sb_tensor *t, bool first)
{
    if (!first && s->ndim != t->ndim) s->dims_differ = true;
    for (int i = 0; i < t->ndim; i++) {
        if (first || t->shape[i] < s->low[i]) s->low[i] = t->shape[i];
        if (first || t->shape[i] > s->high[i]) s->high[i] = t->shape[i];
    }
    s->ndim = t->ndim;
}

static enum kind add_map(struct sb_description *d, struct field_stats *s, const struct sb_field *f, uint64_t pairs)
{
    struct sb_tensor t;
    double v;
    sb_record_reset(&d->memory);
    if (sb_field_is_tensor(f)) {
        if (sb_field_tensor(f, &d->memory, &t) != 1) return KIND_UNREAD;
        widen_by_shape(s, &t, s->ndim < 0);
        widen_by_elements(s, &t);
        return (enum kind)(KIND_ARRAY + (int)t.dtype);
    }
    if (sb_field_is_scalar(f)) {
        if (sb_field_real(f, &v) == 1) widen_number(s, v);
        return KIND_SCALAR;
    }
    widen(&s->size, (double)pairs);
    return KIND_MAP;
}

static enum kind bin_kind(const uint8_t *p, size_t size)
{
    if (size > 3 && memcmp(p, "\xff\xd8\xff", 3) == 0) return KIND_JPEG;
    if (size > 8 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0) return KIND_PNG;
    return KIND_BIN;
}

static enum kind add_value(struct sb_description *d, struct field_stats *s, const struct sb_field *f)
{
    struct sb_wire w;
    if (sb_wire_head(f->value, f->size, &w) != 1) return KIND_NIL;
    switch (w.type) {
    case SB_WIRE_NIL: return KIND_NIL;
    case SB_WIRE_BOOL: return KIND_BOOL;
    case SB_WIRE_UINT: widen_number(s, (double)w.v.u); return KIND_INT;
    case SB_WIRE_INT: widen_number(s, (double)w.v.i); return KIND_INT;
    case SB_WIRE_REAL: widen_number(s, w.v.real); return w.single ? KIND_F32 : KIND_F64;
    case SB_WIRE_MAP: return add_map(d, s, f, w.size);
    default: widen(&s->size, (double)w.size);
    }
    if (w.type == SB_WIRE_STR) return KIND_STR;
    if (w.type == SB_WIRE_BIN) return bin_kind(f->value + w.head, w.size);
    return w.type == SB_WIRE_ARRAY ? KIND_LIST : KIND_EXT;
}

static void tally_add(struct tally *t, const char *text, size_t size)
{
    int64_t n = number_of(&t->names, NAMES_MAX, text, size);
    t->total++;
    if (n < 0) {
        t->others++;
        return;
    }
    size_t old = t->cap;
    SB_GROW(t->count, t->cap, n + 1);
    memset(t->count + old, 0, (t->cap - old) * sizeof *t->count);
    t->count[n]++;
}

static void add_label(void *arg, const char *label, size_t size)
{
    tally_add(&((struct sb_description *)arg)->label, label, size);
}

static void add_names(struct sb_description *d, struct sb_record *rec)
{
    const char *text;
    size_t size;
    msgpack_object o;
    if (sb_get_text(rec, "split", &text, &size) == 1) tally_add(&d->split, text, size);
    (void)sb_labels_each(rec, add_label, d); /* of another type: its line in the table of fields shows it */
    if (sb_get_object(rec, "predicted", &o) == 1 && o.type == MSGPACK_OBJECT_ARRAY && o.via.array.size) {
        const msgpack_object *best = &o.via.array.ptr[0];
        if (best->type == MSGPACK_OBJECT_ARRAY && best->via.array.size) best = &best->via.array.ptr[0];
        if (best->type == MSGPACK_OBJECT_STR) tally_add(&d->predicted, best->via.str.ptr, best->via.str.size);
    }
}

static void add_source(struct sb_description *d, const struct sb_record *rec)
{
    const char *text;
    size_t size, old = d->source_cap;
    double v;
    if (sb_get_text(rec, "source", &text, &size) != 1) return;
    int64_t n = number_of(&d->sources, NAMES_MAX, text, size);
    if (n < 0) {
        d->unsourced++;
        return;
    }
    SB_GROW(d->source, d->source_cap, n + 1);
    memset(d->source + old, 0, (d->source_cap - old) * sizeof *d->source);
    struct source_stats *s = &d->source[n];
    s->records++;
    if (sb_get_real(rec, "pts", &v) == 1 && isfinite(v)) widen(&s->pts, v);
    if (sb_get_real(rec, "time", &v) == 1 && isfinite(v)) widen(&s->time, v);
}

void sb_description_add(struct sb_description *d, struct sb_record *rec)
{
    d->records++;
    for (size_t i = 0; i < rec->count; i++) {
        const struct sb_field *f = &rec->field[i];
        int64_t n = number_of(&d->names, FIELDS_MAX, f->key, f->key_size);
        if (n < 0) {
            d->unnamed++;
            continue;
        }
        size_t known = d->field_cap;
        SB_GROW(d->field, d->field_cap, n + 1);
        memset(d->field + known, 0, (d->field_cap - known) * sizeof *d->field);
        struct field_stats *s = &d->field[n];
        if (s->present++ == 0) s->ndim = -1;
        s->kind[add_value(d, s, f)]++;
    }
    add_names(d, rec);
    add_source(d, rec);
}
