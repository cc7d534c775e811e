#include "kernels/ref/ref.h"

/* Mean and biased variance of channel j over `rows` pixels. */
static void channel(sb_in x, int64_t j, double *mean, double *var)
{
    int64_t c = x->shape[3], rows = x->shape[0] * x->shape[1] * x->shape[2];
    double sum = 0, square = 0;
    for (int64_t i = 0; i < rows; i++) sum += sb_load(x, i * c + j);
    *mean = sum / (double)rows;
    for (int64_t i = 0; i < rows; i++) {
        double e = sb_load(x, i * c + j) - *mean;
        square += e * e;
    }
    *var = square / (double)rows;
}

void sb_ref_batchnorm(struct sb_dev *d, sb_in x, sb_in gain, sb_in bias, sb_in residual, float eps, float momentum,
                      bool train, bool relu, sb_out running, sb_out stats, sb_out y)
{
    (void)d;
    int64_t c = x->shape[3], rows = x->shape[0] * x->shape[1] * x->shape[2];
    for (int64_t j = 0; j < c; j++) {
        double mean = sb_load(running, j), var = sb_load(running, c + j);
        if (train) {
            double old_mean = mean, old_var = var;
            channel(x, j, &mean, &var);
            sb_store(running, j, old_mean + momentum * (mean - old_mean));
            sb_store(running, c + j,
                     old_var + momentum * (var * (double)rows / (double)(rows > 1 ? rows - 1 : 1) - old_var));
        }
        double rstd = 1 / sqrt(var + eps);
        sb_store(stats, j, mean);
        sb_store(stats, c + j, rstd);
        for (int64_t i = j; i < rows * c; i += c) {
            double v = (sb_load(x, i) - mean) * rstd * sb_load(gain, j) + sb_load(bias, j) +
                       (residual ? sb_load(residual, i) : 0);
            sb_store(y, i, relu && v < 0 ? 0 : v);
        }
    }
}

/* As norm_bwd, with a channel's pixels in place of a row: dx = gain rstd (g - mean(g) - h mean(g h)), g = dy where y >
 * 0. */
void sb_ref_batchnorm_bwd(struct sb_dev *d, sb_in x, sb_in gain, sb_in stats, bool relu, sb_in y, sb_in dy, sb_out dx,
                          sb_out dresidual, sb_out dgain, sb_out dbias)
{
    int64_t c = x->shape[3], rows = x->shape[0] * x->shape[1] * x->shape[2];
    double *g = sb_ref_scratch(d, 2 * rows), *h = g + rows;
    for (int64_t j = 0; j < c; j++) {
        double mean = sb_load(stats, j), rstd = sb_load(stats, c + j), sum_g = 0, sum_gh = 0;
        for (int64_t i = 0; i < rows; i++) {
            g[i] = relu && !(sb_load(y, i * c + j) > 0) ? 0 : sb_load(dy, i * c + j);
            h[i] = (sb_load(x, i * c + j) - mean) * rstd;
            sum_g += g[i];
            sum_gh += g[i] * h[i];
        }
        for (int64_t i = 0; i < rows; i++) {
            if (dresidual) sb_store(dresidual, i * c + j, g[i]);
            if (dx) sb_store(dx, i * c + j, sb_load(gain, j) * rstd * (g[i] - (sum_g + h[i] * sum_gh) / (double)rows));
        }
        if (dgain) sb_add(dgain, j, sum_gh);
        if (dbias) sb_add(dbias, j, sum_g);
    }
}
