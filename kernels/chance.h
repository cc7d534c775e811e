/* What ops.h calls chance, for one element: 0 where it is dropped, else 1 / (1 - p). C, C++ and CUDA. */
#ifndef SB_KERNELS_CHANCE_H
#define SB_KERNELS_CHANCE_H

#include "base/philox.h"
#include "kernels/ops.h"

/* sample counts from 0 in this micro-batch; first is a multiple of 4: the four elements from it on. c.state must be
 * readable where this runs. */
SB_HD void sb_chance_keep4(struct sb_chance c, uint32_t sample, uint32_t first, float keep[4])
{
    uint64_t seed = (uint64_t)c.state[1] << 32 | c.state[0];
    struct sb_philox r = sb_philox(seed, c.state[2], c.site, c.state[3] + sample, first / 4);
    for (int i = 0; i < 4; i++) keep[i] = sb_philox_uniform(r.w[i]) < c.p ? 0.0f : 1.0f / (1.0f - c.p);
}

/* One element within the sample. */
SB_HD float sb_chance_keep(struct sb_chance c, uint32_t sample, uint32_t element)
{
    if (c.p <= 0.0f) return 1.0f;
    float keep[4];
    sb_chance_keep4(c, sample, element & ~3u, keep);
    /* not by index: on a GPU an index that varies would put keep into memory */
    return element & 2 ? element & 1 ? keep[3] : keep[2] : element & 1 ? keep[1] : keep[0];
}

#endif
