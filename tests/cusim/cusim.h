/* A stand-in for the CUDA execution model: the .cu files of kernels/cuda compiled by a C++ compiler and run on the CPU,
 * to find what is wrong in them on machines without a GPU. One thread runs all: blocks in sequence, a block's threads
 * as fibers. A warp runs until all its lanes wait or have ended, then the next one does, which is where a missing
 * barrier hurts. $CUSIM_ORDER: forward (blocks, warps and lanes), reverse, or a number that seeds an order; results
 * must not differ. $CUSIM_BLOCKS: only so many blocks at each end of a grid, to see what huge tensors would do.
 *
 * What is wrong ends the program with a line that names kernel, block and thread: a barrier or shuffle that not all
 * reach, reads and writes beyond shared or device memory, misaligned ones, integer overflow. Shared memory is full of
 * NaNs when a block begins. Not seen: registers that were never set, blocks that race for the same memory, speed. */
#ifndef SB_TESTS_CUSIM_CUSIM_H
#define SB_TESTS_CUSIM_CUSIM_H

#include <functional>

#include "tests/cuda_fake/language.h"

extern dim3 threadIdx, blockIdx, blockDim, gridDim; /* of the fiber that runs */

/* ---- what threads do together ------------------------------------------------------------------------------------ */

/* Ends the program: which kernel, block and thread, and the words. */
[[noreturn]] void cusim_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until all lanes of the mask are here, with the same name, line and mask. The last one calls compute (may
 * be NULL) with the arguments of all; NULL for lanes outside the mask. */
void cusim_meet(const char *what, int line, unsigned mask, void *argument, void (*compute)(void **lane));
int cusim_lane(void);
void cusim_barrier(int line);
/* The block's object that is declared here; site NULL: the one whose size the launch gives. */
void *cusim_shared(const void *site, size_t bytes);
bool cusim_is_shared(const void *p, size_t bytes);
/* cp.async: `to` holds NaNs until its group has been waited for, with so many newer ones still under way. */
void sb_cp_async16(void *to, const void *from, bool valid);
void sb_cp_async_commit(void);
void cusim_cp_async_wait(int newer);

#define SB_SHARED(type, name, count)                                                                                   \
    static const char name##_site = 0;                                                                                 \
    type(&name)[count] = *(type(*)[count])cusim_shared(&name##_site, sizeof(type[count]))
#define SB_SHARED_DYNAMIC(type, name) type *name = (type *)cusim_shared(nullptr, 0)

#define CUSIM_LINE int line = __builtin_LINE()
static inline void __syncthreads(CUSIM_LINE) { cusim_barrier(line); }
static inline void __syncwarp(unsigned mask = ~0u, CUSIM_LINE) { cusim_meet("__syncwarp", line, mask, &line, nullptr); }

template <typename T> static inline T cusim_shuffle(const char *what, int line, unsigned mask, T value, int from)
{
    struct given {
        T value, got;
        int from;
    } own = {value, value, from};
    cusim_meet(what, line, mask, &own, [](void **lane) {
        for (int i = 0; i < 32; i++) {
            given *to = (given *)lane[i], *by = to ? (given *)lane[to->from] : nullptr;
            if (to && !by) cusim_fault("lane %d shuffles from lane %d, which is not in the mask", i, to->from);
            if (to) to->got = by->value;
        }
    });
    return own.got;
}
/* `width` lanes shuffle among themselves; beyond them a lane keeps its own value. */
#define CUSIM_SHUFFLE(name, type, target)                                                                              \
    template <typename T> static inline T name(unsigned mask, T value, type n, int width = 32, CUSIM_LINE)             \
    {                                                                                                                  \
        int own = cusim_lane(), first = own & ~(width - 1), to = (target);                                             \
        return cusim_shuffle(#name, line, mask, value, to >= first && to < first + width ? to : own);                  \
    }
CUSIM_SHUFFLE(__shfl_sync, int, first + (n & (width - 1)))
CUSIM_SHUFFLE(__shfl_xor_sync, int, own ^ n)
CUSIM_SHUFFLE(__shfl_up_sync, unsigned, own - (int)n)
CUSIM_SHUFFLE(__shfl_down_sync, unsigned, own + (int)n)

static inline unsigned __ballot_sync(unsigned mask, int yes, CUSIM_LINE)
{
    unsigned vote = yes != 0;
    cusim_meet("__ballot_sync", line, mask, &vote, [](void **lane) {
        unsigned votes = 0;
        for (int i = 0; i < 32; i++) votes |= (lane[i] ? *(unsigned *)lane[i] : 0) << i;
        for (int i = 0; i < 32; i++) {
            if (lane[i]) *(unsigned *)lane[i] = votes;
        }
    });
    return vote;
}

/* ---- a grid ------------------------------------------------------------------------------------------------------ */

struct cusim_grid {
    const char *name;
    dim3 grid, block;
    size_t shared, shared_most; /* bytes of dynamic memory; of all that a block may have */
    std::function<void()> thread;
};
void cusim_run(const cusim_grid &grid);

#endif
