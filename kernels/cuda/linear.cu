/* Linear layers over sb_cuda_matmul: y = a(x w^T + b) + residual, and back.
 *
 * Forward there are up to six ways, and which is fastest depends on the shape: sb_cuda_choose times them.
 *  - IN_ONE      the product adds bias and residual on its way out; only without an activation
 *  - BIAS        the product adds the bias, a pass of ours does the rest
 *  - PLAIN       the product alone, our pass does all the rest
 *  - TANH        the product applies GELU by tanh, too, and writes pre
 *  - FEW_ROWS    a kernel of ours for up to eight rows, which is bound by reading w: a decoder's word by word
 *  - TILES       a kernel of ours for some hundred rows of bf16, one picture's: it saves a launch where cuBLASLt has no
 *                epilogue
 * Backward one pass of ours turns dy into g and sums its columns; then there are two products. Without an activation
 * the sums may be a by-product of the second. */
#include "kernels/cuda/activation.h"
#include "kernels/cuda/column_sum.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/map.h"
#include "kernels/cuda/matmul.h"

enum way { IN_ONE, BIAS, PLAIN, TANH, FEW_ROWS, TILES, WAYS };

struct linear {
    struct sb_dev *d;
    struct sb_linear_call c;
    int ways;
    enum way way[WAYS];
};

/* ---- the pass behind a product ----------------------------------------------------------------------------------- */

/* y = a(t + b) + residual, pre = t + b; b, residual and pre may be NULL; any of them may be the same memory. */
template <enum sb_act a, typename T> struct finishing {
    const T *t, *b, *residual;
    T *pre, *y;
    int64_t n;
};

template <int n, enum sb_act a, typename T>
static __device__ inline void sb_map_at(const finishing<a, T> &f, int64_t row, int64_t at, sb_lanes<n>)
{
    int64_t i = row * f.n + at;
    float v[n], more[n];
    sb_read<n>(v, f.t + i);
    if (f.b) {
        sb_read<n>(more, f.b + at);
#pragma unroll
        for (int j = 0; j < n; j++) v[j] += more[j];
    }
    if (f.pre) sb_write<n>(f.pre + i, v);
#pragma unroll
    for (int j = 0; j < n; j++) v[j] = sb_activate<a>(v[j]);
    if (f.residual) {
        sb_read<n>(more, f.residual + i);
#pragma unroll
        for (int j = 0; j < n; j++) v[j] += more[j];
    }
    sb_write<n>(f.y + i, v);
}

template <enum sb_act a, typename T>
static void finish(const struct linear *l, const void *t, const void *b, void *pre, void *y, const void *residual,
                   int64_t rows)
{
    finishing<a, T> f = {(const T *)t, (const T *)b, (const T *)residual, (T *)pre, (T *)y, l->c.n};
    int64_t each = b ? l->c.n : l->c.n * rows; /* without a bias it is all one row */
    bool wide = sb_wide(f.t, each) && sb_wide(f.b, each) && sb_wide(f.residual, each) && sb_wide(f.pre, each) &&
                sb_wide(f.y, each);
    sb_map<SB_LANES<T>>(l->d, f, b ? rows : 1, each, wide);
}

/* ---- ways -------------------------------------------------------------------------------------------------------- */

/* The product that a way begins with, or is. */
static void first_product(const struct linear *l, enum way way, struct sb_matmul *q, struct sb_matmul_data *p)
{
    enum sb_epilogue epilogue = SB_EPILOGUE_NONE;
    bool biased = l->c.b && way != PLAIN;
    if (way == TANH) epilogue = l->c.pre ? SB_EPILOGUE_GELU_TANH_PRE : SB_EPILOGUE_GELU_TANH;
    else if (biased) epilogue = SB_EPILOGUE_BIAS;
    *q = {};
    q->m = l->c.m, q->n = l->c.n, q->k = l->c.k;
    q->b_transposed = true;
    q->in = q->out = l->c.dtype;
    q->epilogue = epilogue;
    q->add = way == IN_ONE && l->c.residual;
    *p = {};
    p->a = l->c.x, p->b = l->c.w;
    p->c = q->add ? l->c.residual : NULL;
    p->bias = biased ? l->c.b : NULL;
    p->y = l->c.y;
    p->pre = way == TANH ? l->c.pre : NULL;
}

