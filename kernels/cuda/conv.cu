/* Convolution, NHWC. A window of one pixel that takes every pixel is a matrix product: linear does it. For the rest
 * there are two ways, of which the faster is chosen by timing: cuDNN; and matrix products of columns, which works for
 * every shape, without cuDNN too:
 *
 *   y[pixels,O]  = columns(x)[pixels,KH*KW*I] w^T      columns: what a pixel of y sees of x, tap by tap
 *   dw           = dy^T columns(x)
 *   dx[pixels,I] = columns(dy)[pixels,KH*KW*O] w'      what a pixel of x is seen by, through which tap
 *
 * Columns are made a piece at a time, in scratch. Both ways want w as [O,KH,KW,I]; it is turned on the way in, and its
 * gradient on the way out. */
#include "kernels/cuda/column_sum.h"
#include "kernels/cuda/convolution.h"
#include "kernels/cuda/matmul.h"

#define THREADS 256
#define COLUMN_ALIGN 8 /* a row of columns is a multiple of this, so that it can be written 16 bytes at a time */

static int64_t round_up(int64_t n, int64_t to) { return sb_ceil_div(n, to) * to; }

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* w [O,I,taps] turned: to[O,width], each row taps*I long, tap by tap, and then zeros; or, the way back (from y to x),
 * to[width,I], its rows tap by tap, within one O rows, and then zeros. */
template <typename T, bool back>
static __global__ void turn_weights(const T *w, T *to, int64_t outs, int64_t ins, int64_t taps, int64_t width)
{
    int64_t n = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, all = width * (back ? ins : outs);
    if (n >= all) return;
    int64_t row = back ? n / ins / outs : n / width, at = back ? n / ins % outs : n % width;
    int64_t tap = back ? row : at / ins, out = back ? at : row, in = back ? n % ins : at % ins;
    if (tap < taps) to[n] = w[(out * ins + in) * taps + tap];
    else sb_put(&to[n], 0);
}

/* dw [O,I,taps] += from[O,width], as turn_weights has it. */
template <typename T>
static __global__ void add_turned(const T *from, float *dw, int64_t outs, int64_t ins, int64_t taps, int64_t width)
{
    int64_t n = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= outs * ins * taps) return;
    int64_t tap = n % taps, in = n / taps % ins, out = n / taps / ins;
    dw[n] += sb_get(from[out * width + tap * ins + in]);
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

/* A piece of columns: rows pixels of the side that has [h,w], from pixel `first` of sample `sample` on, gather from
 * the other side's [from_h,from_w]. */
struct piece {
    int64_t sample;
    uint32_t first, h, w, from_h, from_w, kw, stride, pad;
    uint32_t channels, taps, width; /* of a row: taps * channels numbers, then zeros */
};

/* The pixel of the other side that `pixel` meets through tap, in the whole batch; -1: none. */
template <bool back> static __device__ inline int64_t met_pixel(const struct piece &p, uint32_t pixel, uint32_t tap)
{
    uint32_t inside = pixel % (p.h * p.w), ky = tap / p.kw, kx = tap % p.kw;
    int y = (int)(inside / p.w), x = (int)(inside % p.w), stride = (int)p.stride;
    if (back) {
        y += (int)p.pad - (int)ky, x += (int)p.pad - (int)kx;
        if (y < 0 || x < 0 || y % stride || x % stride) return -1;
        y /= stride, x /= stride;
    } else {
        y = y * stride - (int)p.pad + (int)ky, x = x * stride - (int)p.pad + (int)kx;
    }
    if (y < 0 || x < 0 || y >= (int)p.from_h || x >= (int)p.from_w) return -1;
    return ((p.sample + pixel / (p.h * p.w)) * p.from_h + y) * p.from_w + x;
}

