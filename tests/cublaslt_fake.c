#include "cublaslt_fake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/matmul_own.h"

struct fake fake;

void fake_reset(void)
{
    fake = (struct fake){.algorithms = FAKE_ALGORITHMS, .cost = {3, 1, 2}, .gpu = "NVIDIA Fake 100", .last = -1};
}

void fake_spend(double ms)
{
    if (fake.capturing) fake.graph += ms;
    else fake.clock += ms;
}

/* ---- CUDA -------------------------------------------------------------------------------------------------------- */

void sb_cuda_check(const struct sb_dev *d, cudaError_t status, const char *what)
{
    if (status) sb_die("GPU %d: %s", d->index, what);
}

bool sb_cuda_captures(const struct sb_dev *d)
{
    (void)d;
    return fake.captures || fake.capturing;
}

void sb_cuda_matmul_own(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    (void)d, (void)m, (void)p;
    fake.own++;
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    *p = NULL;
    if (fake.no_memory) return cudaErrorMemoryAllocation;
    *p = sb_aligned(256, bytes);
    return cudaSuccess;
}

cudaError_t cudaFree(void *p)
{
    free(p);
    return cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    (void)device;
    snprintf(p->name, sizeof p->name, "%s", fake.gpu);
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}

/* An event is where the clock stood. */
cudaError_t cudaEventCreate(cudaEvent_t *e)
{
    *e = sb_calloc(1, sizeof(double));
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t stream)
{
    (void)stream;
    *(double *)e = fake.clock;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    (void)e;
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t stop)
{
    *ms = (float)(*(double *)stop - *(double *)start);
    fake.timings++;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    free(e);
    return cudaSuccess;
}

/* A graph is how long what was captured takes. */
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    (void)stream, (void)mode;
    fake.capturing = true;
    fake.graph = 0;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    (void)stream;
    fake.capturing = false;
    *graph = NULL;
    if (fake.no_graphs) return cudaErrorStreamCaptureUnsupported;
    *graph = sb_malloc(sizeof(double));
    *(double *)*graph = fake.graph;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
    (void)flags;
    *exec = sb_malloc(sizeof(double));
    *(double *)*exec = *(double *)graph;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    free(graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    (void)stream;
    fake.clock += *(double *)exec;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    free(exec);
    return cudaSuccess;
}

/* ---- cuBLASLt ---------------------------------------------------------------------------------------------------- */

struct layout {
    cudaDataType_t type;
    uint64_t rows, cols;
    int64_t ld;
};

struct description {
    cublasComputeType_t compute;
    int32_t a_turn, b_turn, bias_type;
    uint32_t epilogue;
    const void *bias;
    void *aux;
    int64_t aux_ld;
};

struct preference {
    uint64_t workspace;
    uint32_t aligned[4], reduction;
};

