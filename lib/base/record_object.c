#include "base/record.h"

#include <string.h>

#include "base/wire.h"

/* Fills *o from the value at p and returns the value's end, NULL if it nests too deep or is cut off. */
static const uint8_t *build(struct sb_record *r, const uint8_t *p, const uint8_t *end, int depth, msgpack_object *o)
{
    struct sb_wire w;
    if (depth > SB_WIRE_DEPTH || sb_wire_head(p, (size_t)(end - p), &w) != 1) return NULL;
    p += w.head;
    /* What is declared must be there before memory is taken for it. */
    uint64_t least = w.type == SB_WIRE_MAP ? 2 * w.size : w.size;
    if (least > (uint64_t)(end - p)) return NULL;
    switch (w.type) {
    case SB_WIRE_NIL: o->type = MSGPACK_OBJECT_NIL; return p;
    case SB_WIRE_BOOL:
        o->type = MSGPACK_OBJECT_BOOLEAN;
        o->via.boolean = w.v.truth;
        return p;
    case SB_WIRE_UINT:
        o->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        o->via.u64 = w.v.u;
        return p;
    case SB_WIRE_INT:
        o->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
        o->via.i64 = w.v.i;
        return p;
    case SB_WIRE_REAL:
        o->type = w.single ? MSGPACK_OBJECT_FLOAT32 : MSGPACK_OBJECT_FLOAT64;
        o->via.f64 = w.v.real;
        return p;
    case SB_WIRE_STR:
        o->type = MSGPACK_OBJECT_STR;
        o->via.str.ptr = (const char *)p;
        o->via.str.size = (uint32_t)w.size;
        return p + w.size;
    case SB_WIRE_BIN:
        o->type = MSGPACK_OBJECT_BIN;
        o->via.bin.ptr = (const char *)p;
        o->via.bin.size = (uint32_t)w.size;
        return p + w.size;
    case SB_WIRE_EXT:
        o->type = MSGPACK_OBJECT_EXT;
        o->via.ext.type = w.ext;
        o->via.ext.ptr = (const char *)p;
        o->via.ext.size = (uint32_t)w.size;
        return p + w.size;
    case SB_WIRE_ARRAY:
        o->type = MSGPACK_OBJECT_ARRAY;
        o->via.array.size = (uint32_t)w.size;
        o->via.array.ptr = sb_record_alloc(r, w.size * sizeof(msgpack_object));
        for (uint64_t i = 0; p && i < w.size; i++) p = build(r, p, end, depth + 1, &o->via.array.ptr[i]);
        return p;
    default:
        o->type = MSGPACK_OBJECT_MAP;
        o->via.map.size = (uint32_t)w.size;
        o->via.map.ptr = sb_record_alloc(r, w.size * sizeof(msgpack_object_kv));
        for (uint64_t i = 0; p && i < w.size; i++) {
            p = build(r, p, end, depth + 1, &o->via.map.ptr[i].key);
            if (p) p = build(r, p, end, depth + 1, &o->via.map.ptr[i].val);
        }
        return p;
    }
}

int sb_get_object(struct sb_record *r, const char *key, msgpack_object *o)
{
    const struct sb_field *f = sb_record_find(r, key);
    if (!f) return 0;
    if (!build(r, f->value, f->value + f->size, 1, o)) return sb_error("field '%s' nests too deep", key);
    return o->type != MSGPACK_OBJECT_NIL;
}

const msgpack_object *sb_object_value(const msgpack_object *map, const char *key, size_t size)
{
    for (uint32_t i = 0; map && map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object_kv *kv = &map->via.map.ptr[i];
        if (kv->key.type == MSGPACK_OBJECT_STR && kv->key.via.str.size == size && !memcmp(kv->key.via.str.ptr, key, size))
            return &kv->val;
    }
    return NULL;
}
