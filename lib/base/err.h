/* Messages, errors and memory.
 *
 * A library function that can fail returns -1 (or NULL) after sb_error() has recorded one line that says what
 * went wrong; a program turns it into its last words with sb_die_error(). Running out of memory is never
 * handled: the allocators below end the program with one line. All of it is safe in threads. */
#ifndef SB_BASE_ERR_H
#define SB_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SB_PRINTF(f, a) __attribute__((format(printf, f, a)))

extern const char *sb_program; /* the program's name, the prefix of its messages; set by sb_opt_parse() */
extern bool sb_quiet;          /* -q: no warnings, no progress, no counts; errors are still printed */
extern bool sb_line_drawn;     /* a progress line stands on the terminal: messages clear it first */

/* For a plugin, which has variables of its own: its messages are those of this program. */
void sb_error_inherit(const char *program, bool quiet);

/* Records a message for this thread (at most 1,023 bytes) and returns -1. */
int sb_error(const char *fmt, ...) SB_PRINTF(1, 2);
const char *sb_error_message(void);
/* Lines, without a break at the end, that stand below the recorded message where it ends a program: what to do about
 * it. Returns -1. */
int sb_error_advice(const char *fmt, ...) SB_PRINTF(1, 2);
const char *sb_error_advised(void); /* "" if none */

/* "sb-x: message\n" on stderr, line breaks and control bytes inside shown as '?'. */
void sb_warn(const char *fmt, ...) SB_PRINTF(1, 2);

/* This thread's recorded message, even with -q: for a program that goes on with its next input, and exits 1 later. */
void sb_say_error(void);

/* Says it, then quick_exit(1): output files that are not finished are removed, no trailer is written. */
_Noreturn void sb_die(const char *fmt, ...) SB_PRINTF(1, 2);
_Noreturn void sb_die_error(void); /* with this thread's recorded message */
_Noreturn void sb_die_quietly(void); /* without a word: the reader of our output has gone */

/* Never NULL: they die with "out of memory: wanted N bytes". Counts are multiplied with an overflow check.
 * The caller owns what is returned and frees it with free(). */
void *sb_malloc(size_t size);
void *sb_calloc(size_t count, size_t size);
void *sb_realloc(void *p, size_t count, size_t size);
void *sb_aligned(size_t align, size_t size); /* zeroed */
char *sb_strdup(const char *s);
char *sb_strndup(const char *s, size_t n);
char *sb_format(const char *fmt, ...) SB_PRINTF(1, 2);

/* Grows an array to hold at least `need` elements: SB_GROW(p, cap, need). */
#define SB_GROW(p, cap, need)                                                                                       \
    do {                                                                                                            \
        if ((size_t)(need) > (size_t)(cap)) {                                                                       \
            size_t sb_cap_ = (size_t)(cap) ? (size_t)(cap) : 8;                                                     \
            while (sb_cap_ < (size_t)(need)) sb_cap_ *= 2;                                                          \
            (p) = sb_realloc((p), sb_cap_, sizeof *(p));                                                            \
            (cap) = sb_cap_;                                                                                        \
        }                                                                                                           \
    } while (0)

/* Product of two sizes into *out; false on overflow. */
static inline bool sb_mul(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }

#endif
