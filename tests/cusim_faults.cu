/* Each kernel has a right and a wrong version. They run in one block of 64 threads unless it is said, and write out[t];
 * from[t] = t. */
#include "tests/cusim_faults.h"

#include "kernels/cuda/kernel.h"

#define THREADS 64

template <bool wrong> static __global__ void barrier_before_read(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS);
    int t = (int)threadIdx.x;
    part[t] = from[t];
    if (!wrong) __syncthreads();
    out[t] = part[t ^ 33];
}

template <bool wrong> static __global__ void barrier_before_overwrite(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS);
    int t = (int)threadIdx.x;
    float sum = 0;
    for (int round = 0; round < 3; round++) {
        part[t] = from[t] + (float)round;
        __syncthreads();
        sum += part[t ^ 32];
        if (!wrong) __syncthreads();
    }
    out[t] = sum;
}

template <bool wrong> static __global__ void warp_barrier(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS);
    int t = (int)threadIdx.x;
    part[t] = from[t];
    if (!wrong) __syncwarp();
    out[t] = part[t ^ 1];
}

template <bool wrong> static __global__ void unwritten(const float *from, float *out)
{
    SB_SHARED_DYNAMIC(float, part);
    int t = (int)threadIdx.x;
    if (!wrong || t != 40) part[t] = from[t];
    __syncthreads();
    out[t] = part[t ^ 1];
}

template <bool wrong> static __global__ void read_behind(const float *from, float *out)
{
    SB_SHARED_DYNAMIC(float, part);
    int t = (int)threadIdx.x;
    part[t] = from[t];
    __syncthreads();
    out[t] = part[wrong ? t + 1 : t];
}

/* An object that does not end at a multiple of 16 bytes, by a pointer, of which no compiler knows how far it goes. */
template <bool wrong> static __global__ void read_just_behind(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS - 1);
    int t = (int)threadIdx.x;
    if (t < THREADS - 1) part[t] = from[t];
    __syncthreads();
    const float *p = part;
    if (wrong || t < THREADS - 1) out[t] = p[t];
}

template <bool wrong> static __global__ void read_before(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS);
    int t = (int)threadIdx.x;
    const float *before = wrong ? part - 1 : part;
    part[t] = from[t];
    __syncthreads();
    out[t] = before[t];
}

template <bool wrong> static __global__ void write_before(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS);
    int t = (int)threadIdx.x;
    float *before = wrong ? part - 1 : part;
    before[t] = from[t];
    __syncthreads();
    out[t] = before[t];
}

/* 47 KB are dynamic, 4 KB are declared. */
template <bool wrong> static __global__ void too_much(const float *from, float *out)
{
    SB_SHARED_DYNAMIC(float, asked);
    SB_SHARED(float, part, wrong ? 1024 : 64);
    int t = (int)threadIdx.x;
    part[t] = asked[t] = from[t];
    out[t] = part[t] + asked[t] - from[t];
}

template <bool wrong> static __global__ void divergent_barrier(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    out[t] = from[t];
    if (!wrong || t < 48) __syncthreads();
}

template <bool wrong> static __global__ void divergent_shuffle(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    float x = from[t], sum = 0;
    if (!wrong || t % 32 < 16) sum = __shfl_xor_sync(SB_ALL_LANES, x, 1);
    else sum = __shfl_xor_sync(SB_ALL_LANES, x, 1);
    out[t] = sum;
}

template <bool wrong> static __global__ void shuffle_after_return(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    if (wrong && t >= 48) return;
    out[t] = __shfl_xor_sync(SB_ALL_LANES, from[t], 1);
}

template <bool wrong> static __global__ void shuffle_from_outside(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    if (t < 48) out[t] = __shfl_xor_sync(t < 32 ? SB_ALL_LANES : 0xffffu, from[t], wrong ? 16 : 8);
}

template <bool wrong> static __global__ void write_global(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    out[wrong && t == THREADS - 1 ? FAULT_OUT + 2 : t] = from[t];
}

template <bool wrong> static __global__ void write_global_far(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    out[wrong && t == 0 ? FAULT_OUT + 64 : t] = from[t];
}

template <bool wrong> static __global__ void misaligned(const float *from, float *out)
{
    int t = (int)threadIdx.x;
    const float *p = from + (wrong ? 1 : 0);
    if (t < THREADS / 4) *(float4 *)(out + 4 * t) = *(const float4 *)(p + 4 * t);
}

