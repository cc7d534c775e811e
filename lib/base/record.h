/* A record: named values. It is what programs read, change and pass on.
 *
 * A field's value is kept as the msgpack bytes it came in, so what a program does not know passes through byte for
 * byte, whatever its type; only the fields that are asked for are decoded. A record is owned and reused by its caller.
 * Bytes of fields that were read borrow from the reader until its next read (sb_record_keep() ends that); bytes of
 * fields that were set live in the record's own memory until sb_record_reset().
 *
 * Tensors are encoded as the Python package msgpack-numpy does: {nd, type, kind, shape, data}, bfloat16 as "<u2" with
 * "dtype": "bf16". Payloads that were set here are 64-byte aligned. */
#ifndef SB_BASE_RECORD_H
#define SB_BASE_RECORD_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tensor.h"

struct sb_field {
    const char *key; /* not NUL-terminated */
    size_t key_size;
    const uint8_t *value; /* one msgpack value */
    size_t size;
};

struct sb_arena_block;

struct sb_record {
    struct sb_field *field;
    size_t count, cap;
    struct sb_arena_block *arena; /* memory of fields set here and of decoded values */
};

/* A zeroed record is valid and empty. */
void sb_record_reset(struct sb_record *r); /* no fields; memory kept for reuse */
void sb_record_free(struct sb_record *r);
void sb_record_keep(struct sb_record *r);  /* copies borrowed bytes into the record */
void sb_record_copy(struct sb_record *to, const struct sb_record *from); /* to is reset, then owns all its bytes */
void sb_record_borrow(struct sb_record *to, const struct sb_record *from); /* to is reset, then has from's fields, borrowed */
void *sb_record_alloc(struct sb_record *r, size_t size); /* lives until reset; 64-byte aligned */
/* All memory of a record that was reset, *size bytes in one piece, and `least` of them at least. */
uint8_t *sb_record_space(struct sb_record *r, size_t least, size_t *size);
/* The fields' bytes all lie in the first `used` bytes of from's space: both records change their memory. */
void sb_record_adopt(struct sb_record *r, struct sb_record *from, size_t used);

/* The fields of the map in bytes, which stay borrowed: keys are str and no key stands twice, at most SB_FIELDS_MAX. -1
 * with a message if that is not so. The caller has reset r, or placed the bytes in its memory. */
#define SB_FIELDS_MAX 1024
int sb_record_parse(struct sb_record *r, const uint8_t *bytes, size_t size);

struct sb_field *sb_record_find(const struct sb_record *r, const char *key); /* NULL if absent */
void sb_record_remove(struct sb_record *r, const char *key);

/* Getters: 1 found, 0 absent or nil, -1 there but of another type (message: "field 'pts' is a str, not a number"). */
int sb_get_text(const struct sb_record *r, const char *key, const char **text, size_t *size); /* not NUL-terminated */
/* A NUL-terminated copy in the record; a NUL inside is refused. */
int sb_get_cstr(struct sb_record *r, const char *key, const char **text);
int sb_get_bin(const struct sb_record *r, const char *key, const uint8_t **data, size_t *size);
int sb_get_real(const struct sb_record *r, const char *key, double *v);     /* any number, also a numpy scalar */
int sb_get_int(const struct sb_record *r, const char *key, int64_t *v);     /* an integer that fits, also a numpy one */
int sb_get_bool(const struct sb_record *r, const char *key, bool *v);
/* u8 data is a view of the bytes in place; wider types are copied to aligned memory in the record where the bytes are
 * not aligned. Big-endian, Fortran-order and object arrays are refused. */
int sb_get_tensor(struct sb_record *r, const char *key, struct sb_tensor *t);
/* Any value as a msgpack-c object that lives in the record until its reset. */
int sb_get_object(struct sb_record *r, const char *key, msgpack_object *o);
/* What a map holds under a key that is a str; NULL where it has none, or `map` is NULL or no map. */
const msgpack_object *sb_object_value(const msgpack_object *map, const char *key, size_t size);

/* The same for a field's value alone. The bytes are borrowed by a view of u8 data. */
int sb_field_tensor(const struct sb_field *f, struct sb_record *memory, struct sb_tensor *t);
int sb_field_real(const struct sb_field *f, double *v);

/* Test one field without decoding its payload: an array, a numpy scalar. */
bool sb_field_is_tensor(const struct sb_field *f);
bool sb_field_is_scalar(const struct sb_field *f);

/* Setters replace or append. Text is UTF-8. */
void sb_set_text(struct sb_record *r, const char *key, const char *text, size_t size);
void sb_set_cstr(struct sb_record *r, const char *key, const char *text);
void sb_set_bin(struct sb_record *r, const char *key, const void *data, size_t size);
void sb_set_real(struct sb_record *r, const char *key, double v);
void sb_set_f32(struct sb_record *r, const char *key, float v);
void sb_set_int(struct sb_record *r, const char *key, int64_t v);
void sb_set_bool(struct sb_record *r, const char *key, bool v);
void sb_set_tensor(struct sb_record *r, const char *key, const struct sb_tensor *t); /* copies the payload */
/* Fills t->data with the place to write the payload (t's dtype and shape are given): no copy. */
void sb_set_tensor_space(struct sb_record *r, const char *key, struct sb_tensor *t);
/* Value bytes that the caller packed with msgpack-c; copied. */
void sb_set_packed(struct sb_record *r, const char *key, const void *bytes, size_t size);
/* A list of `count` values that the caller packed one behind the other; copied. */
void sb_set_list(struct sb_record *r, const char *key, size_t count, const void *items, size_t size);

#endif
