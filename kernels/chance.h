/* What ops.h calls chance, for one element: 0 where it is dropped, else 1 / (1 - p). C, C++ and CUDA. */
#ifndef SB_KERNELS_CHANCE_H
#define SB_KERNELS_CHANCE_H

#include "base/philox.h"
#include "kernels/ops.h"

/* sample counts from 0 in this micro-batch; element within the sample. c.state must be readable where this runs. */
SB_HD float sb_chance_keep(struct sb_chance c, uint32_t sample, uint32_t element)
{
    if (c.p <= 0.0f) return 1.0f;
    uint64_t seed = (uint64_t)c.state[1] << 32 | c.state[0];
    struct sb_philox r = sb_philox(seed, c.state[2], c.site, c.state[3] + sample, element / 4);
    return sb_philox_uniform(r.w[element % 4]) < c.p ? 0.0f : 1.0f / (1.0f - c.p);
}

#endif
