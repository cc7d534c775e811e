/* Fibers, barriers, warps, shared memory. */
#include "tests/cusim/cusim.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <numeric>
#include <vector>

#include "tests/cuda_fake/guarded.h"

#define THREADS 1024
#define WARPS (THREADS / 32)
#define STACK ((size_t)64 << 10)

enum state { NEW, READY, IN_WARP, IN_BLOCK, DONE };

struct copy {
    void *to;
    const void *from;
    int group;
};

struct fiber {
    enum state state;
    void *sp;
    dim3 id;
    const char *what; /* it waits for */
    int line;
    unsigned mask;
    void *argument;
    std::vector<struct copy> copies; /* cp.async under way */
    int group;
};

struct shared_object {
    const void *site; /* NULL: the dynamic one */
    struct guarded memory;
    bool used; /* by this block */
};

dim3 threadIdx, blockIdx, blockDim, gridDim;
static struct fiber fibers[THREADS], *current;
static void *scheduler_sp;
static unsigned ready[WARPS];
static const cusim_grid *running;
static std::vector<struct shared_object> shared;
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
    fprintf(stderr, "cusim: ");
    if (running) fprintf(stderr, "%s, block %u,%u,%u: ", running->name, blockIdx.x, blockIdx.y, blockIdx.z);
    if (current) fprintf(stderr, "thread %u,%u,%u: ", threadIdx.x, threadIdx.y, threadIdx.z);
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
    if (!current->copies.empty()) cusim_fault("ends with cp.async under way");
    wait_for(DONE, "ended", 0);
}

/* Its stack lies between pages that no one may touch, and begins at a place of its own in a page: at the same one lanes
 * would push each other out of the cache. */
static void *stack_of(int i)
{
    static struct guarded stack[THREADS];
    if (!stack[i].data) stack[i] = guarded_make(STACK, 16);
    if (!stack[i].data) cusim_fault("not enough memory for a thread");
    void **top = (void **)(stack[i].data + STACK - i % 32 * 448) - 8;
    memset(top, 0, 8 * sizeof *top);
    top[6] = (void *)start;
    return top;
}

static void resume(int i)
{
    struct fiber *f = current = &fibers[i];
    if (f->state == NEW) f->sp = stack_of(i);
    f->state = READY;
    threadIdx = f->id;
    cusim_switch(&scheduler_sp, f->sp);
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
    bool all_wait = !(ready[own / 32] & mask & ~self);
    void *lane[32];
    for (int i = 0; i < 32 && all_wait; i++) {
        struct fiber *f = &fibers[first + i];
        bool meets = mask >> i & 1;
        lane[i] = meets ? f->argument : NULL;
        if (!meets || f == current) continue;
        all_wait = f->state == IN_WARP && f->what == what && f->line == line && f->mask == mask;
    }
    if (!all_wait) {
        wait_for(IN_WARP, what, line);
        return;
    }
    if (compute) compute(lane);
    for (int i = 0; i < 32; i++) {
        if (lane[i]) fibers[first + i].state = READY;
    }
    ready[first / 32] |= mask;
}

int cusim_lane(void) { return (int)(current - fibers) % 32; }
void cusim_barrier(int line) { wait_for(IN_BLOCK, "__syncthreads", line); }

/* What each warp's threads wait for. */
static void print_waiting(int threads)
{
    for (int i = 0; i < threads; i++) {
        const struct fiber *f = &fibers[i], *before = f - 1;
        if (i % 32 && f->what == before->what && f->line == before->line && f->mask == before->mask) continue;
        fprintf(stderr, "  from thread %d: %s, line %d, lanes %08x\n", i, f->what, f->line, f->mask);
    }
}

static uint64_t chance(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
}

/* In which order n things are done. */
struct course {
    uint64_t n, first, step;
};

static struct course course_of(uint64_t n)
{
    if (order) return {n, order > 0 ? 0 : n - 1, order > 0 ? 1 : n - 1};
    struct course c = {n, chance() % n, 0};
    while (std::gcd(c.step = chance() % n + 1, n) != 1) {}
    return c;
}

static uint64_t nth(const struct course *c, uint64_t k) { return (c->first + k * c->step) % c->n; }

/* One of the lanes. */
static int any_lane(unsigned lanes)
{
    if (order < 0) return 31 - __builtin_clz(lanes);
    unsigned above = order ? lanes : lanes & ~0u << chance() % 32;
    return __builtin_ctz(above ? above : lanes);
}

static void run_warps(int warps)
{
    struct course course = course_of((uint64_t)warps);
    for (int i = 0; i < warps; i++) {
        int w = (int)nth(&course, (uint64_t)i);
        while (ready[w]) resume(w * 32 + any_lane(ready[w]));
    }
}

