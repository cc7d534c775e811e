/* Fibers, barriers, warps, shared memory. */
#include "tests/cusim/cusim.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/cusim/guarded.h"

#define THREADS 1024
#define WARPS (THREADS / 32)
#define STACK ((size_t)64 << 10)
#define PAGE ((size_t)4096)
#define SHARED_OBJECTS 16
#define COPIES 256

enum state { NEW, READY, IN_WARP, IN_BLOCK, DONE };

struct fiber {
    enum state state;
    void *sp, *stack;
    dim3 id;
    const char *what; /* it waits for */
    int line;
    unsigned mask;
    void *argument;
    int copies, group; /* of cp.async: under way; groups that were committed */
};

struct copy {
    void *to;
    const void *from;
    int group;
};

struct shared {
    const void *site; /* NULL: the dynamic one */
    struct guarded memory;
    bool used; /* by this block */
};

dim3 threadIdx, blockIdx, blockDim, gridDim;
static struct fiber fibers[THREADS], *current;
static struct copy copies[THREADS][COPIES];
static void *scheduler_sp, *free_stack[THREADS];
static int free_stacks;
static unsigned ready[WARPS];
static const cusim_launch *running;
static struct shared shared[1024];
static int shared_count;
static uint64_t seed;
static int order; /* 1, -1, or 0: seeded */

/* ---- fibers ------------------------------------------------------------------------------------------------------ */

/* Saves the registers that a call keeps on this stack, its pointer in *save, and goes on with another one's. */
extern "C" __attribute__((visibility("hidden"))) void cusim_switch(void **save, void *sp);
asm(R"(
    .text
    .globl cusim_switch
    .hidden cusim_switch
    .type cusim_switch, @function
cusim_switch:
    push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp
    ret
    .size cusim_switch, . - cusim_switch
)");

void cusim_fault(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "cusim: %s, block %u,%u,%u", running ? running->name : "-", blockIdx.x, blockIdx.y, blockIdx.z);
    if (current) fprintf(stderr, ", thread %u,%u,%u", threadIdx.x, threadIdx.y, threadIdx.z);
    fprintf(stderr, ": ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    abort();
}

static void on_signal(int signal, siginfo_t *info, void *)
{
    if (signal == SIGILL) cusim_fault("a misaligned access, an overflow, or another thing that C++ leaves undefined");
    cusim_fault("touches %p, outside of what it may touch", info->si_addr);
}

static void wait_for(enum state state, const char *what, int line)
{
    current->state = state;
    current->what = what;
    current->line = line;
    cusim_switch(&current->sp, scheduler_sp);
}

static void start(void)
{
    running->thread();
    if (current->copies) cusim_fault("ends with cp.async under way");
    wait_for(DONE, "ended", 0);
}

static void take_stack(struct fiber *f)
{
    if (!free_stacks) {
        char *p = (char *)mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED || mprotect(p, PAGE, PROT_NONE)) cusim_fault("not enough memory for a fiber");
        free_stack[free_stacks++] = p;
    }
    f->stack = free_stack[--free_stacks];
    /* Lanes begin at places of their own in a page: at the same one they would push each other out of the cache. */
    void **top = (void **)((char *)f->stack + STACK - (f - fibers) % 32 * 448) - 8;
    memset(top, 0, 8 * sizeof *top);
    top[6] = (void *)start;
    f->sp = top;
}

static void resume(int i)
{
    struct fiber *f = current = &fibers[i];
    if (f->state == NEW) take_stack(f);
    f->state = READY;
    threadIdx = f->id;
    cusim_switch(&scheduler_sp, f->sp);
    if (f->state == DONE) free_stack[free_stacks++] = f->stack;
    if (f->state != READY) ready[i / 32] &= ~(1u << i % 32);
    current = NULL;
}

/* ---- what threads do together ------------------------------------------------------------------------------------ */

void cusim_meet(const char *what, int line, unsigned mask, void *argument, void (*compute)(void **lane))
{
    int own = (int)(current - fibers), first = own / 32 * 32;
    unsigned self = 1u << own % 32;
    if (!(mask & self)) cusim_fault("%s in line %d, with a mask that leaves out the lane itself", what, line);
    current->argument = argument;
    current->mask = mask;
    if (ready[own / 32] & mask & ~self) {
        wait_for(IN_WARP, what, line);
        return;
    }
    void *lane[32] = {NULL};
    for (int i = 0; i < 32; i++) {
        struct fiber *f = &fibers[first + i];
        if (!(mask >> i & 1)) continue;
        lane[i] = f->argument;
        if (f == current) continue;
        if (f->state != IN_WARP || f->what != what || f->line != line || f->mask != mask) {
            wait_for(IN_WARP, what, line);
            return;
        }
    }
    if (compute) compute(lane);
    for (int i = 0; i < 32; i++) {
        if (lane[i]) fibers[first + i].state = READY;
    }
    ready[first / 32] |= mask;
}