static cublasStatus_t layout_create(cublasLtMatrixLayout_t *l, cudaDataType type, uint64_t rows, uint64_t cols,
                                    int64_t ld)
{
    struct layout *made = sb_malloc(sizeof *made);
    *made = (struct layout){type, rows, cols, ld};
    *l = (cublasLtMatrixLayout_t)(void *)made;
    return ld >= (int64_t)rows && rows && cols ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

static cublasStatus_t layout_destroy(cublasLtMatrixLayout_t l)
{
    free(l);
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t desc_create(cublasLtMatmulDesc_t *desc, cublasComputeType_t compute, cudaDataType_t scale)
{
    struct description *made = sb_malloc(sizeof *made);
    *made = (struct description){.compute = compute, .epilogue = CUBLASLT_EPILOGUE_DEFAULT, .bias_type = -1};
    *desc = (cublasLtMatmulDesc_t)(void *)made;
    return scale == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

static cublasStatus_t desc_destroy(cublasLtMatmulDesc_t desc)
{
    free(desc);
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t desc_set(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t name, const void *value,
                               size_t size)
{
    struct description *t = (struct description *)(void *)desc;
    void *to = NULL;
    size_t wanted = 0;
#define FIELD(attribute, field) case attribute: to = &t->field, wanted = sizeof t->field; break
    switch (name) {
        FIELD(CUBLASLT_MATMUL_DESC_TRANSA, a_turn);
        FIELD(CUBLASLT_MATMUL_DESC_TRANSB, b_turn);
        FIELD(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
        FIELD(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
        FIELD(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, bias_type);
        FIELD(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, aux);
        FIELD(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, aux_ld);
    default: break;
    }
    if (!to || size != wanted) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, value, size);
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t preference_create(cublasLtMatmulPreference_t *p)
{
    *p = sb_calloc(1, sizeof(struct preference));
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t preference_destroy(cublasLtMatmulPreference_t p)
{
    free(p);
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t preference_set(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t name,
                                     const void *value, size_t size)
{
    struct preference *to = (struct preference *)(void *)p;
    int which = (int)name - (int)CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
    if (name == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES && size == sizeof to->workspace) {
        memcpy(&to->workspace, value, size);
    } else if (name == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK && size == sizeof to->reduction) {
        memcpy(&to->reduction, value, size);
    } else if (which >= 0 && which < 4 && size == sizeof *to->aligned) {
        memcpy(&to->aligned[which], value, size);
    } else {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    return CUBLAS_STATUS_SUCCESS;
}

/* An algorithm is its number. */
static cublasStatus_t heuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
                                cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                cublasLtMatmulPreference_t preference, int most, cublasLtMatmulHeuristicResult_t *found,
                                int *count)
{
    (void)handle, (void)desc, (void)a, (void)b, (void)c, (void)d;
    fake.reduction = ((const struct preference *)(void *)preference)->reduction;
    *count = fake.algorithms < most ? fake.algorithms : most;
    for (int i = 0; i < *count; i++) {
        memset(&found[i], 0, sizeof found[i]);
        found[i].algo.data[0] = (uint64_t)i;
        found[i].state = CUBLAS_STATUS_SUCCESS;
    }
    return *count ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

static cublasStatus_t capability(const cublasLtMatmulAlgo_t *algo, cublasLtMatmulAlgoCapAttributes_t name, void *value,
                                 size_t size, size_t *written)
{
    int32_t can = !fake.in_place[algo->data[0]];
    if (name != CUBLASLT_ALGO_CAP_OUT_OF_PLACE_RESULT_SUPPORT || size != sizeof can) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(value, &can, sizeof can);
    *written = sizeof can;
    return CUBLAS_STATUS_SUCCESS;
}

static double get(cudaDataType_t type, const void *p, int64_t i)
{
    return type == CUDA_R_16BF ? sb_bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}

static void put(cudaDataType_t type, void *p, int64_t i, double x)
{
    if (type == CUDA_R_16BF) ((uint16_t *)p)[i] = sb_f32_to_bf16((float)x);
    else ((float *)p)[i] = (float)x;
}

/* Element (row, col) of op(x). */
static double element(const struct layout *l, const void *x, bool turned, int64_t row, int64_t col)
{
    return get(l->type, x, turned ? col + row * l->ld : row + col * l->ld);
}

static double finish(const struct description *t, const struct layout *d, int64_t row, int64_t col, double x)
{
    if (t->epilogue & CUBLASLT_EPILOGUE_BIAS) x += get((cudaDataType_t)t->bias_type, t->bias, row);
    if (t->epilogue & 128) put(d->type, t->aux, row + col * t->aux_ld, x);
    if (t->epilogue & CUBLASLT_EPILOGUE_GELU) x *= 0.5 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    return x;
}

/* D[m,n] = epilogue(op(A)[m,k] op(B)[k,n] + beta C), all counted columns first. */
static cublasStatus_t matmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha, const void *a,
                             cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout,
                             const void *beta, const void *c, cublasLtMatrixLayout_t c_layout, void *d,
                             cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo, void *workspace,
                             size_t workspace_size, cudaStream_t stream)
{
    (void)handle, (void)workspace, (void)workspace_size, (void)stream;
    const struct description *t = (const struct description *)(void *)desc;
    const struct layout *la = (void *)a_layout, *lb = (void *)b_layout, *lc = (void *)c_layout, *ld = (void *)d_layout;
    bool at = t->a_turn == CUBLAS_OP_T, bt = t->b_turn == CUBLAS_OP_T;
    int64_t m = (int64_t)(at ? la->cols : la->rows), k = (int64_t)(at ? la->rows : la->cols),
            n = (int64_t)(bt ? lb->rows : lb->cols);
    if ((uint64_t)k != (bt ? lb->cols : lb->rows) || (uint64_t)m != ld->rows || (uint64_t)n != ld->cols ||
        memcmp(lc, ld, sizeof *ld))
        return CUBLAS_STATUS_INVALID_VALUE;
    fake.last = (int)algo->data[0];
    if (fake.fails[fake.last]) return CUBLAS_STATUS_NOT_SUPPORTED;
    fake.products++;
    fake_spend(fake.cost[fake.last]);
    for (int64_t j = 0; j < n; j++) {
        double column = 0;
        for (int64_t p = 0; p < k; p++) column += element(lb, b, bt, p, j);
        if (t->epilogue == CUBLASLT_EPILOGUE_BGRADB) put((cudaDataType_t)t->bias_type, (void *)t->bias, j, column);
        for (int64_t i = 0; i < m; i++) {
            double sum = 0, more = *(const float *)beta;
            for (int64_t p = 0; p < k; p++) sum += element(la, a, at, i, p) * element(lb, b, bt, p, j);
            sum *= *(const float *)alpha;
            if (more != 0) sum += more * element(lc, c, false, i, j);
            put(ld->type, d, i + j * ld->ld, finish(t, ld, i, j, sum));
        }
    }
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t create(cublasLtHandle_t *handle)
{
    *handle = sb_malloc(1);
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t destroy(cublasLtHandle_t handle)
{
    free(handle);
    return CUBLAS_STATUS_SUCCESS;
}

static const char *status_string(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_NOT_SUPPORTED ? "not supported" : "an error";
}

static size_t version(void)
{
    return 130100;
}

const struct sb_cublaslt *sb_cublaslt_open(void)
{
    static const struct sb_cublaslt lt = {.cublasLtGetVersion = version,
                                          .cublasLtGetStatusString = status_string,
                                          .cublasLtCreate = create,
                                          .cublasLtDestroy = destroy,
                                          .cublasLtMatmul = matmul,
                                          .cublasLtMatmulDescCreate = desc_create,
                                          .cublasLtMatmulDescDestroy = desc_destroy,
                                          .cublasLtMatmulDescSetAttribute = desc_set,
                                          .cublasLtMatrixLayoutCreate = layout_create,
                                          .cublasLtMatrixLayoutDestroy = layout_destroy,
                                          .cublasLtMatmulPreferenceCreate = preference_create,
                                          .cublasLtMatmulPreferenceDestroy = preference_destroy,
                                          .cublasLtMatmulPreferenceSetAttribute = preference_set,
                                          .cublasLtMatmulAlgoGetHeuristic = heuristic,
                                          .cublasLtMatmulAlgoCapGetAttribute = capability};
    return &lt;
}
