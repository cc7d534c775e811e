/* Losses and what else is made of rows of scores. Softmax: the largest and the sum in one pass over the row, a thread's
 * sum being scaled down when it meets a larger value; what comes out in a second pass, which the cache serves. */
#include "kernels/cuda/rows.h"

static inline float *floats(sb_in t) { return t ? (float *)t->data : NULL; }

/* The row's largest value; *sum is that of exp(x - largest). */
template <int n, typename T>
static __device__ inline float soften(const T *x, const sb_row<n> &r, float *room, float *sum)
{
    float most = -3e38f, own = 0; /* not infinity: less itself that is no number */
    for (int64_t at = r.first; at < r.end; at += r.step) {
        float v[n], before = most;
        sb_row_read(v, x, r, at, -INFINITY);
#pragma unroll
        for (int i = 0; i < n; i++) most = fmaxf(most, v[i]);
        own *= expf(before - most);
#pragma unroll
        for (int i = 0; i < n; i++) own += expf(v[i] - most);
    }
    float largest = sb_team_max(most, room);
    *sum = sb_team_sum(own * expf(most - largest), room + SB_TEAM_MOST);
    return largest;
}

/* ---- softmax cross-entropy: with q = weight target', loss = -sum q log p, gradient = p sum(q) - q ---------------- */

template <typename T> struct xent_call {
    const T *x;
    const int32_t *label; /* or NULL: target */
    const float *target, *weight, *scale;
    float *loss;
    T *dx;
    int64_t rows, width;
    float smooth;
};

/* q; beyond the row, and in a row whose label is -1, it is 0. */
template <int n, typename T>
static __device__ inline void shares(const xent_call<T> &c, const sb_row<n> &r, int64_t at, int32_t label,
                                     float (&q)[n])
{
    if (c.target) sb_row_read(q, c.target, r, at, 0.0f);
#pragma unroll
    for (int i = 0; i < n; i++) {
        bool inside = at + i >= 0 && at + i < r.end;
        float target = c.target ? q[i] : at + i == label ? 1.0f : 0.0f;
        q[i] = inside && label >= 0 ? (1.0f - c.smooth) * target + c.smooth / (float)r.end : 0.0f;
        if (inside && c.weight) q[i] *= c.weight[at + i];
    }
}

template <int n, typename T>
static __device__ inline void sb_row_at(const xent_call<T> &c, const sb_row<n> &r, float *room)
{
    int32_t label = c.label && r.end ? c.label[r.row] : 0;
    float v[n], q[n], sum, total = 0, lost = 0, largest = soften(c.x, r, room, &sum), log_sum = logf(sum);
    for (int64_t at = r.first; at < r.end; at += r.step) {
        shares(c, r, at, label, q);
#pragma unroll
        for (int i = 0; i < n; i++) total += q[i];
    }
    total = sb_team_sum(total, room);
    float scale = c.dx ? c.scale[0] : 0, part = total / sum;
    for (int64_t at = r.first; at < r.end; at += r.step) {
        sb_row_read(v, c.x, r, at, 0.0f);
        shares(c, r, at, label, q);
#pragma unroll
        for (int i = 0; i < n; i++) {
            lost += q[i] != 0 ? q[i] * (largest - v[i] + log_sum) : 0.0f;
            v[i] = scale * (expf(v[i] - largest) * part - q[i]);
        }
        if (c.dx) sb_row_write(c.dx, r, at, v);
    }
    lost = sb_team_sum(lost, room + SB_TEAM_MOST);
    if (r.end && !threadIdx.x) c.loss[r.row] = lost;
}

void sb_cuda_xent(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, float smooth, sb_in scale, sb_out loss,
                  sb_out dlogits)
{
    const int32_t *label = target->ndim == 1 ? (const int32_t *)target->data : NULL;
    const float *spread = label ? NULL : floats(target);
    SB_BY_DTYPE(logits->dtype, T, {
        xent_call<T> c = {(const T *)logits->data, label, spread, floats(weight), floats(scale), floats(loss),
                          dlogits ? (T *)dlogits->data : NULL, logits->shape[0], logits->shape[1], smooth};
        sb_rows<SB_LANES<T>>(d, c, sb_wide(c.x, 0) && sb_wide(c.target, 0) && sb_wide(c.dx, 0));
    });
}

/* ---- binary cross-entropy ---------------------------------------------------------------------------------------- */

template <typename T> struct bce_call {
    const T *x;
    const float *target, *weight, *scale;
    float *loss;
    T *dx;
    int64_t rows, width;
};

template <int n, typename T>
static __device__ inline void sb_row_at(const bce_call<T> &c, const sb_row<n> &r, float *room)
{
    float lost = 0, factor = c.dx ? c.scale[0] / (float)c.width : 0;
    for (int64_t at = r.first; at < r.end; at += r.step) {
        float v[n], t[n];
        sb_row_read(v, c.x, r, at, 0.0f);
        sb_row_read(t, c.target, r, at, 0.0f);
#pragma unroll
        for (int i = 0; i < n; i++) {
            /* log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which can't overflow */
            bool inside = at + i >= 0 && at + i < r.end;
            float x = v[i], small = expf(-fabsf(x)), tail = log1pf(small), large = 1.0f / (1.0f + small);
            float yes = t[i] * (inside && c.weight ? c.weight[at + i] : 1.0f), no = 1.0f - t[i];
            lost += inside ? yes * (fmaxf(-x, 0.0f) + tail) + no * (fmaxf(x, 0.0f) + tail) : 0.0f;
            v[i] = factor * (x < 0 ? no * (small * large) - yes * large : no * large - yes * (small * large));
        }
        if (c.dx) sb_row_write(c.dx, r, at, v);
    }
    lost = sb_team_sum(lost, room);
    if (r.end && !threadIdx.x) c.loss[r.row] = lost / (float)c.width;
}