void cusim_barrier(int line) { wait_for(IN_BLOCK, "__syncthreads", line); }

/* What each warp's threads wait for. */
static void print_waiting(int threads)
{
    for (int i = 0, from = 0; i < threads; i++) {
        struct fiber *f = &fibers[i], *next = f + 1;
        if (i + 1 < threads && (i + 1) % 32 && f->state == next->state && f->line == next->line && f->mask == next->mask)
            continue;
        fprintf(stderr, "  threads %d to %d: %s, line %d, lanes %08x\n", from, i, f->what, f->line, f->mask);
        from = i + 1;
    }
}

static uint64_t chance(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
}

/* A lane that may run. */
static int next_lane(unsigned lanes)
{
    if (order > 0) return __builtin_ctz(lanes);
    if (order < 0) return 31 - __builtin_clz(lanes);
    int by = (int)(chance() % 32);
    unsigned turned = lanes >> by | (by ? lanes << (32 - by) : 0);
    return (__builtin_ctz(turned) + by) % 32;
}

static void run_warps(int warps)
{
    int first = order ? 0 : (int)(chance() % (unsigned)warps);
    bool down = order < 0 || (!order && chance() % 2);
    for (int i = 0; i < warps; i++) {
        int w = (first + (down ? warps - 1 - i : i)) % warps;
        while (ready[w]) resume(w * 32 + next_lane(ready[w]));
    }
}

static void check_shared(void)
{
    for (int i = 0; i < shared_count; i++) {
        if (!shared[i].used) continue;
        const char *wrong = guarded_wrong(&shared[i].memory);
        if (wrong) cusim_fault("wrote %s a shared object of %zu bytes", wrong, shared[i].memory.bytes);
        shared[i].used = false;
    }
}

static void run_block(int threads)
{
    int warps = (threads + 31) / 32;
    for (int i = 0; i < warps * 32; i++) {
        struct fiber *f = &fibers[i];
        f->state = i < threads ? NEW : DONE;
        if (i >= threads) continue;
        f->id = dim3((unsigned)i % blockDim.x, (unsigned)i / blockDim.x % blockDim.y, (unsigned)i / blockDim.x / blockDim.y);
        f->copies = f->group = 0;
        ready[i / 32] |= 1u << i % 32;
    }
    for (;;) {
        run_warps(warps);
        int at_barrier = 0, done = 0;
        for (int i = 0; i < threads; i++) {
            at_barrier += fibers[i].state == IN_BLOCK && fibers[i].line == fibers[0].line;
            done += fibers[i].state == DONE;
        }
        if (done == threads) break;
        if (at_barrier < threads) {
            print_waiting(threads);
            cusim_fault("no thread can go on");
        }
        for (int i = 0; i < threads; i++) ready[i / 32] |= 1u << i % 32;
    }
    check_shared();
}

/* ---- shared memory ----------------------------------------------------------------------------------------------- */

/* 48 KB of objects, and with the dynamic one no more than there is. */
static void check_size(void)
{
    size_t fixed = 0, all = 0;
    for (int i = 0; i < shared_count; i++) {
        if (shared[i].used) all += shared[i].memory.bytes;
        if (shared[i].used && shared[i].site) fixed += shared[i].memory.bytes;
    }
    if (fixed > 48 << 10 || all > running->d->shared_most)
        cusim_fault("has %zu bytes of shared objects, %zu in all", fixed, all);
}

void *cusim_shared(const void *site, size_t bytes)
{
    if (!site) bytes = running->shared;
    struct shared *s = shared, *end = shared + shared_count;
    while (s < end && (s->site != site || s->memory.bytes != bytes)) s++;
    if (s == end) {
        if (shared_count == (int)(sizeof shared / sizeof *shared)) cusim_fault("too many shared objects for cusim");
        *s = {site, guarded_make(bytes, 16), false};
        shared_count++;
    }
    if (s->used) return s->memory.data;
    memset(s->memory.data, 0xff, bytes); /* NaN in f32 and bf16 */
    s->used = true;
    check_size();
    return s->memory.data;
}

