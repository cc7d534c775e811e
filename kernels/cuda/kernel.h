/* What .cu files are written with: launching, 16-byte accesses, sums over warps and blocks. C-style CUDA; templates
 * over constants and dtypes are the only C++. Sums have a fixed order: no floating-point atomics anywhere.
 *
 * Written so that the same file runs on the stand-in of tests/cusim (compiled by a plain C++ compiler with SB_CUSIM):
 *  - a kernel is launched by SB_LAUNCH alone: SB_LAUNCH(d, (kernel<float>), grid, block, shared_bytes, arguments...),
 *    grid and block dim3 or int; it also allows shared_bytes above 48 KB;
 *  - shared memory is declared by SB_SHARED(type, name, count) or, once a kernel, SB_SHARED_DYNAMIC(type, name),
 *    16-byte aligned; it holds NaNs until it is written;
 *  - instructions that CUDA C++ has no name for are functions of ptx.h. */
#ifndef SB_KERNELS_CUDA_KERNEL_H
#define SB_KERNELS_CUDA_KERNEL_H

#include "kernels/cuda/cuda.h"

#ifdef SB_CUSIM
#include "tests/cuda_fake/launch.h"
#include "tests/cusim/ptx.h"
#else
#include "kernels/cuda/ptx.h"

#define SB_SHARED(type, name, count) __shared__ __align__(16) type name[count]
#define SB_SHARED_DYNAMIC(type, name)                                                                                  \
    extern __shared__ __align__(16) unsigned char sb_shared_dynamic[];                                                 \
    type *name = (type *)sb_shared_dynamic

template <typename... Parameters, typename... Arguments>
static inline void sb_launch(struct sb_dev *d, const char *name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
                             size_t shared, Arguments... arguments)
{
    if (shared > 48 << 10) {
        sb_cuda_check(
            d, cudaFuncSetAttribute((const void *)kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared),
            name);
    }
    kernel<<<grid, block, shared, d->stream>>>(arguments...);
    sb_cuda_check(d, cudaGetLastError(), name);
}
#endif

