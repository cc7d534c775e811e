#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/lanes.h"
#include "kernels/cpu/vecmath.h"

/* The largest of a row, and the sum of exp(x - largest), which goes to e. */
static float soften(const float *x, float *e, int64_t n, float *largest)
{
    float most = sb_max(x, n);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) e[i] = sb_exp(x[i] - most);
    *largest = most;
    return sb_sum(e, n);
}

/* q[n] = weight times the smoothed target of a row; returns its sum. */
static float targets(sb_in target, sb_in weight, float smooth, int64_t row, int64_t n, float *q)
{
    const float *w = weight ? weight->data : NULL;
    float floor = smooth / (float)n;
    if (target->ndim == 1) {
        int32_t class = ((const int32_t *)target->data)[row];
        for (int64_t i = 0; i < n; i++) q[i] = class < 0 ? 0.0f : floor;
        if (class >= 0) q[class] += 1.0f - smooth;
    } else {
        const float *t = (const float *)target->data + row * n;
        for (int64_t i = 0; i < n; i++) q[i] = (1.0f - smooth) * t[i] + floor;
    }
    for (int64_t i = 0; w && i < n; i++) q[i] *= w[i];
    return sb_sum(q, n);
}

/* With q = weight target': loss = -sum q log p, gradient = p sum(q) - q. */
void sb_cpu_xent(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, float smooth, sb_in scale, sb_out loss,
                 sb_out dlogits)
{
    int64_t rows = logits->shape[0], n = logits->shape[1];
    sb_cpu_reserve(d, 4 * n);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * n * 4))
    for (int64_t row = 0; row < rows; row++) {
        float *e = sb_cpu_mine(d), *q = e + n, most, lost = 0.0f;
        const float *x = sb_cpu_read(logits, row * n, n, q + n);
        float sum = soften(x, e, n, &most), lse = most + logf(sum), total = targets(target, weight, smooth, row, n, q);
#pragma omp simd reduction(+ : lost)
        for (int64_t i = 0; i < n; i++) lost += q[i] != 0.0f ? q[i] * (lse - x[i]) : 0.0f;
        ((float *)loss->data)[row] = lost;
        if (!dlogits) continue;
        float *out = sb_cpu_write(dlogits, row * n, q + 2 * n), factor = *(const float *)scale->data,
              share = total / sum;
#pragma omp simd
        for (int64_t i = 0; i < n; i++) out[i] = factor * (e[i] * share - q[i]);
        sb_cpu_written(dlogits, row * n, n, out);
    }
}

void sb_cpu_bce(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dlogits)
{
    int64_t rows = logits->shape[0], n = logits->shape[1];
    const float *w = weight ? weight->data : NULL;
    sb_cpu_reserve(d, 2 * n);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * n * 16))
    for (int64_t row = 0; row < rows; row++) {
        float *mine = sb_cpu_mine(d), lost = 0.0f, factor = dlogits ? *(const float *)scale->data / (float)n : 0.0f;
        const float *x = sb_cpu_read(logits, row * n, n, mine), *t = (const float *)target->data + row * n;
        float *out = dlogits ? sb_cpu_write(dlogits, row * n, mine + n) : NULL;
        for (int64_t i = 0; i < n; i++) {
            /* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which can't overflow */
            float v = x[i], tail = log1pf(expf(-fabsf(v))), yes = t[i] * (w ? w[i] : 1.0f), no = 1.0f - t[i];
            lost += yes * (fmaxf(-v, 0.0f) + tail) + no * (fmaxf(v, 0.0f) + tail);
            if (out) out[i] = factor * (no * sb_sigmoid(v) - yes * sb_sigmoid(-v));
        }
        ((float *)loss->data)[row] = lost / (float)n;
        if (dlogits) sb_cpu_written(dlogits, row * n, n, out);
    }
}

void sb_cpu_mse(struct sb_dev *d, sb_in x, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dx)
{
    int64_t rows = x->shape[0], n = x->shape[1];
    sb_cpu_reserve(d, 3 * n);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * n))
    for (int64_t row = 0; row < rows; row++) {
        float *mine = sb_cpu_mine(d), sum = 0.0f,
              share = (weight ? ((const float *)weight->data)[row] : 1.0f) / (float)n;
        const float *a = sb_cpu_read(x, row * n, n, mine), *t = sb_cpu_read(target, row * n, n, mine + n);
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < n; i++) sum += (a[i] - t[i]) * (a[i] - t[i]);
        ((float *)loss->data)[row] = share * sum;
        if (!dx) continue;
        float *out = sb_cpu_write(dx, row * n, mine + 2 * n), factor = 2.0f * share * *(const float *)scale->data;
#pragma omp simd
        for (int64_t i = 0; i < n; i++) out[i] = factor * (a[i] - t[i]);
        sb_cpu_written(dx, row * n, n, out);
    }
}

void sb_cpu_softmax(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t rows = x->shape[0], n = x->shape[1];
    sb_cpu_reserve(d, n);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * n * 4))
    for (int64_t row = 0; row < rows; row++) {
        float *out = (float *)y->data + row * n, most,
              sum = soften(sb_cpu_read(x, row * n, n, sb_cpu_mine(d)), out, n, &most), part = 1.0f / sum;
#pragma omp simd
        for (int64_t i = 0; i < n; i++) out[i] *= part;
    }
}

void sb_cpu_argmax(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t rows = x->shape[0], n = x->shape[1];
    sb_cpu_reserve(d, n);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * n))
    for (int64_t row = 0; row < rows; row++) {
        const float *a = sb_cpu_read(x, row * n, n, sb_cpu_mine(d));
        int32_t best = 0;
        for (int32_t i = 1; i < n; i++) {
            if (a[i] > a[best]) best = i;
        }
        ((int32_t *)y->data)[row] = best;
    }
}
