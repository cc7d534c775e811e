#include "kernels/ref/ref.h"

/* Row i of x as doubles; returns its log-sum-exp. */
static double load_row(double *row, sb_in x, int64_t i)
{
    int64_t n = x->shape[1];
    double max = -INFINITY, sum = 0;
    sb_load_run(row, x, i * n, n);
    for (int64_t j = 0; j < n; j++) max = fmax(max, row[j]);
    for (int64_t j = 0; j < n; j++) sum += exp(row[j] - max);
    return max + log(sum);
}

/* With q = weight target': loss = -sum q log p, gradient = p sum(q) - q. */
void sb_ref_xent(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, float smooth, sb_in scale, sb_out loss,
                 sb_out dlogits)
{
    int64_t m = logits->shape[0], n = logits->shape[1];
    double *row = sb_ref_scratch(d, 2 * n), *q = row + n, factor = dlogits ? sb_load(scale, 0) : 0;
    for (int64_t i = 0; i < m; i++) {
        int64_t class = target->ndim == 1 ? ((const int32_t *)target->data)[i] : 0;
        double lse = load_row(row, logits, i), total = 0, sum = 0;
        for (int64_t j = 0; j < n; j++) {
            double t = target->ndim == 1 ? j == class : sb_load(target, i * n + j);
            q[j] = class < 0 ? 0 : ((1 - smooth) * t + smooth / (double)n) * (weight ? sb_load(weight, j) : 1);
            total += q[j];
            sum += q[j] != 0 ? q[j] * (lse - row[j]) : 0;
        }
        sb_store(loss, i, sum);
        for (int64_t j = 0; dlogits && j < n; j++)
            sb_store(dlogits, i * n + j, factor * (exp(row[j] - lse) * total - q[j]));
    }
}

/* log(1 + exp(x)) without overflow */
static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

void sb_ref_bce(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dlogits)
{
    (void)d;
    int64_t m = logits->shape[0], n = logits->shape[1];
    double factor = dlogits ? sb_load(scale, 0) / (double)n : 0;
    for (int64_t i = 0; i < m; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) {
            double x = sb_load(logits, i * n + j), t = sb_load(target, i * n + j),
                   yes = t * (weight ? sb_load(weight, j) : 1), p = 1 / (1 + exp(-x));
            sum += yes * softplus(-x) + (1 - t) * softplus(x);
            if (dlogits) sb_store(dlogits, i * n + j, factor * (yes * (p - 1) + (1 - t) * p));
        }
        sb_store(loss, i, sum / (double)n);
    }
}

void sb_ref_mse(struct sb_dev *d, sb_in x, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dx)
{
    (void)d;
    int64_t m = x->shape[0], n = x->shape[1];
    for (int64_t i = 0; i < m; i++) {
        double sum = 0, w = (weight ? sb_load(weight, i) : 1) / (double)n, factor = dx ? 2 * w * sb_load(scale, 0) : 0;
        for (int64_t j = 0; j < n; j++) {
            double e = sb_load(x, i * n + j) - sb_load(target, i * n + j);
            sum += e * e;
            if (dx) sb_store(dx, i * n + j, factor * e);
        }
        sb_store(loss, i, w * sum);
    }
}

void sb_ref_softmax(struct sb_dev *d, sb_in x, sb_out y)
{
    int64_t m = x->shape[0], n = x->shape[1];
    double *row = sb_ref_scratch(d, n);
    for (int64_t i = 0; i < m; i++) {
        double lse = load_row(row, x, i);
        for (int64_t j = 0; j < n; j++) sb_store(y, i * n + j, exp(row[j] - lse));
    }
}

void sb_ref_argmax(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    int64_t m = x->shape[0], n = x->shape[1];
    for (int64_t i = 0; i < m; i++) {
        int64_t best = 0;
        for (int64_t j = 1; j < n; j++) {
            if (sb_load(x, i * n + j) > sb_load(x, i * n + best)) best = j;
        }
        sb_store(y, i, (double)best);
    }
}
