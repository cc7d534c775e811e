#include <string.h>

#include "base/record.h"
#include "base/wire.h"

static int wrong(const char *key, size_t key_size, const struct sb_wire *w, const char *wanted)
{
    return sb_error("field '%.*s' is %s, not %s", (int)(key_size < 200 ? key_size : 200), key, sb_wire_name(w->type),
                    wanted);
}

/* 1 and the value's head, 0 if the field is absent or nil. Values were scanned whole when they were read. */
static int head_of(const struct sb_record *r, const char *key, const struct sb_field **f, struct sb_wire *w)
{
    *f = sb_record_find(r, key);
    if (!*f) return 0;
    if (sb_wire_head((*f)->value, (*f)->size, w) != 1) return sb_error("field '%s' holds no value", key);
    return w->type != SB_WIRE_NIL;
}

/* ---- what numpy wrote ---- */

struct span {
    const uint8_t *at;
    size_t size;
};

/* The parts of a map that msgpack-numpy wrote; an absent one has at == NULL. */
struct numpy {
    bool has_nd, nd;
    struct span type, kind, shape, data, dtype;
};

static bool span_is(struct span s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.at, text, s.size) == 0;
}

/* The bytes of a str or bin value. */
static struct span bytes_of(const uint8_t *value, size_t size)
{
    struct sb_wire w;
    struct span none = {NULL, 0};
    if (sb_wire_head(value, size, &w) != 1 || (w.type != SB_WIRE_STR && w.type != SB_WIRE_BIN)) return none;
    if (w.size > size - w.head) return none;
    return (struct span){value + w.head, w.size};
}

static bool numpy_parse(const struct sb_field *f, struct numpy *n)
{
    struct sb_wire map, head;
    memset(n, 0, sizeof *n);
    if (sb_wire_head(f->value, f->size, &map) != 1 || map.type != SB_WIRE_MAP || map.size < 3) return false;
    size_t at = map.head;
    for (uint64_t i = 0; i < map.size; i++) {
        size_t key_size = sb_wire_value(f->value + at, f->size - at);
        if (!key_size) return false;
        struct span key = bytes_of(f->value + at, key_size);
        at += key_size;
        const uint8_t *value = f->value + at;
        size_t size = sb_wire_value(value, f->size - at);
        if (!size) return false;
        at += size;
        if (!key.at) continue;
        if (span_is(key, "nd")) {
            if (sb_wire_head(value, size, &head) != 1 || head.type != SB_WIRE_BOOL) return false;
            n->has_nd = true;
            n->nd = head.v.truth;
        } else if (span_is(key, "type")) {
            n->type = bytes_of(value, size);
        } else if (span_is(key, "kind")) {
            n->kind = bytes_of(value, size);
            if (!n->kind.at) n->kind = (struct span){(const uint8_t *)"?", 1}; /* of a type that we do not know */
        } else if (span_is(key, "shape")) {
            n->shape = (struct span){value, size};
        } else if (span_is(key, "data")) {
            n->data = bytes_of(value, size);
        } else if (span_is(key, "dtype")) {
            n->dtype = bytes_of(value, size);
        }
    }
    return n->has_nd && n->data.at && (!n->nd || n->shape.at);
}

static int numpy_dtype(const struct sb_field *f, const struct numpy *n, enum sb_dtype *dtype)
{
    int key = (int)(f->key_size < 200 ? f->key_size : 200);
    if (n->kind.size) return sb_error("field '%.*s': arrays of objects or structures are not read", key, f->key);
    if (!n->type.at) return sb_error("field '%.*s': an array without a type", key, f->key);
    if (n->type.size && n->type.at[0] == '>')
        return sb_error("field '%.*s': big-endian arrays are not read", key, f->key);
    for (int i = 0; i < SB_NDTYPES; i++) {
        if (i == SB_BF16 || !span_is(n->type, sb_dtype_numpy((enum sb_dtype)i))) continue;
        *dtype = (enum sb_dtype)i;
        if (n->dtype.at && span_is(n->dtype, "bf16")) {
            if (i != SB_U16) return sb_error("field '%.*s': bf16 must travel as <u2", key, f->key);
            *dtype = SB_BF16;
        }
        return 0;
    }
    return sb_error("field '%.*s': arrays of type '%.*s' are not read", key, f->key,
                    (int)(n->type.size < 64 ? n->type.size : 64), n->type.at);
}

