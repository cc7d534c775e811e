#include "base/err.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_SIZE 1024

const char *sb_program = "seabot";
bool sb_quiet;
bool sb_line_drawn;

static _Thread_local char message[MESSAGE_SIZE], advice[MESSAGE_SIZE];

/* A line may stand on the terminal that only the program knows of: what comes first clears it. */
void sb_error_inherit(const char *program, bool quiet)
{
    sb_program = program;
    sb_quiet = quiet;
    sb_line_drawn = isatty(STDERR_FILENO);
}

int sb_error(const char *fmt, ...)
{
    char text[MESSAGE_SIZE]; /* the arguments may hold the old message */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!strstr(text, message)) advice[0] = 0; /* it stays with a message that is passed on */
    memcpy(message, text, sizeof text);
    return -1;
}

int sb_error_advice(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(advice, sizeof advice, fmt, ap);
    va_end(ap);
    return -1;
}

const char *sb_error_message(void)
{
    return message;
}

const char *sb_error_advised(void)
{
    return advice;
}

static void hide_controls(char *line, size_t size, bool keep_breaks)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < 0x20 || c == 0x7f) && !(keep_breaks && c == '\n')) line[i] = '?';
        /* U+0080 to U+009F: a terminal obeys these, too */
        if (c == 0xc2 && i + 1 < size && (unsigned char)line[i + 1] < 0xa0) line[i] = line[i + 1] = '?';
    }
}

/* One write, so that lines of programs that share a terminal do not mix. No allocation: memory may be what ran out. */
static void say(const char *text, const char *below)
{
    char line[2 * MESSAGE_SIZE + 128];
    int n = snprintf(line, MESSAGE_SIZE + 127, "%s: %s", sb_program, text);
    size_t size = n < 0 ? 0 : (size_t)n < MESSAGE_SIZE + 127 ? (size_t)n : MESSAGE_SIZE + 126;
    hide_controls(line, size, false);
    line[size++] = '\n';
    size_t more = strlen(below);
    memcpy(line + size, below, more);
    hide_controls(line + size, more, true);
    size += more;
    if (more) line[size++] = '\n';
    if (sb_line_drawn) {
        sb_line_drawn = false;
        if (write(STDERR_FILENO, "\r\033[K", 4) < 0) return;
    }
    if (write(STDERR_FILENO, line, size) < 0) return;
}

void sb_warn(const char *fmt, ...)
{
    if (sb_quiet) return;
    char text[MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say(text, "");
}

void sb_say_error(void)
{
    say(message[0] ? message : "failed", advice);
}

/* The first thread that fails ends the program, without what exit() would tear down: other threads may be inside a
 * device's library. Of files, at_quick_exit() takes care. */
static _Noreturn void die(const char *text, const char *below)
{
    static atomic_flag dying = ATOMIC_FLAG_INIT;
    static _Thread_local bool mine;
    if (mine) _exit(1); /* an exit handler failed in its turn */
    if (atomic_flag_test_and_set(&dying)) {
        for (;;) pause();
    }
    mine = true;
    if (text) say(text, below);
    quick_exit(1);
}

void sb_die(const char *fmt, ...)
{
    char text[MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    die(text, "");
}

void sb_die_error(void)
{
    die(message[0] ? message : "failed", advice);
}

void sb_die_quietly(void)
{
    die(NULL, "");
}

static _Noreturn void out_of_memory(size_t wanted)
{
    sb_die("out of memory: wanted %zu bytes", wanted);
}

void *sb_malloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) out_of_memory(size);
    return p;
}

void *sb_calloc(size_t count, size_t size)
{
    size_t total;
    if (!sb_mul(count, size, &total)) out_of_memory(SIZE_MAX);
    void *p = calloc(1, total ? total : 1);
    if (!p) out_of_memory(total);
    return p;
}

void *sb_realloc(void *p, size_t count, size_t size)
{
    size_t total;
    if (!sb_mul(count, size, &total)) out_of_memory(SIZE_MAX);
    void *q = realloc(p, total ? total : 1);
    if (!q) out_of_memory(total);
    return q;
}

void *sb_aligned(size_t align, size_t size)
{
    size_t rounded = (size + align - 1) / align * align;
    if (rounded < size) out_of_memory(size);
    void *p = aligned_alloc(align, rounded ? rounded : align);
    if (!p) out_of_memory(size);
    memset(p, 0, rounded);
    return p;
}

char *sb_strdup(const char *s)
{
    return sb_strndup(s, strlen(s));
}

char *sb_strndup(const char *s, size_t n)
{
    n = strnlen(s, n);
    char *copy = sb_malloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *sb_format(const char *fmt, ...)
{
    char *text;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) sb_die("out of memory for a text");
    return text;
}
