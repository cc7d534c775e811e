#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "kernels/ref/ref.h"

struct sb_dev {
    double *scratch;
    size_t cap;
    void *fetched[SB_FETCH_SLOTS];
    size_t fetched_cap[SB_FETCH_SLOTS];
};

struct sb_dev *sb_ref_open(int index, int threads, const char **why)
{
    (void)threads;
    if (index != 0) {
        if (why) *why = "there is one reference device, 0";
        return NULL;
    }
    return sb_calloc(1, sizeof(struct sb_dev));
}

void sb_ref_close(struct sb_dev *d)
{
    if (!d) return;
    for (int i = 0; i < SB_FETCH_SLOTS; i++) free(d->fetched[i]);
    free(d->scratch);
    free(d);
}

bool sb_ref_fast_bf16(struct sb_dev *d)
{
    (void)d;
    return false;
}

void *sb_ref_alloc(struct sb_dev *d, size_t bytes)
{
    (void)d;
    if (bytes > SIZE_MAX - 64) return NULL;
    size_t size = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, size ? size : 64);
    if (p) memset(p, 0, size);
    return p;
}

void sb_ref_release(struct sb_dev *d, void *p)
{
    (void)d;
    free(p);
}

void sb_ref_upload(struct sb_dev *d, void *to, const void *from_host, size_t bytes)
{
    (void)d;
    memcpy(to, from_host, bytes);
}

void sb_ref_download(struct sb_dev *d, void *to_host, const void *from, size_t bytes)
{
    (void)d;
    memcpy(to_host, from, bytes);
}

void sb_ref_wait(struct sb_dev *d)
{
    (void)d;
}

size_t sb_ref_memory(struct sb_dev *d, size_t *all)
{
    (void)d;
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (all) *all = memory;
    return memory;
}

void sb_ref_prefetch(struct sb_dev *d, void *to, const void *const *from_host, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) sb_ref_upload(d, (char *)to + i * bytes, from_host[i], bytes);
}

void sb_ref_fetch(struct sb_dev *d, int slot, const void *from, size_t bytes)
{
    if (bytes > d->fetched_cap[slot] || !d->fetched[slot]) {
        free(d->fetched[slot]);
        d->fetched[slot] = sb_aligned(64, bytes);
        d->fetched_cap[slot] = bytes;
    }
    memcpy(d->fetched[slot], from, bytes);
}

const void *sb_ref_fetched(struct sb_dev *d, int slot)
{
    return d->fetched[slot];
}

void sb_ref_repeat(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg)
{
    (void)d, (void)key;
    fn(arg);
}

double *sb_ref_scratch(struct sb_dev *d, int64_t count)
{
    if ((size_t)count > d->cap) {
        free(d->scratch);
        d->cap = (size_t)count;
        d->scratch = sb_aligned(64, d->cap * sizeof(double));
    }
    return d->scratch;
}

double sb_ref_dot(const double *a, const double *b, int64_t n)
{
    double s[8] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int j = 0; j < 8; j++) s[j] += a[i + j] * b[i + j];
    }
    for (; i < n; i++) sum += a[i] * b[i];
    for (int j = 0; j < 8; j++) sum += s[j];
    return sum;
}