static int numpy_shape(const struct sb_field *f, const struct numpy *n, struct sb_tensor *t)
{
    struct sb_wire list, item;
    int key = (int)(f->key_size < 200 ? f->key_size : 200);
    size_t at, bytes = sb_dtype_size(t->dtype);
    if (sb_wire_head(n->shape.at, n->shape.size, &list) != 1 || list.type != SB_WIRE_ARRAY) {
        return sb_error("field '%.*s': the array's shape is not a list", key, f->key);
    }
    if (list.size > SB_DIMS) return sb_error("field '%.*s': more than %d dimensions", key, f->key, SB_DIMS);
    at = list.head;
    t->ndim = (int)list.size;
    bool empty = false;
    for (int i = 0; i < t->ndim; i++) {
        if (sb_wire_head(n->shape.at + at, n->shape.size - at, &item) != 1 || item.type != SB_WIRE_UINT ||
            item.v.u > INT64_MAX) {
            return sb_error("field '%.*s': the array's shape holds no sizes", key, f->key);
        }
        at += item.head;
        t->shape[i] = (int64_t)item.v.u;
        if (!item.v.u) empty = true;
        if (!empty && !sb_mul(bytes, item.v.u, &bytes))
            return sb_error("field '%.*s': the array's shape is too large", key, f->key);
    }
    if (empty) bytes = 0;
    if (bytes != n->data.size) {
        return sb_error("field '%.*s': %zu bytes of data where the array's shape asks for %zu", key, f->key,
                        n->data.size, bytes);
    }
    return 0;
}

bool sb_field_is_tensor(const struct sb_field *f)
{
    struct numpy n;
    return numpy_parse(f, &n) && n.nd;
}

bool sb_field_is_scalar(const struct sb_field *f)
{
    struct numpy n;
    return numpy_parse(f, &n) && !n.nd;
}

int sb_field_tensor(const struct sb_field *f, struct sb_record *memory, struct sb_tensor *t)
{
    struct numpy n;
    memset(t, 0, sizeof *t);
    if (!numpy_parse(f, &n) || !n.nd) {
        struct sb_wire w;
        if (sb_wire_head(f->value, f->size, &w) != 1) w.type = SB_WIRE_NIL;
        return wrong(f->key, f->key_size, &w, "an array");
    }
    if (numpy_dtype(f, &n, &t->dtype) || numpy_shape(f, &n, t)) return -1;
    size_t element = sb_dtype_size(t->dtype);
    t->data = (void *)n.data.at;
    if ((uintptr_t)n.data.at % element) {
        t->data = sb_record_alloc(memory, n.data.size);
        memcpy(t->data, n.data.at, n.data.size);
    }
    return 1;
}

/* A number out of a numpy scalar, as a wire head. */
static bool numpy_scalar(const struct sb_field *f, struct sb_wire *w)
{
    struct numpy n;
    enum sb_dtype dtype;
    if (!numpy_parse(f, &n) || n.nd || numpy_dtype(f, &n, &dtype) || n.data.size != sb_dtype_size(dtype)) return false;
    uint64_t bits = 0;
    memcpy(&bits, n.data.at, n.data.size);
    int shift = 64 - 8 * (int)n.data.size;
    memset(w, 0, sizeof *w);
    if (dtype == SB_F32) {
        float v;
        memcpy(&v, n.data.at, 4);
        w->type = SB_WIRE_REAL;
        w->v.real = v;
    } else if (dtype == SB_F64) {
        w->type = SB_WIRE_REAL;
        memcpy(&w->v.real, n.data.at, 8);
    } else if (dtype == SB_F16) {
        w->type = SB_WIRE_REAL;
        w->v.real = sb_f16_to_f32((uint16_t)bits);
    } else if (dtype == SB_BOOL) {
        w->type = SB_WIRE_BOOL;
        w->v.truth = bits != 0;
    } else if (dtype == SB_I8 || dtype == SB_I16 || dtype == SB_I32 || dtype == SB_I64) {
        w->v.i = (int64_t)(bits << shift) >> shift;
        w->type = w->v.i < 0 ? SB_WIRE_INT : SB_WIRE_UINT;
    } else {
        w->type = SB_WIRE_UINT;
        w->v.u = bits;
    }
    return true;
}

