#include <math.h>

#include "kernels/cpu/cpu.h"

struct update {
    float scale, rate, decay, decoupled, beta1, beta2, part1, part2, eps, average;
};

/* The pointers begin at the block; average and copy may be NULL. */
static void update(const struct update *u, int64_t n, float *restrict p, float *restrict g, float *restrict m,
                   float *restrict v, float *restrict average, uint16_t *restrict copy)
{
    struct update q = *u;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float before = p[i], slope = g[i] * q.scale + (1.0f - q.decoupled) * q.decay * before;
        float first = q.beta1 * m[i] + (1.0f - q.beta1) * slope,
              second = q.beta2 * v[i] + (1.0f - q.beta2) * slope * slope;
        float change = first * q.part1 / (sqrtf(second * q.part2) + q.eps);
        m[i] = first;
        v[i] = second;
        p[i] = before - q.rate * (change + q.decoupled * q.decay * before);
        g[i] = 0.0f;
    }
    if (average) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) average[i] += (1.0f - q.average) * (p[i] - average[i]);
    }
    if (copy) sb_cpu_narrow(p, copy, n);
}

void sb_cpu_adamw(struct sb_dev *d, const struct sb_segment *segment, int64_t segments,
                  const struct sb_adamw_step *step, sb_in norm2, sb_out master, sb_out grad, sb_out m, sb_out v,
                  sb_out average, sb_out copy)
{
    struct update u = {.scale = step->grad_scale,
                       .decoupled = step->decoupled,
                       .beta1 = step->beta1,
                       .beta2 = step->beta2,
                       .part1 = 1.0f / step->correction1,
                       .part2 = 1.0f / step->correction2,
                       .eps = step->eps,
                       .average = step->average};
    int64_t total = 0;
    for (int64_t s = 0; s < segments; s++) total += segment[s].count;
    if (norm2 && step->max_norm > 0.0f) {
        float norm = step->grad_scale * sqrtf(*(const float *)norm2->data);
        u.scale *= fminf(1.0f, step->max_norm / (norm + 1e-6f));
    }
#pragma omp parallel num_threads(sb_cpu_threads(d, total))
    for (int64_t s = 0; s < segments; s++) {
        struct update mine = u;
        int64_t end = segment[s].offset + segment[s].count;
        mine.rate = step->lr * segment[s].lr_scale;
        mine.decay = segment[s].decay;
#pragma omp for schedule(static) nowait
        for (int64_t at = segment[s].offset; at < end; at += SB_CPU_BLOCK) {
            update(&mine, end - at < SB_CPU_BLOCK ? end - at : SB_CPU_BLOCK, (float *)master->data + at,
                   (float *)grad->data + at, (float *)m->data + at, (float *)v->data + at,
                   average ? (float *)average->data + at : NULL, copy ? (uint16_t *)copy->data + at : NULL);
        }
    }
}

/* Blocks are summed in f32, blocks' sums in double in their order: the same for any number of threads. */
void sb_cpu_sumsq(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t n = x->shape[0], blocks = (n + SB_CPU_BLOCK - 1) / SB_CPU_BLOCK;
    const float *a = x->data;
    double sum = 0;
    sb_cpu_reserve(d, blocks);
    float *part = sb_cpu_part(d, 0);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, n))
    for (int64_t block = 0; block < blocks; block++) {
        int64_t at = block * SB_CPU_BLOCK, count = n - at < SB_CPU_BLOCK ? n - at : SB_CPU_BLOCK;
        float square = 0.0f;
#pragma omp simd reduction(+ : square)
        for (int64_t i = 0; i < count; i++) square += a[at + i] * a[at + i];
        part[block] = square;
    }
    for (int64_t block = 0; block < blocks; block++) sum += part[block];
    *(float *)y->data = (float)sum;
}
