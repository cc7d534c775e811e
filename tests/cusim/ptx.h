/* kernels/cuda/ptx.h in plain C++. Instructions of the whole warp take all 32 lanes. */
#ifndef SB_TESTS_CUSIM_PTX_H
#define SB_TESTS_CUSIM_PTX_H

#include "base/tensor.h"
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

static inline float cusim_half(uint32_t word, int which) { return sb_bf16_to_f32((uint16_t)(word >> 16 * which)); }

static inline void sb_mma_bf16(float c[4], const uint32_t a[4], const uint32_t b[2], CUSIM_LINE)
{
    struct given {
        float *c;
        const uint32_t *a, *b;
    } own = {c, a, b};
    cusim_meet("sb_mma_bf16", line, ~0u, &own, [](void **lane) {
        float a[16][16], b[16][8], c[16][8] = {};
        for (int i = 0; i < 32; i++) {
            const given *by = (given *)lane[i];
            for (int r = 0; r < 8; r++) { /* register r / 2, half r % 2 */
                a[i / 4 + r / 2 % 2 * 8][2 * (i % 4) + r % 2 + r / 4 * 8] = cusim_half(by->a[r / 2], r % 2);
                if (r < 4) b[2 * (i % 4) + r % 2 + r / 2 * 8][i / 4] = cusim_half(by->b[r / 2], r % 2);
            }
        }
        for (int m = 0; m < 16; m++) {
            for (int k = 0; k < 16; k++) {
                for (int n = 0; n < 8; n++) c[m][n] += a[m][k] * b[k][n];
            }
        }
        for (int i = 0; i < 32; i++) {
            for (int r = 0; r < 4; r++) ((given *)lane[i])->c[r] += c[i / 4 + r / 2 * 8][2 * (i % 4) + r % 2];
        }
    });
}

/* Row `at` of matrix k comes from lane 8 k + at; a lane gets two neighbours of each matrix. */
template <bool trans> static inline void cusim_ldmatrix(const char *what, int line, uint32_t r[4], const void *row)
{
    struct given {
        uint32_t *r;
        const uint16_t *row;
    } own = {r, (const uint16_t *)row};
    if ((uintptr_t)row % 16) cusim_fault("%s of a row that is not 16-byte aligned", what);
    if (!cusim_is_shared(row, 16)) cusim_fault("%s of a row outside of shared memory", what);
    cusim_meet(what, line, ~0u, &own, [](void **lane) {
        for (int i = 0; i < 32; i++) {
            for (int k = 0; k < 4; k++) {
                uint32_t pair[2];
                for (int j = 0; j < 2; j++) {
                    int at = trans ? 2 * (i % 4) + j : i / 4, column = trans ? i / 4 : 2 * (i % 4) + j;
                    pair[j] = ((given *)lane[8 * k + at])->row[column];
                }
                ((given *)lane[i])->r[k] = pair[0] | pair[1] << 16;
            }
        }
    });
}

static inline void sb_ldmatrix_x4(uint32_t r[4], const void *row, CUSIM_LINE)
{
    cusim_ldmatrix<false>("sb_ldmatrix_x4", line, r, row);
}

static inline void sb_ldmatrix_x4_trans(uint32_t r[4], const void *row, CUSIM_LINE)
{
    cusim_ldmatrix<true>("sb_ldmatrix_x4_trans", line, r, row);
}

template <int newer> static inline void sb_cp_async_wait(void) { cusim_cp_async_wait(newer); }

#endif
