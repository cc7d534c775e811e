#include "stream/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xxh3.h"
#include "stream/scan.h"

/* A piece is read, then hashed while the processor's cache still holds it; meanwhile the writer has the pipe, whose lock
 * the kernel keeps through a whole read or write. Objects of TRAILER_MOST bytes and more are no trailer, so their bytes
 * are hashed before the object is whole. */
enum { BUFFER_FIRST = 1 << 20, PIECE = 1 << 17, LARGE = 1 << 16, TRAILER_MOST = 1 << 12, PIPE_SIZE = 1 << 20 };

struct sb_reader {
    int fd;
    char *name;
    bool regular, eof;
    uint64_t base; /* where the stream begins in a regular file */

    struct sb_record memory; /* holds buf */
    uint8_t *buf;            /* one object and what was read after it */
    size_t cap, start, end;
    size_t size;   /* of the object at start; 0: none yet */
    size_t hashed; /* of its bytes */
    size_t before; /* size of the object before it, if that was LARGE: this one may be like it */

    XXH3_state_t *hash;
    uint64_t count, offset;
    struct sb_record header;
    bool foreign, waiting; /* waiting: a foreign stream's first object was looked at, but not given yet */
    bool bare;             /* what a script writes: a header may be its first object, or not */
    enum { READING, ENDED, BROKEN } state;
    bool cut; /* broken by an end that came too early */
    bool verified; /* a trailer was read and was true */

    void (*idle)(void *arg);
    void *idle_arg;
};

/* ---- bytes ---- */

/* Makes room for more than r->end bytes. The buffer doubles when it is full, so it grows only by what really came. */
static void make_room(struct sb_reader *r, size_t want)
{
    if (r->start > 0 && (r->start == r->end || r->start + want > r->cap)) {
        memmove(r->buf, r->buf + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }
    if (r->end < r->cap) return;
    size_t cap = r->cap * 2;
    if (cap > SB_RECORD_MAX + LARGE) cap = SB_RECORD_MAX + LARGE;
    struct sb_record larger = {0};
    uint8_t *buf = sb_record_space(&larger, cap, &r->cap);
    memcpy(buf, r->buf, r->end);
    r->buf = buf;
    sb_record_free(&r->memory);
    r->memory = larger;
}

/* How many bytes to read next. Of large records no more than the one needs: what follows it would have to be moved. */
static size_t next_piece(const struct sb_reader *r, size_t want)
{
    size_t have = r->end - r->start, room = r->cap - r->end, piece = PIECE;
    size_t whole = want > LARGE || want > r->before ? want : r->before;
    if (whole > LARGE && piece > whole - have) piece = whole - have;
    return piece < room ? piece : room;
}

/* Takes the bytes of the object at r->start up to `to` into the hash. */
static void hash_to(struct sb_reader *r, size_t to)
{
    if (to <= r->hashed) return;
    XXH3_128bits_update(r->hash, r->buf + r->start + r->hashed, to - r->hashed);
    r->hashed = to;
}

/* Reads until `want` bytes of one object stand from r->start on. 1: they do. 0: the input ended before. -1: it can't be
 * read. */
static int fill(struct sb_reader *r, size_t want)
{
    while (r->end - r->start < want) {
        if (r->eof) return 0;
        make_room(r, want);
        if (r->idle && !r->regular) {
            struct pollfd p = {.fd = r->fd, .events = POLLIN};
            if (poll(&p, 1, 0) == 0) r->idle(r->idle_arg);
        }
        ssize_t n = read(r->fd, r->buf + r->end, next_piece(r, want));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = r->fd, .events = POLLIN};
            poll(&p, 1, -1);
            continue;
        }
        if (n < 0) return sb_error("%s: %s", r->name, strerror(errno));
        if (n == 0) r->eof = true;
        r->end += (size_t)n;
        size_t have = r->end - r->start;
        if (want > TRAILER_MOST) hash_to(r, have < want ? have : want);
    }
    return 1;
}

#define RECORDS "%" PRIu64 " record%s"
#define COUNT(r) (r)->count, (r)->count == 1 ? "" : "s"

static int cut_off(struct sb_reader *r)
{
    r->cut = true;
    return sb_error("%s: stream cut off after " RECORDS, r->name, COUNT(r));
}

static int bad_object(const struct sb_reader *r)
{
    char why[512];
    strncpy(why, sb_error_message(), sizeof why - 1);
    why[sizeof why - 1] = 0;
    return sb_error("%s: damaged after " RECORDS ": %s", r->name, COUNT(r), why);
}

static bool begins_map(uint8_t c)
{
    return (c & 0xf0) == 0x80 || c == 0xde || c == 0xdf;
}

