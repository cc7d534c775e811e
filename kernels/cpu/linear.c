#include "kernels/cpu/cpu.h"

void sb_cpu_linear(struct sb_dev *d, sb_in x, sb_in w, const void *packed, sb_in b, enum sb_act a, sb_in residual,
                   sb_out pre, sb_out y)
{
    int64_t n = w->shape[0], k = sb_tensor_count(w) / n, m = sb_tensor_count(x) / k;
    struct sb_matmul q = {.m = m,
                          .n = n,
                          .k = k,
                          .in = x->dtype,
                          .out = y->dtype,
                          .w_transposed = 1,
                          .bias = b != NULL,
                          .packed = packed != NULL};
    const void *weights = packed ? packed : w->data, *bias = b ? b->data : NULL;
    /* Our GELU over all of y takes two thirds of the time that it takes in oneDNN's epilogue. */
    bool gelu = a == SB_ACT_GELU || a == SB_ACT_GELU_TANH, over = residual && residual->data == y->data;
    if (pre || (gelu && !over)) {
        sb_out between = pre ? pre : y;
        sb_cpu_matmul(d, &q, x->data, weights, bias, NULL, between->data);
        sb_cpu_activate(d, a, between, residual, y);
        return;
    }
    q.act = a;
    q.residual = residual != NULL;
    sb_cpu_matmul(d, &q, x->data, weights, bias, residual ? residual->data : NULL, y->data);
}

void sb_cpu_linear_bwd(struct sb_dev *d, sb_in x, sb_in w, const void *packed, enum sb_act a, sb_in pre, sb_out dy,
                       sb_out dx, sb_out dw, sb_out db)
{
    (void)packed; /* g w reads w as it lies */
    int64_t n = w->shape[0], k = sb_tensor_count(w) / n, m = sb_tensor_count(dy) / n;
    if (a == SB_ACT_RELU)
        sb_cpu_relu_bwd(d, pre, dy, dy);
    else if (a != SB_ACT_NONE)
        sb_cpu_gelu_bwd(d, a, pre, dy, dy);
    if (dx) {
        struct sb_matmul q = {.m = m, .n = k, .k = n, .in = dy->dtype, .out = dx->dtype};
        sb_cpu_matmul(d, &q, dy->data, w->data, NULL, NULL, dx->data);
    }
    if (dw) {
        struct sb_matmul q = {.m = n, .n = k, .k = m, .in = dy->dtype, .out = SB_F32, .x_transposed = 1, .sum = 1};
        sb_cpu_matmul(d, &q, dy->data, x->data, NULL, NULL, dw->data);
    }
    if (db) sb_cpu_columns(d, dy, m, n, db->data);
}

/* Packed weights spare each call a copy: 5 % of a large matmul, a fifth of one with few rows. */
size_t sb_cpu_linear_pack_size(struct sb_dev *d, int64_t n, int64_t k, enum sb_dtype dtype, bool backward)
{
    (void)backward;
    return sb_cpu_packed_size(d, k, n, dtype, true);
}

void sb_cpu_linear_pack(struct sb_dev *d, sb_in w, bool backward, void *packed)
{
    (void)backward;
    int64_t n = w->shape[0];
    sb_cpu_packed(d, sb_tensor_count(w) / n, n, w->dtype, true, w->data, packed);
}
