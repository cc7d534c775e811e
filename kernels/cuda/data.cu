/* Moving data: weight averages and mixtures, casts, fills, copies of rows. One pass, 16 bytes a thread. */
#include "kernels/cuda/map.h"

/* ---- lerp -------------------------------------------------------------------------------------------------------- */

template <typename T> struct lerp {
    const T *a, *b;
    T *y;
    const float *t; /* of each row */
    int64_t count;  /* elements of a row */
};

template <int n, typename T>
static __device__ inline void sb_map_at(const lerp<T> &p, int64_t row, int64_t at, sb_lanes<n>)
{
    float a[n], b[n], t = p.t[row];
    sb_read<n>(a, p.a + row * p.count + at);
    sb_read<n>(b, p.b + row * p.count + at);
#pragma unroll
    for (int i = 0; i < n; i++) a[i] += t * (b[i] - a[i]);
    sb_write<n>(p.y + row * p.count + at, a);
}

template <typename T> static void mix_by(struct sb_dev *d, sb_in a, sb_in b, sb_in t, sb_out y)
{
    int64_t rows = t->shape[0] == 1 ? 1 : a->shape[0], count = rows == 1 ? sb_tensor_count(a) : sb_sample_count(a);
    int64_t stride = rows == 1 ? 0 : count;
    lerp<T> p = {(const T *)a->data, (const T *)b->data, (T *)y->data, (const float *)t->data, count};
    sb_map<SB_LANES<T>>(d, p, rows, count, sb_wide(p.a, stride) && sb_wide(p.b, stride) && sb_wide(p.y, stride));
}

void sb_cuda_lerp(struct sb_dev *d, sb_in a, sb_in b, sb_in t, sb_out y)
{
    SB_BY_DTYPE(a->dtype, T, mix_by<T>(d, a, b, t, y));
}

/* ---- cast, fill -------------------------------------------------------------------------------------------------- */

/* SB_BY_DTYPE for all that can be cast. */
#define BY_ANY_DTYPE(dtype, T, ...)                                                                                    \
    do {                                                                                                               \
        if ((dtype) == SB_U8) {                                                                                        \
            using T = uint8_t;                                                                                         \
            __VA_ARGS__;                                                                                               \
        } else if ((dtype) == SB_I32) {                                                                                \
            using T = int32_t;                                                                                         \
            __VA_ARGS__;                                                                                               \
        } else {                                                                                                       \
            SB_BY_DTYPE(dtype, T, __VA_ARGS__);                                                                        \
        }                                                                                                              \
    } while (0)

template <typename From, typename To> struct cast {
    const From *x;
    To *y;
};

template <int n, typename From, typename To>
static __device__ inline void sb_map_at(const cast<From, To> &p, int64_t, int64_t at, sb_lanes<n>)
{
    float v[n];
    sb_read<n>(v, p.x + at);
    sb_write<n>(p.y + at, v);
}

/* 16 bytes of the wider one at once. */
template <typename From, typename To> static void cast_to(struct sb_dev *d, const From *x, To *y, int64_t n)
{
    constexpr int width = 16 / (int)(sizeof(From) > sizeof(To) ? sizeof(From) : sizeof(To));
    bool wide = (uintptr_t)x % (width * sizeof(From)) == 0 && (uintptr_t)y % (width * sizeof(To)) == 0;
    sb_map<width>(d, cast<From, To>{x, y}, 1, n, wide);
}

/* The same dtype: bytes are copied. */
template <typename T> static void cast_to(struct sb_dev *d, const T *x, T *y, int64_t n)
{
    if (x == y || !n) return;
    size_t bytes = (size_t)n * sizeof(T);
    sb_cuda_check(d, cudaMemcpyAsync(y, x, bytes, cudaMemcpyDeviceToDevice, d->stream), "cast");
}

template <typename From> static void cast_from(struct sb_dev *d, sb_in x, sb_out y)
{
    BY_ANY_DTYPE(y->dtype, To, cast_to(d, (const From *)x->data, (To *)y->data, sb_tensor_count(x)));
}

void sb_cuda_cast(struct sb_dev *d, sb_in x, sb_out y)
{
    BY_ANY_DTYPE(x->dtype, From, cast_from<From>(d, x, y));
}

template <typename T> struct fill {
    T *y;
    float value;
};

template <int n, typename T>
static __device__ inline void sb_map_at(const fill<T> &p, int64_t, int64_t at, sb_lanes<n>)
{
    float v[n];
#pragma unroll
    for (int i = 0; i < n; i++) v[i] = p.value;
    sb_write<n>(p.y + at, v);
}

template <typename T> static void fill_with(struct sb_dev *d, float value, sb_out y)
{
    fill<T> p = {(T *)y->data, value};
    sb_map<SB_LANES<T>>(d, p, 1, sb_tensor_count(y), sb_wide(p.y, 0));
}

void sb_cuda_fill(struct sb_dev *d, float value, sb_out y)
{
    BY_ANY_DTYPE(y->dtype, T, fill_with<T>(d, value, y));
}

/* ---- copy -------------------------------------------------------------------------------------------------------- */

template <typename U> struct rows {
    const U *x;
    U *y;
    int64_t x_stride, y_stride; /* in units */
};

template <typename U>
static __device__ inline void sb_map_at(const rows<U> &p, int64_t row, int64_t at, sb_lanes<1>)
{
    p.y[row * p.y_stride + at] = p.x[row * p.x_stride + at];
}

template <typename U>
static void copy_rows(struct sb_dev *d, sb_in x, int64_t row_bytes, int64_t x_bytes, int64_t y_bytes, sb_out y)
{
    int64_t unit = (int64_t)sizeof(U);
    rows<U> p = {(const U *)x->data, (U *)y->data, x_bytes / unit, y_bytes / unit};
    sb_map<1>(d, p, x->shape[0], row_bytes / unit, true);
}

void sb_cuda_copy(struct sb_dev *d, sb_in x, int64_t x_stride, int64_t y_stride, sb_out y)
{
    int64_t size = (int64_t)sb_dtype_size(x->dtype), row = x->shape[1] * size, from = x_stride * size,
            to = y_stride * size;
    uintptr_t all = (uintptr_t)x->data | (uintptr_t)y->data | (uintptr_t)row;
    if (x->shape[0] > 1) all |= (uintptr_t)from | (uintptr_t)to;
    SB_BY_UNIT(all, U, copy_rows<U>(d, x, row, from, to, y));
}
