#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

int sb_temporary_open(void)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir) dir = "/tmp";
    signal(SIGXFSZ, SIG_IGN); /* past a limit on the size of files a write then fails */
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    char *path = sb_format("%s/seabot.XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    } else {
        sb_error("%s: no temporary file: %s", dir, strerror(errno));
    }
    free(path);
    return fd;
}

FILE *sb_temporary_stdio(void)
{
    int fd = sb_temporary_open();
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w+b");
    if (fd >= 0 && !f) sb_error("temporary file: %s", strerror(errno));
    return f;
}

int sb_temporary_put(FILE *f, const void *head, size_t size, const struct sb_buffer *text)
{
    size_t length = text->size;
    bool done = fwrite(head, size, 1, f) == 1 && fwrite(&length, sizeof length, 1, f) == 1;
    if (done && fwrite(text->data, 1, length, f) == length) return 0;
    return sb_error("temporary file: %s", strerror(errno));
}

int sb_temporary_rewind(FILE *f)
{
    return fflush(f) == 0 && fseek(f, 0, SEEK_SET) == 0 ? 0 : sb_error("temporary file: %s", strerror(errno));
}

int sb_temporary_get(FILE *f, void *head, size_t size, struct sb_buffer *text)
{
    bool done = fread(head, size, 1, f) == 1 && fread(&text->size, sizeof text->size, 1, f) == 1;
    if (done) SB_GROW(text->data, text->cap, text->size);
    if (done && fread(text->data, 1, text->size, f) == text->size) return 0;
    return sb_error("temporary file: %s", ferror(f) ? strerror(errno) : "cut off");
}
