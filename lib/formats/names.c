#include "formats/names.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/utf8.h"

enum { STEM_MAX = 150, EXTENSION_MAX = 5 };

/* Where an extension such as ".mp4" begins; size if there is none. ".05" of a date is none. */
static size_t extension(const char *name, size_t size)
{
    size_t dot = size;
    bool letter = false;
    while (dot > 0 && isalnum((unsigned char)name[dot - 1])) {
        dot--;
        letter = letter || isalpha((unsigned char)name[dot]);
    }
    bool there = dot > 1 && name[dot - 1] == '.' && letter && size - dot <= EXTENSION_MAX && name[dot - 2] != '/';
    return there ? dot - 1 : size;
}

char *sb_name_stem(const char *source, size_t size) { return sb_name_safe(source, extension(source, size)); }

char *sb_name_safe(const char *source, size_t size)
{
    while (size > 0 && source[0] == '/') source++, size--;
    char *stem = sb_malloc(size + 2);
    size_t n = 0;
    for (size_t i = 0; i < size && n < STEM_MAX;) {
        size_t length = sb_utf8_length(source + i, size - i);
        unsigned char c = (unsigned char)source[i];
        if (length == 0 || c == '/' || c == '\\' || c < 0x20 || c == 0x7f) {
            stem[n++] = '_';
        } else if (n + length <= STEM_MAX) {
            memcpy(stem + n, source + i, length);
            n += length;
        } else {
            break;
        }
        i += length ? length : 1;
    }
    if (n == 0) stem[n++] = '_';
    if (stem[0] == '.' || stem[0] == '-') stem[0] = '_';
    stem[n] = 0;
    return stem;
}

char *sb_name_join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    return sb_format("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
}

char *sb_name_take(struct sb_dictionary *taken, const char *stem, const char *whole, size_t whole_size,
                   const char *suffix)
{
    char *name = sb_format("%s%s", stem, suffix), hex[SB_HEX];
    sb_hash_hex(sb_hash_bytes(whole, whole_size), hex);
    for (unsigned again = 0; sb_dictionary_find(taken, name, strlen(name)) >= 0; again++) {
        free(name);
        name = again == 0 ? sb_format("%s-%.8s%s", stem, hex, suffix)
                          : sb_format("%s-%.8s-%u%s", stem, hex, again + 1, suffix);
    }
    sb_dictionary_add(taken, name, strlen(name));
    return name;
}

char *sb_name_record(struct sb_dictionary *taken, struct sb_record *rec, const char *suffix)
{
    const char *source = "picture", *id = "";
    size_t source_size = strlen(source), id_size = 0;
    double pts = 0;
    int sourced = sb_get_text(rec, "source", &source, &source_size), timed = sb_get_real(rec, "pts", &pts);
    if (sourced < 0 || timed < 0 || sb_get_text(rec, "id", &id, &id_size) < 0) return NULL;
    char *stem = sb_name_stem(source, source_size), *safe_id = sb_name_safe(id, id_size), time[32] = "";
    if (timed && fabs(pts) < 1e9) snprintf(time, sizeof time, "_%010.3f", pts);
    bool with_id = id_size && (!sourced || sb_record_find(rec, "box"));
    char *all = sb_format("%s%s%s%s", stem, time, with_id ? "_" : "", with_id ? safe_id : "");
    char *name = sb_name_take(taken, all, id, id_size, suffix);
    free(stem);
    free(safe_id);
    free(all);
    return name;
}
