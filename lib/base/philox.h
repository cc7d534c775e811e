/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter in, four random
 * words out, so that any draw can be made again anywhere. C, C++ and CUDA; no state.
 *
 * The convention of every op that needs chance: key = the 64-bit seed, counter = (step, site, sample, element / 4),
 * word = element % 4, where sample is the index in the step's global batch. A uniform number is (word >> 8) * 2^-24. */
#ifndef SB_BASE_PHILOX_H
#define SB_BASE_PHILOX_H

#include <stdint.h>

#ifdef __CUDACC__
#define SB_HD __host__ __device__ static inline
#else
#define SB_HD static inline
#endif

struct sb_philox {
    uint32_t w[4];
};

SB_HD struct sb_philox sb_philox(uint64_t seed, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    struct sb_philox r = {{c0, c1, c2, c3}};
    return r;
}

SB_HD float sb_philox_uniform(uint32_t word) { return (float)(word >> 8) * (1.0f / 16777216.0f); }

#endif
