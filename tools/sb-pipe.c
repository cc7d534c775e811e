/* sb-pipe: a lab's own script between two programs, without losing header, history or the end mark.
 *
 * One thread feeds the command, one waits for it to end, the first one reads what it writes; with --timeout a fourth looks
 * whether it still moves. So the command may buffer as it likes, and here no more than a record each way is held. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/child.h"
#include "base/utf8.h"
#include "stream/reader.h"

static const char *output, *drop;
static double timeout;
static bool same_count;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {0, "timeout", "SECONDS", SB_REAL, &timeout, SB_OPT_UNRECORDED,
     "kill COMMAND, and fail, once it has neither read nor written for so long while there was something to do", 0.05, 1e6},
    {0, "same-count", NULL, SB_FLAG, &same_count, 0, "fail unless COMMAND writes as many records as it is given", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-pipe", "[FILE] -- COMMAND [ARG]...",
    "Runs COMMAND as a filter: it gets bare records, without header and trailer, and writes records.", options, false,
};

enum { PIECE = 1 << 16 };

struct script {
    struct sb_filter filter;
    struct sb_child child;
    struct sb_reader *from;
    struct sb_buffer batch;   /* records on their way to it, less than PIECE */
    _Atomic uint64_t fed;     /* bytes */
    _Atomic uint64_t moves;   /* times that it has written */
    _Atomic uint64_t written; /* records */
    atomic_bool fed_all;      /* it gets nothing more: at the input's end, or because it reads no more */
    atomic_bool unread;       /* the latter */
    atomic_bool waiting;      /* for it to write; else what comes after sb-pipe is what is slow */
    atomic_bool closed, done; /* its output has ended; it has */
};

#define RECORDS "%" PRIu64 " record%s"
#define COUNT(n) (n), (n) == 1 ? "" : "s"

/* ---- what it is given -------------------------------------------------------------------------------------------- */

/* Nothing more is for it: the pipe to it ends. */
static void stop_feeding(struct script *s)
{
    s->fed_all = true;
    close(s->child.to);
}

static void feed(struct script *s, const uint8_t *bytes, size_t size)
{
    while (size && !s->fed_all) {
        ssize_t n = write(s->child.to, bytes, size < PIECE ? size : PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EPIPE) sb_die("%s: %s", s->child.name, strerror(errno));
        if (n < 0) {
            s->unread = true;
            stop_feeding(s);
            return;
        }
        bytes += n;
        size -= (size_t)n;
        s->fed += (uint64_t)n;
    }
}

static void feed_batch(void *arg)
{
    struct script *s = arg;
    feed(s, s->batch.data, s->batch.size);
    s->batch.size = 0;
}

static void feed_record(struct script *s)
{
    size_t size;
    const uint8_t *bytes = sb_reader_bytes(s->filter.in, &size);
    if (s->batch.size + size > PIECE) feed_batch(s);
    if (size > PIECE)
        feed(s, bytes, size);
    else
        sb_buffer_add(&s->batch, bytes, size);
}

/* Bytes in the pipe to it. */
static uint64_t not_taken(const struct script *s)
{
    int bytes;
    return !s->fed_all && ioctl(s->child.to, FIONREAD, &bytes) == 0 ? (uint64_t)bytes : 0;
}

/* The input is read to its end, even where the command is no longer interested: what comes before sb-pipe is then not ended by a
 * broken pipe, and whether the input was whole is known. */
static void *feed_all(void *arg)
{
    struct script *s = arg;
    struct sb_record rec = {0};
    struct pollfd gone = {.fd = s->child.to};
    while (sb_filter_next(&s->filter, &rec)) feed_record(s);
    feed_batch(s);
    while (timeout > 0 && not_taken(s) && poll(&gone, 1, 5) == 0) /* so that the watch sees what is taken */
        ;
    if (!s->fed_all) stop_feeding(s);
    sb_record_free(&rec);
    return NULL;
}

/* ---- whether it moves -------------------------------------------------------------------------------------------- */

static _Noreturn void give_up(const struct script *s)
{
    uint64_t n = s->written;
    const char *name = s->child.name;
    if (s->closed)
        sb_die("%s closed its output after " RECORDS " and did not end in %g s: killed", name, COUNT(n), timeout);
    sb_die("%s did nothing for %g s after " RECORDS ": killed", name, timeout, COUNT(n));
}

/* Looks twenty times in the time allowed, so that a machine that slept meanwhile is not held against the command. */
static void *watch(void *arg)
{
    struct script *s = arg;
    uint64_t before = 0;
    int still = 0;
    while (still < 20) {
        usleep((useconds_t)(timeout / 20 * 1e6));
        if (s->done) return NULL;
        uint64_t left = not_taken(s), moved = s->fed - left + s->moves;
        bool idle = !s->waiting || (!left && !s->fed_all);
        still = idle || moved != before ? 0 : still + 1;
        before = moved;
    }
    give_up(s);
}

