/* One head at a time, as the formula reads: scores, softmax, weighted sum. */
#include "kernels/ref/ref.h"

/* Where token t of q (0), k (1) or v (2) begins in qkv [B,T,3,H,E]. */
static int64_t at(sb_in qkv, int64_t b, int64_t t, int which, int64_t h)
{
    return (((b * qkv->shape[1] + t) * 3 + which) * qkv->shape[3] + h) * qkv->shape[4];
}

/* A head's q, k or v as doubles [T,E]. */
static void load_head(double *to, sb_in qkv, int64_t b, int which, int64_t h)
{
    int64_t e = qkv->shape[4];
    for (int64_t t = 0; t < qkv->shape[1]; t++) sb_load_run(to + t * e, qkv, at(qkv, b, t, which, h), e);
}

/* Puts a head's new k or v (which: 1, 2) behind the `past` cached ones, and loads them all, [past+T,E]. */
static void load_cached(double *to, sb_in qkv, sb_out cache, int64_t past, int64_t b, int which, int64_t h)
{
    int64_t t = qkv->shape[1], heads = qkv->shape[3], e = qkv->shape[4], l = cache->shape[3];
    int64_t base = (((which - 1) * qkv->shape[0] + b) * heads + h) * l * e;
    load_head(to, qkv, b, which, h);
    sb_store_run(cache, base + past * e, to, t * e);
    sb_load_run(to, cache, base, (past + t) * e);
}

/* Scores of one query to its keys become their softmax; returns the log-sum-exp. */
static double soften(double *score, const double *q, const double *k, int64_t keys, int64_t e)
{
    double max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; j++) {
        score[j] = sb_ref_dot(q, k + j * e, e) / sqrt((double)e);
        max = fmax(max, score[j]);
    }
    for (int64_t j = 0; j < keys; j++) sum += score[j] = exp(score[j] - max);
    for (int64_t j = 0; j < keys; j++) score[j] /= sum;
    return max + log(sum);
}

void sb_ref_attention(struct sb_dev *d, sb_in qkv, bool causal, sb_out cache, const int32_t *length, sb_out lse,
                      sb_out y)
{
    int64_t batch = qkv->shape[0], tokens = qkv->shape[1], heads = qkv->shape[3], e = qkv->shape[4];
    int64_t past = cache ? *length : 0, all = past + tokens;
    double *q = sb_ref_scratch(d, (tokens + 2 * all) * e + all + e), *k = q + tokens * e, *v = k + all * e,
           *p = v + all * e, *out = p + all;
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t h = 0; h < heads; h++) {
            load_head(q, qkv, b, 0, h);
            if (cache) {
                load_cached(k, qkv, cache, past, b, 1, h);
                load_cached(v, qkv, cache, past, b, 2, h);
            } else {
                load_head(k, qkv, b, 1, h);
                load_head(v, qkv, b, 2, h);
            }
            for (int64_t i = 0; i < tokens; i++) {
                int64_t keys = causal || cache ? past + i + 1 : tokens;
                double sum = soften(p, q + i * e, k, keys, e);
                if (lse) sb_store(lse, (b * heads + h) * tokens + i, sum);
                for (int64_t n = 0; n < e; n++) out[n] = 0;
                for (int64_t j = 0; j < keys; j++) {
                    for (int64_t n = 0; n < e; n++) out[n] += p[j] * v[j * e + n];
                }
                sb_store_run(y, ((b * tokens + i) * heads + h) * e, out, e);
            }
        }
    }
}

struct head {
    double *q, *k, *v, *dq, *dk, *dv; /* [T,E] */
};

/* Adds what query i passes back. With p = exp(score - lse): dv = p dy, ds = p (dy v - dy y), dq = ds k, dk = ds q, the
 * last two over sqrt(E). */
static void query_gradient(const struct head *s, int64_t i, int64_t keys, int64_t e, double lse, const double *y,
                           const double *dy)
{
    double scale = 1 / sqrt((double)e), own = sb_ref_dot(dy, y, e);
    for (int64_t j = 0; j < keys; j++) {
        double p = exp(sb_ref_dot(s->q + i * e, s->k + j * e, e) * scale - lse);
        double ds = p * (sb_ref_dot(dy, s->v + j * e, e) - own) * scale;
        for (int64_t n = 0; n < e; n++) {
            s->dv[j * e + n] += p * dy[n];
            s->dq[i * e + n] += ds * s->k[j * e + n];
            s->dk[j * e + n] += ds * s->q[i * e + n];
        }
    }
}

void sb_ref_attention_bwd(struct sb_dev *d, sb_in qkv, bool causal, sb_in lse, sb_in y, sb_in dy, sb_out dqkv)
{
    int64_t batch = qkv->shape[0], tokens = qkv->shape[1], heads = qkv->shape[3], e = qkv->shape[4], n = tokens * e;
    double *m = sb_ref_scratch(d, 6 * n + 2 * e), *yd = m + 6 * n, *dyd = yd + e;
    struct head s = {m, m + n, m + 2 * n, m + 3 * n, m + 4 * n, m + 5 * n};
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t h = 0; h < heads; h++) {
            for (int w = 0; w < 3; w++) load_head(m + w * n, qkv, b, w, h);
            for (int64_t i = 0; i < 3 * n; i++) s.dq[i] = 0;
            for (int64_t i = 0; i < tokens; i++) {
                int64_t row = ((b * tokens + i) * heads + h) * e;
                sb_load_run(yd, y, row, e);
                sb_load_run(dyd, dy, row, e);
                query_gradient(&s, i, causal ? i + 1 : tokens, e, sb_load(lse, (b * heads + h) * tokens + i), yd, dyd);
            }
            for (int w = 0; w < 3; w++) {
                for (int64_t t = 0; t < tokens; t++) sb_store_run(dqkv, at(dqkv, b, t, w, h), s.dq + w * n + t * e, e);
            }
        }
    }
}
