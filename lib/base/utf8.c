#include "base/utf8.h"

#include <string.h>

size_t sb_utf8_length(const char *s, size_t size)
{
    const unsigned char *p = (const unsigned char *)s;
    if (size == 0) return 0;
    if (p[0] < 0x80) return 1;
    size_t length = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    /* The second byte tells long forms, surrogates and what lies past U+10FFFF. */
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] > 0x9F) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return length;
}

bool sb_utf8_valid(const char *s, size_t size)
{
    while (size > 0) {
        size_t n = sb_utf8_length(s, size);
        if (n == 0) return false;
        s += n;
        size -= n;
    }
    return true;
}

size_t sb_utf8_broken(const char *s, size_t size)
{
    size_t n = 1;
    for (; n < 3 && n < size; n++) {
        char whole[4] = "\x80\x80\x80\x80"; /* what is there, made whole */
        memcpy(whole, s, n + 1);
        if (sb_utf8_length(whole, sizeof whole) <= n) break;
    }
    return n;
}
