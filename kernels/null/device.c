#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "kernels/null/check.h"

struct sb_dev {
    uintptr_t next; /* the next invented address */
    void *fetched[SB_FETCH_SLOTS];
};

/* No program on a 64-bit machine has memory here, so whoever touches what null gave is caught at once. */
#define NOWHERE ((uintptr_t)1 << 60)

struct sb_dev *sb_null_open(int index, int threads, const char **why)
{
    (void)threads;
    if (index != 0) {
        if (why) *why = "there is one null device, 0";
        return NULL;
    }
    struct sb_dev *d = sb_calloc(1, sizeof *d);
    d->next = NOWHERE;
    return d;
}

void sb_null_close(struct sb_dev *d)
{
    for (int i = 0; d && i < SB_FETCH_SLOTS; i++) free(d->fetched[i]);
    free(d);
}

bool sb_null_fast_bf16(struct sb_dev *d)
{
    (void)d;
    return false;
}

void *sb_null_alloc(struct sb_dev *d, size_t bytes)
{
    uintptr_t p = d->next;
    d->next += (bytes + 127) / 64 * 64;
    return (void *)p;
}

void sb_null_release(struct sb_dev *d, void *p)
{
    (void)d, (void)p;
}

void sb_null_upload(struct sb_dev *d, void *to, const void *from_host, size_t bytes)
{
    (void)d, (void)bytes;
    sb_null_pointer(OP, "to", to);
    sb_null_pointer(OP, "from_host", from_host);
}

/* The host gets zeros: what it does with them is then the same in every run. */
void sb_null_download(struct sb_dev *d, void *to_host, const void *from, size_t bytes)
{
    (void)d;
    sb_null_pointer(OP, "to_host", to_host);
    sb_null_pointer(OP, "from", from);
    memset(to_host, 0, bytes);
}

void sb_null_wait(struct sb_dev *d)
{
    (void)d;
}

size_t sb_null_memory(struct sb_dev *d, size_t *all)
{
    (void)d;
    if (all) *all = SIZE_MAX;
    return SIZE_MAX;
}

void sb_null_prefetch(struct sb_dev *d, void *to, const void *const *from_host, size_t count, size_t bytes)
{
    (void)d, (void)bytes;
    sb_null_pointer(OP, "to", to);
    for (size_t i = 0; i < count; i++) sb_null_pointer(OP, "from_host", from_host[i]);
}

/* Zeros, as a download gives. */
void sb_null_fetch(struct sb_dev *d, int slot, const void *from, size_t bytes)
{
    WANT(slot >= 0 && slot < SB_FETCH_SLOTS, "slot %d of %d", slot, SB_FETCH_SLOTS);
    sb_null_pointer(OP, "from", from);
    free(d->fetched[slot]);
    d->fetched[slot] = sb_calloc(1, bytes);
}

const void *sb_null_fetched(struct sb_dev *d, int slot)
{
    WANT(slot >= 0 && slot < SB_FETCH_SLOTS, "slot %d of %d", slot, SB_FETCH_SLOTS);
    return d->fetched[slot];
}

void sb_null_repeat(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg)
{
    (void)d, (void)key;
    fn(arg);
}
