/* A sequence of random numbers from a seed and a stream number (Philox inside): same seed, same numbers, everywhere. */
#ifndef SB_BASE_RNG_H
#define SB_BASE_RNG_H

#include <stdint.h>

struct sb_rng {
    uint64_t seed, stream, count;
    uint32_t word[4];
};

void sb_rng_init(struct sb_rng *r, uint64_t seed, uint64_t stream);
uint32_t sb_rng_u32(struct sb_rng *r);
uint32_t sb_rng_below(struct sb_rng *r, uint32_t n);            /* unbiased, 0 .. n-1, n > 0 */
double sb_rng_uniform(struct sb_rng *r);                        /* [0, 1), 32 bits */
double sb_rng_range(struct sb_rng *r, double lo, double hi);
double sb_rng_normal(struct sb_rng *r);                         /* mean 0, variance 1 (Box and Muller) */
void sb_rng_shuffle(struct sb_rng *r, uint32_t *item, uint32_t n); /* Fisher and Yates */

#endif
