#include "op_cases.h"

#include <math.h>

static enum sb_act activation(const struct op_run *r)
{
    return HAS("gelu") ? SB_ACT_GELU : HAS("tanh") ? SB_ACT_GELU_TANH : HAS("relu") ? SB_ACT_RELU : SB_ACT_NONE;
}

/* A chance of dropping, with p = 0.3 where the case says "drop". */
static struct sb_chance chance(struct op_run *r)
{
    if (!HAS("drop")) return (struct sb_chance){.p = 0};
    sb_in state = NEW(state, IN, SB_I32, 4);
    if (r->inventing) op_fill_integers(r, state, 1, 1000000);
    return (struct sb_chance){.state = state->data, .site = 7, .p = 0.3f};
}

/* ---- matrices ---------------------------------------------------------------------------------------------------- */

void op_call_linear(struct op_run *r)
{
    int64_t m = N(0), k = N(1), n = N(2);
    enum sb_act a = activation(r);
    sb_in x = NEW(x, IN, r->act, m, k), w = NEW(w, IN, r->act, n, k);
    sb_in b = MAY(bias, IN, r->act, n);
    sb_in residual = HAS("inplace") ? NULL : MAY(residual, IN, r->act, m, n);
    sb_out pre = MAY(pre, OUT, r->act, m, n);
    sb_out y = NEW(y, HAS("inplace") ? INOUT : OUT, r->act, m, n);
    if (HAS("inplace")) residual = y;
    if (r->inventing) {
        op_fill(r, w, -2 / sqrt((double)k), 2 / sqrt((double)k));
        return;
    }
    const void *packed = HAS("packed") ? op_packed(r, w, HAS("both")) : NULL;
    r->ops->linear(r->dev, x, w, packed, b, a, residual, pre, y);
}

void op_call_linear_bwd(struct op_run *r)
{
    int64_t m = N(0), k = N(1), n = N(2);
    enum sb_act a = activation(r);
    sb_in x = NEW(x, IN, r->act, m, k), w = NEW(w, IN, r->act, n, k);
    sb_in pre = a ? NEW(pre, IN, r->act, m, n) : NULL;
    sb_out dy = NEW(dy, a ? INOUT : IN, r->act, m, n);
    sb_out dx = UNLESS("nodx", dx, OUT, r->act, m, k);
    sb_out dw = UNLESS("frozen", dw, KEPT, SB_F32, n, k);
    sb_out db = UNLESS("nobias", db, KEPT, SB_F32, n);
    if (r->inventing) {
        op_fill(r, w, -2 / sqrt((double)n), 2 / sqrt((double)n));
        if (pre) op_fill(r, pre, -3, 3);
        return;
    }
    const void *packed = HAS("packed") ? op_packed(r, w, true) : NULL;
    r->ops->linear_bwd(r->dev, x, w, packed, a, pre, dy, dx, dw, db);
}

/* ---- normalisation ----------------------------------------------------------------------------------------------- */

void op_call_norm(struct op_run *r)
{
    int64_t m = N(0), n = N(1);
    sb_in x = NEW(x, IN, r->act, m, n), gain = NEW(gain, IN, r->act, n), bias = NEW(bias, IN, r->act, n);
    sb_out stats = MAY(stats, OUT, SB_F32, m, 2), y = NEW(y, OUT, r->act, m, n);
    if (!r->inventing) r->ops->norm(r->dev, x, gain, bias, 1e-6f, stats, y);
    else op_fill(r, x, HAS("far") ? 30 : -2, HAS("far") ? 31 : 3);
}

void op_call_norm_bwd(struct op_run *r)
{
    int64_t m = N(0), n = N(1);
    sb_in x = NEW(x, IN, r->act, m, n), gain = NEW(gain, IN, r->act, n), stats = NEW(stats, IN, SB_F32, m, 2),
          dy = NEW(dy, IN, r->act, m, n);
    sb_in add = HAS("inplace") ? NULL : MAY(add, IN, r->act, m, n);
    sb_out dx = UNLESS("nodx", dx, HAS("inplace") ? INOUT : OUT, r->act, m, n);
    sb_out dgain = UNLESS("frozen", dgain, KEPT, SB_F32, n), dbias = UNLESS("frozen", dbias, KEPT, SB_F32, n);
    if (HAS("inplace")) add = dx;
    if (!r->inventing) r->ops->norm_bwd(r->dev, x, gain, stats, dy, add, dx, dgain, dbias);
    else sb_ops_ref.norm(r->dev, x, gain, gain, 1e-6f, stats, dy), op_fill(r, dy, -1, 1);
}

