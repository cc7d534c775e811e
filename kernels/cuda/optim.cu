/* The optimiser: all of a model's parameters in few launches, and the gradient's norm. Bound by memory: adamw reads and
 * writes master, gradient and moments once, 30 bytes a parameter with the bf16 copy. */
#include "kernels/cuda/kernel.h"

#define THREADS 256
#define GROUP 4                 /* parameters a thread takes at once: 16 bytes of f32 */
#define ROUNDS 4                /* times that it does */
#define SPAN (THREADS * ROUNDS) /* groups of a block */
#define SEGMENTS 112            /* of a launch: they travel as kernel parameters, 4 KB at most */
#define SUM_BLOCKS 1024

/* ---- adamw ------------------------------------------------------------------------------------------------------- */

struct part {
    int64_t offset, end; /* parameters */
    int64_t block;       /* its first block */
    float lr_scale, decay;
};

struct update {
    float *master, *grad, *m, *v, *average;
    sb_bf16 *copy; /* average, copy, norm2 may be NULL */
    const struct sb_adamw_step *step;
    const float *norm2;
    bool wide; /* all are 16-byte aligned */
    int count;
    part parts[SEGMENTS];
};

/* What is the same for all parameters of a segment. */
struct rule {
    float scale, rate, decay, shrink, beta1, beta2, part1, part2, eps, average;
};

static __device__ inline rule rule_of(const update &u, float lr_scale, float decay)
{
    const struct sb_adamw_step s = *u.step;
    rule r;
    r.scale = s.grad_scale;
    if (u.norm2 && s.max_norm > 0.0f) {
        r.scale *= fminf(1.0f, s.max_norm / (s.grad_scale * sqrtf(*u.norm2) + 1e-6f));
    }
    r.rate = s.lr * lr_scale;
    r.decay = (1.0f - s.decoupled) * decay; /* into the gradient */
    r.shrink = s.decoupled * decay;         /* or of the parameter */
    r.beta1 = s.beta1;
    r.beta2 = s.beta2;
    r.part1 = 1.0f / s.correction1;
    r.part2 = 1.0f / s.correction2;
    r.eps = s.eps;
    r.average = 1.0f - s.average;
    return r;
}

template <int n> static __device__ inline void step_of(const update &u, const rule &r, int64_t at)
{
    float p[n], g[n], m[n], v[n], zero[n] = {};
    sb_read<n>(p, u.master + at);
    sb_read<n>(g, u.grad + at);
    sb_read<n>(m, u.m + at);
    sb_read<n>(v, u.v + at);
#pragma unroll
    for (int i = 0; i < n; i++) {
        float slope = g[i] * r.scale + r.decay * p[i];
        m[i] = r.beta1 * m[i] + (1.0f - r.beta1) * slope;
        v[i] = r.beta2 * v[i] + (1.0f - r.beta2) * slope * slope;
        p[i] -= r.rate * (m[i] * r.part1 / (sqrtf(v[i] * r.part2) + r.eps) + r.shrink * p[i]);
    }
    sb_write<n>(u.master + at, p);
    sb_write<n>(u.grad + at, zero);
    sb_write<n>(u.m + at, m);
    sb_write<n>(u.v + at, v);
    if (u.copy) sb_write<n>(u.copy + at, p);
    if (!u.average) return;
    float average[n];
    sb_read<n>(average, u.average + at);
#pragma unroll
    for (int i = 0; i < n; i++) average[i] += r.average * (p[i] - average[i]);
    sb_write<n>(u.average + at, average);
}

/* The last part whose first block is not after this one. */
static __device__ inline int part_of(const update &u, int64_t block)
{
    int first = 0, last = u.count;
    while (last - first > 1) {
        int middle = (first + last) / 2;
        if (u.parts[middle].block <= block) first = middle;
        else last = middle;
    }
    return first;
}

