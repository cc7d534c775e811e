#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/record.h"

/* msgpack-c writes heads and numbers in here; payloads are copied once, to their place. */
struct head {
    uint8_t bytes[256];
    size_t size;
};

static int head_write(void *arg, const char *bytes, size_t size)
{
    struct head *h = arg;
    if (size > sizeof h->bytes - h->size) return -1;
    memcpy(h->bytes + h->size, bytes, size);
    h->size += size;
    return 0;
}

static void set_value(struct sb_record *r, const char *key, const uint8_t *value, size_t size)
{
    struct sb_field *f = sb_record_find(r, key);
    if (!f) {
        SB_GROW(r->field, r->cap, r->count + 1);
        f = &r->field[r->count++];
        f->key_size = strlen(key);
        char *copy = sb_record_alloc(r, f->key_size);
        memcpy(copy, key, f->key_size);
        f->key = copy;
    }
    f->value = value;
    f->size = size;
}

/* A head and `size` payload bytes after it, at a 64-byte aligned place; returns that place. */
static void *set_with_space(struct sb_record *r, const char *key, const struct head *h, size_t size)
{
    size_t before = (h->size + 63) / 64 * 64;
    uint8_t *payload = (uint8_t *)sb_record_alloc(r, before + size) + before;
    memcpy(payload - h->size, h->bytes, h->size);
    set_value(r, key, payload - h->size, h->size + size);
    return payload;
}

static void set_with(struct sb_record *r, const char *key, const struct head *h, const void *data, size_t size)
{
    void *place = set_with_space(r, key, h, size);
    if (size) memcpy(place, data, size);
}

/* Sizes beyond 32 bits can't be written in msgpack, let alone in a record. */
static void check_size(const char *key, size_t size)
{
    if (size > UINT32_MAX) sb_die("field '%s' is too large: %zu bytes", key, size);
}

void sb_set_text(struct sb_record *r, const char *key, const char *text, size_t size)
{
    struct head h = {.size = 0};
    msgpack_packer pk;
    check_size(key, size);
    msgpack_packer_init(&pk, &h, head_write);
    msgpack_pack_str(&pk, size);
    set_with(r, key, &h, text, size);
}

void sb_set_cstr(struct sb_record *r, const char *key, const char *text)
{
    sb_set_text(r, key, text, strlen(text));
}

void sb_set_bin(struct sb_record *r, const char *key, const void *data, size_t size)
{
    struct head h = {.size = 0};
    msgpack_packer pk;
    check_size(key, size);
    msgpack_packer_init(&pk, &h, head_write);
    msgpack_pack_bin(&pk, size);
    set_with(r, key, &h, data, size);
}

void sb_set_real(struct sb_record *r, const char *key, double v)
{
    struct head h = {.size = 0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &h, head_write);
    msgpack_pack_double(&pk, v);
    sb_set_packed(r, key, h.bytes, h.size);
}

void sb_set_f32(struct sb_record *r, const char *key, float v)
{
    struct head h = {.size = 0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &h, head_write);
    msgpack_pack_float(&pk, v);
    sb_set_packed(r, key, h.bytes, h.size);
}

void sb_set_int(struct sb_record *r, const char *key, int64_t v)
{
    struct head h = {.size = 0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &h, head_write);
    msgpack_pack_int64(&pk, v);
    sb_set_packed(r, key, h.bytes, h.size);
}

void sb_set_bool(struct sb_record *r, const char *key, bool v)
{
    uint8_t byte = v ? 0xc3 : 0xc2;
    sb_set_packed(r, key, &byte, 1);
}

static void pack_key(msgpack_packer *pk, const char *key)
{
    size_t n = strlen(key);
    msgpack_pack_bin(pk, n);
    msgpack_pack_bin_body(pk, key, n);
}

static void pack_word(msgpack_packer *pk, const char *word)
{
    size_t n = strlen(word);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, word, n);
}

void sb_set_tensor_space(struct sb_record *r, const char *key, struct sb_tensor *t)
{
    struct head h = {.size = 0};
    msgpack_packer pk;
    size_t bytes = sb_tensor_bytes(t);
    check_size(key, bytes);
    msgpack_packer_init(&pk, &h, head_write);
    msgpack_pack_map(&pk, t->dtype == SB_BF16 ? 6 : 5);
    pack_key(&pk, "nd");
    msgpack_pack_true(&pk);
    pack_key(&pk, "type");
    pack_word(&pk, sb_dtype_numpy(t->dtype));
    pack_key(&pk, "kind");
    msgpack_pack_bin(&pk, 0);
    pack_key(&pk, "shape");
    msgpack_pack_array(&pk, (size_t)t->ndim);
    for (int i = 0; i < t->ndim; i++) msgpack_pack_int64(&pk, t->shape[i]);
    if (t->dtype == SB_BF16) {
        pack_key(&pk, "dtype");
        pack_word(&pk, "bf16");
    }
    pack_key(&pk, "data"); /* last: where a copy's end is aligned, so is the payload */
    msgpack_pack_bin(&pk, bytes);
    t->data = set_with_space(r, key, &h, bytes);
}

void sb_set_tensor(struct sb_record *r, const char *key, const struct sb_tensor *t)
{
    struct sb_tensor place = *t;
    sb_set_tensor_space(r, key, &place);
    size_t bytes = sb_tensor_bytes(t);
    if (bytes) memcpy(place.data, t->data, bytes);
}

void sb_set_packed(struct sb_record *r, const char *key, const void *bytes, size_t size)
{
    uint8_t *copy = sb_record_alloc(r, size);
    memcpy(copy, bytes, size);
    set_value(r, key, copy, size);
}

void sb_set_list(struct sb_record *r, const char *key, size_t count, const void *items, size_t size)
{
    struct sb_buffer list = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &list, sb_buffer_write);
    msgpack_pack_array(&pk, count);
    sb_buffer_add(&list, items, size);
    sb_set_packed(r, key, list.data, list.size);
    free(list.data);
}
