#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/output.h"
#include "base/wire.h"
#include "stream/stream.h"

/* Values of DIRECT bytes and more go out by writev from where they lie; smaller ones are gathered. */
enum { BUFFER_SIZE = 1 << 18, DIRECT = 1 << 15 };

struct sb_writer {
    struct sb_output *out;
    uint8_t *buf;
    size_t used;
    XXH3_state_t *hash;
    uint64_t count;
    pthread_mutex_t lock; /* a reading thread may flush while another writes */
};

struct sb_writer *sb_writer_open(const char *path)
{
    if ((!path || strcmp(path, "-") == 0) && isatty(STDOUT_FILENO)) {
        sb_usage("a stream is no text for a terminal: pipe it on, or name a file with -o");
    }
    struct sb_writer *w = sb_calloc(1, sizeof *w);
    w->out = sb_output_open(path);
    w->buf = sb_malloc(BUFFER_SIZE);
    w->hash = XXH3_createState();
    if (!w->hash) sb_die("out of memory: wanted %d bytes", 576);
    XXH3_128bits_reset(w->hash);
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

static void flush_with(struct sb_writer *w, const void *bytes, size_t size)
{
    struct iovec part[2] = {{w->buf, w->used}, {(void *)bytes, size}};
    w->used = 0;
    sb_output_writev(w->out, part, 2);
}

static void emit(struct sb_writer *w, const void *bytes, size_t size)
{
    XXH3_128bits_update(w->hash, bytes, size);
    if (size >= DIRECT || size > BUFFER_SIZE - w->used) {
        if (size >= DIRECT) {
            flush_with(w, bytes, size);
            return;
        }
        flush_with(w, NULL, 0);
    }
    memcpy(w->buf + w->used, bytes, size);
    w->used += size;
}

static int emit_packed(void *arg, const char *bytes, size_t size)
{
    emit(arg, bytes, size);
    return 0;
}

static void emit_record(struct sb_writer *w, const struct sb_record *rec)
{
    msgpack_packer pk;
    size_t total = 5;
    for (size_t i = 0; i < rec->count; i++) total += 5 + rec->field[i].key_size + rec->field[i].size;
    if (total > SB_RECORD_MAX) sb_die("record %" PRIu64 " is too large to write: %zu bytes, the limit is %u", w->count + 1, total, SB_RECORD_MAX);
    if (rec->count > SB_FIELDS_MAX) sb_die("record %" PRIu64 " has more than %d fields", w->count + 1, SB_FIELDS_MAX);
    msgpack_packer_init(&pk, w, emit_packed);
    msgpack_pack_map(&pk, rec->count);
    for (size_t i = 0; i < rec->count; i++) {
        const struct sb_field *f = &rec->field[i];
        msgpack_pack_str(&pk, f->key_size);
        msgpack_pack_str_body(&pk, f->key, f->key_size);
        emit(w, f->value, f->size);
    }
}

/* ---- header ---- */

static void pack_text(msgpack_packer *pk, const char *text)
{
    size_t n = strlen(text);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, text, n);
}

/* {base name: hash}; a second file of the same name is told apart by a number. */
static void pack_files(msgpack_packer *pk, const struct sb_args *args)
{
    msgpack_pack_map(pk, args->nfile);
    for (size_t i = 0; i < args->nfile; i++) {
        char hex[SB_HEX];
        const char *slash = strrchr(args->file[i], '/'), *name = slash ? slash + 1 : args->file[i];
        int same = 1;
        for (size_t k = 0; k < i; k++) {
            const char *s = strrchr(args->file[k], '/');
            if (strcmp(s ? s + 1 : args->file[k], name) == 0) same++;
        }
        if (sb_hash_file(args->file[i], hex)) sb_die_error();
        char *key = same > 1 ? sb_format("%s (%d)", name, same) : sb_strdup(name);
        pack_text(pk, key);
        pack_text(pk, hex);
        free(key);
    }
}

static void pack_step(msgpack_packer *pk, const struct sb_tool *tool, const struct sb_args *args)
{
    msgpack_pack_map(pk, 4);
    pack_text(pk, "tool");
    pack_text(pk, tool->name);
    pack_text(pk, "version");
    pack_text(pk, SB_VERSION);
    pack_text(pk, "args");
    msgpack_pack_array(pk, args->nrecorded);
    for (size_t i = 0; i < args->nrecorded; i++) pack_text(pk, args->recorded[i]);
    pack_text(pk, "files");
    pack_files(pk, args);
}

void sb_writer_header(struct sb_writer *w, const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_record all = {0};
    struct sb_buffer history = {0};
    struct sb_wire list = {.type = SB_WIRE_ARRAY};
    msgpack_packer pk;

    const struct sb_field *old = header ? sb_record_find(header, "history") : NULL;
    if (old && (sb_wire_head(old->value, old->size, &list) != 1 || list.type != SB_WIRE_ARRAY)) {
        sb_die("the header's history is %s, not a list", sb_wire_name(list.type));
    }
    msgpack_packer_init(&pk, &history, sb_buffer_write);
    msgpack_pack_array(&pk, list.size + 1);
    if (old) sb_buffer_add(&history, old->value + list.head, old->size - list.head);
    pack_step(&pk, tool, args);

    sb_set_int(&all, "seabot", 1);
    sb_set_packed(&all, "history", history.data, history.size);
    for (size_t i = 0; header && i < header->count; i++) {
        const struct sb_field *f = &header->field[i];
        char *key = sb_strndup(f->key, f->key_size);
        if (!sb_record_find(&all, key)) sb_set_packed(&all, key, f->value, f->size);
        free(key);
    }
    pthread_mutex_lock(&w->lock);
    emit_record(w, &all);
    pthread_mutex_unlock(&w->lock);
    sb_record_free(&all);
    free(history.data);
}

/* ---- records and the end ---- */

void sb_writer_put(struct sb_writer *w, const struct sb_record *rec)
{
    pthread_mutex_lock(&w->lock);
    emit_record(w, rec);
    w->count++;
    pthread_mutex_unlock(&w->lock);
}

void sb_writer_flush(struct sb_writer *w)
{
    pthread_mutex_lock(&w->lock);
    flush_with(w, NULL, 0);
    pthread_mutex_unlock(&w->lock);
}

uint64_t sb_writer_count(const struct sb_writer *w)
{
    return w->count;
}

void sb_writer_close(struct sb_writer *w)
{
    XXH128_hash_t h = XXH3_128bits_digest(w->hash);
    char hex[SB_HEX];
    msgpack_packer pk;
    sb_hash_hex((struct sb_hash){h.high64, h.low64}, hex);
    msgpack_packer_init(&pk, w, emit_packed);
    msgpack_pack_map(&pk, 2);
    pack_text(&pk, "end");
    msgpack_pack_uint64(&pk, w->count);
    pack_text(&pk, "xxh3");
    pack_text(&pk, hex);
    flush_with(w, NULL, 0);
    sb_output_close(w->out);
    pthread_mutex_destroy(&w->lock);
    XXH3_freeState(w->hash);
    free(w->buf);
    free(w);
}
