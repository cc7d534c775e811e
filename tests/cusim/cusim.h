/* A stand-in for the CUDA execution model: the .cu files of kernels/cuda compiled by a C++ compiler and run on the CPU, to find what
 * is wrong in them on machines without a GPU. One thread runs all: blocks in sequence, a block's threads as fibers. A
 * warp runs until all its lanes wait or have ended, then the next one does, which is where a missing barrier hurts.
 * $CUSIM_ORDER: forward (blocks, warps and lanes), reverse, or a number that seeds an order; results must not differ.
 * $CUSIM_BLOCKS: only so many blocks at each end of a grid, to see what tensors too large to compute would do.
 *
 * What is wrong ends the program with a line that names kernel, block and thread: a barrier or shuffle that not all
 * reach, reads and writes beyond shared or device memory, misaligned ones, integer overflow, launches beyond a GPU's
 * limits. Shared memory is full of NaNs when a block begins. Not seen: registers that were never set, blocks that race
 * for the same memory, speed. */
#ifndef SB_TESTS_CUSIM_CUSIM_H
#define SB_TESTS_CUSIM_CUSIM_H

#include <math.h>
#include <string.h>

#include <functional>

#include "kernels/cuda/cuda.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) alignas(n)
#define __shared__ _Pragma("GCC error \"declare shared memory by SB_SHARED or SB_SHARED_DYNAMIC\"")
/* The bound is told by how far before its code a kernel's entry in __patchable_function_entries lies: a byte for each
 * warp. */
#define __launch_bounds__(...) __attribute__((patchable_function_entry(CUSIM_WARPS(__VA_ARGS__, 0), CUSIM_WARPS(__VA_ARGS__, 0))))
#define CUSIM_WARPS(threads, ...) ((threads) / 32)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim; /* of the fiber that runs */

#define CUSIM_VECTOR4(type, name)                                                                                      \
    struct alignas(16) name {                                                                                          \
        type x, y, z, w;                                                                                               \
    };                                                                                                                 \
    static inline name make_##name(type x, type y, type z, type w) { return {x, y, z, w}; }
#define CUSIM_VECTOR2(type, name)                                                                                      \
    struct alignas(8) name {                                                                                           \
        type x, y;                                                                                                     \
    };                                                                                                                 \
    static inline name make_##name(type x, type y) { return {x, y}; }
CUSIM_VECTOR4(float, float4)
CUSIM_VECTOR4(int, int4)
CUSIM_VECTOR4(unsigned, uint4)
CUSIM_VECTOR2(float, float2)
CUSIM_VECTOR2(int, int2)
CUSIM_VECTOR2(unsigned, uint2)
struct alignas(4) uchar4 {
    unsigned char x, y, z, w;
};
static inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w)
{
    return {x, y, z, w};
}

template <typename To, typename From> static inline To cusim_bits(From from)
{
    static_assert(sizeof(To) == sizeof from, "as many bits");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
static inline unsigned __float_as_uint(float x) { return cusim_bits<unsigned>(x); }
static inline int __float_as_int(float x) { return cusim_bits<int>(x); }
static inline float __uint_as_float(unsigned x) { return cusim_bits<float>(x); }
static inline float __int_as_float(int x) { return cusim_bits<float>(x); }
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
/* Half to even, clamped, NaN to 0. */
static inline int __float2int_rn(float x)
{
    return !(x == x) ? 0 : x >= 0x1p31f ? INT32_MAX : x < -0x1p31f ? INT32_MIN : (int)rintf(x);
}
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }

/* ---- what threads do together ------------------------------------------------------------------------------------ */

/* Ends the program: which kernel, block and thread, and the words. */
[[noreturn]] void cusim_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until all lanes of the mask are here, with the same name, line and mask. The last one calls compute with the
 * arguments of all; NULL for lanes outside the mask. */
void cusim_meet(const char *what, int line, unsigned mask, void *argument, void (*compute)(void **lane));
void cusim_barrier(int line);
/* The block's object that is declared here; site NULL: the one whose size the launch gives. */
void *cusim_shared(const void *site, size_t bytes);
bool cusim_is_shared(const void *p, size_t bytes);
/* cp.async: `to` holds NaNs from its issue until its group has been waited for. */
void cusim_copy(void *to, const void *from);
void cusim_copy_commit(void);
void cusim_copy_wait(int newer);