/* Finds the next object. 1: r->size bytes at r->start. 0: the input ended where an object would begin. -1. */
static int next_object(struct sb_reader *r)
{
    struct sb_scan scan;
    r->start += r->size;
    r->offset += r->size;
    r->size = r->hashed = 0;
    sb_scan_start(&scan);
    for (;;) {
        int rc = sb_scan_more(&scan, r->buf + r->start, r->end - r->start);
        if (r->bare && r->end > r->start && !begins_map(r->buf[r->start])) rc = sb_error("not a record");
        if (rc < 0) return bad_object(r);
        if (rc > 0) break;
        rc = fill(r, scan.need);
        if (rc < 0) return -1;
        if (rc == 0) return r->end == r->start ? 0 : cut_off(r);
    }
    r->size = scan.at;
    r->before = r->size > LARGE ? r->size : 0;
    return 1;
}

/* ---- objects ---- */

static bool is_trailer(const struct sb_record *rec)
{
    return rec->count == 2 && sb_record_find(rec, "end") && sb_record_find(rec, "xxh3");
}

/* The end: the count and the hash must be those of what was read, and nothing may follow. Returns 0 or -1. */
static int check_trailer(struct sb_reader *r, const struct sb_record *rec)
{
    const char *said;
    size_t said_size;
    int64_t end;
    char hex[SB_HEX];
    if (sb_get_int(rec, "end", &end) != 1 || sb_get_text(rec, "xxh3", &said, &said_size) != 1) {
        return sb_error("%s: damaged after " RECORDS ": the trailer is not one", r->name, COUNT(r));
    }
    sb_hash_hex(sb_reader_hash(r), hex);
    if (said_size != 32 || memcmp(said, hex, 32) != 0) {
        return sb_error("%s: damaged: the hash of its " RECORDS " is not the one in its trailer", r->name, COUNT(r));
    }
    if (end < 0 || (uint64_t)end != r->count) {
        return sb_error("%s: damaged: its trailer counts %" PRId64 " where there are " RECORDS, r->name, end, COUNT(r));
    }
    r->start += r->size;
    r->offset += r->size;
    r->size = 0;
    int more = fill(r, 1);
    if (more > 0) return sb_error("%s: bytes after the stream's end at " RECORDS, r->name, COUNT(r));
    return more;
}

/* What the object at r->start is, into rec. 1: a record. 0: the verified end. -1. */
static int take_object(struct sb_reader *r, struct sb_record *rec)
{
    const uint8_t *bytes = r->buf + r->start;
    if (sb_record_parse(rec, bytes, r->size)) return bad_object(r);
    if (is_trailer(rec)) {
        int rc = check_trailer(r, rec);
        if (rc == 0) {
            r->state = ENDED;
            r->verified = true;
        }
        sb_record_reset(rec);
        return rc;
    }
    if (sb_record_find(rec, "seabot")) {
        return sb_error("%s: a second header after " RECORDS ": the stream before it was cut off", r->name, COUNT(r));
    }
    hash_to(r, r->size);
    r->count++;
    return 1;
}

/* What the first object is, at r->start. 1: a header, which r->header is now. 0: none. -1. */
static int take_header(struct sb_reader *r)
{
    int64_t version;
    if (sb_record_parse(&r->header, r->buf + r->start, r->size)) return bad_object(r);
    if (!sb_record_find(&r->header, "seabot")) {
        sb_record_reset(&r->header);
        return 0;
    }
    if (sb_get_int(&r->header, "seabot", &version) != 1) return sb_error("%s: a header without a version", r->name);
    if (version != 1)
        return sb_error("%s: a stream of version %" PRId64 "; this program reads version 1", r->name, version);
    sb_record_keep(&r->header);
    hash_to(r, r->size);
    return 1;
}

/* The first object of a bare stream is here: if it is a header, the one after it. As next_object(). */
static int pass_header(struct sb_reader *r)
{
    int rc = take_header(r);
    if (rc <= 0) return rc < 0 ? -1 : 1;
    r->foreign = false;
    return next_object(r);
}

int sb_reader_next(struct sb_reader *r, struct sb_record *rec)
{
    sb_record_reset(rec);
    if (r->state == ENDED) return 0;
    if (r->state == BROKEN) return -1;
    int rc = r->waiting ? 1 : next_object(r);
    r->waiting = false;
    if (rc > 0 && r->bare && r->offset == 0) rc = pass_header(r);
    if (rc > 0) {
        rc = take_object(r, rec);
    } else if (rc == 0) { /* only a stream without a header may end without a trailer */
        rc = r->foreign ? 0 : cut_off(r);
        if (rc == 0) r->state = ENDED;
    }
    if (rc < 0) {
        r->state = BROKEN;
        sb_record_reset(rec);
    }
    return rc;
}

