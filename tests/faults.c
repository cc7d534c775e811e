/* Preloaded into a program under test: makes the nth allocation, read or write fail, as the environment says.
 *
 *     FAULT=malloc:3    the third allocation returns NULL
 *     FAULT=read:1      the first read or pread fails with EIO
 *     FAULT=write:2     the second write or writev (stderr's not counted) fails with ENOSPC
 *     FAULT_REPORT=FILE appends "malloc N\nread N\nwrite N\n" when the program ends: how many there were */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

enum { ALLOCATION, READ, WRITE, KINDS };

static const char *const name[KINDS] = {"malloc", "read", "write"};
static atomic_long calls[KINDS], failing[KINDS];

/* Before the constructor, while libraries are being loaded, nothing fails and nothing counts. */
static atomic_int started;

__attribute__((constructor)) static void start(void)
{
    const char *fault = getenv("FAULT");
    for (int k = 0; fault && k < KINDS; k++) {
        size_t n = strlen(name[k]);
        if (strncmp(fault, name[k], n) == 0 && fault[n] == ':') failing[k] = atol(fault + n + 1);
    }
    started = 1;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("FAULT_REPORT");
    char text[128];
    if (!path) return;
    started = 0;
    int n = snprintf(text, sizeof text, "malloc %ld\nread %ld\nwrite %ld\n", calls[0], calls[1], calls[2]);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (fd >= 0) syscall(SYS_write, fd, text, n);
}

static int fails(int kind)
{
    return started && ++calls[kind] == failing[kind];
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return fails(ALLOCATION) ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(ALLOCATION) ? no_memory() : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    return fails(ALLOCATION) ? no_memory() : __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return fails(ALLOCATION) ? no_memory() : __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
    if (fails(ALLOCATION)) return ENOMEM;
    *p = __libc_memalign(align, size);
    return *p ? 0 : ENOMEM;
}

static ssize_t with_error(int error)
{
    errno = error;
    return -1;
}

ssize_t read(int fd, void *bytes, size_t size)
{
    return fails(READ) ? with_error(EIO) : syscall(SYS_read, fd, bytes, size);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    return fails(READ) ? with_error(EIO) : syscall(SYS_pread64, fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return fd != STDERR_FILENO && fails(WRITE) ? with_error(ENOSPC) : syscall(SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *part, int count)
{
    return fd != STDERR_FILENO && fails(WRITE) ? with_error(ENOSPC) : syscall(SYS_writev, fd, part, count);
}