#define SB_LAUNCH(d, kernel, grid, block, shared, ...)                                                                 \
    sb_launch(d, #kernel, kernel, dim3(grid), dim3(block), shared, __VA_ARGS__)

#define SB_WARP 32
#define SB_ALL_LANES 0xffffffffu
#define SB_LOG2_E 1.44269504f /* exp(x) = sb_exp2(SB_LOG2_E * x) */

/* ---- dtypes: stored as f32 or bf16, computed in f32 -------------------------------------------------------------- */

struct sb_bf16 {
    uint16_t bits;
};

static __device__ inline float sb_get(float x) { return x; }
static __device__ inline float sb_get(sb_bf16 x) { return __uint_as_float((uint32_t)x.bits << 16); }
static __device__ inline void sb_put(float *to, float x) { *to = x; }
static __device__ inline void sb_put(sb_bf16 *to, float x) { to->bits = (uint16_t)sb_pack_bf16(x, 0); }
/* Rounded half to even, clamped, a NaN to 0. */
static __device__ inline float sb_get(uint8_t x) { return (float)x; }
static __device__ inline float sb_get(int32_t x) { return (float)x; }
static __device__ inline void sb_put(uint8_t *to, float x)
{
    *to = (uint8_t)__float2int_rn(fminf(fmaxf(x, 0.0f), 255.0f));
}
static __device__ inline void sb_put(int32_t *to, float x) { *to = __float2int_rn(x); }

/* 16 bytes of T as floats: 4 of f32, 8 of bf16. */
template <typename T> constexpr int SB_LANES = 16 / (int)sizeof(T);

/* p is 16-byte aligned. */
static __device__ inline void sb_load16(float *to, const float *p)
{
    float4 v = *(const float4 *)p;
    to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
}

static __device__ inline void sb_load16(float *to, const sb_bf16 *p)
{
    uint4 v = *(const uint4 *)p;
    const uint32_t word[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        to[2 * i] = __uint_as_float(word[i] << 16);
        to[2 * i + 1] = __uint_as_float(word[i] & 0xffff0000u);
    }
}

static __device__ inline void sb_store16(float *p, const float *from)
{
    *(float4 *)p = make_float4(from[0], from[1], from[2], from[3]);
}

static __device__ inline void sb_store16(sb_bf16 *p, const float *from)
{
    *(uint4 *)p = make_uint4(sb_pack_bf16(from[0], from[1]), sb_pack_bf16(from[2], from[3]),
                             sb_pack_bf16(from[4], from[5]), sb_pack_bf16(from[6], from[7]));
}

template <typename T> constexpr bool SB_IS_ACT = false;
template <> constexpr bool SB_IS_ACT<float> = true;
template <> constexpr bool SB_IS_ACT<sb_bf16> = true;

template <typename T, int n> struct alignas(n * sizeof(T)) sb_few {
    T of[n];
};

/* n elements at p, whose address is a multiple of their bytes (of 16 where they are more): what lets a kernel be
 * written once, as a template over n, for 16-byte accesses and for odd sizes, which take n = 1. */
template <int n, typename T> static __device__ inline void sb_read(float *to, const T *p)
{
    if constexpr (n * sizeof(T) < 16 || !SB_IS_ACT<T>) {
        sb_few<T, n> few = *(const sb_few<T, n> *)p;
#pragma unroll
        for (int i = 0; i < n; i++) to[i] = sb_get(few.of[i]);
    } else {
#pragma unroll
        for (int i = 0; i < n; i += SB_LANES<T>) sb_load16(to + i, p + i);
    }
}

template <int n, typename T> static __device__ inline void sb_write(T *p, const float *from)
{
    if constexpr (n * sizeof(T) < 16 || !SB_IS_ACT<T>) {
        sb_few<T, n> few;
#pragma unroll
        for (int i = 0; i < n; i++) sb_put(&few.of[i], from[i]);
        *(sb_few<T, n> *)p = few;
    } else {
#pragma unroll
        for (int i = 0; i < n; i += SB_LANES<T>) sb_store16(p + i, from + i);
    }
}

/* Whether n elements from p on, and rows of n of them, can be read 16 bytes at a time. NULL can. */
template <typename T> static inline bool sb_wide(const T *p, int64_t n)
{
    return (uintptr_t)p % 16 == 0 && n % SB_LANES<T> == 0;
}

/* ---- sums over threads ------------------------------------------------------------------------------------------- */

/* Every lane gets the sum, or the largest. All lanes of the warp take part. */
static __device__ inline float sb_warp_sum(float x)
{
#pragma unroll
    for (int step = SB_WARP / 2; step; step /= 2) x += __shfl_xor_sync(SB_ALL_LANES, x, step);
    return x;
}

static __device__ inline float sb_warp_max(float x)
{
#pragma unroll
    for (int step = SB_WARP / 2; step; step /= 2) x = fmaxf(x, __shfl_xor_sync(SB_ALL_LANES, x, step));
    return x;
}

/* Every thread gets the sum over the block, whose threads (a multiple of 32, in x) all take part. part: shared, 32
 * floats, free again after the next barrier. */
static __device__ inline float sb_block_sum(float x, float *part)
{
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP, warps = (int)blockDim.x / SB_WARP;
    x = sb_warp_sum(x);
    if (!lane) part[warp] = x;
    __syncthreads();
    return sb_warp_sum(lane < warps ? part[lane] : 0);
}

/* ---- dispatch over dtypes ---------------------------------------------------------------------------------------- */

/* SB_BY_DTYPE(x->dtype, T, launch<T>(...)): T is float or sb_bf16, as the act dtype says. */
#define SB_BY_DTYPE(dtype, T, ...)                                                                                     \
    do {                                                                                                               \
        if ((dtype) == SB_BF16) {                                                                                      \
            using T = sb_bf16;                                                                                         \
            __VA_ARGS__;                                                                                               \
        } else {                                                                                                       \
            using T = float;                                                                                           \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)

#endif