/* Writes outside; and of more than 48 KB in all the launch must have asked for more than that. */
static void check_shared(void)
{
    size_t all = running->shared, most = all > 48 << 10 ? running->shared_most : 48 << 10;
    for (struct shared_object &s : shared) {
        if (!s.used) continue;
        const char *wrong = guarded_wrong(&s.memory);
        if (wrong) cusim_fault("wrote %s a shared object of %zu bytes", wrong, s.memory.bytes);
        if (s.site) all += s.memory.bytes;
        s.used = false;
    }
    if (all > most) cusim_fault("has %zu bytes of shared memory, %zu at most", all, most);
}

static dim3 position(uint64_t i, dim3 of)
{
    return dim3((unsigned)(i % of.x), (unsigned)(i / of.x % of.y), (unsigned)(i / of.x / of.y));
}

static void run_block(int threads)
{
    int warps = (threads + 31) / 32, done = 0;
    for (int i = 0; i < warps * 32; i++) {
        fibers[i].state = i < threads ? NEW : DONE;
        fibers[i].id = position((uint64_t)i, blockDim);
        fibers[i].group = 0;
    }
    while (done < threads) {
        for (int i = 0; i < threads; i++) ready[i / 32] |= 1u << i % 32;
        run_warps(warps);
        int at_barrier = done = 0;
        for (int i = 0; i < threads; i++) {
            at_barrier += fibers[i].state == IN_BLOCK && fibers[i].line == fibers[0].line;
            done += fibers[i].state == DONE;
        }
        if (at_barrier == threads || done == threads) continue;
        print_waiting(threads);
        cusim_fault("no thread can go on");
    }
    check_shared();
}

/* ---- shared memory ----------------------------------------------------------------------------------------------- */

void *cusim_shared(const void *site, size_t bytes)
{
    if (!site) bytes = running->shared;
    struct shared_object *s = NULL;
    for (struct shared_object &each : shared) {
        if (each.site == site && each.memory.bytes == bytes) s = &each;
    }
    if (!s) s = &shared.emplace_back(shared_object{site, guarded_make(bytes, 16), false});
    if (s->used) return s->memory.data;
    memset(s->memory.data, 0xff, bytes); /* NaN in f32 and bf16 */
    s->used = true;
    return s->memory.data;
}

bool cusim_is_shared(const void *p, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)p;
    for (const struct shared_object &s : shared) {
        if (s.used && at >= s.memory.data && at + bytes <= s.memory.data + s.memory.bytes) return true;
    }
    return false;
}

void sb_cp_async16(void *to, const void *from, bool valid)
{
    if ((uintptr_t)to % 16 || (uintptr_t)from % 16) cusim_fault("cp.async of what is not 16-byte aligned");
    if (!cusim_is_shared(to, 16)) cusim_fault("cp.async to what is not shared memory");
    current->copies.push_back({to, valid ? from : NULL, current->group});
    memset(to, 0xff, 16);
}

void sb_cp_async_commit(void) { current->group++; }

void cusim_cp_async_wait(int newer)
{
    size_t left = 0;
    for (const struct copy &c : current->copies) {
        if (c.group >= current->group - newer) current->copies[left++] = c;
        else if (c.from) memcpy(c.to, c.from, 16);
        else memset(c.to, 0, 16);
    }
    current->copies.resize(left);
}

/* ---- a grid ------------------------------------------------------------------------------------------------------ */

void cusim_run(const cusim_grid &g)
{
    struct sigaction handle = {};
    handle.sa_sigaction = on_signal;
    handle.sa_flags = SA_SIGINFO;
    for (int signal : {SIGSEGV, SIGBUS, SIGILL}) sigaction(signal, &handle, NULL);
    const char *named = getenv("CUSIM_ORDER"), *some = getenv("CUSIM_BLOCKS");
    order = !named || !strcmp(named, "forward") ? 1 : !strcmp(named, "reverse") ? -1 : 0;
    seed = order ? 0 : strtoull(named, NULL, 10);
    running = &g;
    gridDim = g.grid;
    blockDim = g.block;
    uint64_t blocks = (uint64_t)g.grid.x * g.grid.y * g.grid.z, each_end = some ? strtoull(some, NULL, 10) : blocks;
    struct course course = course_of(blocks);
    for (uint64_t k = 0; k < blocks; k++) {
        uint64_t i = nth(&course, k);
        if (i >= each_end && i + each_end < blocks) continue;
        blockIdx = position(i, g.grid);
        run_block((int)(g.block.x * g.block.y * g.block.z));
    }
    running = NULL;
}
