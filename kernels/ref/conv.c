#include "kernels/ref/ref.h"

/* One use of a weight row: pixel (b, y, x) of the input meets tap (ky, kx) for output pixel `out`. */
struct meeting {
    int64_t in, out, tap; /* in: pixel of x; out: pixel of y; tap: ky * KW + kx */
};

/* Calls fn for every output pixel and tap whose input pixel is not padding. */
static void each_meeting(sb_in x, sb_in y, int64_t kh, int64_t kw, struct sb_conv c,
                         void (*fn)(void *arg, struct meeting m), void *arg)
{
    int64_t h = x->shape[1], w = x->shape[2], oh = y->shape[1], ow = y->shape[2], outs = y->shape[0] * oh * ow;
    for (int64_t o = 0; o < outs; o++) {
        int64_t b = o / (oh * ow), top = o / ow % oh * c.stride - c.pad, left = o % ow * c.stride - c.pad;
        for (int64_t tap = 0; tap < kh * kw; tap++) {
            int64_t iy = top + tap / kw, ix = left + tap % kw;
            if (iy >= 0 && iy < h && ix >= 0 && ix < w) fn(arg, (struct meeting){(b * h + iy) * w + ix, o, tap});
        }
    }
}

struct conv {
    int64_t ni, no;    /* channels in and out */
    double *x, *w, *y; /* w as [taps,O,I] */
    double *dx, *dw;   /* backward: sums, or NULL */
};

static void load_weight(double *to, sb_in w)
{
    int64_t o = w->shape[0], i = w->shape[1], taps = w->shape[2] * w->shape[3];
    for (int64_t n = 0; n < o * i * taps; n++) to[n % taps * o * i + n / taps] = sb_load(w, n);
}

static void forward(void *arg, struct meeting m)
{
    struct conv *s = arg;
    const double *w = s->w + m.tap * s->no * s->ni;
    for (int64_t o = 0; o < s->no; o++)
        s->y[m.out * s->no + o] += sb_ref_dot(s->x + m.in * s->ni, w + o * s->ni, s->ni);
}

void sb_ref_conv2d(struct sb_dev *d, sb_in x, sb_in w, sb_in b, struct sb_conv c, sb_out y)
{
    int64_t nx = sb_tensor_count(x), nw = sb_tensor_count(w), ny = sb_tensor_count(y);
    struct conv s = {.ni = w->shape[1], .no = w->shape[0], .x = sb_ref_scratch(d, nx + nw + ny)};
    s.w = s.x + nx;
    s.y = s.w + nw;
    sb_load_run(s.x, x, 0, nx);
    load_weight(s.w, w);
    for (int64_t i = 0; i < ny; i++) s.y[i] = b ? sb_load(b, i % s.no) : 0;
    each_meeting(x, y, w->shape[2], w->shape[3], c, forward, &s);
    sb_store_run(y, 0, s.y, ny);
}

static void backward(void *arg, struct meeting m)
{
    struct conv *s = arg;
    int64_t tap = m.tap * s->no * s->ni;
    for (int64_t o = 0; o < s->no; o++) {
        double g = s->y[m.out * s->no + o];
        for (int64_t i = 0; s->dx && i < s->ni; i++) s->dx[m.in * s->ni + i] += g * s->w[tap + o * s->ni + i];
        for (int64_t i = 0; s->dw && i < s->ni; i++) s->dw[tap + o * s->ni + i] += g * s->x[m.in * s->ni + i];
    }
}

void sb_ref_conv2d_bwd(struct sb_dev *d, sb_in x, sb_in w, struct sb_conv c, sb_in dy, sb_out dx, sb_out dw, sb_out db)
{
    int64_t nx = sb_tensor_count(x), nw = sb_tensor_count(w), ny = sb_tensor_count(dy),
            taps = w->shape[2] * w->shape[3];
    struct conv s = {.ni = w->shape[1], .no = w->shape[0], .x = sb_ref_scratch(d, 2 * nx + 2 * nw + ny)};
    s.w = s.x + nx;
    s.y = s.w + nw;
    double *sums = s.y + ny;
    for (int64_t i = 0; i < nx + nw; i++) sums[i] = 0;
    s.dx = dx ? sums : NULL;
    s.dw = dw ? sums + nx : NULL;
    sb_load_run(s.x, x, 0, nx);
    load_weight(s.w, w);
    sb_load_run(s.y, dy, 0, ny);
    each_meeting(x, dy, w->shape[2], w->shape[3], c, backward, &s);
    if (dx) sb_store_run(dx, 0, s.dx, nx);
    for (int64_t n = 0; dw && n < nw; n++) sb_add(dw, n, s.dw[n % taps * s.no * s.ni + n / taps]);
    for (int64_t o = 0; db && o < s.no; o++) {
        double sum = 0;
        for (int64_t i = o; i < ny; i += s.no) sum += s.y[i];
        sb_add(db, o, sum);
    }
}

struct pool {
    sb_in x, index;
    double *best;   /* of each output element */
    int64_t pixels; /* of one picture of x */
};

static void compete(void *arg, struct meeting m)
{
    struct pool *s = arg;
    int64_t c = s->x->shape[3];
    for (int64_t j = 0; j < c; j++) {
        double v = sb_load(s->x, m.in * c + j);
        int32_t *index = (int32_t *)s->index->data + m.out * c + j;
        if (*index >= 0 && !(v > s->best[m.out * c + j])) continue;
        s->best[m.out * c + j] = v;
        *index = (int32_t)(m.in % s->pixels);
    }
}

void sb_ref_maxpool(struct sb_dev *d, sb_in x, int64_t size, struct sb_conv c, sb_out index, sb_out y)
{
    int64_t n = sb_tensor_count(y);
    struct pool s = {x, index, sb_ref_scratch(d, n), x->shape[1] * x->shape[2]};
    for (int64_t i = 0; i < n; i++) ((int32_t *)index->data)[i] = -1; /* nobody yet */
    each_meeting(x, y, size, size, c, compete, &s);
    sb_store_run(y, 0, s.best, n);
}

void sb_ref_maxpool_bwd(struct sb_dev *d, sb_in index, int64_t size, struct sb_conv window, sb_in dy, sb_out dx)
{
    (void)size, (void)window; /* who gathers needs them */
    int64_t n = sb_tensor_count(dx), outs = sb_tensor_count(dy), c = dx->shape[3];
    int64_t pixels = dx->shape[1] * dx->shape[2], per_sample = outs / dx->shape[0];
    const int32_t *winner = index->data;
    double *sum = sb_ref_scratch(d, n);
    for (int64_t i = 0; i < n; i++) sum[i] = 0;
    for (int64_t i = 0; i < outs; i++) sum[(i / per_sample * pixels + winner[i]) * c + i % c] += sb_load(dy, i);
    sb_store_run(dx, 0, sum, n);
}