/* One thread writes 16 bytes of columns; wide: it reads them at once, all of one tap. */
template <typename T, bool wide, bool back>
static __global__ void unfold(const T *from, T *columns, struct piece p, uint32_t rows)
{
    const int lanes = SB_LANES<T>;
    uint32_t n = blockIdx.x * blockDim.x + threadIdx.x, parts = p.width / lanes, row = n / parts;
    if (row >= rows) return;
    uint32_t column = n % parts * lanes, tap = column / p.channels, channel = column % p.channels;
    float v[lanes];
#pragma unroll
    for (int i = 0; i < lanes; i++) v[i] = 0;
    if (wide) {
        int64_t met = tap < p.taps ? met_pixel<back>(p, p.first + row, tap) : -1;
        if (met >= 0) sb_load16(v, from + met * p.channels + channel);
    } else {
#pragma unroll
        for (int i = 0; i < lanes; i++) {
            int64_t met = tap < p.taps ? met_pixel<back>(p, p.first + row, tap) : -1;
            if (met >= 0) v[i] = sb_get(from[met * p.channels + channel]);
            if (++channel == p.channels) channel = 0, tap++;
        }
    }
    sb_store16(columns + (int64_t)row * p.width + column, v);
}

/* ---- one of the three products ----------------------------------------------------------------------------------- */

struct product {
    struct sb_dev *d;
    enum sb_convolve what;
    struct sb_convolution shape;
    const void *w;        /* as the caller has it; NULL where its gradient is wanted */
    void *x, *y;          /* one of them a result, but for the weights' gradient */
    void *turned;         /* scratch: w turned, or its gradient */
    enum sb_dtype dtype;  /* of that gradient */
    int64_t width;        /* of a row of it */
    void *columns;        /* scratch */
    size_t room;          /* bytes */
};

template <typename T> static void turn(const struct product *p, int64_t width, bool back)
{
    const struct sb_convolution *s = &p->shape;
    int64_t taps = s->kh * s->kw, grid = sb_ceil_div(width * (back ? s->i : s->o), THREADS);
    const T *w = (const T *)p->w;
    T *to = (T *)p->turned;
    if (back) SB_LAUNCH(p->d, (turn_weights<T, true>), grid, THREADS, 0, w, to, s->o, s->i, taps, width);
    else SB_LAUNCH(p->d, (turn_weights<T, false>), grid, THREADS, 0, w, to, s->o, s->i, taps, width);
}

/* Columns of `rows` pixels from `first` on. */
template <typename T, bool back>
static void make_columns(const struct product *p, int64_t first, int64_t rows, int64_t width)
{
    const struct sb_convolution *s = &p->shape;
    int64_t h = back ? s->h : s->oh, w = back ? s->w : s->ow, channels = back ? s->o : s->i;
    struct piece piece = {first / (h * w),
                          (uint32_t)(first % (h * w)),
                          (uint32_t)h,
                          (uint32_t)w,
                          (uint32_t)(back ? s->oh : s->h),
                          (uint32_t)(back ? s->ow : s->w),
                          (uint32_t)s->kw,
                          (uint32_t)s->stride,
                          (uint32_t)s->pad,
                          (uint32_t)channels,
                          (uint32_t)(s->kh * s->kw),
                          (uint32_t)width};
    const T *from = (const T *)(back ? p->y : p->x);
    T *columns = (T *)p->columns;
    int64_t grid = sb_ceil_div(rows * (width / SB_LANES<T>), THREADS);
    if (sb_wide(from, channels)) {
        SB_LAUNCH(p->d, (unfold<T, true, back>), grid, THREADS, 0, from, columns, piece, (uint32_t)rows);
    } else {
        SB_LAUNCH(p->d, (unfold<T, false, back>), grid, THREADS, 0, from, columns, piece, (uint32_t)rows);
    }
}