bool cusim_is_shared(const void *p, size_t bytes)
{
    for (int i = 0; i < shared_count; i++) {
        const unsigned char *data = shared[i].memory.data, *at = (const unsigned char *)p;
        if (shared[i].used && at >= data && at + bytes <= data + shared[i].memory.bytes) return true;
    }
    return false;
}

void cusim_copy(void *to, const void *from)
{
    if ((uintptr_t)to % 16 || (uintptr_t)from % 16) cusim_fault("cp.async of what is not 16-byte aligned");
    if (!cusim_is_shared(to, 16)) cusim_fault("cp.async to what is not shared memory");
    if (current->copies == COPIES) cusim_fault("more than %d cp.async under way", COPIES);
    copies[current - fibers][current->copies++] = {to, from, current->group};
    memset(to, 0xff, 16);
}

void cusim_copy_commit(void) { current->group++; }

void cusim_copy_wait(int newer)
{
    struct copy *all = copies[current - fibers];
    int left = 0;
    for (int i = 0; i < current->copies; i++) {
        struct copy c = all[i];
        if (c.group >= current->group - newer) all[left++] = c;
        else if (c.from) memcpy(c.to, c.from, 16);
        else memset(c.to, 0, 16);
    }
    current->copies = left;
}

/* ---- launching --------------------------------------------------------------------------------------------------- */


extern "C" __attribute__((weak, visibility("hidden"))) const char *const __start___patchable_function_entries[];
extern "C" __attribute__((weak, visibility("hidden"))) const char *const __stop___patchable_function_entries[];

static unsigned bound_of(const void *kernel)
{
    for (const char *const *p = __start___patchable_function_entries; p < __stop___patchable_function_entries; p++) {
        int64_t before = (const char *)kernel - *p;
        if (before > 0 && before <= WARPS) return (unsigned)before * 32;
    }
    return THREADS;
}

static void check_limits(const cusim_launch &l)
{
    uint64_t threads = (uint64_t)l.block.x * l.block.y * l.block.z;
    blockIdx = dim3(0, 0, 0);
    if (!l.grid.x || !l.grid.y || !l.grid.z || !threads) cusim_fault("launches nothing");
    if (l.grid.x > INT32_MAX || l.grid.y > 65535 || l.grid.z > 65535)
        cusim_fault("launches a grid of %u x %u x %u", l.grid.x, l.grid.y, l.grid.z);
    if (threads > bound_of(l.kernel) || l.block.z > 64)
        cusim_fault("launches %u x %u x %u threads; its bound is %u", l.block.x, l.block.y, l.block.z, bound_of(l.kernel));
    if (l.shared > l.d->shared_most) cusim_fault("asks for %zu bytes of shared memory", l.shared);
}

static uint64_t common_divisor(uint64_t a, uint64_t b) { return b ? common_divisor(b, a % b) : a; }

static void run_grid(const cusim_launch &l)
{
    struct sigaction handle = {};
    handle.sa_sigaction = on_signal;
    handle.sa_flags = SA_SIGINFO;
    for (int signal : {SIGSEGV, SIGBUS, SIGILL}) sigaction(signal, &handle, NULL);
    const char *named = getenv("CUSIM_ORDER");
    order = !named || !strcmp(named, "forward") ? 1 : !strcmp(named, "reverse") ? -1 : 0;
    seed = order ? 0 : strtoull(named, NULL, 10);
    running = &l;
    check_limits(l);
    gridDim = l.grid;
    blockDim = l.block;
    uint64_t blocks = (uint64_t)l.grid.x * l.grid.y * l.grid.z, first = order ? 0 : chance() % blocks, stride = 1;
    const char *some = getenv("CUSIM_BLOCKS");
    uint64_t each_end = some ? strtoull(some, NULL, 10) : blocks;
    while (!order && common_divisor(stride = chance() % blocks + 1, blocks) != 1) {}
    for (uint64_t k = 0; k < blocks; k++) {
        uint64_t i = order > 0 ? k : order < 0 ? blocks - 1 - k : (first + k * stride) % blocks;
        if (i >= each_end && i + each_end < blocks) continue;
        blockIdx = dim3((unsigned)(i % l.grid.x), (unsigned)(i / l.grid.x % l.grid.y), (unsigned)(i / l.grid.x / l.grid.y));
        run_block((int)(l.block.x * l.block.y * l.block.z));
    }
    running = NULL;
}

void cusim_run(const cusim_launch &launch)
{
    cusim_queue(launch.d->stream, [launch] { run_grid(launch); });
}
