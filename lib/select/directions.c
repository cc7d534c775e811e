#include "select/directions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define LANES 8

static size_t padded(size_t dim) { return (dim + LANES - 1) / LANES * LANES; }

bool sb_direction_make(float *v, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) sum += (double)v[i] * v[i];
    if (!(sum > 0) || !isfinite(sum)) return false;
    for (size_t i = 0; i < dim; i++) v[i] = (float)(v[i] / sqrt(sum));
    return true;
}

void sb_directions_add(struct sb_directions *d, const float *v, size_t dim, uint32_t owner)
{
    size_t stride = padded(dim);
    d->dim = dim;
    SB_GROW(d->vector, d->cap, (d->count + 1) * stride);
    SB_GROW(d->owner, d->owner_cap, d->count + 1);
    memset(d->vector + d->count * stride, 0, stride * sizeof *v);
    memcpy(d->vector + d->count * stride, v, dim * sizeof *v);
    d->owner[d->count++] = owner;
}

/* Lane by lane, then the lanes in order, whatever vectors the processor has. */
static inline __attribute__((always_inline)) float product(const float *a, const float *b, size_t n)
{
    float sum[LANES] = {0}, all = 0;
    for (size_t i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) sum[l] += a[i + l] * b[i + l];
    for (int l = 0; l < LANES; l++) all += sum[l];
    return all;
}

static inline __attribute__((always_inline)) size_t best(const struct sb_directions *d, const float *v, size_t limit,
                                                         float *cosine)
{
    size_t stride = padded(d->dim), at = SIZE_MAX;
    for (size_t i = 0; i < d->count; i++) {
        float p = product(d->vector + i * stride, v, stride);
        if (p < *cosine || (p == *cosine && at != SIZE_MAX) || d->owner[i] >= limit) continue;
        *cosine = p;
        at = i;
    }
    return at;
}

static size_t best_any(const struct sb_directions *d, const float *v, size_t limit, float *cosine)
{
    return best(d, v, limit, cosine);
}
#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t best_avx2(const struct sb_directions *d, const float *v, size_t limit,
                                                        float *cosine)
{
    return best(d, v, limit, cosine);
}
#define BEST (__builtin_cpu_supports("avx2") ? best_avx2 : best_any)
#else
#define BEST best_any
#endif

size_t sb_directions_find(const struct sb_directions *d, const float *v, size_t limit, double most, double *distance)
{
    if (!d->count) return SIZE_MAX;
    float *query = sb_calloc(padded(d->dim), sizeof *query), cosine = (float)(1 - most);
    memcpy(query, v, d->dim * sizeof *query);
    size_t at = BEST(d, query, limit, &cosine);
    free(query);
    *distance = at == SIZE_MAX ? 0 : 1 - (double)cosine;
    return at == SIZE_MAX ? SIZE_MAX : d->owner[at];
}

void sb_directions_free(struct sb_directions *d)
{
    free(d->vector);
    free(d->owner);
    memset(d, 0, sizeof *d);
}
