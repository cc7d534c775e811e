#include "base/record.h"

#include <string.h>

#include "base/wire.h"

/* ---- memory ---- */

struct sb_arena_block {
    struct sb_arena_block *next;
    uint8_t *base; /* 64-byte aligned, inside this allocation */
    size_t size, used;
};

enum { ALIGN = 64, BLOCK_MIN = 4096, BLOCK_STEP = 1 << 20 };

static struct sb_arena_block *block_new(size_t size, struct sb_arena_block *next)
{
    struct sb_arena_block *b = sb_malloc(sizeof *b + ALIGN + size);
    uintptr_t start = (uintptr_t)(b + 1);
    b->base = (uint8_t *)b + sizeof *b + (ALIGN - start % ALIGN) % ALIGN;
    b->size = size;
    b->used = 0;
    b->next = next;
    return b;
}

static void blocks_free(struct sb_arena_block *b)
{
    while (b) {
        struct sb_arena_block *next = b->next;
        free(b);
        b = next;
    }
}

static size_t blocks_total(const struct sb_arena_block *b)
{
    size_t total = 0;
    for (; b; b = b->next) total += b->size;
    return total;
}

void *sb_record_alloc(struct sb_record *r, size_t size)
{
    size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (rounded < size) sb_die("out of memory: wanted %zu bytes", size);
    struct sb_arena_block *b = r->arena;
    if (!b || rounded > b->size - b->used) {
        size_t more = blocks_total(b);
        if (more > BLOCK_STEP) more = BLOCK_STEP;
        if (more < BLOCK_MIN) more = BLOCK_MIN;
        b = r->arena = block_new(rounded > more ? rounded : more, b);
    }
    uint8_t *p = b->base + b->used;
    b->used += rounded;
    return p;
}

uint8_t *sb_record_space(struct sb_record *r, size_t least, size_t *size)
{
    sb_record_reset(r);
    if (!r->arena || r->arena->size < least) {
        blocks_free(r->arena);
        r->arena = NULL;
        r->arena = block_new((least + ALIGN - 1) / ALIGN * ALIGN, NULL);
    }
    *size = r->arena->used = r->arena->size;
    return r->arena->base;
}

void sb_record_adopt(struct sb_record *r, struct sb_record *from, size_t used)
{
    struct sb_arena_block *own = r->arena;
    r->arena = from->arena;
    r->arena->used = (used + ALIGN - 1) / ALIGN * ALIGN;
    from->arena = own;
}

static bool owned(const struct sb_record *r, const void *p)
{
    for (const struct sb_arena_block *b = r->arena; b; b = b->next) {
        if ((uintptr_t)p >= (uintptr_t)b->base && (uintptr_t)p < (uintptr_t)b->base + b->size) return true;
    }
    return false;
}

void sb_record_reset(struct sb_record *r)
{
    r->count = 0;
    if (!r->arena) return;
    if (r->arena->next) { /* one block as large as all of them: the next record of this kind fits in it */
        size_t total = blocks_total(r->arena);
        blocks_free(r->arena);
        r->arena = NULL;
        r->arena = block_new(total, NULL);
    }
    r->arena->used = 0;
}

void sb_record_free(struct sb_record *r)
{
    blocks_free(r->arena);
    free(r->field);
    memset(r, 0, sizeof *r);
}

/* A tensor's payload is the end of its value, so where the end is aligned, the payload is aligned to its elements. */
static const uint8_t *copy_bytes(struct sb_record *r, const void *bytes, size_t size)
{
    size_t shift = size >= ALIGN ? (ALIGN - size % ALIGN) % ALIGN : 0;
    uint8_t *p = (uint8_t *)sb_record_alloc(r, size + shift) + shift;
    if (size) memcpy(p, bytes, size);
    return p;
}

void sb_record_keep(struct sb_record *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct sb_field *f = &r->field[i];
        if (!owned(r, f->key)) f->key = (const char *)copy_bytes(r, f->key, f->key_size);
        if (!owned(r, f->value)) f->value = copy_bytes(r, f->value, f->size);
    }
}

void sb_record_borrow(struct sb_record *to, const struct sb_record *from)
{
    sb_record_reset(to);
    SB_GROW(to->field, to->cap, from->count);
    if (from->count) memcpy(to->field, from->field, from->count * sizeof *from->field);
    to->count = from->count;
}

void sb_record_copy(struct sb_record *to, const struct sb_record *from)
{
    if (to == from) {
        sb_record_keep(to);
        return;
    }
    sb_record_reset(to);
    SB_GROW(to->field, to->cap, from->count);
    for (size_t i = 0; i < from->count; i++) {
        const struct sb_field *f = &from->field[i];
        to->field[i].key = (const char *)copy_bytes(to, f->key, f->key_size);
        to->field[i].key_size = f->key_size;
        to->field[i].value = copy_bytes(to, f->value, f->size);
        to->field[i].size = f->size;
    }
    to->count = from->count;
}

/* ---- fields ---- */

int sb_record_parse(struct sb_record *r, const uint8_t *bytes, size_t size)
{
    struct sb_wire map, key;
    r->count = 0;
    if (sb_wire_head(bytes, size, &map) != 1) return sb_error("not a msgpack value");
    if (map.type != SB_WIRE_MAP) return sb_error("not a map but %s", sb_wire_name(map.type));
    if (map.size > SB_FIELDS_MAX) return sb_error("more than %d fields", SB_FIELDS_MAX);
    SB_GROW(r->field, r->cap, map.size);
    size_t at = map.head;
    for (size_t i = 0; i < map.size; i++) {
        if (sb_wire_head(bytes + at, size - at, &key) != 1) return sb_error("cut off inside a field");
        if (key.type != SB_WIRE_STR) return sb_error("a field's name is %s, not a str", sb_wire_name(key.type));
        at += key.head;
        if (key.size > size - at) return sb_error("cut off inside a field");
        struct sb_field f = {.key = (const char *)bytes + at, .key_size = key.size};
        at += key.size;
        f.value = bytes + at;
        f.size = sb_wire_value(f.value, size - at);
        if (!f.size) return sb_error("cut off inside a field");
        at += f.size;
        for (size_t k = 0; k < i; k++) {
            if (r->field[k].key_size == f.key_size && memcmp(r->field[k].key, f.key, f.key_size) == 0) {
                return sb_error("field '%.*s' stands twice", (int)(f.key_size < 200 ? f.key_size : 200), f.key);
            }
        }
        r->field[i] = f;
        r->count = i + 1;
    }
    if (at != size) return sb_error("%zu bytes after the last field", size - at);
    return 0;
}

struct sb_field *sb_record_find(const struct sb_record *r, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < r->count; i++) {
        if (r->field[i].key_size == n && memcmp(r->field[i].key, key, n) == 0) return &r->field[i];
    }
    return NULL;
}

void sb_record_remove(struct sb_record *r, const char *key)
{
    struct sb_field *f = sb_record_find(r, key);
    if (!f) return;
    size_t after = r->count - (size_t)(f - r->field) - 1;
    memmove(f, f + 1, after * sizeof *f);
    r->count--;
}
