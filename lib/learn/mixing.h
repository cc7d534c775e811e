/* Pictures mixed with each other, and their targets likewise: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019).
 *
 * As timm's Mixup in its mode "batch": one draw a step for all of its pictures, and where both are asked for an equal
 * chance of either. timm mixes a batch with its reverse; here picture 2k of the shuffled step mixes with 2k + 1, which
 * is the same in distribution and lets a micro-batch of an even size hold whole pairs. A last picture that is alone
 * stays as it is. */
#ifndef SB_LEARN_MIXING_H
#define SB_LEARN_MIXING_H

#include "nn/net.h"

struct sb_mixing {
    double mixup, cutmix; /* a of the Beta(a, a) that the share is drawn from; 0: not that one */
};

struct sb_mixing_draw {
    struct sb_mix mix; /* of every picture but for its partner */
    float share;       /* of a picture in the mixture, and of its target */
};

/* From the seed, the epoch and the step alone; pictures of side x side. */
struct sb_mixing_draw sb_mixing_draw(const struct sb_mixing *m, uint64_t seed, uint64_t epoch, uint64_t step, int side);
/* The partner of picture i of count. */
static inline int sb_mixing_partner(int i, int count) { return (i ^ 1) < count ? i ^ 1 : i; }

#endif