static bool in_place(const struct linear *l)
{
    return l->c.residual && l->c.residual == l->c.y;
}

/* A product and our pass. Between them it lies in pre or in y; where y is the residual, too, and may not be overwritten
 * yet, in scratch, a piece at a time. */
template <typename T> static void in_two(const struct linear *l, enum way way)
{
    struct sb_matmul q;
    struct sb_matmul_data p;
    first_product(l, way, &q, &p);
    bool spare = in_place(l) && !l->c.pre;
    int64_t rows = spare ? (int64_t)(SB_CUDA_SCRATCH / (sizeof(T) * (size_t)l->c.n)) : l->c.m;
    const void *b = way == PLAIN ? l->c.b : NULL;
    for (int64_t row = 0; row < l->c.m; row += rows) {
        int64_t at = row * l->c.n;
        T *y = (T *)l->c.y + at, *pre = l->c.pre ? (T *)l->c.pre + at : NULL;
        q.m = l->c.m - row < rows ? l->c.m - row : rows;
        p.a = (const T *)l->c.x + row * l->c.k;
        p.y = spare ? (T *)l->d->scratch : pre ? pre : y;
        sb_cuda_matmul(l->d, &q, &p);
        const T *residual = l->c.residual ? (const T *)l->c.residual + at : NULL;
        T *kept = b ? pre : NULL; /* the product wrote it there already, but for the bias */
        SB_BY_ACT(l->c.act, A, (finish<A, T>(l, p.y, b, kept, y, residual, q.m)));
    }
}

static void run(void *arg, int which)
{
    const struct linear *l = (const struct linear *)arg;
    enum way way = l->way[which];
    if (way == FEW_ROWS) {
        sb_cuda_few_rows(l->d, &l->c);
    } else if (way == TILES) {
        sb_cuda_tiles(l->d, &l->c);
    } else if (way == IN_ONE || way == TANH) {
        struct sb_matmul q;
        struct sb_matmul_data p;
        first_product(l, way, &q, &p);
        sb_cuda_matmul(l->d, &q, &p);
    } else {
        SB_BY_DTYPE(l->c.dtype, T, in_two<T>(l, way));
    }
}

static bool possible(const struct linear *l, enum way way)
{
    bool bare = l->c.act == SB_ACT_NONE;
    if (way == FEW_ROWS) return l->c.m <= SB_FEW_ROWS;
    if (way == TILES) return sb_cuda_tiles_can(&l->c);
    if (way == PLAIN) return !bare || l->c.b || l->c.residual;
    if (way == IN_ONE && !bare) return false;
    if (way == BIAS && (!l->c.b || (bare && !l->c.residual))) return false;
    /* Not in f32: how exact the library's tanh is, it does not say. */
    if (way == TANH && (l->c.act != SB_ACT_GELU_TANH || l->c.residual || l->c.dtype == SB_F32)) return false;
    struct sb_matmul q;
    struct sb_matmul_data p;
    first_product(l, way, &q, &p);
    return sb_cuda_matmul_can(l->d, &q, &p);
}

/* cuBLASLt with fewest launches first: that one is taken where none can be timed. One product for all is never slower
 * than a product and a pass. */
static void find_ways(struct linear *l)
{
    static const enum way order[] = {IN_ONE, TANH, BIAS, PLAIN, FEW_ROWS, TILES};
    for (int i = 0; i < WAYS; i++) {
        bool settled = (order[i] == BIAS || order[i] == PLAIN) && l->ways && l->way[0] == IN_ONE;
        if (!settled && possible(l, order[i])) l->way[l->ways++] = order[i];
    }
}

