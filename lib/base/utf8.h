/* UTF-8 as Unicode defines it: shortest forms only, no surrogates, at most U+10FFFF. */
#ifndef SB_BASE_UTF8_H
#define SB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define SB_UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD, shown where bytes are no character */

size_t sb_utf8_length(const char *s, size_t size); /* bytes of the character at s: 1 to 4, 0 if there is none */
bool sb_utf8_valid(const char *s, size_t size);
/* Where there is none: how many bytes one U+FFFD stands for, 1 to 3. As Unicode recommends and Python does, the longest
 * beginning of a character; size > 0. */
size_t sb_utf8_broken(const char *s, size_t size);

#endif
