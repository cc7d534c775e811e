/* Whole files, for unit tests. */
#ifndef SB_TESTS_FILES_H
#define SB_TESTS_FILES_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* The caller frees it. */
static uint8_t *slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = sb_malloc(*size);
    assert_int_equal(fread(bytes, 1, *size, f), *size);
    fclose(f);
    return bytes;
}

static void spill(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

#endif
