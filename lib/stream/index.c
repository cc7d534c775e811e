#include "stream/index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/xxh3.h"
#include "stream/reader.h"

enum {
    BLOCK = 1 << 20,      /* records in one record of the index: 16 MB */
    TRAILER_MOST = 1 << 8 /* bytes; one has 52 to 60 */
};

void sb_index_begin(struct sb_index *x, const struct sb_reader *in)
{
    size_t size;
    const uint8_t *header = sb_reader_bytes(in, &size);
    sb_index_free(x);
    x->header = XXH3_64bits(header, size);
    SB_GROW(x->offset, x->offset_cap, 1);
    x->offset[0] = size;
}

void sb_index_add(struct sb_index *x, const struct sb_reader *in)
{
    size_t size;
    const uint8_t *bytes = sb_reader_bytes(in, &size);
    SB_GROW(x->offset, x->offset_cap, x->count + 2);
    SB_GROW(x->check, x->check_cap, x->count + 1);
    x->offset[x->count + 1] = x->offset[x->count] + size;
    x->check[x->count++] = XXH3_64bits(bytes, size);
}

bool sb_index_true(const struct sb_index *x, uint64_t i, const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size) == x->check[i];
}

void sb_index_free(struct sb_index *x)
{
    free(x->offset);
    free(x->check);
    memset(x, 0, sizeof *x);
}

static char *path_of(const struct sb_reader *in)
{
    return sb_format("%s.idx", sb_reader_name(in));
}

/* ---- writing ---- */

static void pack_number(msgpack_packer *pk, const char *key, uint64_t v)
{
    msgpack_pack_str_with_body(pk, key, strlen(key));
    msgpack_pack_uint64(pk, v);
}

/* What tells whose index it is: "index": {"bytes", "records", "end", "header", "xxh3"}. */
static void set_identity(struct sb_record *header, const struct sb_index *x, uint64_t bytes)
{
    struct sb_buffer b = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &b, sb_buffer_write);
    msgpack_pack_map(&pk, 5);
    pack_number(&pk, "bytes", bytes);
    pack_number(&pk, "records", x->count);
    pack_number(&pk, "end", x->offset[x->count]);
    pack_number(&pk, "header", x->header);
    msgpack_pack_str_with_body(&pk, "xxh3", 4);
    msgpack_pack_str_with_body(&pk, x->hash, strlen(x->hash));
    sb_set_packed(header, "index", b.data, b.size);
    free(b.data);
}

static void put_block(struct sb_writer *out, struct sb_record *rec, const struct sb_index *x, uint64_t from)
{
    uint64_t n = x->count - from < BLOCK ? x->count - from : BLOCK;
    struct sb_tensor t = {.dtype = SB_U64, .ndim = 1, .shape = {(int64_t)n}, .data = x->offset + from};
    sb_record_reset(rec);
    sb_set_tensor(rec, "offset", &t);
    t.data = x->check + from;
    sb_set_tensor(rec, "check", &t);
    sb_writer_put(out, rec);
}

int sb_index_save(struct sb_index *x, const struct sb_reader *in, const struct sb_tool *tool, const struct sb_args *args)
{
    struct sb_record rec = {0};
    uint64_t base;
    if (sb_reader_seekable(in, &base) < 0 || base > 0) return sb_error("%s: no file to index", sb_reader_name(in));
    if (!sb_reader_verified(in))
        return sb_error("%s: not indexed: without a header and a trailer nothing tells its file from another", sb_reader_name(in));
    sb_hash_hex(sb_reader_hash(in), x->hash);
    char *path = path_of(in);
    struct sb_writer *out = sb_writer_open(path);
    set_identity(&rec, x, sb_reader_offset(in));
    sb_writer_header(out, &rec, tool, args);
    for (uint64_t i = 0; i < x->count; i += BLOCK) put_block(out, &rec, x, i);
    sb_writer_close(out);
    sb_record_free(&rec);
    free(path);
    return 0;
}

/* ---- reading ---- */

struct identity {
    uint64_t bytes, records, end, header;
    const char *hash;
    size_t hash_size;
};

