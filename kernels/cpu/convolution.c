#include <stdlib.h>

#include "base/err.h"
#include "kernels/cpu/plan.h"

/* A backward convolution is found beside the forward one that it belongs to. */
static dnnl_primitive_desc_t find(struct sb_plans *p, struct sb_plan *plan, enum sb_convolve what,
                                  const struct sb_convolution *s, const_dnnl_memory_desc_t x,
                                  const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t bias,
                                  const_dnnl_memory_desc_t y)
{
    const int64_t w_shape[] = {s->o, s->i, s->kh, s->kw};
    const dnnl_dims_t strides = {s->stride, s->stride}, dilates = {0, 0}, pad = {s->pad, s->pad};
    const dnnl_alg_kind_t how = dnnl_convolution_direct;
    dnnl_primitive_attr_t attr = sb_plan_attributes(NULL);
    dnnl_primitive_desc_t forward, found;
    const_dnnl_memory_desc_t used =
        what == SB_CONVOLVE ? w : sb_plan_layout(plan, w_shape, 4, sb_plan_type(s->dtype), dnnl_format_tag_any);
    sb_plan_check(dnnl_convolution_forward_primitive_desc_create(&forward, p->engine, dnnl_forward_training, how, x,
                                                                 used, bias, y, strides, dilates, pad, pad, attr),
                  "find a convolution");
    if (what == SB_CONVOLVE) found = forward;
    else if (what == SB_CONVOLVE_DATA)
        sb_plan_check(dnnl_convolution_backward_data_primitive_desc_create(&found, p->engine, how, x, w, y, strides,
                                                                           dilates, pad, pad, forward, attr),
                      "find a convolution backward");
    else
        sb_plan_check(dnnl_convolution_backward_weights_primitive_desc_create(
                          &found, p->engine, how, x, w, NULL, y, strides, dilates, pad, pad, forward, attr),
                      "find a convolution backward");
    sb_plan_check(dnnl_primitive_attr_destroy(attr), "free attributes");
    if (found != forward) sb_plan_check(dnnl_primitive_desc_destroy(forward), "free a description");
    return found;
}

static void make(struct sb_plans *p, struct sb_plan *plan, enum sb_convolve what, const struct sb_convolution *s,
                 bool with_bias)
{
    const int64_t x_shape[] = {s->b, s->i, s->h, s->w}, w_shape[] = {s->o, s->i, s->kh, s->kw},
                  y_shape[] = {s->b, s->o, s->oh, s->ow};
    dnnl_data_type_t type = sb_plan_type(s->dtype), w_type = what == SB_CONVOLVE_WEIGHTS ? dnnl_f32 : type;
    const_dnnl_memory_desc_t x = sb_plan_layout(plan, x_shape, 4, type, dnnl_nhwc),
                             y = sb_plan_layout(plan, y_shape, 4, type, dnnl_nhwc),
                             bias = with_bias ? sb_plan_layout(plan, w_shape, 1, type, dnnl_a) : NULL,
                             w = sb_plan_layout(plan, w_shape, 4, w_type, dnnl_format_tag_any),
                             stored = sb_plan_layout(plan, w_shape, 4, w_type, dnnl_oihw);
    dnnl_primitive_desc_t found = find(p, plan, what, s, x, w, bias, y);
    dnnl_query_t query = what == SB_CONVOLVE_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    plan->packed = sb_plan_wanted(plan, found, query);
    plan->reorder = sb_calloc(1, sizeof *plan->reorder);
    if (what == SB_CONVOLVE) {
        sb_plan_make_reorder(p, plan->reorder, stored, plan->packed, false);
        sb_plan_arg(p, plan, DNNL_ARG_SRC, x);
        sb_plan_arg(p, plan, DNNL_ARG_WEIGHTS, plan->packed);
        sb_plan_arg(p, plan, DNNL_ARG_DST, y);
        if (with_bias) sb_plan_arg(p, plan, DNNL_ARG_BIAS, bias);
    } else if (what == SB_CONVOLVE_DATA) {
        sb_plan_make_reorder(p, plan->reorder, stored, plan->packed, false);
        sb_plan_arg(p, plan, DNNL_ARG_DIFF_DST, y);
        sb_plan_arg(p, plan, DNNL_ARG_WEIGHTS, plan->packed);
        sb_plan_arg(p, plan, DNNL_ARG_DIFF_SRC, x);
    } else {
        sb_plan_make_reorder(p, plan->reorder, plan->packed, stored, true);
        sb_plan_arg(p, plan, DNNL_ARG_DIFF_DST, y);
        sb_plan_arg(p, plan, DNNL_ARG_SRC, x);
        sb_plan_arg(p, plan, DNNL_ARG_DIFF_WEIGHTS, plan->packed);
    }
    sb_plan_make(p, plan, found);
}

/* bf16 where oneDNN has none. */
static void widened(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *shape, const void *in,
                    const void *with, const void *bias, void *out)
{
    struct sb_plans *p = d->plans;
    struct sb_convolution s = *shape;
    int64_t nx = s.b * s.h * s.w * s.i, ny = s.b * s.oh * s.ow * s.o, nw = s.o * s.i * s.kh * s.kw;
    s.dtype = SB_F32;
    in = sb_plan_widen(p, SB_PLAN_A, in, what == SB_CONVOLVE ? nx : ny);
    with = sb_plan_widen(p, SB_PLAN_B, with, what == SB_CONVOLVE_WEIGHTS ? nx : nw);
    bias = sb_plan_widen(p, SB_PLAN_C, bias, s.o);
    if (what == SB_CONVOLVE_WEIGHTS) {
        sb_cpu_convolve(d, what, &s, in, with, NULL, out);
        return;
    }
    int64_t n = what == SB_CONVOLVE ? ny : nx;
    float *wide = sb_plan_spare(p, SB_PLAN_E, (size_t)n * sizeof *wide);
    sb_cpu_convolve(d, what, &s, in, with, bias, wide);
    sb_cpu_narrow(wide, out, n);
}

void sb_cpu_convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *shape, const void *in,
                     const void *with, const void *bias, void *out)
{
    struct sb_plans *p = d->plans;
    const struct sb_convolution *s = shape;
    if (s->dtype == SB_BF16 && !p->bf16) {
        widened(d, what, shape, in, with, bias, out);
        return;
    }
    struct sb_plan_key key = {{SB_PLAN_CONVOLVE, what, s->b, s->h, s->w, s->i, s->oh, s->ow, s->o, s->kh, s->kw,
                               s->stride, s->pad, s->dtype, bias != NULL}};
    struct sb_plan *plan = sb_plan_find(p, &key);
    if (!plan->primitive) make(p, plan, what, s, bias != NULL);
    void *packed = sb_plan_spare(p, SB_PLAN_D, dnnl_memory_desc_get_size(plan->packed));
    if (what == SB_CONVOLVE_WEIGHTS) {
        const void *data[] = {in, with, packed}, *gradient[] = {packed, out};
        sb_plan_run(p, plan, data);
        sb_plan_run(p, plan->reorder, gradient);
    } else {
        const void *weights[] = {with, packed}, *data[] = {in, packed, out, bias};
        sb_plan_run(p, plan->reorder, weights);
        sb_plan_run(p, plan, data);
    }
}
