/* What tests of golden/ files share: where they lie, and golden/noise.py's pictures and hash. */
#ifndef SB_TESTS_GOLDEN_H
#define SB_TESTS_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "media/picture.h"

/* A file of tests/golden, wherever the tests are run from: the program lies in build/tests. */
static inline void golden(char path[4096], const char *name)
{
    ssize_t n = readlink("/proc/self/exe", path, 4000);
    assert_true(n > 0);
    path[n] = 0;
    for (int up = 0; up < 3; up++) *strrchr(path, '/') = 0;
    snprintf(path + strlen(path), 4096 - strlen(path), "/tests/golden/%s", name);
}

static inline FILE *golden_text(const char *name)
{
    char path[4096];
    golden(path, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

static inline uint64_t fnv(const uint8_t *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) h = (h ^ data[i]) * 0x100000001b3u;
    return h;
}

static inline size_t picture_bytes(const struct sb_picture *p) { return (size_t)p->width * (size_t)p->height * 3; }

static inline void fill_noise(struct sb_picture *p, int width, int height, uint64_t seed)
{
    assert_int_equal(sb_picture_size(p, width, height), 0);
    for (size_t i = 0; i < picture_bytes(p); i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        p->rgb[i] = (uint8_t)(seed >> 56);
    }
}

#endif
