#include "tests/cuda_fake/guarded.h"

#include <sys/mman.h>

#define PAGE ((size_t)4096)

static unsigned char pattern(const unsigned char *p) { return (size_t)p % 2 ? 0xff : 0xa5; }

struct guarded guarded_make(size_t bytes, size_t align)
{
    struct guarded g = {};
    size_t room = (bytes + align - 1) / align * align;
    if (room < bytes || room > (size_t)1 << 46) return g;
    g.bytes = bytes;
    g.mapped = (room + PAGE - 1) / PAGE * PAGE + 2 * PAGE;
    void *map = mmap(NULL, g.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return g;
    g.map = (unsigned char *)map;
    guarded_protect(&g, PROT_READ | PROT_WRITE);
    g.data = g.map + g.mapped - PAGE - room;
    for (unsigned char *p = g.map + PAGE; p < g.data; p++) *p = pattern(p);
    for (unsigned char *p = g.data + bytes; p < g.data + room; p++) *p = pattern(p);
    return g;
}

const char *guarded_wrong(const struct guarded *g)
{
    for (const unsigned char *p = g->map + PAGE; p < g->data; p++) {
        if (*p != pattern(p)) return "before";
    }
    for (const unsigned char *p = g->data + g->bytes; p < g->map + g->mapped - PAGE; p++) {
        if (*p != pattern(p)) return "behind";
    }
    return NULL;
}

void guarded_protect(struct guarded *g, int how) { mprotect(g->map + PAGE, g->mapped - 2 * PAGE, how); }
void guarded_free(struct guarded *g) { munmap(g->map, g->mapped); }
