/* Bytes a second from one process to another through a pipe: as a stream, checksummed at both ends, beside the same
 * payload by plain writev and readv; in turn, best of six. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/progress.h"
#include "stream/stream.h"

enum { TOTAL = 1 << 30 };

static const struct sb_opt no_options[] = {SB_OPT_END};
static const struct sb_tool tool = {.name = "bench-pipe", .usage = "", .summary = "", .opts = no_options};

static void write_plain(const uint8_t *payload, size_t size)
{
    for (size_t sent = 0; sent < TOTAL; sent += size)
        for (size_t at = 0; at < size;) {
            struct iovec part = {(void *)(payload + at), size - at};
            ssize_t n = writev(STDOUT_FILENO, &part, 1);
            if (n < 0) _exit(1);
            at += (size_t)n;
        }
}

/* Each record whole, in one buffer, as whoever works on it needs it. */
static void read_plain(uint8_t *buffer, size_t size)
{
    for (ssize_t at = 0, n = 1; n > 0; at = (at + n) % (ssize_t)size) {
        struct iovec part = {buffer + at, size - (size_t)at};
        n = readv(STDIN_FILENO, &part, 1);
    }
}

static void write_stream(uint8_t *payload, size_t size)
{
    struct sb_args none = {0};
    struct sb_record rec = {0};
    struct sb_tensor t = {.dtype = SB_U8, .ndim = 1, .shape = {(int64_t)size}, .data = payload};
    struct sb_writer *w = sb_writer_open(NULL);
    sb_writer_header(w, NULL, &tool, &none);
    sb_set_tensor(&rec, "image", &t);
    for (size_t sent = 0; sent < TOTAL; sent += size) sb_writer_put(w, &rec);
    sb_writer_close(w);
}

static void read_stream(void)
{
    struct sb_record rec = {0};
    struct sb_reader *r = sb_reader_open(NULL);
    int status = r ? 1 : -1;
    while (status > 0) status = sb_reader_next(r, &rec);
    if (status < 0) sb_die_error();
}

/* GB/s from a writing child to a reading one. */
static double transfer(bool stream, uint8_t *payload, size_t size)
{
    int fd[2];
    if (pipe(fd)) sb_die("pipe: %m");
    fcntl(fd[1], F_SETPIPE_SZ, 1 << 20);
    double began = sb_seconds();
    for (int child = 0; child < 2; child++) {
        if (fork()) continue;
        dup2(fd[child == 0 ? 1 : 0], child == 0 ? STDOUT_FILENO : STDIN_FILENO);
        close(fd[0]);
        close(fd[1]);
        if (child == 0 && stream) write_stream(payload, size);
        if (child == 0 && !stream) write_plain(payload, size);
        if (child == 1 && stream) read_stream();
        if (child == 1 && !stream) read_plain(payload, size);
        _exit(0);
    }
    close(fd[0]);
    close(fd[1]);
    for (int status, left = 2; left; left--)
        if (wait(&status) < 0 || status) sb_die("a side of the pipe failed");
    return TOTAL / (sb_seconds() - began) / 1e9;
}

int main(void)
{
    static const size_t sizes[] = {150528, 1920 * 1080 * 3};
    sb_program = "bench-pipe";
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        double best[2] = {0, 0};
        uint8_t *payload = sb_aligned(4096, sizes[s]);
        for (size_t i = 0; i < sizes[s]; i++) payload[i] = (uint8_t)(i * 2654435761u >> 13);
        for (int run = 0; run < 12; run++) {
            double rate = transfer(run & 1, payload, sizes[s]);
            if (rate > best[run & 1]) best[run & 1] = rate;
        }
        printf("pipe, records of %.2f MB     %8.2f GB/s   plain writev/readv %.2f GB/s, ratio %.2f\n",
               (double)sizes[s] / 1e6, best[1], best[0], best[1] / best[0]);
        free(payload);
    }
    return 0;
}