void op_call_batchnorm(struct op_run *r)
{
    int64_t b = N(0), h = N(1), w = N(2), c = N(3);
    sb_in x = NEW(x, IN, r->act, b, h, w, c), gain = NEW(gain, IN, SB_F32, c), bias = NEW(bias, IN, SB_F32, c);
    sb_in residual = MAY(residual, IN, r->act, b, h, w, c);
    sb_out running = NEW(running, KEPT, SB_F32, 2, c), stats = NEW(stats, OUT, SB_F32, 2, c),
           y = NEW(y, OUT, r->act, b, h, w, c);
    if (r->inventing) op_fill(r, running, 0.5, 1.5);
    else r->ops->batchnorm(r->dev, x, gain, bias, residual, 1e-5f, 0.1f, HAS("train"), HAS("relu"), running, stats, y);
}

void op_call_batchnorm_bwd(struct op_run *r)
{
    int64_t b = N(0), h = N(1), w = N(2), c = N(3);
    sb_in x = NEW(x, IN, r->act, b, h, w, c), gain = NEW(gain, IN, SB_F32, c), stats = NEW(stats, IN, SB_F32, 2, c);
    sb_in y = MAY(relu, IN, r->act, b, h, w, c), dy = NEW(dy, IN, r->act, b, h, w, c);
    sb_out dx = UNLESS("nodx", dx, OUT, r->act, b, h, w, c), dresidual = MAY(residual, OUT, r->act, b, h, w, c);
    sb_out dgain = UNLESS("frozen", dgain, KEPT, SB_F32, c), dbias = UNLESS("frozen", dbias, KEPT, SB_F32, c);
    if (!r->inventing) {
        r->ops->batchnorm_bwd(r->dev, x, gain, stats, HAS("relu"), y, dy, dx, dresidual, dgain, dbias);
        return;
    }
    float running[2 * 64];
    struct sb_tensor unused = {SB_F32, 2, {2, c}, running}, bias = *gain;
    sb_ops_ref.batchnorm(r->dev, x, gain, &bias, NULL, 1e-5f, 0.1f, true, HAS("relu"), &unused, stats, y ? y : dy);
    op_fill(r, dy, -1, 1);
}

/* ---- attention --------------------------------------------------------------------------------------------------- */

void op_call_attention(struct op_run *r)
{
    int64_t b = N(0), t = N(1), h = N(2), e = N(3);
    sb_in qkv = NEW(qkv, IN, r->act, b, t, 3, h, e);
    sb_out cache = MAY(cache, KEPT, r->act, 2, b, h, N(4), e);
    sb_in length = MAY(cache, IN, SB_I32, 1);
    sb_out lse = MAY(lse, OUT, SB_F32, b, h, t), y = NEW(y, OUT, r->act, b, t, h, e);
    if (r->inventing) {
        op_fill(r, qkv, -2, 2);
        if (length) op_fill_integers(r, length, (int32_t)N(5), (int32_t)N(5));
        return;
    }
    r->ops->attention(r->dev, qkv, HAS("causal"), cache, length ? length->data : NULL, lse, y);
}

void op_call_attention_bwd(struct op_run *r)
{
    int64_t b = N(0), t = N(1), h = N(2), e = N(3);
    sb_in qkv = NEW(qkv, IN, r->act, b, t, 3, h, e), lse = NEW(lse, IN, SB_F32, b, h, t);
    sb_in y = NEW(y, IN, r->act, b, t, h, e), dy = NEW(dy, IN, r->act, b, t, h, e);
    sb_out dqkv = NEW(dqkv, OUT, r->act, b, t, 3, h, e);
    if (!r->inventing) {
        r->ops->attention_bwd(r->dev, qkv, HAS("causal"), lse, y, dy, dqkv);
        return;
    }
    op_fill(r, qkv, -2, 2);
    sb_ops_ref.attention(r->dev, qkv, HAS("causal"), NULL, NULL, lse, y);
}

