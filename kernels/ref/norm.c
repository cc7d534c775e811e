#include "kernels/ref/ref.h"

void sb_ref_norm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, float eps, sb_out stats, sb_out y)
{
    int64_t m = x->shape[0], n = x->shape[1];
    double *row = sb_ref_scratch(d, n);
    for (int64_t i = 0; i < m; i++) {
        double mean = 0, var = 0;
        sb_load_run(row, x, i * n, n);
        for (int64_t j = 0; j < n; j++) mean += row[j];
        mean /= (double)n;
        for (int64_t j = 0; j < n; j++) var += (row[j] - mean) * (row[j] - mean);
        double rstd = 1 / sqrt(var / (double)n + eps);
        if (stats) {
            sb_store(stats, i * 2, mean);
            sb_store(stats, i * 2 + 1, rstd);
        }
        for (int64_t j = 0; j < n; j++)
            sb_store(y, i * n + j, (row[j] - mean) * rstd * sb_load(gain, j) + sb_load(bias, j));
    }
}

/* With h = (x - mean) rstd and g = dy gain: dx = rstd (g - mean(g) - h mean(g h)). */
void sb_ref_norm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, sb_in dy, sb_in add, sb_out dx, sb_out dgain,
                     sb_out dbias)
{
    int64_t m = x->shape[0], n = x->shape[1];
    double *h = sb_ref_scratch(d, 4 * n), *g = h + n, *sum_gain = g + n, *sum_bias = sum_gain + n;
    for (int64_t j = 0; j < n; j++) sum_gain[j] = sum_bias[j] = 0;
    for (int64_t i = 0; i < m; i++) {
        double mean = sb_load(stats, i * 2), rstd = sb_load(stats, i * 2 + 1), mean_g = 0, mean_gh = 0;
        for (int64_t j = 0; j < n; j++) {
            double dyj = sb_load(dy, i * n + j);
            h[j] = (sb_load(x, i * n + j) - mean) * rstd;
            g[j] = dyj * sb_load(gain, j);
            sum_gain[j] += dyj * h[j];
            sum_bias[j] += dyj;
            mean_g += g[j] / (double)n;
            mean_gh += g[j] * h[j] / (double)n;
        }
        for (int64_t j = 0; dx && j < n; j++) {
            double v = rstd * (g[j] - mean_g - h[j] * mean_gh);
            sb_store(dx, i * n + j, (add ? sb_load(add, i * n + j) : 0) + v);
        }
    }
    for (int64_t j = 0; dgain && j < n; j++) sb_add(dgain, j, sum_gain[j]);
    for (int64_t j = 0; dbias && j < n; j++) sb_add(dbias, j, sum_bias[j]);
}
