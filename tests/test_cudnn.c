/* How cuDNN is asked for convolutions, without a GPU: a cuDNN of a page in its place, which does in host memory what
 * the descriptors say, by plain loops. Skipped where its headers are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if __has_include(<cudnn.h>)
#include <cudnn.h>

#include "base/err.h"
#include "kernels/cuda/convolution.h"
#include "kernels/cuda/library.h"

/* ---- cuDNN, as far as it is called ------------------------------------------------------------------------------- */

struct cudnnTensorStruct {
    int b, c, h, w;
    cudnnDataType_t type;
};
struct cudnnFilterStruct {
    int o, i, h, w;
    cudnnDataType_t type;
};
struct cudnnConvolutionStruct {
    int pad, stride;
    cudnnMathType_t math;
};

static struct {
    bool missing, captures, no_memory;
    size_t wants;              /* working memory, bytes */
    cudnnStatus_t answer;      /* of the next convolution */
    int made, freed, run;      /* descriptors and handles; convolutions */
    cudnnMathType_t math;      /* of the last convolution */
} fake;

#define MAKE(name, type)                                                                                               \
    static cudnnStatus_t fake_cudnnCreate##name(type *made)                                                            \
    {                                                                                                                  \
        fake.made++;                                                                                                   \
        *made = calloc(1, 64);                                                                                         \
        return CUDNN_STATUS_SUCCESS;                                                                                   \
    }                                                                                                                  \
    static cudnnStatus_t fake_cudnnDestroy##name(type made)                                                            \
    {                                                                                                                  \
        fake.freed++;                                                                                                  \
        free(made);                                                                                                    \
        return CUDNN_STATUS_SUCCESS;                                                                                   \
    }
MAKE(, cudnnHandle_t)
MAKE(TensorDescriptor, cudnnTensorDescriptor_t)
MAKE(FilterDescriptor, cudnnFilterDescriptor_t)
MAKE(ConvolutionDescriptor, cudnnConvolutionDescriptor_t)

static cudnnStatus_t fake_cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    assert_non_null(handle);
    assert_ptr_equal(stream, (cudaStream_t)7);
    return CUDNN_STATUS_SUCCESS;
}

static size_t fake_cudnnGetVersion(void) { return 91900; }

static const char *fake_cudnnGetErrorString(cudnnStatus_t status) { return status ? "wrong" : "right"; }

static cudnnStatus_t fake_cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t t, cudnnTensorFormat_t format,
                                                     cudnnDataType_t type, int n, int c, int h, int w)
{
    assert_int_equal(format, CUDNN_TENSOR_NHWC);
    *t = (struct cudnnTensorStruct){n, c, h, w, type};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t fake_cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t f, cudnnDataType_t type,
                                                     cudnnTensorFormat_t format, int k, int c, int h, int w)
{
    assert_int_equal(format, CUDNN_TENSOR_NHWC);
    *f = (struct cudnnFilterStruct){k, c, h, w, type};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t fake_cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t c, int pad_h, int pad_w, int u,
                                                          int v, int dilation_h, int dilation_w,
                                                          cudnnConvolutionMode_t mode, cudnnDataType_t compute)
{
    assert_true(pad_h == pad_w && u == v && dilation_h == 1 && dilation_w == 1);
    assert_int_equal(mode, CUDNN_CROSS_CORRELATION);
    assert_int_equal(compute, CUDNN_DATA_FLOAT);
    c->pad = pad_h;
    c->stride = u;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t fake_cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t c, cudnnMathType_t math)
{
    c->math = math;
    return CUDNN_STATUS_SUCCESS;
}

/* The shapes must agree as cuDNN demands. */
static cudnnStatus_t agree(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t c,
                           cudnnTensorDescriptor_t y)
{
    bool right = x->type == y->type && x->type == w->type && x->b == y->b && x->c == w->i && y->c == w->o &&
                 y->h == (x->h + 2 * c->pad - w->h) / c->stride + 1 &&
                 y->w == (x->w + 2 * c->pad - w->w) / c->stride + 1;
    return right ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

static cudnnStatus_t fake_cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                                                                  cudnnFilterDescriptor_t w,
                                                                  cudnnConvolutionDescriptor_t c,
                                                                  cudnnTensorDescriptor_t y,
                                                                  cudnnConvolutionFwdAlgo_t algo, size_t *size)
{
    (void)handle, (void)algo;
    *size = fake.wants;
    return agree(x, w, c, y);
}

static cudnnStatus_t fake_cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t handle, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t c,
    cudnnTensorDescriptor_t dx, cudnnConvolutionBwdDataAlgo_t algo, size_t *size)
{
    (void)handle, (void)algo;
    *size = fake.wants;
    return agree(dx, w, c, dy);
}

