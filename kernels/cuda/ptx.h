/* Instructions that CUDA C++ has no name for, one function each, sm_80 and later. tests/cusim/ptx.h has the same
 * functions in plain C++. Shared addresses are generic pointers. */
#ifndef SB_KERNELS_CUDA_PTX_H
#define SB_KERNELS_CUDA_PTX_H

#include <stdint.h>

/* Two f32 to bf16, rounded to nearest even; low in the low half. */
static __device__ inline uint32_t sb_pack_bf16(float low, float high)
{
    uint32_t packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
}

/* 2^x, to about 2 units in the last place; 0 for -infinity. */
static __device__ inline float sb_exp2(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/* 1 / x, to one unit in the last place. */
static __device__ inline float sb_reciprocal(float x)
{
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/* mma.m16n8k16, bf16 with f32 sums: c[16,8] += a[16,16] b[16,8]. With g = lane / 4 and t = lane % 4 a lane holds
 *   a[0]: row g, columns 2t, 2t+1;  a[1]: row g+8;  a[2]: row g, columns 2t+8, 2t+9;  a[3]: row g+8, those columns
 *   b[0]: rows 2t, 2t+1 of column g;  b[1]: rows 2t+8, 2t+9
 *   c[0], c[1]: row g, columns 2t, 2t+1;  c[2], c[3]: row g+8 */
static __device__ inline void sb_mma_bf16(float c[4], const uint32_t a[4], const uint32_t b[2])
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* Four 8 x 8 matrices of 16-bit numbers: lanes 8i..8i+7 give the 16-byte aligned rows of matrix i in shared memory;
 * a lane gets elements 2t, 2t+1 of row g of each (with _trans: of column g). */
static __device__ inline void sb_ldmatrix_x4(uint32_t r[4], const void *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

static __device__ inline void sb_ldmatrix_x4_trans(uint32_t r[4], const void *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

/* 16 bytes from global to shared memory, both 16-byte aligned, in the background; zeros where not valid (from is then
 * not read). They are there for this thread after sb_cp_async_wait, for others after a barrier behind it. */
static __device__ inline void sb_cp_async16(void *to_shared, const void *from, bool valid)
{
    uint32_t to = (uint32_t)__cvta_generic_to_shared(to_shared);
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

static __device__ inline void sb_cp_async_commit(void) { asm volatile("cp.async.commit_group;" ::: "memory"); }

/* Waits until at most `newer` of this thread's groups are still under way. */
template <int newer> static __device__ inline void sb_cp_async_wait(void)
{
    asm volatile("cp.async.wait_group %0;" ::"n"(newer) : "memory");
}

#endif