static bool number_of(const msgpack_object *map, const char *key, uint64_t *v)
{
    const msgpack_object *o = sb_object_value(map, key, strlen(key));
    if (!o || o->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
    *v = o->via.u64;
    return true;
}

static bool get_identity(struct identity *id, struct sb_record *header)
{
    msgpack_object map;
    if (sb_get_object(header, "index", &map) != 1) return false;
    const msgpack_object *hash = sb_object_value(&map, "xxh3", 4);
    if (!hash || hash->type != MSGPACK_OBJECT_STR || hash->via.str.size != SB_HEX - 1) return false;
    id->hash = hash->via.str.ptr;
    return number_of(&map, "bytes", &id->bytes) && number_of(&map, "records", &id->records) &&
           number_of(&map, "end", &id->end) && number_of(&map, "header", &id->header);
}

/* Whether the file has this size, header and trailer. The trailer hashes all that stands before it, so a file that was
 * written anew has another one. */
static bool is_of(const struct identity *id, const struct sb_reader *in)
{
    struct stat st;
    uint64_t base;
    size_t size, said_size;
    uint8_t bytes[TRAILER_MOST];
    struct sb_record trailer = {0};
    const char *said;
    int64_t records;
    int fd = sb_reader_seekable(in, &base);
    const uint8_t *header = sb_reader_bytes(in, &size);
    if (fd < 0 || base > 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != id->bytes) return false;
    if (id->header != XXH3_64bits(header, size)) return false;
    if (id->end > id->bytes || id->bytes - id->end > sizeof bytes) return false;
    ssize_t got = pread(fd, bytes, sizeof bytes, (off_t)id->end);
    bool is = got > 0 && sb_record_parse(&trailer, bytes, (size_t)got) == 0 && trailer.count == 2 &&
              sb_get_int(&trailer, "end", &records) == 1 && (uint64_t)records == id->records &&
              sb_get_text(&trailer, "xxh3", &said, &said_size) == 1 && said_size == SB_HEX - 1 &&
              !memcmp(said, id->hash, said_size);
    sb_record_free(&trailer);
    return is;
}

/* One block of offsets and checks; they must go up from the header's end to the trailer. */
static bool take_block(struct sb_index *x, struct sb_record *rec, const struct identity *id)
{
    struct sb_tensor offset, check;
    if (sb_get_tensor(rec, "offset", &offset) != 1 || sb_get_tensor(rec, "check", &check) != 1) return false;
    if (offset.dtype != SB_U64 || check.dtype != SB_U64 || offset.ndim != 1 || check.ndim != 1) return false;
    uint64_t n = (uint64_t)offset.shape[0];
    if (n != (uint64_t)check.shape[0] || n > id->records - x->count) return false;
    SB_GROW(x->offset, x->offset_cap, x->count + n + 1);
    SB_GROW(x->check, x->check_cap, x->count + n);
    for (uint64_t i = 0; i < n; i++, x->count++) {
        uint64_t at = ((const uint64_t *)offset.data)[i];
        if (at >= id->end || (x->count == 0 ? at != x->offset[0] : at <= x->offset[x->count - 1])) return false;
        x->offset[x->count] = at;
        x->check[x->count] = ((const uint64_t *)check.data)[i];
    }
    return true;
}

static bool load(struct sb_index *x, struct sb_reader *file, const struct sb_reader *in)
{
    struct sb_record header = {0}, rec = {0};
    struct identity id;
    int rc = -1;
    sb_record_copy(&header, sb_reader_header(file));
    if (get_identity(&id, &header) && is_of(&id, in)) {
        sb_index_begin(x, in);
        while ((rc = sb_reader_next(file, &rec)) > 0)
            if (!take_block(x, &rec, &id)) break;
        if (rc == 0 && (!sb_reader_verified(file) || x->count != id.records || (!x->count && id.end != x->offset[0]))) rc = -1;
        if (rc == 0) x->offset[x->count] = id.end;
        if (rc == 0) memcpy(x->hash, id.hash, SB_HEX - 1); /* x was zeroed */
    }
    sb_record_free(&header);
    sb_record_free(&rec);
    return rc == 0;
}

bool sb_index_load(struct sb_index *x, const struct sb_reader *in)
{
    uint64_t base;
    bool good = false;
    char *path = path_of(in);
    memset(x, 0, sizeof *x);
    if (sb_reader_seekable(in, &base) >= 0 && base == 0 && access(path, F_OK) == 0) {
        struct sb_reader *file = sb_reader_open(path);
        good = file && load(x, file, in);
        sb_reader_close(file);
        if (!good) {
            sb_index_free(x);
            sb_warn("%s: not the index of this %s: ignored; sb-check --index makes it anew", path, sb_reader_name(in));
        }
    }
    free(path);
    return good;
}
