/* Maximum over windows, NHWC. A thread has one pixel of the result and 16 bytes of its channels (or one channel, where
 * their number is odd). Backward every pixel of dx asks the windows that it lies in whether it has won, in their
 * order. */
#include "kernels/cuda/kernel.h"

#define THREADS 256

struct pooling {
    int h, w, oh, ow, size, stride, pad;
    int64_t channels;
};

/* Neighbouring winners. */
template <int n> static __device__ inline void load_winners(int32_t *to, const int32_t *p)
{
    if constexpr (n == 1) {
        to[0] = p[0];
    } else {
#pragma unroll
        for (int i = 0; i < n; i += 4) {
            int4 v = *(const int4 *)(p + i);
            to[i] = v.x, to[i + 1] = v.y, to[i + 2] = v.z, to[i + 3] = v.w;
        }
    }
}

template <int n> static __device__ inline void store_winners(int32_t *p, const int32_t *from)
{
    if constexpr (n == 1) {
        p[0] = from[0];
    } else {
#pragma unroll
        for (int i = 0; i < n; i += 4) *(int4 *)(p + i) = make_int4(from[i], from[i + 1], from[i + 2], from[i + 3]);
    }
}

template <typename T, int width>
static __global__ void pool(const T *x, int32_t *index, T *y, struct pooling p, int64_t count)
{
    int64_t n = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, parts = p.channels / width, out = n / parts,
            channel = n % parts * width;
    if (n >= count) return;
    const T *sample = x + out / (p.oh * p.ow) * p.h * p.w * p.channels + channel;
    int inside = (int)(out % (p.oh * p.ow)), top = inside / p.ow * p.stride - p.pad,
        left = inside % p.ow * p.stride - p.pad;
    float best[width];
    int32_t winner[width];
#pragma unroll
    for (int i = 0; i < width; i++) best[i] = 0, winner[i] = -1; /* nobody yet */
    for (int iy = top < 0 ? 0 : top; iy < top + p.size && iy < p.h; iy++) {
        for (int ix = left < 0 ? 0 : left; ix < left + p.size && ix < p.w; ix++) {
            float v[width];
            sb_read<width>(v, sample + (int64_t)(iy * p.w + ix) * p.channels);
#pragma unroll
            for (int i = 0; i < width; i++) {
                if (winner[i] >= 0 && !(v[i] > best[i])) continue;
                best[i] = v[i];
                winner[i] = iy * p.w + ix;
            }
        }
    }
    sb_write<width>(y + out * p.channels + channel, best);
    store_winners<width>(index + out * p.channels + channel, winner);
}

template <typename T, int width>
static __global__ void pool_bwd(const int32_t *index, const T *dy, T *dx, struct pooling p, int64_t count)
{
    int64_t n = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, parts = p.channels / width, pixel = n / parts,
            channel = n % parts * width;
    if (n >= count) return;
    int64_t sample = pixel / (p.h * p.w) * p.oh * p.ow;
    int inside = (int)(pixel % (p.h * p.w)), y = inside / p.w + p.pad, x = inside % p.w + p.pad;
    /* The windows that reach this far: the first one ends behind it, the last one begins at or before it. */
    int first_y = y < p.size ? 0 : (y - p.size) / p.stride + 1, first_x = x < p.size ? 0 : (x - p.size) / p.stride + 1;
    float sum[width] = {};
    for (int oy = first_y; oy < p.oh && oy * p.stride <= y; oy++) {
        for (int ox = first_x; ox < p.ow && ox * p.stride <= x; ox++) {
            int64_t at = (sample + oy * p.ow + ox) * p.channels + channel;
            int32_t winner[width];
            float g[width];
            load_winners<width>(winner, index + at);
            sb_read<width>(g, dy + at);
#pragma unroll
            for (int i = 0; i < width; i++) {
                if (winner[i] == inside) sum[i] += g[i];
            }
        }
    }
    sb_write<width>(dx + pixel * p.channels + channel, sum);
}

static struct pooling pooling_of(sb_in x, sb_in y, int64_t size, struct sb_conv c)
{
    return {(int)x->shape[1], (int)x->shape[2],  (int)y->shape[1], (int)y->shape[2],
            (int)size,        (int)c.stride, (int)c.pad,       x->shape[3]};
}

template <typename T, int width>
static void launch(struct sb_dev *d, const struct pooling &p, sb_in x, sb_in index, sb_in y)
{
    int64_t count = sb_tensor_count(y) / width;
    SB_LAUNCH(d, (pool<T, width>), sb_ceil_div(count, THREADS), THREADS, 0, (const T *)x->data, (int32_t *)index->data,
              (T *)y->data, p, count);
}

template <typename T, int width>
static void launch_bwd(struct sb_dev *d, const struct pooling &p, sb_in index, sb_in dy, sb_in dx)
{
    int64_t count = sb_tensor_count(dx) / width;
    SB_LAUNCH(d, (pool_bwd<T, width>), sb_ceil_div(count, THREADS), THREADS, 0, (const int32_t *)index->data,
              (const T *)dy->data, (T *)dx->data, p, count);
}

/* Rows of channels of all three operands can be read 16 bytes at a time. */
template <typename T> static bool wide(sb_in x, sb_in index, sb_in y, int64_t channels)
{
    return sb_wide((const T *)x->data, channels) && sb_wide((const T *)y->data, channels) &&
           (uintptr_t)index->data % 16 == 0;
}

void sb_cuda_maxpool(struct sb_dev *d, sb_in x, int64_t size, struct sb_conv c, sb_out index, sb_out y)
{
    struct pooling p = pooling_of(x, y, size, c);
    if (!sb_tensor_count(y)) return;
    SB_BY_DTYPE(y->dtype, T, {
        if (wide<T>(x, index, y, p.channels)) launch<T, SB_LANES<T>>(d, p, x, index, y);
        else launch<T, 1>(d, p, x, index, y);
    });
}

void sb_cuda_maxpool_bwd(struct sb_dev *d, sb_in index, int64_t size, struct sb_conv c, sb_in dy, sb_out dx)
{
    struct pooling p = pooling_of(dx, dy, size, c);
    if (!sb_tensor_count(dx)) return;
    SB_BY_DTYPE(dx->dtype, T, {
        if (wide<T>(dx, index, dy, p.channels)) launch_bwd<T, SB_LANES<T>>(d, p, index, dy, dx);
        else launch_bwd<T, 1>(d, p, index, dy, dx);
    });
}