/* By hands where copying what follows the record is less work than copying the record. */
void sb_reader_keep(struct sb_reader *r, struct sb_record *rec)
{
    size_t end = r->start + r->size, after = r->end - end;
    if (r->size < LARGE || r->size < after) {
        sb_record_keep(rec);
        return;
    }
    const uint8_t *old = r->buf;
    sb_record_adopt(rec, &r->memory, end);
    r->buf = sb_record_space(&r->memory, r->size + LARGE, &r->cap);
    memcpy(r->buf, old + end, after);
    r->offset += r->size;
    r->size = r->start = 0;
    r->end = after;
}

/* ---- open and close ---- */

static int read_header(struct sb_reader *r)
{
    int rc = fill(r, 1);
    if (rc < 0) return -1;
    if (rc == 0) return sb_error("%s: empty, not a SeaBot stream", r->name);
    if (!begins_map(r->buf[0])) return sb_error("%s: not a SeaBot stream", r->name);
    if (next_object(r) < 0 || (rc = take_header(r)) < 0) return -1;
    if (rc) return 0;
    r->foreign = r->waiting = true;
    sb_warn("%s: no header: whether the stream is whole can't be checked", r->name);
    return 0;
}

static struct sb_reader *reader_new(int fd, const char *name)
{
    struct stat st;
    struct sb_reader *r = sb_calloc(1, sizeof *r);
    r->fd = fd;
    r->name = sb_strdup(name);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        off_t at = lseek(fd, 0, SEEK_CUR);
        r->regular = at >= 0;
        r->base = at >= 0 ? (uint64_t)at : 0;
        (void)posix_fadvise(fd, at, 0, POSIX_FADV_SEQUENTIAL);
    } else {
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* fails on what is no pipe, and that is fine */
    }
    r->buf = sb_record_space(&r->memory, BUFFER_FIRST, &r->cap);
    r->hash = XXH3_createState();
    if (!r->hash) sb_die("out of memory: wanted %d bytes", 576);
    XXH3_128bits_reset(r->hash);
    return r;
}

struct sb_reader *sb_reader_open(const char *path)
{
    bool standard = !path || strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        sb_error("%s: %s", path, strerror(errno));
        return NULL;
    }
    struct sb_reader *r = reader_new(fd, standard ? "standard input" : path);
    if (read_header(r)) {
        sb_reader_close(r);
        return NULL;
    }
    return r;
}

struct sb_reader *sb_reader_open_bare(int fd, const char *name)
{
    struct sb_reader *r = reader_new(fd, name);
    r->bare = r->foreign = true;
    return r;
}

void sb_reader_close(struct sb_reader *r)
{
    if (!r) return;
    if (r->fd != STDIN_FILENO) close(r->fd);
    XXH3_freeState(r->hash);
    sb_record_free(&r->header);
    sb_record_free(&r->memory);
    free(r->name);
    free(r);
}

const struct sb_record *sb_reader_header(const struct sb_reader *r)
{
    return &r->header;
}

const char *sb_reader_name(const struct sb_reader *r)
{
    return r->name;
}

uint64_t sb_reader_count(const struct sb_reader *r)
{
    return r->count;
}

uint64_t sb_reader_offset(const struct sb_reader *r)
{
    return r->offset + (r->waiting ? 0 : r->size);
}

bool sb_reader_verified(const struct sb_reader *r)
{
    return r->verified;
}

bool sb_reader_cut_off(const struct sb_reader *r)
{
    return r->cut;
}

const uint8_t *sb_reader_broken(const struct sb_reader *r, uint64_t *offset, size_t *size)
{
    *offset = r->offset;
    *size = r->end - r->start;
    return r->buf + r->start;
}

void sb_reader_idle(struct sb_reader *r, void (*idle)(void *arg), void *arg)
{
    r->idle = idle;
    r->idle_arg = arg;
}

const uint8_t *sb_reader_bytes(const struct sb_reader *r, size_t *size)
{
    *size = r->waiting ? 0 : r->size;
    return r->buf + r->start;
}

int sb_reader_seekable(const struct sb_reader *r, uint64_t *base)
{
    *base = r->base;
    return r->regular ? r->fd : -1;
}

struct sb_hash sb_reader_hash(const struct sb_reader *r)
{
    XXH128_hash_t h = XXH3_128bits_digest(r->hash);
    return (struct sb_hash){h.high64, h.low64};
}
