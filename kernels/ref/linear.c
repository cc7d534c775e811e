#include "kernels/ref/ref.h"

void sb_ref_linear(struct sb_dev *d, sb_in x, sb_in w, const void *packed, sb_in b, enum sb_act a, sb_in residual,
                   sb_out pre, sb_out y)
{
    (void)packed;
    int64_t m = x->shape[0], k = x->shape[1], n = w->shape[0];
    double *wd = sb_ref_scratch(d, (n + 1) * k), *row = wd + n * k;
    sb_load_run(wd, w, 0, n * k);
    for (int64_t i = 0; i < m; i++) {
        sb_load_run(row, x, i * k, k);
        for (int64_t j = 0; j < n; j++) {
            double v = sb_ref_dot(row, wd + j * k, k) + (b ? sb_load(b, j) : 0);
            if (pre) sb_store(pre, i * n + j, v);
            v = sb_ref_activate(a, v);
            if (residual) v += sb_load(residual, i * n + j);
            sb_store(y, i * n + j, v);
        }
    }
}

/* [rows, cols] as doubles [cols, rows]: both factors of a product then lie along the sum. */
static void load_turned(double *to, sb_in t, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) to[j * rows + i] = sb_load(t, i * cols + j);
    }
}

/* dx[M,K] = g[M,N] w[N,K] */
static void input_gradient(struct sb_dev *d, sb_in g, sb_in w, sb_out dx)
{
    int64_t m = dx->shape[0], k = dx->shape[1], n = w->shape[0];
    double *wt = sb_ref_scratch(d, n * (k + 1)), *row = wt + n * k;
    load_turned(wt, w, n, k);
    for (int64_t i = 0; i < m; i++) {
        sb_load_run(row, g, i * n, n);
        for (int64_t j = 0; j < k; j++) sb_store(dx, i * k + j, sb_ref_dot(row, wt + j * n, n));
    }
}

/* dw[N,K] += g[M,N]^T x[M,K] */
static void weight_gradient(struct sb_dev *d, sb_in g, sb_in x, sb_out dw)
{
    int64_t m = x->shape[0], k = x->shape[1], n = dw->shape[0];
    double *gt = sb_ref_scratch(d, m * (n + k)), *xt = gt + m * n;
    load_turned(gt, g, m, n);
    load_turned(xt, x, m, k);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < k; j++) sb_add(dw, i * k + j, sb_ref_dot(gt + i * m, xt + j * m, m));
    }
}

void sb_ref_linear_bwd(struct sb_dev *d, sb_in x, sb_in w, const void *packed, enum sb_act a, sb_in pre, sb_out dy,
                       sb_out dx, sb_out dw, sb_out db)
{
    (void)packed;
    int64_t m = x->shape[0], n = w->shape[0];
    if (a != SB_ACT_NONE) {
        for (int64_t i = 0; i < m * n; i++) sb_store(dy, i, sb_load(dy, i) * sb_ref_slope(a, sb_load(pre, i)));
    }
    if (dx) input_gradient(d, dy, w, dx);
    if (dw) weight_gradient(d, dy, x, dw);
    if (!db) return;
    for (int64_t j = 0; j < n; j++) {
        double sum = 0;
        for (int64_t i = 0; i < m; i++) sum += sb_load(dy, i * n + j);
        sb_add(db, j, sum);
    }
}

size_t sb_ref_linear_pack_size(struct sb_dev *d, int64_t n, int64_t k, enum sb_dtype dtype, bool backward)
{
    (void)d, (void)n, (void)k, (void)dtype, (void)backward;
    return 0;
}

void sb_ref_linear_pack(struct sb_dev *d, sb_in w, bool backward, void *packed)
{
    (void)d, (void)w, (void)backward, (void)packed;
}