/* Groups begin at multiples of GROUP; a segment's first and last may reach over its ends, where the neighbours are. */
static __global__ void __launch_bounds__(THREADS) adamw_kernel(const update u)
{
    int k = part_of(u, blockIdx.x);
    int64_t offset = u.parts[k].offset, end = u.parts[k].end;
    int64_t group = offset / GROUP + (blockIdx.x - u.parts[k].block) * SPAN + threadIdx.x;
    rule r = rule_of(u, u.parts[k].lr_scale, u.parts[k].decay);
    for (int i = 0; i < ROUNDS; i++, group += THREADS) {
        int64_t at = group * GROUP;
        if (u.wide && at >= offset && at + GROUP <= end) {
            step_of<GROUP>(u, r, at);
        } else {
            for (int64_t j = at; j < at + GROUP; j++) {
                if (j >= offset && j < end) step_of<1>(u, r, j);
            }
        }
    }
}

void sb_cuda_adamw(struct sb_dev *d, const struct sb_segment *segment, int64_t segments,
                   const struct sb_adamw_step *step, sb_in norm2, sb_out master, sb_out grad, sb_out m, sb_out v,
                   sb_out average, sb_out copy)
{
    update u = {(float *)master->data, (float *)grad->data, (float *)m->data, (float *)v->data,
                average ? (float *)average->data : NULL, copy ? (sb_bf16 *)copy->data : NULL, step,
                norm2 ? (const float *)norm2->data : NULL, false, 0, {}};
    u.wide = sb_wide(u.master, 0) && sb_wide(u.grad, 0) && sb_wide(u.m, 0) && sb_wide(u.v, 0) &&
             sb_wide(u.average, 0) && (uintptr_t)u.copy % 8 == 0;
    int64_t blocks = 0;
    for (int64_t s = 0; s < segments; s++) {
        int64_t offset = segment[s].offset, end = offset + segment[s].count;
        if (offset < end) {
            u.parts[u.count++] = {offset, end, blocks, segment[s].lr_scale, segment[s].decay};
            blocks += sb_ceil_div(sb_ceil_div(end, GROUP) - offset / GROUP, SPAN);
        }
        if (u.count == SEGMENTS || (u.count && s == segments - 1)) {
            SB_LAUNCH(d, adamw_kernel, (unsigned)blocks, THREADS, 0, u);
            u.count = 0;
            blocks = 0;
        }
    }
}

/* ---- sumsq ------------------------------------------------------------------------------------------------------- */

/* to[block] = the sum of the squares of the block's groups, or of x as it is: what the blocks came to. */
template <bool squares>
static __global__ void __launch_bounds__(THREADS) sum_kernel(const float *x, int64_t n, bool wide, float *to)
{
    SB_SHARED(float, part, SB_WARP);
    float sum = 0;
#pragma unroll 4
    for (int64_t at = ((int64_t)blockIdx.x * THREADS + threadIdx.x) * GROUP; at < n;
         at += (int64_t)gridDim.x * THREADS * GROUP) {
        float v[GROUP] = {};
        if (wide && at + GROUP <= n) {
            sb_read<GROUP>(v, x + at);
        } else {
#pragma unroll
            for (int i = 0; i < GROUP; i++) v[i] = at + i < n ? x[at + i] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < GROUP; i++) sum += squares ? v[i] * v[i] : v[i];
    }
    sum = sb_block_sum(sum, part);
    if (!threadIdx.x) to[blockIdx.x] = sum;
}

void sb_cuda_sumsq(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t n = x->shape[0], blocks = sb_ceil_div(n, THREADS * GROUP);
    const float *from = (const float *)x->data;
    float *partial = (float *)d->scratch, *to = (float *)y->data;
    if (blocks < 1) blocks = 1;
    if (blocks > SUM_BLOCKS) blocks = SUM_BLOCKS;
    SB_LAUNCH(d, sum_kernel<true>, (unsigned)blocks, THREADS, 0, from, n, sb_wide(from, 0), partial);
    SB_LAUNCH(d, sum_kernel<false>, 1, THREADS, 0, (const float *)partial, blocks, true, to);
}
