#include "base/rng.h"

#include <math.h>

#include "base/philox.h"

void sb_rng_init(struct sb_rng *r, uint64_t seed, uint64_t stream)
{
    r->seed = seed;
    r->stream = stream;
    r->count = 0;
}

uint32_t sb_rng_u32(struct sb_rng *r)
{
    uint64_t block = r->count / 4;
    int word = (int)(r->count++ % 4);
    if (word == 0) {
        struct sb_philox p = sb_philox(r->seed, (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)r->stream,
                                       (uint32_t)(r->stream >> 32));
        for (int i = 0; i < 4; i++) r->word[i] = p.w[i];
    }
    return r->word[word];
}

/* Lemire, "Fast random integer generation in an interval", 2019: reject the few low products that would be biased. */
uint32_t sb_rng_below(struct sb_rng *r, uint32_t n)
{
    uint32_t least = (uint32_t)-n % n;
    for (;;) {
        uint64_t product = (uint64_t)sb_rng_u32(r) * n;
        if ((uint32_t)product >= least) return (uint32_t)(product >> 32);
    }
}

double sb_rng_uniform(struct sb_rng *r)
{
    return sb_rng_u32(r) * 0x1p-32;
}

double sb_rng_range(struct sb_rng *r, double lo, double hi)
{
    return lo + (hi - lo) * sb_rng_uniform(r);
}

double sb_rng_normal(struct sb_rng *r)
{
    double radius = sqrt(-2.0 * log((sb_rng_u32(r) + 0.5) * 0x1p-32));
    return radius * cos(6.283185307179586476925 * sb_rng_uniform(r));
}

void sb_rng_shuffle(struct sb_rng *r, uint32_t *item, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = sb_rng_below(r, i), t = item[i - 1];
        item[i - 1] = item[j];
        item[j] = t;
    }
}
