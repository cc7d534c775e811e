#include "base/buffer.h"

#include <string.h>

#include "base/err.h"

void sb_buffer_add(struct sb_buffer *b, const void *bytes, size_t size)
{
    SB_GROW(b->data, b->cap, b->size + size);
    if (size) memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

int sb_buffer_write(void *buffer, const char *bytes, size_t size)
{
    sb_buffer_add(buffer, bytes, size);
    return 0;
}

static ssize_t write_bytes(void *cookie, const char *bytes, size_t size)
{
    sb_buffer_add(cookie, bytes, size);
    return (ssize_t)size;
}

FILE *sb_buffer_stdio(struct sb_buffer *b)
{
    FILE *f = fopencookie(b, "w", (cookie_io_functions_t){.write = write_bytes});
    if (!f) sb_die("out of memory for a stream");
    return f;
}
