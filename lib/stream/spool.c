#include "stream/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary.h"
#include "stream/index.h"
#include "stream/reader.h"
#include "stream/scan.h"

struct sb_spool {
    struct sb_reader *in; /* kept open: its file is read in place */
    int fd;               /* where records lie */
    bool own;             /* fd is a temporary file */
    uint64_t base;        /* of the first offset in fd */
    uint64_t *offset;     /* count + 1: where each record begins, and the last one ends */
    size_t count, cap;
    char hash[SB_HEX];
    struct sb_index index; /* or the three above are this one's */
};

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sb_error("temporary file: %s", strerror(errno));
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Reads the stream to its verified end, noting where each record begins. */
static int take_all(struct sb_spool *s, void (*each)(void *arg, uint64_t index, struct sb_record *rec), void *arg)
{
    struct sb_record rec = {0};
    uint64_t written = 0;
    size_t size;
    int rc;
    SB_GROW(s->offset, s->cap, 1);
    s->offset[0] = s->own ? 0 : sb_reader_offset(s->in);
    while ((rc = sb_reader_next(s->in, &rec)) > 0) {
        const uint8_t *bytes = sb_reader_bytes(s->in, &size);
        if (s->own && write_all(s->fd, bytes, size)) {
            rc = -1;
            break;
        }
        written += size;
        SB_GROW(s->offset, s->cap, s->count + 2);
        s->offset[s->count + 1] = s->own ? written : sb_reader_offset(s->in);
        if (each) each(arg, s->count, &rec);
        s->count++;
    }
    sb_record_free(&rec);
    if (rc == 0 && s->own)
        sb_warn("%s: %.1f MB spooled to a temporary file", sb_reader_name(s->in), (double)written / 1e6);
    return rc;
}

struct sb_spool *sb_spool_indexed(struct sb_reader *in)
{
    struct sb_index index;
    uint64_t base;
    if (!sb_index_load(&index, in)) return NULL;
    struct sb_spool *s = sb_calloc(1, sizeof *s);
    s->in = in;
    s->fd = sb_reader_seekable(in, &base);
    (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_NORMAL); /* a reader asks for what follows */
    s->index = index;
    s->offset = index.offset;
    s->count = index.count;
    memcpy(s->hash, index.hash, SB_HEX);
    return s;
}

struct sb_spool *sb_spool_open(const char *path, void (*each)(void *arg, uint64_t index, struct sb_record *rec),
                               void *arg)
{
    struct sb_reader *in = sb_reader_open(path);
    if (!in) return NULL;
    struct sb_spool *s = each ? NULL : sb_spool_indexed(in);
    if (s) return s;
    s = sb_calloc(1, sizeof *s);
    s->in = in;
    s->fd = sb_reader_seekable(in, &s->base);
    if (s->fd < 0) {
        s->own = true;
        s->base = 0;
        s->fd = sb_temporary_open();
    }
    if (s->fd < 0 || take_all(s, each, arg)) {
        sb_spool_close(s);
        return NULL;
    }
    sb_hash_hex(sb_reader_hash(in), s->hash);
    return s;
}

const struct sb_record *sb_spool_header(const struct sb_spool *s)
{
    return sb_reader_header(s->in);
}

const char *sb_spool_name(const struct sb_spool *s)
{
    return sb_reader_name(s->in);
}

uint64_t sb_spool_count(const struct sb_spool *s)
{
    return s->count;
}

int sb_spool_get(struct sb_spool *s, uint64_t index, struct sb_record *rec)
{
    struct sb_scan scan;
    sb_record_reset(rec);
    if (index >= s->count) return sb_error("%s: no record %" PRIu64, sb_reader_name(s->in), index);
    uint64_t from = s->offset[index];
    size_t size = s->offset[index + 1] - from, got = 0;
    uint8_t *bytes = sb_record_alloc(rec, size);
    while (got < size) {
        ssize_t n = pread(s->fd, bytes + got, size - got, (off_t)(s->base + from + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sb_error("%s: %s", sb_reader_name(s->in), strerror(errno));
        if (n == 0) break;
        got += (size_t)n;
    }
    if (s->index.check && got == size && !sb_index_true(&s->index, index, bytes, size))
        return sb_error("%s: record %" PRIu64 " is damaged, or the file was written to", sb_reader_name(s->in), index + 1);
    /* The file was whole when it was opened; someone may have written to it since. */
    sb_scan_start(&scan);
    if (got < size || sb_scan_more(&scan, bytes, size) != 1 || scan.at != size || sb_record_parse(rec, bytes, size)) {
        rec->count = 0;
        return sb_error("%s: changed while it was being read", sb_reader_name(s->in));
    }
    return 0;
}

void sb_spool_hash(const struct sb_spool *s, char out[SB_HEX])
{
    memcpy(out, s->hash, SB_HEX);
}

void sb_spool_close(struct sb_spool *s)
{
    if (!s) return;
    if (s->own && s->fd >= 0) close(s->fd);
    sb_reader_close(s->in);
    if (!s->index.offset) free(s->offset);
    sb_index_free(&s->index);
    free(s);
}