void sb_cuda_bce(struct sb_dev *d, sb_in logits, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dlogits)
{
    SB_BY_DTYPE(logits->dtype, T, {
        bce_call<T> c = {(const T *)logits->data, floats(target), floats(weight), floats(scale), floats(loss),
                         dlogits ? (T *)dlogits->data : NULL, logits->shape[0], logits->shape[1]};
        sb_rows<SB_LANES<T>>(d, c, sb_wide(c.x, 0) && sb_wide(c.target, 0) && sb_wide(c.dx, 0));
    });
}

/* ---- mean squared error ------------------------------------------------------------------------------------------ */

template <typename T> struct mse_call {
    const T *x, *target;
    const float *weight, *scale;
    float *loss;
    T *dx;
    int64_t rows, width;
};

template <int n, typename T>
static __device__ inline void sb_row_at(const mse_call<T> &c, const sb_row<n> &r, float *room)
{
    float sum = 0, share = (c.weight && r.end ? c.weight[r.row] : 1.0f) / (float)c.width;
    float factor = c.dx ? 2.0f * share * c.scale[0] : 0;
    for (int64_t at = r.first; at < r.end; at += r.step) {
        float v[n], t[n];
        sb_row_read(v, c.x, r, at, 0.0f);
        sb_row_read(t, c.target, r, at, 0.0f);
#pragma unroll
        for (int i = 0; i < n; i++) {
            float error = v[i] - t[i];
            sum += error * error;
            v[i] = factor * error;
        }
        if (c.dx) sb_row_write(c.dx, r, at, v);
    }
    sum = sb_team_sum(sum, room);
    if (r.end && !threadIdx.x) c.loss[r.row] = share * sum;
}

void sb_cuda_mse(struct sb_dev *d, sb_in x, sb_in target, sb_in weight, sb_in scale, sb_out loss, sb_out dx)
{
    SB_BY_DTYPE(x->dtype, T, {
        mse_call<T> c = {(const T *)x->data, (const T *)target->data, floats(weight), floats(scale), floats(loss),
                         dx ? (T *)dx->data : NULL, x->shape[0], x->shape[1]};
        sb_rows<SB_LANES<T>>(d, c, sb_wide(c.x, 0) && sb_wide(c.target, 0) && sb_wide(c.dx, 0));
    });
}

/* ---- softmax, argmax --------------------------------------------------------------------------------------------- */

template <typename T> struct softmax_call {
    const T *x;
    float *y;
    int64_t rows, width;
};

template <int n, typename T>
static __device__ inline void sb_row_at(const softmax_call<T> &c, const sb_row<n> &r, float *room)
{
    float v[n], sum, largest = soften(c.x, r, room, &sum), part = 1.0f / sum;
    for (int64_t at = r.first; at < r.end; at += r.step) {
        sb_row_read(v, c.x, r, at, 0.0f);
#pragma unroll
        for (int i = 0; i < n; i++) v[i] = expf(v[i] - largest) * part;
        sb_row_write(c.y, r, at, v);
    }
}

void sb_cuda_softmax(struct sb_dev *d, sb_in x, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T, {
        softmax_call<T> c = {(const T *)x->data, floats(y), x->shape[0], x->shape[1]};
        sb_rows<SB_LANES<T>>(d, c, sb_wide(c.x, 0) && sb_wide(c.y, 0));
    });
}

template <typename T> struct argmax_call {
    const T *x;
    int32_t *y;
    int64_t rows, width;
};

/* Grows with x, of equals with the smaller index. */
static __device__ inline uint64_t rank(float x, uint32_t index)
{
    uint32_t bits = __float_as_uint(x + 0.0f); /* -0 is 0 */
    bits = bits >> 31 ? ~bits : bits | 1u << 31;
    return (uint64_t)bits << 32 | ~index;
}

static __device__ inline uint64_t warp_max(uint64_t x)
{
#pragma unroll
    for (int step = SB_WARP / 2; step; step /= 2) {
        uint64_t other = __shfl_xor_sync(SB_ALL_LANES, x, step);
        x = other > x ? other : x;
    }
    return x;
}

template <int n, typename T>
static __device__ inline void sb_row_at(const argmax_call<T> &c, const sb_row<n> &r, float *room)
{
    float v[n], most = -INFINITY;
    uint32_t best = 0;
    for (int64_t at = r.first; at < r.end; at += r.step) {
        sb_row_read(v, c.x, r, at, -INFINITY);
#pragma unroll
        for (int i = 0; i < n; i++) {
            if (v[i] > most) most = v[i], best = (uint32_t)(at + i);
        }
    }
    int warp = (int)threadIdx.x / SB_WARP, lane = (int)threadIdx.x % SB_WARP, warps = (int)blockDim.x / SB_WARP;
    uint64_t *each = (uint64_t *)room + threadIdx.y * SB_WARP, first = warp_max(rank(most, best));
    if (!lane) each[warp] = first;
    __syncthreads();
    first = warp_max(each[lane < warps ? lane : 0]);
    if (r.end && !threadIdx.x) c.y[r.row] = (int32_t)~(uint32_t)first;
}

void sb_cuda_argmax(struct sb_dev *d, sb_in x, sb_out y)
{
    SB_BY_DTYPE(x->dtype, T, {
        argmax_call<T> c = {(const T *)x->data, (int32_t *)y->data, x->shape[0], x->shape[1]};
        sb_rows<SB_LANES<T>>(d, c, sb_wide(c.x, 0));
    });
}