static cudnnStatus_t fake_cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t handle, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t c,
    cudnnFilterDescriptor_t dw, cudnnConvolutionBwdFilterAlgo_t algo, size_t *size)
{
    (void)handle, (void)algo;
    *size = fake.wants;
    return agree(x, dw, c, dy);
}

static double get(cudnnDataType_t type, const void *p, size_t i)
{
    return type == CUDNN_DATA_BFLOAT16 ? sb_bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}

static void put(cudnnDataType_t type, void *p, size_t i, double v)
{
    if (type == CUDNN_DATA_BFLOAT16) ((uint16_t *)p)[i] = sb_f32_to_bf16((float)v);
    else ((float *)p)[i] = (float)v;
}

enum { TO_Y, TO_X, TO_W };

/* One of three sums, over all that meets: y, x or w (as [o,h,w,i]) from the other two. */
static cudnnStatus_t by_loops(int to, cudnnTensorDescriptor_t x, const void *xs, cudnnFilterDescriptor_t w,
                              const void *ws, cudnnConvolutionDescriptor_t c, cudnnTensorDescriptor_t y, const void *ys,
                              const void *alpha, const void *beta, size_t workspace)
{
    assert_true(*(const float *)alpha == 1 && *(const float *)beta == 0);
    assert_int_equal(agree(x, w, c, y), CUDNN_STATUS_SUCCESS);
    assert_int_equal(workspace, fake.wants);
    if (fake.answer) return fake.answer;
    fake.run++;
    fake.math = c->math;
    size_t nx = (size_t)(x->b * x->h * x->w * x->c), nw = (size_t)(w->o * w->h * w->w * w->i),
           ny = (size_t)(y->b * y->h * y->w * y->c), n = to == TO_Y ? ny : to == TO_X ? nx : nw;
    double *sum = calloc(n, sizeof *sum);
    for (size_t at = 0; at < ny * (size_t)(w->h * w->w * w->i); at++) {
        size_t i = at % (size_t)w->i, taps = (size_t)(w->h * w->w), tap = at / (size_t)w->i % taps,
               out = at / (size_t)w->i / taps;
        int o = (int)(out % (size_t)y->c), pixel = (int)(out / (size_t)y->c), b = pixel / (y->h * y->w),
            iy = pixel / y->w % y->h * c->stride - c->pad + (int)tap / w->w,
            ix = pixel % y->w * c->stride - c->pad + (int)tap % w->w;
        if (iy < 0 || ix < 0 || iy >= x->h || ix >= x->w) continue;
        size_t in = (size_t)(((b * x->h + iy) * x->w + ix) * x->c) + i,
               weight = ((size_t)o * taps + tap) * (size_t)w->i + i;
        if (to == TO_Y) sum[out] += get(x->type, xs, in) * get(x->type, ws, weight);
        else if (to == TO_X) sum[in] += get(x->type, ys, out) * get(x->type, ws, weight);
        else sum[weight] += get(x->type, ys, out) * get(x->type, xs, in);
    }
    void *result = (void *)(to == TO_Y ? ys : to == TO_X ? xs : ws);
    for (size_t k = 0; k < n; k++) put(x->type, result, k, sum[k]);
    free(sum);
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t fake_cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha, cudnnTensorDescriptor_t x,
                                                  const void *xs, cudnnFilterDescriptor_t w, const void *ws,
                                                  cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algo,
                                                  void *workspace, size_t size, const void *beta,
                                                  cudnnTensorDescriptor_t y, void *ys)
{
    (void)handle, (void)workspace;
    assert_int_equal(algo, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
    return by_loops(TO_Y, x, xs, w, ws, c, y, ys, alpha, beta, size);
}

static cudnnStatus_t fake_cudnnConvolutionBackwardData(cudnnHandle_t handle, const void *alpha,
                                                       cudnnFilterDescriptor_t w, const void *ws,
                                                       cudnnTensorDescriptor_t dy, const void *dys,
                                                       cudnnConvolutionDescriptor_t c,
                                                       cudnnConvolutionBwdDataAlgo_t algo, void *workspace, size_t size,
                                                       const void *beta, cudnnTensorDescriptor_t dx, void *dxs)
{
    (void)handle, (void)workspace;
    assert_int_equal(algo, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1); /* the other one gives other bytes each time */
    return by_loops(TO_X, dx, dxs, w, ws, c, dy, dys, alpha, beta, size);
}

static cudnnStatus_t fake_cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void *alpha,
                                                         cudnnTensorDescriptor_t x, const void *xs,
                                                         cudnnTensorDescriptor_t dy, const void *dys,
                                                         cudnnConvolutionDescriptor_t c,
                                                         cudnnConvolutionBwdFilterAlgo_t algo, void *workspace,
                                                         size_t size, const void *beta, cudnnFilterDescriptor_t dw,
                                                         void *dws)
{
    (void)handle, (void)workspace;
    assert_int_equal(algo, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1);
    return by_loops(TO_W, x, xs, dw, dws, c, dy, dys, alpha, beta, size);
}

