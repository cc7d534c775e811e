#include <unistd.h>

#include "base/err.h"
#include "base/output.h"

/* Failures end the program inside sb_output, so stdio never sees one. */
static ssize_t write_bytes(void *cookie, const char *bytes, size_t size)
{
    sb_output_write(cookie, bytes, size);
    return (ssize_t)size;
}

static int seek(void *cookie, off64_t *at, int whence)
{
    *at = lseek(sb_output_fd(cookie), *at, whence);
    return *at < 0 ? -1 : 0;
}

static int close_output(void *cookie)
{
    sb_output_close(cookie);
    return 0;
}

FILE *sb_output_stdio(const char *path)
{
    struct sb_output *o = sb_output_open(path);
    FILE *f = fopencookie(o, "w", (cookie_io_functions_t){.write = write_bytes, .seek = seek, .close = close_output});
    if (!f) sb_die("%s: %m", sb_output_name(o));
    return f;
}
