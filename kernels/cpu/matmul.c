#include "kernels/cpu/plan.h"

static dnnl_primitive_attr_t attributes(const struct sb_matmul *q, bool in_place, const_dnnl_memory_desc_t y)
{
    dnnl_post_ops_t ops;
    sb_plan_check(dnnl_post_ops_create(&ops), "make an epilogue");
    dnnl_status_t status = dnnl_success;
    if (q->act) {
        dnnl_alg_kind_t act = q->act == SB_ACT_RELU   ? dnnl_eltwise_relu
                              : q->act == SB_ACT_GELU ? dnnl_eltwise_gelu_erf
                                                      : dnnl_eltwise_gelu_tanh;
        status = dnnl_post_ops_append_eltwise(ops, act, 0.0f, 0.0f);
    }
    if (status == dnnl_success && (q->sum || in_place))
        status = dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
    if (status == dnnl_success && q->residual && !in_place)
        status = dnnl_post_ops_append_binary(ops, dnnl_binary_add, y);
    sb_plan_check(status, "make an epilogue");
    return sb_plan_attributes(ops);
}

/* Frees attr. */
static dnnl_primitive_desc_t find(struct sb_plans *p, const_dnnl_memory_desc_t x, const_dnnl_memory_desc_t w,
                                  const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t y,
                                  dnnl_primitive_attr_t attr)
{
    dnnl_primitive_desc_t found;
    sb_plan_check(dnnl_matmul_primitive_desc_create(&found, p->engine, x, w, bias, y, attr), "find a matmul");
    sb_plan_check(dnnl_primitive_attr_destroy(attr), "free attributes");
    return found;
}

/* Which layout packed weights have may not depend on M: one packed form serves every batch size. */
static const_dnnl_memory_desc_t packed_layout(struct sb_plans *p, struct sb_plan *plan, int64_t k, int64_t n,
                                              dnnl_data_type_t type)
{
    const int64_t shape[] = {k, n};
    const_dnnl_memory_desc_t x = sb_plan_matrix(plan, 1024, k, false, type),
                             y = sb_plan_matrix(plan, 1024, n, false, type),
                             w = sb_plan_layout(plan, shape, 2, type, dnnl_format_tag_any);
    dnnl_primitive_desc_t found = find(p, x, w, NULL, y, sb_plan_attributes(NULL));
    w = sb_plan_wanted(plan, found, dnnl_query_weights_md);
    sb_plan_check(dnnl_primitive_desc_destroy(found), "free a description");
    return w;
}

static struct sb_plan *pack_plan(struct sb_plans *p, int64_t k, int64_t n, int dtype, bool transposed)
{
    struct sb_plan_key key = {{SB_PLAN_PACK, k, n, dtype, transposed}};
    struct sb_plan *plan = sb_plan_find(p, &key);
    if (plan->primitive) return plan;
    plan->packed = packed_layout(p, plan, k, n, sb_plan_type(dtype));
    const_dnnl_memory_desc_t w = sb_plan_matrix(plan, k, n, transposed, sb_plan_type(dtype));
    sb_plan_make_reorder(p, plan, w, plan->packed, false);
    return plan;
}

size_t sb_cpu_packed_size(struct sb_dev *d, int64_t k, int64_t n, enum sb_dtype dtype, bool transposed)
{
    if (dtype == SB_BF16 && !d->plans->bf16) return 0;
    const_dnnl_memory_desc_t packed = pack_plan(d->plans, k, n, dtype, transposed)->packed;
    int blocks;
    sb_plan_check(dnnl_memory_desc_query(packed, dnnl_query_inner_nblks_s32, &blocks), "look at a layout");
    return blocks ? dnnl_memory_desc_get_size(packed) : 0; /* one without blocks is what the kernel reads anyway */
}

void sb_cpu_packed(struct sb_dev *d, int64_t k, int64_t n, enum sb_dtype dtype, bool transposed, const void *w,
                   void *packed)
{
    const void *data[] = {w, packed};
    sb_plan_run(d->plans, pack_plan(d->plans, k, n, dtype, transposed), data);
}

static void make(struct sb_plans *p, struct sb_plan *plan, const struct sb_matmul *q, bool in_place)
{
    dnnl_data_type_t in = sb_plan_type(q->in), out = sb_plan_type(q->out);
    const_dnnl_memory_desc_t x = sb_plan_matrix(plan, q->m, q->k, q->x_transposed, in),
                             y = sb_plan_matrix(plan, q->m, q->n, false, out),
                             bias = q->bias ? sb_plan_matrix(plan, 1, q->n, false, in) : NULL, w;
    if (q->packed) w = pack_plan(p, q->k, q->n, q->in, q->w_transposed)->packed;
    else w = sb_plan_matrix(plan, q->k, q->n, q->w_transposed, in);
    dnnl_primitive_desc_t found = find(p, x, w, bias, y, attributes(q, in_place, y));
    sb_plan_arg(p, plan, DNNL_ARG_SRC, x);
    sb_plan_arg(p, plan, DNNL_ARG_WEIGHTS, w);
    sb_plan_arg(p, plan, DNNL_ARG_DST, y);
    if (q->bias) sb_plan_arg(p, plan, DNNL_ARG_BIAS, bias);
    if (q->residual && !in_place)
        sb_plan_arg(p, plan, DNNL_ARG_ATTR_MULTIPLE_POST_OP(q->act ? 1 : 0) | DNNL_ARG_SRC_1, y);
    sb_plan_make(p, plan, found);
}

/* bf16 where oneDNN has none. */
static void widened(struct sb_dev *d, const struct sb_matmul *what, const void *x, const void *w, const void *bias,
                    const void *residual, void *y)
{
    struct sb_plans *p = d->plans;
    struct sb_matmul q = *what;
    q.in = q.out = SB_F32;
    x = sb_plan_widen(p, SB_PLAN_A, x, q.m * q.k);
    w = sb_plan_widen(p, SB_PLAN_B, w, q.k * q.n);
    bias = sb_plan_widen(p, SB_PLAN_C, bias, q.n);
    if (what->out == SB_F32) {
        sb_cpu_matmul(d, &q, x, w, bias, residual, y);
        return;
    }
    residual = sb_plan_widen(p, SB_PLAN_D, residual, q.m * q.n);
    float *wide = sb_plan_spare(p, SB_PLAN_E, (size_t)(q.m * q.n) * sizeof(float));
    sb_cpu_matmul(d, &q, x, w, bias, residual, wide);
    sb_cpu_narrow(wide, y, q.m * q.n);
}

void sb_cpu_matmul(struct sb_dev *d, const struct sb_matmul *what, const void *x, const void *w, const void *bias,
                   const void *residual, void *y)
{
    struct sb_plans *p = d->plans;
    const struct sb_matmul *q = what;
    if (q->m == 0 || q->n == 0 || q->k == 0) return;
    if (q->in == SB_BF16 && !p->bf16) {
        widened(d, what, x, w, bias, residual, y);
        return;
    }
    bool in_place = q->residual && residual == y;
    struct sb_plan_key key = {{SB_PLAN_MATMUL, q->m, q->n, q->k, q->in, q->out, q->act, q->x_transposed,
                               q->w_transposed, q->bias, q->residual, q->sum, q->packed, in_place}};
    struct sb_plan *plan = sb_plan_find(p, &key);
    if (!plan->primitive) make(p, plan, q, in_place);
    const void *data[] = {x, w, y, q->bias ? bias : residual, residual};
    sb_plan_run(p, plan, data);
}