#define SB_SHARED(type, name, count)                                                                                   \
    static const char name##_site = 0;                                                                                 \
    type(&name)[count] = *(type(*)[count])cusim_shared(&name##_site, sizeof(type[count]))
#define SB_SHARED_DYNAMIC(type, name) type *name = (type *)cusim_shared(nullptr, 0)

#define CUSIM_LINE int line = __builtin_LINE()
static inline int cusim_lane(void)
{
    return (int)((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32);
}
static inline void __syncthreads(CUSIM_LINE) { cusim_barrier(line); }
static inline void __syncwarp(unsigned mask = ~0u, CUSIM_LINE) { cusim_meet("__syncwarp", line, mask, &line, nullptr); }

template <typename T> struct cusim_shuffle {
    T value, got;
    int from; /* lane */
};
template <typename T> static inline void cusim_shuffle_all(void **lane)
{
    for (int i = 0; i < 32; i++) {
        cusim_shuffle<T> *own = (cusim_shuffle<T> *)lane[i];
        if (own && !lane[own->from]) cusim_fault("lane %d shuffles from lane %d, which is not in the mask", i, own->from);
        if (own) own->got = ((cusim_shuffle<T> *)lane[own->from])->value;
    }
}
template <typename T> static inline T cusim_shuffle_from(const char *what, int line, unsigned mask, T value, int from)
{
    cusim_shuffle<T> own = {value, value, from};
    cusim_meet(what, line, mask, &own, cusim_shuffle_all<T>);
    return own.got;
}
/* `width` lanes shuffle among themselves; beyond them a lane keeps its own value. */
#define CUSIM_SHUFFLE(name, type, target)                                                                              \
    template <typename T> static inline T name(unsigned mask, T value, type n, int width = 32, CUSIM_LINE)             \
    {                                                                                                                  \
        int own = cusim_lane(), first = own & ~(width - 1), to = (target);                                             \
        return cusim_shuffle_from(#name, line, mask, value, to >= first && to < first + width ? to : own);             \
    }
CUSIM_SHUFFLE(__shfl_sync, int, first + (n & (width - 1)))
CUSIM_SHUFFLE(__shfl_xor_sync, int, own ^ n)
CUSIM_SHUFFLE(__shfl_up_sync, unsigned, own - (int)n)
CUSIM_SHUFFLE(__shfl_down_sync, unsigned, own + (int)n)

static inline void cusim_ballot_all(void **lane)
{
    unsigned votes = 0;
    for (int i = 0; i < 32; i++) votes |= (lane[i] && *(unsigned *)lane[i] ? 1u : 0u) << i;
    for (int i = 0; i < 32; i++) {
        if (lane[i]) *(unsigned *)lane[i] = votes;
    }
}
static inline unsigned __ballot_sync(unsigned mask, int yes, CUSIM_LINE)
{
    unsigned vote = yes != 0;
    cusim_meet("__ballot_sync", line, mask, &vote, cusim_ballot_all);
    return vote;
}
static inline int __any_sync(unsigned mask, int yes, CUSIM_LINE) { return __ballot_sync(mask, yes, line) != 0; }
static inline int __all_sync(unsigned mask, int yes, CUSIM_LINE) { return __ballot_sync(mask, !yes, line) == 0; }

/* ---- launching --------------------------------------------------------------------------------------------------- */

struct cusim_launch {
    struct sb_dev *d;
    const char *name;
    const void *kernel;
    dim3 grid, block;
    size_t shared;
    std::function<void()> thread;
};
void cusim_run(const cusim_launch &launch);
/* Work for a stream; it is done when it must be (tests/cuda_fake/runtime.cpp). */
void cusim_queue(cudaStream_t stream, const std::function<void()> &work);

template <typename... Parameters, typename... Arguments>
static inline void sb_launch(struct sb_dev *d, const char *name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
                             size_t shared, Arguments... arguments)
{
    static_assert((sizeof(Parameters) + ... + 0) <= 4096, "a kernel takes 4 KB of parameters");
    cusim_run({d, name, (const void *)kernel, grid, block, shared, [=] { kernel(arguments...); }});
}
#define SB_LAUNCH(d, kernel, grid, block, shared, ...)                                                                 \
    sb_launch(d, #kernel, kernel, dim3(grid), dim3(block), shared, __VA_ARGS__)

#endif