/* ---- what else cudnn.c calls ------------------------------------------------------------------------------------- */

#define FAKE(function) {#function, (void (*)(void))fake_##function}
static const struct {
    const char *name;
    void (*function)(void);
} fakes[] = {FAKE(cudnnCreate),
             FAKE(cudnnDestroy),
             FAKE(cudnnSetStream),
             FAKE(cudnnGetErrorString),
             FAKE(cudnnGetVersion),
             FAKE(cudnnCreateTensorDescriptor),
             FAKE(cudnnDestroyTensorDescriptor),
             FAKE(cudnnSetTensor4dDescriptor),
             FAKE(cudnnCreateFilterDescriptor),
             FAKE(cudnnDestroyFilterDescriptor),
             FAKE(cudnnSetFilter4dDescriptor),
             FAKE(cudnnCreateConvolutionDescriptor),
             FAKE(cudnnDestroyConvolutionDescriptor),
             FAKE(cudnnSetConvolution2dDescriptor),
             FAKE(cudnnSetConvolutionMathType),
             FAKE(cudnnGetConvolutionForwardWorkspaceSize),
             FAKE(cudnnGetConvolutionBackwardDataWorkspaceSize),
             FAKE(cudnnGetConvolutionBackwardFilterWorkspaceSize),
             FAKE(cudnnConvolutionForward),
             FAKE(cudnnConvolutionBackwardData),
             FAKE(cudnnConvolutionBackwardFilter)};

bool sb_library_open(const char *const *files, const char *const *functions, void *calls)
{
    assert_string_equal(files[0], "libcudnn.so.9");
    for (size_t n = 0; functions[n] && !fake.missing; n++) {
        size_t k = 0;
        while (k < sizeof fakes / sizeof *fakes && strcmp(fakes[k].name, functions[n])) k++;
        assert_true(k < sizeof fakes / sizeof *fakes);
        memcpy((char *)calls + n * sizeof(void *), &fakes[k].function, sizeof(void *));
    }
    return !fake.missing;
}

bool sb_cuda_captures(const struct sb_dev *d)
{
    (void)d;
    return fake.captures;
}

cudaError_t cudaMalloc(void **p, size_t size)
{
    *p = fake.no_memory ? NULL : malloc(64);
    return fake.no_memory ? cudaErrorMemoryAllocation : size ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaFree(void *p)
{
    free(p);
    return cudaSuccess;
}

cudaError_t cudaGetLastError(void) { return cudaSuccess; }

#include "kernels/cuda/cudnn.c" /* no object of its own: where CUDA is missing it has none */

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static struct sb_dev *fresh(void)
{
    static struct sb_dev d;
    memset(&fake, 0, sizeof fake);
    d = (struct sb_dev){.stream = (cudaStream_t)7};
    return &d;
}

#define IN 3
#define OUT 4
static const struct sb_convolution shape = {2, 5, 6, IN, 3, 3, OUT, 3, 3, 2, 1, SB_F32};
enum { NX = 2 * 5 * 6 * IN, NW = OUT * 3 * 3 * IN, NY = 2 * 3 * 3 * OUT };

/* Each direction, against the reference, which has w as [o,i,h,w]. */
static void test_convolutions(void **state)
{
    (void)state;
    struct sb_dev *ref = sb_ops_ref.open(0, 0, NULL), *d = fresh();
    float x[NX], w[NW], turned[NW], y[NY], to[NX > NW ? NX : NW], want[NX > NW ? NX : NW];
    for (int i = 0; i < NX; i++) x[i] = (float)(i * 7 % 11 - 5);
    for (int i = 0; i < NW; i++) w[i] = (float)(i * 5 % 13 - 6);
    for (int i = 0; i < NW; i++) turned[(i / (9 * IN) * 9 + i % 9) * IN + i / 9 % IN] = w[i];
    struct sb_tensor xs = {SB_F32, 4, {2, 5, 6, IN}, x}, ws = {SB_F32, 4, {OUT, IN, 3, 3}, w},
                     ys = {SB_F32, 4, {2, 3, 3, OUT}, y}, dx = xs, dw = ws;
    struct sb_conv c = {2, 1};
    dx.data = dw.data = want;
    fake.wants = 12345;

    sb_ops_ref.conv2d(ref, &xs, &ws, NULL, c, &ys);
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, turned, to));
    assert_memory_equal(to, y, sizeof y);
    assert_int_equal(fake.math, CUDNN_FMA_MATH); /* not TF32 */

    sb_ops_ref.conv2d_bwd(ref, &xs, &ws, c, &ys, &dx, NULL, NULL);
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE_DATA, &shape, to, turned, y));
    assert_memory_equal(to, want, sizeof x);

    memset(want, 0, sizeof want);
    sb_ops_ref.conv2d_bwd(ref, &xs, &ws, c, &ys, NULL, &dw, NULL);
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE_WEIGHTS, &shape, x, to, y));
    for (int i = 0; i < NW; i++)
        assert_true(to[(i / (9 * IN) * 9 + i % 9) * IN + i / 9 % IN] == want[i]);
    sb_cudnn_close(d);
    assert_int_equal(fake.made, fake.freed);
    sb_ops_ref.close(ref);
}