/* Adding to y again and again would spoil it: that is timed in scratch, and where it does not fit the first way is
 * taken. */
static int choose(const struct linear *l)
{
    const struct sb_linear_call *c = &l->c;
    struct linear trial = *l;
    if (l->ways < 2) return 0;
    if (in_place(l)) {
        if ((size_t)(c->m * c->n) * sb_dtype_size(c->dtype) > SB_CUDA_SCRATCH) return 0;
        trial.c.residual = trial.c.y = l->d->scratch;
    }
    int64_t how = c->act | (c->dtype == SB_BF16) << 4 | (c->b != NULL) << 5 | (c->residual != NULL) << 6 |
                  in_place(l) << 7 | (c->pre != NULL) << 8, which = 0;
    for (int i = 0; i < l->ways; i++) which |= 1 << l->way[i];
    const int64_t number[] = {c->m, c->n, c->k, how, which};
    return sb_cuda_choose(l->d, "linear", number, 5, l->ways, run, &trial);
}

void sb_cuda_linear(struct sb_dev *d, sb_in x, sb_in w, const void *, sb_in b, enum sb_act a, sb_in residual,
                    sb_out pre, sb_out y)
{
    struct linear l = {};
    l.d = d;
    l.c.m = x->shape[0], l.c.n = w->shape[0], l.c.k = x->shape[1];
    l.c.dtype = x->dtype;
    l.c.act = a;
    l.c.x = x->data, l.c.w = w->data;
    l.c.b = b ? b->data : NULL;
    l.c.residual = residual ? residual->data : NULL;
    l.c.pre = pre ? pre->data : NULL;
    l.c.y = y->data;
    if (!l.c.m || !l.c.n) return;
    find_ways(&l);
    run(&l, choose(&l));
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* g = dy a'(pre) over dy, summed as it goes by: as it is stored, since that is what the products see. */
template <enum sb_act a, typename T> struct slopes {
    const T *pre;
    T *dy;
    int64_t n;
};

template <int width, enum sb_act a, typename T>
static __device__ inline void sb_column_values(const slopes<a, T> &s, int64_t row, int64_t column,
                                               float (&to)[1][width])
{
    float x[width];
    sb_read<width>(x, s.pre + row * s.n + column);
    sb_read<width>(to[0], s.dy + row * s.n + column);
#pragma unroll
    for (int i = 0; i < width; i++) {
        T stored;
        sb_put(&stored, to[0][i] * sb_slope<a>(x[i]));
        to[0][i] = sb_get(stored);
    }
    sb_write<width>(s.dy + row * s.n + column, to[0]);
}

template <enum sb_act a, typename T>
static void gradient(struct sb_dev *d, const T *pre, T *dy, float *db, int64_t m, int64_t n)
{
    struct sb_column_to<1> to = {{db}, true};
    bool wide = sb_wide(dy, n) && sb_wide(pre, n);
    if (a == SB_ACT_NONE) {
        struct sb_column_rows<T> rows = {dy, n};
        if (!db) return;
        if (wide) sb_column_sum<SB_LANES<T>>(d, rows, m, n, to);
        else sb_column_sum<1>(d, rows, m, n, to);
    } else {
        slopes<a, T> s = {pre, dy, n};
        if (wide) sb_column_sum<SB_LANES<T>>(d, s, m, n, to);
        else sb_column_sum<1>(d, s, m, n, to);
    }
}

/* Two ways to the gradients of the parameters, where g is dy: its columns are summed by a pass of ours, or by the
 * product that reads it for dw. */
enum { OWN_SUMS, PRODUCT_SUMS };

struct parameters {
    struct sb_dev *d;
    enum sb_dtype dtype;
    int64_t m, n, k;
    const void *x, *g;
    float *dw, *db;
};

/* dw[N,K] += g^T x, and the sums of g's columns to sums[N] unless that is NULL. */
static void weight_product(const struct parameters *t, void *sums, struct sb_matmul *q, struct sb_matmul_data *p)
{
    *q = {};
    q->m = t->n, q->n = t->k, q->k = t->m;
    q->in = t->dtype, q->out = SB_F32;
    q->a_transposed = q->add = true;
    q->epilogue = sums ? SB_EPILOGUE_SUMS : SB_EPILOGUE_NONE;
    *p = {};
    p->a = t->g, p->b = t->x;
    p->c = p->y = t->dw;
    p->sums = sums;
}

static void run_parameters(void *arg, int way)
{
    const struct parameters *t = (const struct parameters *)arg;
    struct sb_column_to<1> to = {{t->db}, true};
    struct sb_matmul q;
    struct sb_matmul_data p;
    if (way == OWN_SUMS) SB_BY_DTYPE(t->dtype, T, (gradient<SB_ACT_NONE, T>(t->d, NULL, (T *)t->g, t->db, t->m, t->n)));
    weight_product(t, way == OWN_SUMS ? NULL : t->d->scratch, &q, &p);
    sb_cuda_matmul(t->d, &q, &p);
    if (way == PRODUCT_SUMS) sb_column_finish(t->d, (const float *)t->d->scratch, 1, t->n, to);
}

/* Timed on gradients that lie in scratch: the real ones would be added to again and again. */
static int choose_sums(const struct parameters *t)
{
    struct sb_matmul q;
    struct sb_matmul_data p;
    struct parameters trial = *t;
    size_t sums = (size_t)sb_ceil_div(t->n, 64) * 64 * sizeof(float);
    if (sums + (size_t)(t->n * t->k) * sizeof(float) > SB_CUDA_SCRATCH) return OWN_SUMS;
    weight_product(t, t->d->scratch, &q, &p);
    if (!sb_cuda_matmul_can(t->d, &q, &p)) return OWN_SUMS;
    trial.db = (float *)t->d->scratch;
    trial.dw = (float *)((char *)t->d->scratch + sums);
    const int64_t number[] = {t->m, t->n, t->k, t->dtype == SB_BF16};
    return sb_cuda_choose(t->d, "linear_bwd", number, 4, 2, run_parameters, &trial);
}

void sb_cuda_linear_bwd(struct sb_dev *d, sb_in x, sb_in w, const void *, enum sb_act a, sb_in pre, sb_out dy,
                        sb_out dx, sb_out dw, sb_out db)
{
    struct parameters t = {d, x->dtype, x->shape[0], w->shape[0], x->shape[1], x->data, dy->data, NULL, NULL};
    const void *before = a == SB_ACT_NONE ? NULL : pre->data;
    float *sums = db ? (float *)db->data : NULL;
    bool together = a == SB_ACT_NONE && dw && db;
    if (!t.m || !t.n) return;
    if (!together) {
        SB_BY_DTYPE(x->dtype, T,
                    SB_BY_ACT(a, A, (gradient<A, T>(d, (const T *)before, (T *)dy->data, sums, t.m, t.n))));
    }
    if (dx) {
        struct sb_matmul q = {};
        struct sb_matmul_data p = {};
        q.m = t.m, q.n = t.k, q.k = t.n;
        q.in = q.out = t.dtype;
        p.a = dy->data, p.b = w->data, p.y = dx->data;
        sb_cuda_matmul(d, &q, &p);
    }
    if (dw) {
        struct sb_matmul q;
        struct sb_matmul_data p;
        t.dw = (float *)dw->data, t.db = sums;
        weight_product(&t, NULL, &q, &p);
        if (together) run_parameters(&t, choose_sums(&t));
        else sb_cuda_matmul(d, &q, &p);
    }
}

/* ---- packing: cuBLASLt reads weights as they lie ----------------------------------------------------------------- */

size_t sb_cuda_linear_pack_size(struct sb_dev *, int64_t, int64_t, enum sb_dtype, bool)
{
    return 0;
}

void sb_cuda_linear_pack(struct sb_dev *, sb_in, bool, void *)
{
}