static void *wait_for_end(void *arg)
{
    sb_child_wait(arg);
    return NULL;
}

/* ---- what it writes ---------------------------------------------------------------------------------------------- */

/* What can be read of what is no record, up to the end of its line. */
static size_t readable(const uint8_t *bytes, size_t size, char *text, size_t most)
{
    size_t n = 0, length;
    while (size && (*bytes <= ' ' || !sb_utf8_length((const char *)bytes, size))) bytes++, size--;
    while (size && *bytes >= ' ' && (length = sb_utf8_length((const char *)bytes, size)) && n + length < most) {
        memcpy(text + n, bytes, length);
        n += length;
        bytes += length;
        size -= length;
    }
    text[n] = 0;
    return n;
}

/* Why its output ended, or can't be read on. */
static _Noreturn void fail(struct script *s, pthread_t waiter)
{
    char text[61];
    uint64_t at, n = s->written;
    size_t size;
    const uint8_t *bytes = sb_reader_broken(s->from, &at, &size);
    if (!sb_reader_cut_off(s->from)) {
        bool map = size && ((bytes[0] & 0xf0) == 0x80 || (bytes[0] | 1) == 0xdf);
        if (!size || map || !readable(bytes, size, text, sizeof text)) sb_die_error();
        sb_die("%s wrote what is no record after " RECORDS ", at byte %" PRIu64 ": '%s'", s->child.name, COUNT(n), at, text);
    }
    char *why = sb_strdup(sb_error_message());
    s->closed = true;
    pthread_join(waiter, NULL);
    if (sb_child_failed(&s->child)) sb_die("%s after " RECORDS, sb_error_message(), COUNT(n));
    sb_die("%s", why);
}

static void moved(void *arg)
{
    struct script *s = arg;
    sb_writer_flush(s->filter.out);
    s->moves++;
    s->waiting = true;
}

static void take_all(struct script *s, pthread_t waiter)
{
    struct sb_record rec = {0};
    int rc;
    s->from = sb_reader_open_bare(s->child.from, s->child.name);
    sb_reader_idle(s->from, moved, s);
    while ((rc = sb_reader_next(s->from, &rec)) > 0) {
        s->waiting = false;
        sb_filter_put(&s->filter, &rec);
        s->written++;
    }
    if (rc < 0) fail(s, waiter);
    s->closed = s->waiting = true;
    sb_record_free(&rec);
    sb_reader_close(s->from);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static pthread_t start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);
    if (error) sb_die("no thread: %s", strerror(error));
    return thread;
}

static void print_counts(const struct script *s)
{
    uint64_t in = s->filter.counts.in, out = s->filter.counts.out;
    const char *unread = s->unread ? ", not all of them read" : "";
    if (in == out)
        sb_warn("%" PRIu64 " in%s, %" PRIu64 " out", in, unread, out);
    else
        sb_warn("%" PRIu64 " in%s, %" PRIu64 " out, %" PRIu64 " %s by %s", in, unread, out, in > out ? in - out : out - in,
                in > out ? "dropped" : "added", s->child.name);
}

static void run(struct script *s)
{
    pthread_t waiter = start(wait_for_end, &s->child), feeder = start(feed_all, s);
    if (timeout > 0) pthread_detach(start(watch, s));
    take_all(s, waiter);
    pthread_join(waiter, NULL);
    s->done = true;
    uint64_t n = s->written;
    if (sb_child_failed(&s->child)) sb_die("%s after " RECORDS, sb_error_message(), COUNT(n));
    sb_child_end(&s->child); /* whoever of its group still held the pipe to it, that feeder may wait for */
    pthread_join(feeder, NULL);
    if (same_count && s->filter.counts.in != n)
        sb_die("%s wrote " RECORDS " for %" PRIu64, s->child.name, COUNT(n), s->filter.counts.in);
    sb_writer_close(s->filter.out);
    print_counts(s);
}

int main(int argc, char **argv)
{
    static struct script s;
    struct sb_args args;
    sb_opt_parse_command(&tool, argc, argv, &args);
    if (args.count == 0 && isatty(STDIN_FILENO)) sb_usage("name a stream, or pipe one in");
    sb_filter_open(&s.filter, &args, output, drop);
    sb_filter_start(&s.filter, &tool, &args);
    sb_reader_idle(s.filter.in, feed_batch, &s);
    sb_writer_flush(s.filter.out);
    if (sb_child_start(&s.child, args.command)) sb_die_error();
    run(&s);
    return 0;
}