/* ---- element by element ------------------------------------------------------------------------------------------ */

void op_call_gelu(struct op_run *r)
{
    sb_in x = NEW(x, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1));
    sb_out y = HAS("inplace") ? x : NEW(y, OUT, r->act, N(0), N(1));
    if (r->inventing) op_fill(r, x, -6, 6);
    else r->ops->gelu(r->dev, HAS("tanh") ? SB_ACT_GELU_TANH : SB_ACT_GELU, x, y);
}

void op_call_gelu_bwd(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), N(1)), dy = NEW(dy, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1));
    sb_out dx = HAS("inplace") ? dy : NEW(dx, OUT, r->act, N(0), N(1));
    if (r->inventing) op_fill(r, x, -6, 6);
    else r->ops->gelu_bwd(r->dev, HAS("tanh") ? SB_ACT_GELU_TANH : SB_ACT_GELU, x, dy, dx);
}

void op_call_relu(struct op_run *r)
{
    sb_in x = NEW(x, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1));
    sb_out y = HAS("inplace") ? x : NEW(y, OUT, r->act, N(0), N(1));
    if (!r->inventing) r->ops->relu(r->dev, x, y);
}

void op_call_relu_bwd(struct op_run *r)
{
    sb_in y = NEW(y, IN, r->act, N(0), N(1)), dy = NEW(dy, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1));
    sb_out dx = HAS("inplace") ? dy : NEW(dx, OUT, r->act, N(0), N(1));
    if (r->inventing) op_fill_integers(r, y, 0, 2);
    else r->ops->relu_bwd(r->dev, y, dy, dx);
}

void op_call_silu_mul(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), 2 * N(1));
    sb_out y = NEW(y, OUT, r->act, N(0), N(1));
    if (r->inventing) op_fill(r, x, -5, 5);
    else r->ops->silu_mul(r->dev, x, y);
}

void op_call_silu_mul_bwd(struct op_run *r)
{
    sb_in x = NEW(x, IN, r->act, N(0), 2 * N(1)), dy = NEW(dy, IN, r->act, N(0), N(1));
    sb_out dx = NEW(dx, OUT, r->act, N(0), 2 * N(1));
    if (r->inventing) op_fill(r, x, -5, 5);
    else r->ops->silu_mul_bwd(r->dev, x, dy, dx);
}

void op_call_scale_add(struct op_run *r)
{
    struct sb_chance c = chance(r);
    sb_in x = NEW(x, IN, r->act, N(0), N(1), N(2)), gain = MAY(gain, IN, r->act, N(2));
    sb_in residual = HAS("inplace") ? NULL : MAY(residual, IN, r->act, N(0), N(1), N(2));
    sb_out y = NEW(y, HAS("inplace") ? INOUT : OUT, r->act, N(0), N(1), N(2));
    if (HAS("inplace")) residual = y;
    if (!r->inventing) r->ops->scale_add(r->dev, residual, x, gain, c, y);
}

void op_call_scale_add_bwd(struct op_run *r)
{
    struct sb_chance c = chance(r);
    sb_in x = MAY(dgain, IN, r->act, N(0), N(1), N(2)), gain = MAY(gain, IN, r->act, N(2));
    sb_in dy = NEW(dy, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1), N(2));
    sb_out dx = HAS("inplace") ? dy : NEW(dx, OUT, r->act, N(0), N(1), N(2)), dgain = MAY(dgain, KEPT, SB_F32, N(2));
    if (!r->inventing) r->ops->scale_add_bwd(r->dev, x, gain, c, dy, dx, dgain);
}

void op_call_dropout(struct op_run *r)
{
    struct sb_chance c = chance(r);
    sb_in x = NEW(x, HAS("inplace") ? INOUT : IN, r->act, N(0), N(1), N(2));
    sb_out y = HAS("inplace") ? x : NEW(y, OUT, r->act, N(0), N(1), N(2));
    if (!r->inventing) r->ops->dropout(r->dev, x, c, y);
}