template <bool wrong> static __global__ void overflow(const float *from, float *out, int rows)
{
    int t = (int)threadIdx.x;
    out[t] = from[t];
    if (wrong && (t + 1) * rows == 3) out[t] = 0;
}

template <bool wrong> static __global__ void copy_in_background(const float *from, float *out)
{
    SB_SHARED(float, part, THREADS);
    int t = (int)threadIdx.x;
    if (t < THREADS / 4) sb_cp_async16(part + 4 * t, from + 4 * t, true);
    sb_cp_async_commit();
    if (!wrong) sb_cp_async_wait<0>();
    __syncthreads();
    out[t] = part[t];
    if (wrong) sb_cp_async_wait<0>();
}

template <bool wrong> static __global__ void __launch_bounds__(wrong ? THREADS / 2 : THREADS)
    bounded(const float *from, float *out)
{
    out[threadIdx.x] = from[threadIdx.x];
}

/* out[16,8] = a[16,16] b[16,8]: a by ldmatrix, b from memory as bf16 pairs. */
template <bool wrong> static __global__ void product(const float *from, float *out)
{
    SB_SHARED(sb_bf16, a, 256);
    int lane = (int)threadIdx.x, g = lane / 4, t = lane % 4;
    for (int i = lane; i < 256; i += SB_WARP) sb_put(&a[i], from[i % 64] * (float)(i / 64 + 1));
    __syncwarp();
    uint32_t left[4], right[2];
    sb_ldmatrix_x4(left, a + (lane % 16) * 16 + lane / 16 * 8);
    for (int i = 0; i < 2; i++) {
        int row = 2 * t + 8 * (wrong ? 1 - i : i);
        right[i] = sb_pack_bf16(from[(row * 8 + g) % 61], from[(row * 8 + 8 + g) % 61]);
    }
    float sum[4] = {0};
    sb_mma_bf16(sum, left, right);
    for (int i = 0; i < 4; i++) out[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

/* The transposed matrix of a comes from memory where its rows are columns. */
template <bool wrong> static __global__ void turned(const float *from, float *out)
{
    SB_SHARED(sb_bf16, a, 256);
    int lane = (int)threadIdx.x, g = lane / 4, t = lane % 4;
    for (int i = lane; i < 256; i += SB_WARP) sb_put(&a[i], from[i % 64]);
    __syncwarp();
    uint32_t r[4];
    if (wrong) sb_ldmatrix_x4(r, a + (lane % 16) * 16 + lane / 16 * 8);
    else sb_ldmatrix_x4_trans(r, a + (lane % 16) * 16 + lane / 16 * 8);
    /* element [row of its matrix t, column g] of the first */
    out[lane] = __uint_as_float(r[0] << 16);
    (void)g, (void)t;
}

/* ---- how they are run -------------------------------------------------------------------------------------------- */

static void same(int t, float *expected) { expected[t] = (float)t; }
static void crossed(int t, float *expected) { expected[t] = (float)(t ^ 33); }
static void neighbour(int t, float *expected) { expected[t] = (float)(t ^ 1); }
static void of_eight(int t, float *expected) { expected[t] = (float)(t < 48 ? t ^ 8 : t); }
static void rounds(int t, float *expected) { expected[t] = (float)(3 * (t ^ 32) + 3); }

static void of_product(int t, float *expected)
{
    for (int i = t * 2; t < 64 && i < t * 2 + 2; i++) {
        expected[i] = 0;
        for (int k = 0; k < 16; k++) {
            int a = i / 8 * 16 + k;
            expected[i] += (float)(a % 64 * (a / 64 + 1) * ((k * 8 + i % 8) % 61));
        }
    }
}

static void of_turned(int lane, float *expected)
{
    if (lane < 32) expected[lane] = (float)((2 * (lane % 4) * 16 + lane / 4) % 64);
}

struct device {
    struct sb_dev d;
    float *from, *out;
};

void sb_cuda_check(const struct sb_dev *, cudaError_t status, const char *what)
{
    if (status) cusim_fault("%s: %s", what, cudaGetErrorString(status));
}

static void *with_bytes(struct device *v, const void *from, size_t bytes, size_t copied)
{
    void *p;
    sb_cuda_check(&v->d, cudaMalloc(&p, bytes), "memory");
    sb_cuda_check(&v->d, cudaMemcpyAsync(p, from, copied, cudaMemcpyHostToDevice, v->d.stream), "copy");
    return p;
}

static struct device begin(float *out, float *expected, void (*right)(int t, float *expected))
{
    struct device v = {};
    v.d.shared_most = 232448;
    sb_cuda_check(&v.d, cudaStreamCreateWithFlags(&v.d.stream, cudaStreamNonBlocking), "stream");
    for (int t = 0; t < FAULT_OUT; t++) out[t] = expected[t] = (float)t;
    v.from = (float *)with_bytes(&v, out, FAULT_OUT * sizeof *out, FAULT_OUT * sizeof *out);
    /* With a pattern behind it. */
    v.out = (float *)with_bytes(&v, out, FAULT_OUT * sizeof *out + 8, FAULT_OUT * sizeof *out);
    for (int t = 0; t < THREADS; t++) right(t, expected);
    return v;
}

static void finish(struct device *v, float *out)
{
    cudaMemcpyAsync(out, v->out, FAULT_OUT * sizeof *out, cudaMemcpyDeviceToHost, v->d.stream);
    cudaFree(v->from);
    cudaFree(v->out);
    cudaStreamDestroy(v->d.stream);
}

#define RUN(kernel, right, threads, shared, ...)                                                                       \
    [](bool wrong, float *out, float *expected) {                                                                      \
        struct device v = begin(out, expected, right);                                                                 \
        if (wrong) SB_LAUNCH(&v.d, kernel<true>, 1, threads, shared, v.from, v.out __VA_ARGS__);                       \
        else SB_LAUNCH(&v.d, kernel<false>, 1, threads, shared, v.from, v.out __VA_ARGS__);                            \
        finish(&v, out);                                                                                               \
    }

/* What is the same in each order, and in all right versions. */
const struct fault faults[] = {
    {"a barrier is missing between write and read", RUN(barrier_before_read, crossed, THREADS, 0), NULL},
    {"a barrier is missing between read and overwrite", RUN(barrier_before_overwrite, rounds, THREADS, 0), NULL},
    {"a warp's barrier is missing", RUN(warp_barrier, neighbour, THREADS, 0), NULL},
    {"shared memory is read before it is written", RUN(unwritten, neighbour, THREADS, THREADS * sizeof(float)), NULL},
    {"shared memory is read behind its end", RUN(read_behind, same, THREADS, THREADS * sizeof(float)),
     "outside of what it may touch"},
    {"shared memory is read behind an odd end", RUN(read_just_behind, same, THREADS, 0), NULL},
    {"shared memory is read before its beginning", RUN(read_before, same, THREADS, 0), NULL},
    {"shared memory is written before its beginning", RUN(write_before, same, THREADS, 0), "wrote before"},
    {"more than 48 KB of shared memory that were not asked for", RUN(too_much, same, THREADS, 47 << 10),
     "has 52224 bytes of shared memory"},
    {"not all threads reach a barrier", RUN(divergent_barrier, same, THREADS, 0), "no thread can go on"},
    {"not all lanes reach a shuffle", RUN(divergent_shuffle, neighbour, THREADS, 0), "no thread can go on"},
    {"lanes have ended before a shuffle", RUN(shuffle_after_return, neighbour, THREADS, 0), "no thread can go on"},
    {"a lane shuffles with one outside of the mask", RUN(shuffle_from_outside, of_eight, THREADS, 0),
     "not in the mask"},
    {"device memory is written behind its end", RUN(write_global, same, THREADS, 0), "behind"},
    {"device memory is written far behind its end", RUN(write_global_far, same, THREADS, 0),
     "outside of what it may touch"},
    {"16 bytes are read at an odd address", RUN(misaligned, same, THREADS, 0), "misaligned"},
    {"an int overflows", RUN(overflow, same, THREADS, 0, , INT32_MAX / 8), "overflow"},
    {"a copy in the background is not waited for", RUN(copy_in_background, same, THREADS, 0), NULL},
    {"more threads than the kernel's bound", RUN(bounded, same, THREADS, 0), "its bound is 32"},
    {"operands of a matrix product are swapped", RUN(product, of_product, 32, 0), NULL},
    {"a matrix is not turned", RUN(turned, of_turned, 32, 0), NULL},
};
const int fault_count = sizeof faults / sizeof *faults;
