#include "tests/cusim/guarded.h"

#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

static unsigned char pattern(const unsigned char *p) { return (size_t)p % 2 ? 0xff : 0xa5; }

/* Of the slack before and behind: as large as a page at most. */
static void slack(const struct guarded *g, unsigned char *end[2])
{
    end[0] = g->data;
    end[1] = g->map + g->mapped - PAGE;
}

struct guarded guarded_make(size_t bytes, size_t align)
{
    struct guarded g = {};
    size_t room = (bytes + align - 1) / align * align;
    if (room < bytes || room > (size_t)1 << 46) return g;
    g.mapped = (room + PAGE - 1) / PAGE * PAGE + 2 * PAGE;
    void *map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return g;
    g.map = (unsigned char *)map;
    g.bytes = bytes;
    g.data = g.map + g.mapped - PAGE - room;
    mprotect(g.map, PAGE, PROT_NONE);
    mprotect(g.map + g.mapped - PAGE, PAGE, PROT_NONE);
    unsigned char *end[2];
    slack(&g, end);
    for (unsigned char *p = g.map + PAGE; p < end[0]; p++) *p = pattern(p);
    for (unsigned char *p = g.data + bytes; p < end[1]; p++) *p = pattern(p);
    return g;
}

const char *guarded_wrong(const struct guarded *g)
{
    unsigned char *end[2];
    slack(g, end);
    for (const unsigned char *p = g->map + PAGE; p < end[0]; p++) {
        if (*p != pattern(p)) return "before";
    }
    for (const unsigned char *p = g->data + g->bytes; p < end[1]; p++) {
        if (*p != pattern(p)) return "behind";
    }
    return NULL;
}

void guarded_protect(struct guarded *g, int how) { mprotect(g->map + PAGE, g->mapped - 2 * PAGE, how); }

void guarded_free(struct guarded *g)
{
    if (g->map) munmap(g->map, g->mapped);
    memset(g, 0, sizeof *g);
}
