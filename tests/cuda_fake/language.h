/* What CUDA C++ has without an include and one thread needs alone: qualifiers, vectors, arithmetic. */
#ifndef SB_TESTS_CUDA_FAKE_LANGUAGE_H
#define SB_TESTS_CUDA_FAKE_LANGUAGE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define __global__
#define __device__
#define __host__
#define __align__(n) alignas(n)
#define __shared__ _Pragma("GCC error \"declare shared memory by SB_SHARED or SB_SHARED_DYNAMIC\"")
/* The bound is told by how far before its code a kernel's entry in __patchable_function_entries lies: a byte for each
 * warp. */
#define __launch_bounds__(...)                                                                                         \
    __attribute__((patchable_function_entry(CUSIM_WARPS(__VA_ARGS__, 0), CUSIM_WARPS(__VA_ARGS__, 0))))
#define CUSIM_WARPS(threads, ...) ((threads) / 32)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

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
CUSIM_VECTOR2(unsigned, uint2)

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
static inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }

#endif