/* ---- getters ---- */

int sb_get_text(const struct sb_record *r, const char *key, const char **text, size_t *size)
{
    const struct sb_field *f;
    struct sb_wire w;
    int rc = head_of(r, key, &f, &w);
    if (rc != 1) return rc;
    if (w.type != SB_WIRE_STR) return wrong(f->key, f->key_size, &w, "a str");
    *text = (const char *)f->value + w.head;
    *size = w.size;
    return 1;
}

int sb_get_cstr(struct sb_record *r, const char *key, const char **text)
{
    const char *bytes;
    size_t size;
    int rc = sb_get_text(r, key, &bytes, &size);
    if (rc != 1) return rc;
    if (memchr(bytes, 0, size)) return sb_error("field '%s' holds a NUL", key);
    char *copy = sb_record_alloc(r, size + 1);
    memcpy(copy, bytes, size);
    copy[size] = 0;
    *text = copy;
    return 1;
}

int sb_get_bin(const struct sb_record *r, const char *key, const uint8_t **data, size_t *size)
{
    const struct sb_field *f;
    struct sb_wire w;
    int rc = head_of(r, key, &f, &w);
    if (rc != 1) return rc;
    if (w.type != SB_WIRE_BIN) return wrong(f->key, f->key_size, &w, "bin");
    *data = f->value + w.head;
    *size = w.size;
    return 1;
}

int sb_field_real(const struct sb_field *f, double *v)
{
    struct sb_wire w;
    if (sb_wire_head(f->value, f->size, &w) != 1)
        return sb_error("field '%.*s' holds no value", (int)f->key_size, f->key);
    if (w.type == SB_WIRE_MAP) numpy_scalar(f, &w);
    switch (w.type) {
    case SB_WIRE_UINT: *v = (double)w.v.u; return 1;
    case SB_WIRE_INT: *v = (double)w.v.i; return 1;
    case SB_WIRE_REAL: *v = w.v.real; return 1;
    default: return wrong(f->key, f->key_size, &w, "a number");
    }
}

int sb_get_real(const struct sb_record *r, const char *key, double *v)
{
    const struct sb_field *f;
    struct sb_wire w;
    int rc = head_of(r, key, &f, &w);
    return rc == 1 ? sb_field_real(f, v) : rc;
}

int sb_get_int(const struct sb_record *r, const char *key, int64_t *v)
{
    const struct sb_field *f;
    struct sb_wire w;
    int rc = head_of(r, key, &f, &w);
    if (rc != 1) return rc;
    if (w.type == SB_WIRE_MAP) numpy_scalar(f, &w);
    if (w.type != SB_WIRE_UINT && w.type != SB_WIRE_INT) return wrong(f->key, f->key_size, &w, "an integer");
    if (w.type == SB_WIRE_UINT && w.v.u > INT64_MAX)
        return sb_error("field '%s' is too large: %llu", key, (unsigned long long)w.v.u);
    *v = w.type == SB_WIRE_UINT ? (int64_t)w.v.u : w.v.i;
    return 1;
}

int sb_get_bool(const struct sb_record *r, const char *key, bool *v)
{
    const struct sb_field *f;
    struct sb_wire w;
    int rc = head_of(r, key, &f, &w);
    if (rc != 1) return rc;
    if (w.type == SB_WIRE_MAP) numpy_scalar(f, &w);
    if (w.type != SB_WIRE_BOOL) return wrong(f->key, f->key_size, &w, "a bool");
    *v = w.v.truth;
    return 1;
}

int sb_get_tensor(struct sb_record *r, const char *key, struct sb_tensor *t)
{
    const struct sb_field *f;
    struct sb_wire w;
    int rc = head_of(r, key, &f, &w);
    return rc == 1 ? sb_field_tensor(f, r, t) : rc;
}
