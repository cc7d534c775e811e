#include "learn/balance.h"

#include <math.h>
#include <stdlib.h>

float *sb_balance_weights(const struct sb_dataset *d, double power)
{
    size_t classes = d->target.count;
    double *count = sb_calloc(classes, sizeof *count), labels = 0, sum = 0;
    float *weight = sb_calloc(classes, sizeof *weight);
    for (size_t i = 0; i < d->train.count; i++) {
        const struct sb_example *e = &d->train.example[i];
        for (uint32_t k = 0; k < e->count; k++) count[d->number[e->first + k]]++;
        labels += e->count;
    }
    for (size_t c = 0; c < classes; c++) sum += count[c] > 0 ? pow(count[c], 1 - power) : 0;
    for (size_t c = 0; c < classes; c++) weight[c] = count[c] > 0 ? (float)(pow(count[c], -power) * labels / sum) : 1;
    free(count);
    return weight;
}