static void test_a_shape_is_described_once(void **state)
{
    (void)state;
    struct sb_dev *d = fresh();
    float x[NX] = {0}, w[NW] = {0}, y[NY];
    struct sb_convolution again = shape, half = shape;
    half.dtype = SB_BF16;
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y));
    int made = fake.made;
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE, &again, x, w, y));
    assert_int_equal(fake.made, made);
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE, &half, x, w, y));
    assert_int_equal(fake.math, CUDNN_TENSOR_OP_MATH);
    assert_int_equal(fake.made, made + 4);
    assert_int_equal(fake.run, 3);
    sb_cudnn_close(d);
    assert_int_equal(fake.made, fake.freed);
}

static void test_what_cudnn_cannot_do(void **state)
{
    (void)state;
    struct sb_dev *d = fresh();
    float x[NX] = {0}, w[NW] = {0}, y[NY];
    fake.wants = ((size_t)256 << 20) + 1;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y)); /* too much working memory */
    fake.wants = 0;
    fake.answer = CUDNN_STATUS_NOT_SUPPORTED_LAYOUT;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE_DATA, &shape, x, w, y));
    fake.answer = CUDNN_STATUS_SUCCESS;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE_DATA, &shape, x, w, y)); /* it has said so once */
    struct sb_convolution wrong = shape, huge = shape, other = shape;
    other.dtype = SB_BF16;
    fake.answer = CUDNN_STATUS_EXECUTION_FAILED; /* one engine does not work: columns will */
    sb_quiet = true;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &other, x, w, y));
    fake.answer = CUDNN_STATUS_SUCCESS;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &other, x, w, y));
    wrong.ow++;
    huge.b = 1 << 26;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &wrong, x, w, y));
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &huge, x, w, y));
    assert_int_equal(fake.run, 0);
    sb_cudnn_close(d);
    assert_int_equal(fake.made, fake.freed);
}

/* Choices are kept under it. */
static void test_the_version_says_what_there_is(void **state)
{
    (void)state;
    struct sb_dev *d = fresh();
    fake.captures = true;
    assert_int_equal(sb_cudnn_version(d), 0); /* not known while a graph is captured */
    fake.captures = false;
    assert_int_equal(sb_cudnn_version(d), 91900);
    fake.captures = true;
    assert_int_equal(sb_cudnn_version(d), 91900);
    sb_cudnn_close(d);
    d = fresh();
    fake.no_memory = true;
    assert_int_equal(sb_cudnn_version(d), -91900);
    sb_cudnn_close(d);
    d = fresh();
    fake.missing = sb_quiet = true;
    assert_int_equal(sb_cudnn_version(d), 0);
    sb_cudnn_close(d);
}

static void test_nothing_is_looked_up_while_a_graph_is_captured(void **state)
{
    (void)state;
    struct sb_dev *d = fresh();
    float x[NX] = {0}, w[NW] = {0}, y[NY];
    fake.captures = true;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y));
    assert_int_equal(fake.made, 0);
    fake.captures = false;
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y));
    fake.captures = true;
    assert_true(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y));
    sb_cudnn_close(d);
}

static void test_without_the_library(void **state)
{
    (void)state;
    struct sb_dev *d = fresh();
    float x[NX] = {0}, w[NW] = {0}, y[NY];
    fake.missing = true;
    sb_quiet = true;
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y));
    assert_false(sb_cudnn_convolve(d, SB_CONVOLVE, &shape, x, w, y));
    sb_cudnn_close(d);
    sb_cudnn_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_a_shape_is_described_once),
        cmocka_unit_test(test_what_cudnn_cannot_do),
        cmocka_unit_test(test_the_version_says_what_there_is),
        cmocka_unit_test(test_nothing_is_looked_up_while_a_graph_is_captured),
        cmocka_unit_test(test_without_the_library),
    };
    return cmocka_run_group_tests_name("cudnn", tests, NULL, NULL);
}

#else

static void test_cudnn(void **state)
{
    (void)state;
    print_message("built without cuDNN's headers\n");
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cudnn)};
    return cmocka_run_group_tests_name("cudnn", tests, NULL, NULL);
}

#endif
