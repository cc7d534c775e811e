/* Squared Euclidean distance on the host, for where a pass through the op table would be too small to pay. */
#ifndef SB_SELECT_DISTANCE_H
#define SB_SELECT_DISTANCE_H

#include <stdint.h>

/* Eight sums side by side, which compilers turn into vector instructions. */
static inline float sb_distance2(const float *a, const float *b, int64_t d)
{
    float part[8] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + 8 <= d; i += 8)
        for (int j = 0; j < 8; j++) part[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
    for (; i < d; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    for (int j = 0; j < 8; j++) sum += part[j];
    return sum;
}

#endif
