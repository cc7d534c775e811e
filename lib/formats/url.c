#include "formats/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/utf8.h"

static int hex(char c) { return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10; }

static char *decode(const char *text, size_t size)
{
    char *out = sb_malloc(size + 1), *to = out;
    for (size_t i = 0; i < size; i++) {
        bool coded = text[i] == '%' && i + 2 < size && isxdigit((unsigned char)text[i + 1]) &&
                     isxdigit((unsigned char)text[i + 2]);
        int c = coded ? hex(text[i + 1]) * 16 + hex(text[i + 2]) : text[i];
        if (coded && (c < 32 || c == 127)) coded = false, c = '%'; /* no control bytes in names */
        *to++ = (char)c;
        if (coded) i += 2;
    }
    *to = 0;
    if (sb_utf8_valid(out, strlen(out))) return out;
    free(out);
    return sb_strndup(text, size);
}

char *sb_url_path(const char *url)
{
    const char *colon = strstr(url, "://"), *path = url;
    size_t size = strlen(url);
    if (colon) {
        path = strchr(colon + 3, '/');
        if (!path) return NULL;
        while (*path == '/') path++;
        size = strcspn(path, "?#");
    }
    if (size == 0) return NULL;
    return colon ? decode(path, size) : sb_strndup(path, size);
}

char *sb_url_join(const char *folder, const char *path, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    struct sb_buffer b = {0};
    sb_buffer_add(&b, folder, strlen(folder));
    if (b.size && b.data[b.size - 1] != '/') sb_buffer_add(&b, "/", 1);
    for (size_t i = 0; i < size; i++) {
        char coded[4];
        bool as_it_is = path[i] && strchr(plain, path[i]);
        snprintf(coded, sizeof coded, "%%%02X", (unsigned char)path[i]);
        sb_buffer_add(&b, as_it_is ? path + i : coded, as_it_is ? 1 : 3);
    }
    sb_buffer_add(&b, "", 1);
    return (char *)b.data;
}
