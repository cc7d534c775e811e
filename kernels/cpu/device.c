/* The device is the process's own cores and memory: work is done when a call returns, there is nothing to wait for. */
#include "kernels/cpu/cpu.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/opt.h"

#define PAGE_HUGE ((size_t)2 << 20)

__attribute__((visibility("default"))) const struct sb_ops *seabot_plugin(const char *program, bool quiet);

/* ONEDNN_MAX_CPU_ISA=AVX2 in the environment lowers oneDNN's level; ours follows it. */
const struct sb_ops *seabot_plugin(const char *program, bool quiet)
{
    sb_error_inherit(program, quiet);
    if (!__builtin_cpu_supports("x86-64-v4") || !sb_plans_avx512()) return &sb_cpu_ops_v3;
    return sb_plans_avx512_bf16() ? &sb_cpu_ops_bf16 : &sb_cpu_ops_v4;
}

struct sb_dev *sb_cpu_open(int index, int threads, const char **why)
{
    if (index != 0) {
        *why = "there is one cpu device, number 0";
        return NULL;
    }
    if (!__builtin_cpu_supports("x86-64-v3")) {
        *why = "this processor lacks AVX2 and FMA";
        return NULL;
    }
    struct sb_dev *d = sb_calloc(1, sizeof *d);
    d->threads = threads > 0 ? threads : sb_cores();
    if (d->threads > omp_get_thread_limit()) d->threads = omp_get_thread_limit();
    omp_set_dynamic(0); /* a loop gets the threads that it asks for: sums are cut in as many parts */
    d->plans = sb_plans_open(d->threads);
    if (!d->plans) {
        free(d);
        *why = "oneDNN finds no cpu engine";
        return NULL;
    }
    return d;
}

void sb_cpu_close(struct sb_dev *d)
{
    if (!d) return;
    sb_plans_close(d->plans);
    for (int i = 0; i < SB_FETCH_SLOTS; i++) free(d->fetched[i]);
    free(d->scratch);
    free(d);
    omp_pause_resource_all(omp_pause_hard); /* ends the threads that wait for more work */
}

bool sb_cpu_fast_bf16(struct sb_dev *d)
{
    (void)d;
    return sb_plans_fast_bf16();
}

void sb_cpu_reserve(struct sb_dev *d, int64_t floats)
{
    if (floats <= d->scratch_part) return;
    /* an odd number of cache lines: parts that lie a power of two apart would evict each other */
    d->scratch_part = (floats + 31) / 32 * 32 + 16;
    free(d->scratch);
    d->scratch = sb_aligned(64, (size_t)d->scratch_part * sizeof(float) * (size_t)d->threads);
}

/* What lies before the memory that alloc gives, in the cache line before it. */
struct given {
    void *base;
    size_t bytes;
};

/* More than the machine's memory in all is refused: the kernel would promise it, and kill the process later. calloc
 * leaves fresh pages alone, so that of a large batch only what is used is ever touched. */
void *sb_cpu_alloc(struct sb_dev *d, size_t bytes)
{
    size_t align = bytes >= PAGE_HUGE ? PAGE_HUGE : 64;
    if (bytes > sb_cpu_memory(d, NULL)) return NULL;
    char *base = calloc(1, bytes + 64 + align);
    if (!base) return NULL;
    char *p = base + 64 + (align - ((uintptr_t)base + 64) % align) % align;
    ((struct given *)(void *)p)[-1] = (struct given){base, bytes};
    if (align == PAGE_HUGE) madvise(p, bytes, MADV_HUGEPAGE); /* only faster */
    d->taken += bytes;
    return p;
}

void sb_cpu_release(struct sb_dev *d, void *p)
{
    if (!p) return;
    struct given g = ((struct given *)p)[-1];
    d->taken -= g.bytes;
    free(g.base);
}

void sb_cpu_upload(struct sb_dev *d, void *to, const void *from_host, size_t bytes)
{
    (void)d;
    if (bytes) memcpy(to, from_host, bytes);
}

void sb_cpu_download(struct sb_dev *d, void *to_host, const void *from, size_t bytes)
{
    (void)d;
    if (bytes) memcpy(to_host, from, bytes);
}

void sb_cpu_wait(struct sb_dev *d)
{
    (void)d;
}

size_t sb_cpu_memory(struct sb_dev *d, size_t *all)
{
    size_t memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (all) *all = memory;
    return memory - d->taken;
}

void sb_cpu_prefetch(struct sb_dev *d, void *to, const void *const *from_host, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) sb_cpu_upload(d, (char *)to + i * bytes, from_host[i], bytes);
}

void sb_cpu_fetch(struct sb_dev *d, int slot, const void *from, size_t bytes)
{
    if (bytes > d->fetched_cap[slot] || !d->fetched[slot]) {
        free(d->fetched[slot]);
        d->fetched[slot] = sb_aligned(64, bytes);
        d->fetched_cap[slot] = bytes;
    }
    if (bytes) memcpy(d->fetched[slot], from, bytes);
}

const void *sb_cpu_fetched(struct sb_dev *d, int slot)
{
    return d->fetched[slot];
}

void sb_cpu_repeat(struct sb_dev *d, uint64_t key, void (*fn)(void *arg), void *arg)
{
    (void)d;
    (void)key;
    fn(arg);
}