/* The product of one piece's columns. */
template <typename T> static void multiply(const struct product *p, int64_t first, int64_t rows, int64_t width)
{
    const struct sb_convolution *s = &p->shape;
    struct sb_matmul m = {rows, s->o, width, false, true, s->dtype, s->dtype, false, false, SB_EPILOGUE_NONE};
    struct sb_matmul_data data = {};
    data.a = p->columns, data.b = p->turned, data.y = (T *)p->y + first * s->o;
    if (p->what == SB_CONVOLVE_DATA) {
        m.n = s->i, m.b_transposed = false;
        data.y = (T *)p->x + first * s->i;
    } else if (p->what == SB_CONVOLVE_WEIGHTS) {
        m.m = s->o, m.n = width, m.k = rows;
        m.a_transposed = true, m.b_transposed = false, m.out = SB_F32, m.add = first > 0;
        data.a = data.y, data.b = p->columns, data.c = data.y = p->turned;
    }
    sb_cuda_matmul(p->d, &m, &data);
}

template <typename T> static void by_columns(struct product *p)
{
    const struct sb_convolution *s = &p->shape;
    bool back = p->what == SB_CONVOLVE_DATA;
    int64_t width = round_up(s->kh * s->kw * (back ? s->o : s->i), COLUMN_ALIGN),
            all = s->b * (back ? s->h * s->w : s->oh * s->ow), most = (int64_t)(p->room / sizeof(T)) / width;
    if (p->w) turn<T>(p, width, back);
    for (int64_t first = 0; first < all; first += most) {
        int64_t rows = all - first < most ? all - first : most;
        if (back) make_columns<T, true>(p, first, rows, width);
        else make_columns<T, false>(p, first, rows, width);
        multiply<T>(p, first, rows, width);
    }
    p->dtype = SB_F32;
    p->width = width;
}

template <typename T> static bool by_cudnn(struct product *p)
{
    const struct sb_convolution *s = &p->shape;
    int64_t width = s->kh * s->kw * s->i;
    if (p->w) turn<T>(p, width, false);
    p->dtype = s->dtype;
    p->width = width;
    return sb_cudnn_convolve(p->d, p->what, s, p->x, p->turned, p->y);
}

enum { BY_CUDNN, BY_COLUMNS, WAYS };

/* Bears being repeated: the gradient of the weights is not added here. */
static void run(void *arg, int way)
{
    struct product *p = (struct product *)arg;
    SB_BY_DTYPE(p->shape.dtype, T, { if (way != BY_CUDNN || !by_cudnn<T>(p)) by_columns<T>(p); });
}

static void convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *s, const void *x,
                     const void *w, const void *y, sb_out dw)
{
    const int64_t cudnn = sb_cudnn_version(d);
    const int64_t number[] = {what, s->dtype, s->b, s->h, s->w, s->i, s->o, s->kh, s->kw, s->stride, s->pad, cudnn};
    int64_t taps = s->kh * s->kw, most = round_up(taps * s->i, COLUMN_ALIGN) * s->o,
            back = round_up(taps * s->o, COLUMN_ALIGN) * s->i,
            turned = round_up((most > back ? most : back) * (int64_t)sizeof(float), 256),
            row = round_up(taps * (s->i > s->o ? s->i : s->o), COLUMN_ALIGN) * (int64_t)sizeof(float);
    if (turned + row > (int64_t)SB_CUDA_SCRATCH) {
        sb_cuda_check(d, cudaErrorInvalidValue, "a convolution with more than 16 million weights");
    }
    struct product p = {d, what, *s, w, (void *)x, (void *)y, d->scratch, SB_F32, 0, (char *)d->scratch + turned,
                        SB_CUDA_SCRATCH - (size_t)turned};
    int way = BY_COLUMNS;
    if (cudnn) way = sb_cuda_choose(d, "convolution", number, sizeof number / sizeof *number, WAYS, run, &p);
    run(&p, way);
    if (!dw) return;
    SB_BY_DTYPE(p.dtype, T, {
        SB_LAUNCH(d, (add_turned<T>), sb_ceil_div(s->o * s->i * taps, THREADS), THREADS, 0, (const T *)p.turned,
                  (float *)dw->data, s->o, s->i, taps, p.width);
    });
}

