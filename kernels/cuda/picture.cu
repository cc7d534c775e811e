/* Pictures, from the bytes that come from the host: augmentation, normalisation, mixtures. */
#include "kernels/cuda/map.h"

/* ---- normalize --------------------------------------------------------------------------------------------------- */

/* A row is a plane, of one channel. */
template <typename T> struct normalize {
    const uint8_t *x;
    const float *mean_std;
    T *y;
    int64_t plane;
};

template <int n, typename T>
static __device__ inline void sb_map_at(const normalize<T> &p, int64_t row, int64_t at, sb_lanes<n>)
{
    int channel = (int)(row % 3);
    float mean = p.mean_std[channel], scale = 1.0f / p.mean_std[3 + channel], v[n];
    sb_read<n>(v, p.x + row * p.plane + at);
#pragma unroll
    for (int i = 0; i < n; i++) v[i] = (v[i] * (1.0f / 255.0f) - mean) * scale;
    sb_write<n>(p.y + row * p.plane + at, v);
}

template <typename T> static void normalize_to(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y)
{
    int64_t plane = x->shape[2] * x->shape[3];
    normalize<T> p = {(const uint8_t *)x->data, (const float *)mean_std->data, (T *)y->data, plane};
    sb_map<SB_LANES<T>>(d, p, x->shape[0] * 3, plane, sb_wide(p.y, plane) && (uintptr_t)p.x % SB_LANES<T> == 0);
}

void sb_cuda_normalize(struct sb_dev *d, sb_in x, sb_in mean_std, sb_out y)
{
    SB_BY_DTYPE(y->dtype, T, normalize_to<T>(d, x, mean_std, y));
}

/* ---- warp -------------------------------------------------------------------------------------------------------- */

/* A row is one of an output picture; a thread makes neighbouring pixels of it in all three channels. */
struct warp {
    const uint8_t *x;
    const float *matrix, *colour; /* colour may be NULL */
    uint8_t *y;
    int64_t size, h, w;
};

/* Where an output pixel lies: the upper left one of four, steps to its neighbours (0 at the edge), and how near. */
struct taps {
    int64_t at, below;
    int right;
    float fx, fy;
};

static __device__ inline taps find_taps(const warp &p, const float *m, float px, float py)
{
    float sx = fminf(fmaxf(m[0] * px + m[1] * py + m[2], 0.0f), (float)(p.w - 1));
    float sy = fminf(fmaxf(m[3] * px + m[4] * py + m[5], 0.0f), (float)(p.h - 1));
    int x0 = (int)sx, y0 = (int)sy;
    taps t;
    t.at = y0 * p.w + x0;
    t.right = x0 + 1 < p.w ? 1 : 0;
    t.below = y0 + 1 < p.h ? p.w : 0;
    t.fx = sx - (float)x0;
    t.fy = sy - (float)y0;
    return t;
}

static __device__ inline float between(const uint8_t *p, const taps &t)
{
    float a = (float)p[0], b = (float)p[t.right], c = (float)p[t.below], e = (float)p[t.below + t.right];
    float top = a + t.fx * (b - a), bottom = c + t.fx * (e - c);
    return top + t.fy * (bottom - top);
}

template <int n> static __device__ inline void sb_map_at(const warp &p, int64_t row, int64_t at, sb_lanes<n>)
{
    int64_t b = row / p.size, py = row - b * p.size;
    float contrast = 1.0f, brightness = 0.0f;
    if (p.colour) contrast = p.colour[2 * b], brightness = p.colour[2 * b + 1];
    taps t[n];
#pragma unroll
    for (int i = 0; i < n; i++) t[i] = find_taps(p, p.matrix + 6 * b, (float)(at + i), (float)py);
#pragma unroll
    for (int c = 0; c < 3; c++) {
        const uint8_t *plane = p.x + (b * 3 + c) * p.h * p.w;
        float v[n];
#pragma unroll
        for (int i = 0; i < n; i++)
            v[i] = (between(plane + t[i].at, t[i]) - 128.0f) * contrast + 128.0f + brightness;
        sb_write<n>(p.y + ((b * 3 + c) * p.size + py) * p.size + at, v);
    }
}

void sb_cuda_warp(struct sb_dev *d, sb_in x, sb_in matrix, sb_in colour, sb_out y)
{
    int64_t size = y->shape[2];
    warp p = {(const uint8_t *)x->data, (const float *)matrix->data, colour ? (const float *)colour->data : NULL,
              (uint8_t *)y->data, size, x->shape[2], x->shape[3]};
    sb_map<4>(d, p, y->shape[0] * size, size, size % 4 == 0 && (uintptr_t)p.y % 4 == 0);
}

/* ---- mix --------------------------------------------------------------------------------------------------------- */

/* A row is one of a picture's channels. */
template <typename T> struct mix {
    const T *x;
    const int32_t *partner, *box;
    const float *weight;
    T *y;
    int64_t size;
};

template <int n, typename T>
static __device__ inline void sb_map_at(const mix<T> &p, int64_t row, int64_t at, sb_lanes<n>)
{
    int64_t picture = 3 * p.size, b = row / picture, line = row - b * picture, py = line % p.size;
    const int32_t *edge = p.box + 4 * b;
    bool cut = py >= edge[1] && py < edge[3];
    int64_t left = cut ? edge[0] : 0, right = cut ? edge[2] : 0; /* what is taken from the partner */
    float own[n], other[n], weight = p.weight[b];
    sb_read<n>(own, p.x + row * p.size + at);
    sb_read<n>(other, p.x + (p.partner[b] * picture + line) * p.size + at);
#pragma unroll
    for (int i = 0; i < n; i++) {
        float w = at + i >= left && at + i < right ? 0.0f : weight;
        own[i] = w * own[i] + (1.0f - w) * other[i];
    }
    sb_write<n>(p.y + row * p.size + at, own);
}

template <typename T>
static void mix_pictures(struct sb_dev *d, sb_in x, sb_in partner, sb_in weight, sb_in box, sb_out y)
{
    int64_t size = x->shape[2];
    mix<T> p = {(const T *)x->data, (const int32_t *)partner->data, (const int32_t *)box->data,
                (const float *)weight->data, (T *)y->data, size};
    sb_map<SB_LANES<T>>(d, p, x->shape[0] * 3 * size, size, sb_wide(p.x, size) && sb_wide(p.y, size));
}

void sb_cuda_mix(struct sb_dev *d, sb_in x, sb_in partner, sb_in weight, sb_in box, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T, mix_pictures<T>(d, x, partner, weight, box, y));
}
