#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/output.h"
#include "base/xxh3.h"
#include "stream/history.h"

/* Values of DIRECT bytes and more go out by writev from where they lie; smaller ones are gathered. A piece is hashed, then
 * written while the processor's cache holds it. */
enum { BUFFER_SIZE = 1 << 17, DIRECT = 1 << 15, PIECE = 1 << 17 };

struct sb_writer {
    struct sb_output *out;
    uint8_t *buf;
    size_t used;
    XXH3_state_t *hash;
    uint64_t count, bytes;
    struct sb_texts drop; /* fields that no record is written with */
    pthread_mutex_t lock; /* a reading thread may flush while another writes */
};

struct sb_writer *sb_writer_open(const char *path)
{
    if ((!path || strcmp(path, "-") == 0) && isatty(STDOUT_FILENO)) {
        sb_usage("a stream is no text for a terminal: pipe it on, or name a file with -o");
    }
    struct sb_writer *w = sb_calloc(1, sizeof *w);
    if (path) sb_output_sweep(path);
    w->out = sb_output_open(path);
    w->buf = sb_malloc(BUFFER_SIZE);
    w->hash = XXH3_createState();
    if (!w->hash) sb_die("out of memory: wanted %d bytes", 576);
    XXH3_128bits_reset(w->hash);
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

/* Writes what was gathered, and then these bytes. */
static void flush_with(struct sb_writer *w, const uint8_t *bytes, size_t size)
{
    do {
        size_t n = size < PIECE ? size : PIECE;
        struct iovec part[2] = {{w->buf, w->used}, {(void *)bytes, n}};
        XXH3_128bits_update(w->hash, w->buf, w->used);
        XXH3_128bits_update(w->hash, bytes, n);
        w->used = 0;
        sb_output_writev(w->out, part, 2);
        bytes += n;
        size -= n;
    } while (size);
}

static void emit(struct sb_writer *w, const void *bytes, size_t size)
{
    w->bytes += size;
    if (size >= DIRECT) {
        flush_with(w, bytes, size);
        return;
    }
    if (size > BUFFER_SIZE - w->used) flush_with(w, w->buf, 0);
    memcpy(w->buf + w->used, bytes, size);
    w->used += size;
}

static int emit_packed(void *arg, const char *bytes, size_t size)
{
    emit(arg, bytes, size);
    return 0;
}

static bool listed(const struct sb_texts *list, const char *key, size_t size)
{
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->text[i]) == size && !memcmp(list->text[i], key, size)) return true;
    return false;
}

/* The record without the fields in drop. */
static void emit_record(struct sb_writer *w, const struct sb_record *rec, const struct sb_texts *drop)
{
    msgpack_packer pk;
    size_t total = 5, fields = 0;
    for (size_t i = 0; i < rec->count; i++) {
        if (listed(drop, rec->field[i].key, rec->field[i].key_size)) continue;
        total += 5 + rec->field[i].key_size + rec->field[i].size;
        fields++;
    }
    if (total > SB_RECORD_MAX)
        sb_die("record %" PRIu64 " is too large to write: %zu bytes, the limit is %u", w->count + 1, total,
               SB_RECORD_MAX);
    if (fields > SB_FIELDS_MAX) sb_die("record %" PRIu64 " has more than %d fields", w->count + 1, SB_FIELDS_MAX);
    msgpack_packer_init(&pk, w, emit_packed);
    msgpack_pack_map(&pk, fields);
    for (size_t i = 0; i < rec->count; i++) {
        const struct sb_field *f = &rec->field[i];
        if (listed(drop, f->key, f->key_size)) continue;
        msgpack_pack_str(&pk, f->key_size);
        msgpack_pack_str_body(&pk, f->key, f->key_size);
        emit(w, f->value, f->size);
    }
}

void sb_writer_drop(struct sb_writer *w, const char *fields)
{
    sb_texts_split(fields, ',', &w->drop);
}

bool sb_writer_drops(const struct sb_writer *w, const char *field)
{
    return listed(&w->drop, field, strlen(field));
}

void sb_writer_header(struct sb_writer *w, const struct sb_record *header, const struct sb_tool *tool,
                      const struct sb_args *args)
{
    sb_writer_header_joined(w, header, NULL, 0, tool, args);
}

void sb_writer_header_joined(struct sb_writer *w, const struct sb_record *header, const struct sb_record *const *input,
                             size_t inputs, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_record all = {0};
    sb_history_join(&all, header, input, inputs, tool, args);
    pthread_mutex_lock(&w->lock);
    emit_record(w, &all, &(struct sb_texts){0});
    pthread_mutex_unlock(&w->lock);
    sb_record_free(&all);
}

/* ---- records and the end ---- */

void sb_writer_put(struct sb_writer *w, const struct sb_record *rec)
{
    pthread_mutex_lock(&w->lock);
    emit_record(w, rec, &w->drop);
    w->count++;
    pthread_mutex_unlock(&w->lock);
}

void sb_writer_flush(struct sb_writer *w)
{
    pthread_mutex_lock(&w->lock);
    flush_with(w, w->buf, 0);
    pthread_mutex_unlock(&w->lock);
}

uint64_t sb_writer_bytes(const struct sb_writer *w)
{
    return w->bytes;
}

uint64_t sb_writer_close(struct sb_writer *w)
{
    char hex[SB_HEX];
    msgpack_packer pk;
    flush_with(w, w->buf, 0);
    XXH128_hash_t h = XXH3_128bits_digest(w->hash);
    sb_hash_hex((struct sb_hash){h.high64, h.low64}, hex);
    msgpack_packer_init(&pk, w, emit_packed);
    msgpack_pack_map(&pk, 2);
    msgpack_pack_str_with_body(&pk, "end", 3);
    msgpack_pack_uint64(&pk, w->count);
    msgpack_pack_str_with_body(&pk, "xxh3", 4);
    msgpack_pack_str_with_body(&pk, hex, SB_HEX - 1);
    uint64_t bytes = w->bytes;
    flush_with(w, w->buf, 0);
    sb_output_close(w->out);
    pthread_mutex_destroy(&w->lock);
    XXH3_freeState(w->hash);
    for (size_t i = 0; i < w->drop.count; i++) free((char *)w->drop.text[i]);
    free(w->drop.text);
    free(w->buf);
    free(w);
    return bytes;
}
