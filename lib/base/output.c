#include "base/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

enum { PIPE_SIZE = 1 << 20 };

struct sb_output {
    int fd;
    char *name;   /* as the user wrote it */
    char *target; /* the file that close makes appear; NULL if written directly */
    char *temporary;
    pid_t owner;  /* a forked child must not remove its parent's file */
    struct sb_output *next;
};

/* The outputs with a temporary sibling. A signal handler walks the list, too: who holds the lock has signals blocked, so
 * that no handler waits for the thread that it interrupted. */
static struct sb_output *unfinished;
static atomic_flag lock = ATOMIC_FLAG_INIT;

static void lock_list(sigset_t *old)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, old);
    while (atomic_flag_test_and_set(&lock)) sched_yield();
}

static void unlock_list(const sigset_t *old)
{
    atomic_flag_clear(&lock);
    pthread_sigmask(SIG_SETMASK, old, NULL);
}

static void remove_unfinished(void)
{
    sigset_t old;
    lock_list(&old);
    for (struct sb_output *o = unfinished; o; o = o->next) {
        if (o->owner == getpid()) unlink(o->temporary);
    }
    unlock_list(&old);
}

static void on_signal(int number)
{
    remove_unfinished();
    signal(number, SIG_DFL);
    raise(number);
}

static void watch(struct sb_output *o)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    static bool watching;
    sigset_t old;
    lock_list(&old);
    if (!watching) {
        watching = true;
        at_quick_exit(remove_unfinished);
        for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
            struct sigaction now, set = {.sa_handler = on_signal};
            /* A program with a handler of its own, or one told to ignore the signal, is left as it is. */
            if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) sigaction(ending[i], &set, NULL);
        }
    }
    o->owner = getpid();
    o->next = unfinished;
    unfinished = o;
    unlock_list(&old);
}

static void forget(struct sb_output *o)
{
    sigset_t old;
    lock_list(&old);
    struct sb_output **link = &unfinished;
    while (*link && *link != o) link = &(*link)->next;
    if (*link) *link = o->next;
    unlock_list(&old);
}

static void release(struct sb_output *o)
{
    free(o->name);
    free(o->target);
    free(o->temporary);
    free(o);
}

static _Noreturn void fail(const struct sb_output *o, int error)
{
    if (error == EPIPE) sb_die_quietly();
    sb_die("%s: %s", o->name, strerror(error));
}

/* ".NAME.PID.tmp" beside the target. */
static void open_sibling(struct sb_output *o, const struct stat *old)
{
    const char *slash = strrchr(o->target, '/'), *name = slash ? slash + 1 : o->target;
    o->temporary = sb_format("%.*s.%.200s.%ld.tmp", (int)(name - o->target), o->target, name, (long)getpid());
    unlink(o->temporary); /* left by a crash of an earlier process of this number */
    o->fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (o->fd < 0) fail(o, errno);
    if (old) (void)!fchmod(o->fd, old->st_mode & 07777);
    watch(o);
}

struct sb_output *sb_output_open(const char *path)
{
    struct sb_output *o = sb_calloc(1, sizeof *o);
    struct stat st;
    signal(SIGPIPE, SIG_IGN); /* a write then fails with EPIPE, and exit handlers run */
    signal(SIGXFSZ, SIG_IGN); /* likewise past a limit on the size of files (ulimit -f), with EFBIG */
    if (!path || strcmp(path, "-") == 0) {
        o->name = sb_strdup("standard output");
        o->fd = STDOUT_FILENO;
    } else {
        o->name = sb_strdup(path);
        bool there = stat(path, &st) == 0;
        if (!*path) fail(o, ENOENT);
        if (there && S_ISDIR(st.st_mode)) fail(o, EISDIR);
        if (there && !S_ISREG(st.st_mode)) {
            o->fd = open(path, O_WRONLY | O_CLOEXEC);
            if (o->fd < 0) fail(o, errno);
        } else {
            if (there && access(path, W_OK) != 0) fail(o, errno);
            o->target = there ? realpath(path, NULL) : sb_strdup(path); /* a link stays a link */
            if (!o->target) fail(o, errno);
            open_sibling(o, there ? &st : NULL);
        }
    }
    if (fstat(o->fd, &st) == 0 && S_ISFIFO(st.st_mode)) (void)fcntl(o->fd, F_SETPIPE_SZ, PIPE_SIZE);
    return o;
}

void sb_output_writev(struct sb_output *o, struct iovec *part, int count)
{
    while (count > 0) {
        if (part->iov_len == 0) {
            part++;
            count--;
            continue;
        }
        ssize_t n = writev(o->fd, part, count);
        if (n < 0 && errno == EAGAIN) { /* a terminal or socket that someone made non-blocking */
            struct pollfd wait = {.fd = o->fd, .events = POLLOUT};
            poll(&wait, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail(o, errno);
        size_t left = (size_t)n;
        while (count > 0 && left >= part->iov_len) {
            left -= part->iov_len;
            part++;
            count--;
        }
        if (count > 0) {
            part->iov_base = (char *)part->iov_base + left;
            part->iov_len -= left;
        }
    }
}

void sb_output_write(struct sb_output *o, const void *bytes, size_t size)
{
    struct iovec part = {(void *)bytes, size};
    sb_output_writev(o, &part, 1);
}

const char *sb_output_name(const struct sb_output *o)
{
    return o->name;
}

int sb_output_fd(const struct sb_output *o)
{
    return o->fd;
}

const char *sb_output_path(const struct sb_output *o)
{
    return o->target ? o->temporary : o->fd == STDOUT_FILENO ? NULL : o->name;
}

void sb_output_finish(struct sb_output *o)
{
    if (o->fd >= 0 && close(o->fd) != 0) fail(o, errno);
    o->fd = -1;
}

void sb_output_close(struct sb_output *o)
{
    sb_output_finish(o);
    if (o->target) {
        if (rename(o->temporary, o->target) != 0) fail(o, errno);
        forget(o);
    }
    release(o);
}

void sb_output_try(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode)) return; /* opening it would wake, or wait for, its reader */
    struct sb_output *o = sb_output_open(path);
    if (o->target) {
        unlink(o->temporary);
        forget(o);
    }
    if (o->fd != STDOUT_FILENO) close(o->fd);
    release(o);
}

/* The process that was to finish the file of this name, ".NAME.PID.tmp"; 0 if it is none. */
static long writer_of(const char *file, const char *prefix)
{
    const char *end = strrchr(file, '.'), *dot = end;
    char *after;
    if (strncmp(file, prefix, strlen(prefix)) || !end || strcmp(end, ".tmp")) return 0;
    while (dot > file && *--dot != '.')
        ;
    if (dot < file + strlen(prefix) - 1) return 0;
    long pid = strtol(dot + 1, &after, 10);
    return after == end && pid > 0 ? pid : 0;
}

void sb_output_sweep(const char *path)
{
    char *real = realpath(path, NULL), *target = real && path[strlen(path) - 1] != '/' ? real : sb_strdup(path);
    const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
    char *folder = slash ? sb_strndup(target, (size_t)(slash + 1 - target)) : sb_strdup("./");
    char *prefix = *name ? sb_format(".%.200s.", name) : sb_strdup(".");
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        long pid = writer_of(e->d_name, prefix);
        if (pid && kill((pid_t)pid, 0) != 0 && errno == ESRCH) unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir) closedir(dir);
    free(prefix);
    free(folder);
    if (target != real) free(real);
    free(target);
}