/* ---- the ops ----------------------------------------------------------------------------------------------------- */

template <typename T> static __global__ void add_bias(T *y, const T *b, int64_t n, int64_t channels)
{
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) sb_put(&y[i], sb_get(y[i]) + sb_get(b[i % channels]));
}

/* db += column sums of dy */
template <typename T> static void add_columns(struct sb_dev *d, sb_in dy, int64_t channels, sb_out db)
{
    struct sb_column_rows<T> rows = {(const T *)dy->data, channels};
    struct sb_column_to<1> to = {{(float *)db->data}, true};
    int64_t n = sb_tensor_count(dy) / channels;
    if (sb_wide(rows.x, channels)) sb_column_sum<SB_LANES<T>>(d, rows, n, channels, to);
    else sb_column_sum<1>(d, rows, n, channels, to);
}

static struct sb_convolution shape_of(sb_in x, sb_in w, sb_in y, struct sb_conv c)
{
    const int64_t *in = x->shape, *out = y->shape;
    return {in[0],  in[1],       in[2],       in[3],    out[1], out[2],
            out[3], w->shape[2], w->shape[3], c.stride, c.pad,  x->dtype};
}

static bool is_product(const struct sb_convolution *s)
{
    return s->kh == 1 && s->kw == 1 && s->stride == 1 && !s->pad;
}

/* As rows of its last dimension; of w [O,I,1,1], of I. */
static struct sb_tensor rows_of(sb_in t, int64_t last)
{
    struct sb_tensor rows = *t;
    rows.ndim = 2;
    rows.shape[0] = sb_tensor_count(t) / last;
    rows.shape[1] = last;
    return rows;
}

void sb_cuda_conv2d(struct sb_dev *d, sb_in x, sb_in w, sb_in b, struct sb_conv c, sb_out y)
{
    struct sb_convolution s = shape_of(x, w, y, c);
    int64_t n = sb_tensor_count(y);
    if (!n) return;
    if (is_product(&s)) {
        struct sb_tensor in = rows_of(x, s.i), weight = rows_of(w, s.i), out = rows_of(y, s.o);
        sb_cuda_linear(d, &in, &weight, NULL, b, SB_ACT_NONE, NULL, NULL, &out);
        return;
    }
    convolve(d, SB_CONVOLVE, &s, x->data, w->data, y->data, NULL);
    if (!b) return;
    SB_BY_DTYPE(y->dtype, T, {
        SB_LAUNCH(d, (add_bias<T>), sb_ceil_div(n, THREADS), THREADS, 0, (T *)y->data, (const T *)b->data, n, s.o);
    });
}

void sb_cuda_conv2d_bwd(struct sb_dev *d, sb_in x, sb_in w, struct sb_conv c, sb_in dy, sb_out dx, sb_out dw, sb_out db)
{
    struct sb_convolution s = shape_of(x, w, dy, c);
    if (!sb_tensor_count(dy)) return;
    if (is_product(&s)) {
        struct sb_tensor in = rows_of(x, s.i), weight = rows_of(w, s.i), out = rows_of(dy, s.o), din, dweight;
        if (dx) din = rows_of(dx, s.i);
        if (dw) dweight = rows_of(dw, s.i);
        sb_cuda_linear_bwd(d, &in, &weight, NULL, SB_ACT_NONE, NULL, &out, dx ? &din : NULL, dw ? &dweight : NULL, db);
        return;
    }
    if (dx) convolve(d, SB_CONVOLVE_DATA, &s, dx->data, w->data, dy->data, NULL);
    if (dw) convolve(d, SB_CONVOLVE_WEIGHTS, &s, x->data, NULL, dy->data, dw);
    if (db) SB_BY_DTYPE(dy->dtype, T, add_columns<T>(d, dy, s.o, db));
}
