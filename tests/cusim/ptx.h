/* kernels/cuda/ptx.h in plain C++. Instructions of the whole warp take all 32 lanes. */
#ifndef SB_TESTS_CUSIM_PTX_H
#define SB_TESTS_CUSIM_PTX_H

#include "tests/cusim/cusim.h"

static inline uint32_t sb_pack_bf16(float low, float high)
{
    return sb_f32_to_bf16(low) | (uint32_t)sb_f32_to_bf16(high) << 16;
}

static inline float sb_exp2(float x)
{
    float y = exp2f(x);
    return y < 0x1p-126f ? 0 : y;
}

static inline float sb_reciprocal(float x) { return 1 / x; }

struct cusim_mma {
    float *c;
    const uint32_t *a, *b;
};

static inline float cusim_half(uint32_t word, int which) { return sb_bf16_to_f32((uint16_t)(word >> 16 * which)); }

static inline void cusim_mma_all(void **lane)
{
    float a[16][16], b[16][8], c[16][8] = {};
    for (int i = 0; i < 32; i++) {
        const cusim_mma *own = (const cusim_mma *)lane[i];
        for (int r = 0; r < 8; r++) { /* register r / 2, half r % 2 */
            a[i / 4 + r / 2 % 2 * 8][2 * (i % 4) + r % 2 + r / 4 * 8] = cusim_half(own->a[r / 2], r % 2);
            if (r < 4) b[2 * (i % 4) + r % 2 + r / 2 * 8][i / 4] = cusim_half(own->b[r / 2], r % 2);
        }
    }
    for (int m = 0; m < 16; m++) {
        for (int k = 0; k < 16; k++) {
            for (int n = 0; n < 8; n++) c[m][n] += a[m][k] * b[k][n];
        }
    }
    for (int i = 0; i < 32; i++) {
        for (int r = 0; r < 4; r++) ((const cusim_mma *)lane[i])->c[r] += c[i / 4 + r / 2 * 8][2 * (i % 4) + r % 2];
    }
}

static inline void sb_mma_bf16(float c[4], const uint32_t a[4], const uint32_t b[2], CUSIM_LINE)
{
    cusim_mma own = {c, a, b};
    cusim_meet("sb_mma_bf16", line, ~0u, &own, cusim_mma_all);
}

struct cusim_matrix {
    uint32_t *r;
    const uint16_t *row;
};

template <bool trans> static inline void cusim_ldmatrix_all(void **lane)
{
    for (int i = 0; i < 32; i++) {
        const uint16_t *row = ((cusim_matrix *)lane[i])->row;
        if ((uintptr_t)row % 16) cusim_fault("lane %d gives ldmatrix a row that is not 16-byte aligned", i);
        if (!cusim_is_shared(row, 16)) cusim_fault("lane %d gives ldmatrix a row outside of shared memory", i);
    }
    for (int i = 0; i < 32; i++) {
        for (int k = 0; k < 8; k++) {
            int g = i / 4, at = 2 * (i % 4) + k % 2, first = k / 2 * 8;
            const uint16_t *row = ((cusim_matrix *)lane[first + (trans ? at : g)])->row;
            uint32_t value = row[trans ? g : at], *r = &((cusim_matrix *)lane[i])->r[k / 2];
            *r = k % 2 ? *r | value << 16 : value;
        }
    }
}

static inline void sb_ldmatrix_x4(uint32_t r[4], const void *row, CUSIM_LINE)
{
    cusim_matrix own = {r, (const uint16_t *)row};
    cusim_meet("sb_ldmatrix_x4", line, ~0u, &own, cusim_ldmatrix_all<false>);
}

static inline void sb_ldmatrix_x4_trans(uint32_t r[4], const void *row, CUSIM_LINE)
{
    cusim_matrix own = {r, (const uint16_t *)row};
    cusim_meet("sb_ldmatrix_x4_trans", line, ~0u, &own, cusim_ldmatrix_all<true>);
}

static inline void sb_cp_async16(void *to_shared, const void *from, bool valid)
{
    cusim_copy(to_shared, valid ? from : nullptr);
}

static inline void sb_cp_async_commit(void) { cusim_copy_commit(); }
template <int newer> static inline void sb_cp_async_wait(void) { cusim_copy_wait(newer); }

#endif
