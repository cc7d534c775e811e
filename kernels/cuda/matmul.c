/* Matrix products by cuBLASLt. A plan holds what it knows of one shape: descriptors, and the algorithms that it
 * proposes, the first in the order of its own guess; which of them is fastest is found by timing (sb_cuda_choose).
 *
 * cuBLASLt counts columns first: what lies in memory as our [rows,cols] is its [cols,rows]. So it computes our
 * y[M,N] = a b as y'[N,M] = b' a', b in the place of its A, and what it calls rows of the result are our columns: the
 * bias is one number a row there, one a column here. */
#include "kernels/cuda/matmul.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/matmul_own.h"

#define BUCKETS 256
#define ALGORITHMS 8
#define KEY_NUMBERS 5
#define WIDE 16 /* bytes: pointers that are so aligned serve every algorithm */

struct plan {
    struct plan *next;
    int64_t key[KEY_NUMBERS];
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, y; /* a and b in cuBLASLt's places: its A is our b */
    int algorithms;                 /* 0: it has no way */
    cublasLtMatmulAlgo_t algorithm[ALGORITHMS];
    bool chosen; /* which is fastest is known */
    int fastest;
};

struct sb_cuda_matmuls {
    const struct sb_cublaslt *lt;
    cublasLtHandle_t handle;
    cublasLtMatmulPreference_t preference;
    void *workspace;
    size_t workspace_size;
    struct plan *bucket[BUCKETS];
};

static void check(const struct sb_dev *d, cublasStatus_t status, const char *what)
{
    if (status != CUBLAS_STATUS_SUCCESS)
        sb_die("GPU %d: %s: cuBLASLt says: %s", d->index, what, d->matmuls->lt->cublasLtGetStatusString(status));
}

static struct sb_cuda_matmuls *library(struct sb_dev *d)
{
    struct sb_cuda_matmuls *l = d->matmuls;
    if (l) return l;
    l = d->matmuls = sb_calloc(1, sizeof *l);
    l->lt = sb_cublaslt_open();
    check(d, l->lt->cublasLtCreate(&l->handle), "cannot open cuBLASLt");
    check(d, l->lt->cublasLtMatmulPreferenceCreate(&l->preference), "cannot make a preference");
    /* What NVIDIA advises. Without it there are fewer algorithms to choose from. */
    l->workspace_size = d->major >= 9 ? (size_t)32 << 20 : (size_t)8 << 20;
    if (cudaMalloc(&l->workspace, l->workspace_size) != cudaSuccess) {
        (void)cudaGetLastError();
        l->workspace = NULL;
        l->workspace_size = 0;
    }
    return l;
}

static void plan_free(const struct sb_cublaslt *lt, struct plan *plan)
{
    lt->cublasLtMatmulDescDestroy(plan->desc);
    lt->cublasLtMatrixLayoutDestroy(plan->a);
    lt->cublasLtMatrixLayoutDestroy(plan->b);
    lt->cublasLtMatrixLayoutDestroy(plan->y);
    free(plan);
}

void sb_cuda_matmuls_close(struct sb_dev *d)
{
    struct sb_cuda_matmuls *l = d->matmuls;
    if (!l) return;
    for (int i = 0; i < BUCKETS; i++) {
        while (l->bucket[i]) {
            struct plan *next = l->bucket[i]->next;
            plan_free(l->lt, l->bucket[i]);
            l->bucket[i] = next;
        }
    }
    l->lt->cublasLtMatmulPreferenceDestroy(l->preference);
    l->lt->cublasLtDestroy(l->handle);
    cudaFree(l->workspace);
    free(l);
    d->matmuls = NULL;
}

/* ---- plans ------------------------------------------------------------------------------------------------------- */

/* The largest power of two that divides all addresses; no kernel asks for more than WIDE. */
static uint32_t alignment(const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    uintptr_t bits = (uintptr_t)p->a | (uintptr_t)p->b | (uintptr_t)p->y | (m->add ? (uintptr_t)p->c : 0) | WIDE;
    return (uint32_t)(bits & -bits);
}

static bool apart(const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    return m->add && p->c != p->y;
}

static void key_of(int64_t *key, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    int64_t how = m->a_transposed | m->b_transposed << 1 | (m->in == SB_BF16) << 2 | (m->out == SB_BF16) << 3 |
                  m->tf32 << 4 | m->add << 5 | apart(m, p) << 6 | (p->bias != NULL) << 7 | (int)m->epilogue << 8;
    key[0] = m->m, key[1] = m->n, key[2] = m->k, key[3] = how, key[4] = alignment(m, p);
}

static cudaDataType_t type_of(enum sb_dtype dtype)
{
    return dtype == SB_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

/* What lies in memory as [rows,cols]. */
static cublasLtMatrixLayout_t layout(struct sb_dev *d, enum sb_dtype dtype, int64_t rows, int64_t cols)
{
    cublasLtMatrixLayout_t made;
    check(d,
          d->matmuls->lt->cublasLtMatrixLayoutCreate(&made, type_of(dtype), (uint64_t)cols, (uint64_t)rows, cols),
          "cannot describe a matrix");
    return made;
}

static void set(struct sb_dev *d, struct plan *plan, cublasLtMatmulDescAttributes_t name, const void *value,
                size_t size)
{
    check(d, d->matmuls->lt->cublasLtMatmulDescSetAttribute(plan->desc, name, value, size),
          "cannot describe a product");
}

static cublasLtEpilogue_t epilogue_of(const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    switch (m->epilogue) {
    case SB_EPILOGUE_BIAS: return CUBLASLT_EPILOGUE_BIAS;
    case SB_EPILOGUE_GELU_TANH: return p->bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    case SB_EPILOGUE_SUMS: return CUBLASLT_EPILOGUE_BGRADB; /* its B is our a */
    case SB_EPILOGUE_GELU_TANH_PRE: return p->bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
    default: return CUBLASLT_EPILOGUE_DEFAULT;
    }
}

static void describe(struct sb_dev *d, struct plan *plan, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    cublasComputeType_t compute = m->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    check(d, d->matmuls->lt->cublasLtMatmulDescCreate(&plan->desc, compute, CUDA_R_32F), "cannot describe a product");
    int32_t a_turn = m->b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N, b_turn = m->a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    set(d, plan, CUBLASLT_MATMUL_DESC_TRANSA, &a_turn, sizeof a_turn);
    set(d, plan, CUBLASLT_MATMUL_DESC_TRANSB, &b_turn, sizeof b_turn);
    uint32_t epilogue = epilogue_of(m, p);
    set(d, plan, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    if (p->bias || p->sums) {
        int32_t type = type_of(m->out);
        set(d, plan, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof type);
    }
    if (m->epilogue == SB_EPILOGUE_GELU_TANH_PRE)
        set(d, plan, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, &m->n, sizeof m->n);
    plan->a = m->b_transposed ? layout(d, m->in, m->n, m->k) : layout(d, m->in, m->k, m->n);
    plan->b = m->a_transposed ? layout(d, m->in, m->k, m->m) : layout(d, m->in, m->m, m->k);
    plan->y = layout(d, m->out, m->m, m->n);
}

/* The pointers that the description holds. */
static void point(struct sb_dev *d, struct plan *plan, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    if (p->bias) set(d, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p->bias, sizeof p->bias);
    if (p->sums) set(d, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &p->sums, sizeof p->sums);
    if (m->epilogue == SB_EPILOGUE_GELU_TANH_PRE)
        set(d, plan, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, &p->pre, sizeof p->pre);
}

static void prefer(struct sb_dev *d, cublasLtMatmulPreferenceAttributes_t name, const void *value, size_t size)
{
    struct sb_cuda_matmuls *l = d->matmuls;
    check(d, l->lt->cublasLtMatmulPreferenceSetAttribute(l->preference, name, value, size), "cannot set a preference");
}

static void prefer_all(struct sb_dev *d, enum sb_dtype out, uint32_t aligned)
{
    uint64_t work = d->matmuls->workspace_size;
    /* A sum that is split over k is put together in f32, also where the result is bf16. */
    uint32_t split = out == SB_BF16 ? CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE : CUBLASLT_REDUCTION_SCHEME_MASK;
    prefer(d, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &work, sizeof work);
    prefer(d, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &split, sizeof split);
    prefer(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &aligned, sizeof aligned);
    prefer(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &aligned, sizeof aligned);
    prefer(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &aligned, sizeof aligned);
    prefer(d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &aligned, sizeof aligned);
}

/* Which algorithms there are. Not all of them can add c to a result that lies elsewhere, and cuBLASLt can't know that
 * it will. */
static void propose(struct sb_dev *d, struct plan *plan, enum sb_dtype out, bool c_apart)
{
    struct sb_cuda_matmuls *l = d->matmuls;
    cublasLtMatmulHeuristicResult_t found[ALGORITHMS];
    int count = 0;
    prefer_all(d, out, (uint32_t)plan->key[KEY_NUMBERS - 1]);
    cublasStatus_t status = l->lt->cublasLtMatmulAlgoGetHeuristic(l->handle, plan->desc, plan->a, plan->b, plan->y,
                                                                  plan->y, l->preference, ALGORITHMS, found, &count);
    if (status != CUBLAS_STATUS_SUCCESS) count = 0;
    for (int i = 0; i < count; i++) {
        int32_t can = 1;
        size_t size;
        if (found[i].state != CUBLAS_STATUS_SUCCESS) continue;
        if (c_apart && l->lt->cublasLtMatmulAlgoCapGetAttribute(
                           &found[i].algo, CUBLASLT_ALGO_CAP_OUT_OF_PLACE_RESULT_SUPPORT, &can, sizeof can, &size))
            can = 0;
        if (can) plan->algorithm[plan->algorithms++] = found[i].algo;
    }
}

static struct plan *find(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    struct sb_cuda_matmuls *l = library(d);
    int64_t key[KEY_NUMBERS];
    uint64_t hash = 0xcbf29ce484222325u;
    key_of(key, m, p);
    for (int i = 0; i < KEY_NUMBERS; i++) hash = (hash ^ (uint64_t)key[i]) * 0x100000001b3u;
    struct plan **at = &l->bucket[(hash ^ hash >> 32) % BUCKETS], *plan = *at;
    while (plan && memcmp(plan->key, key, sizeof key)) plan = plan->next;
    if (plan) return plan;
    plan = sb_calloc(1, sizeof *plan);
    memcpy(plan->key, key, sizeof key);
    plan->next = *at;
    *at = plan;
    describe(d, plan, m, p);
    point(d, plan, m, p); /* how they are aligned matters to what is proposed */
    propose(d, plan, m->out, apart(m, p));
    return plan;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

struct trial {
    struct sb_dev *d;
    struct plan *plan;
    const struct sb_matmul *m;
    struct sb_matmul_data p;
};

static cublasStatus_t launch(const struct trial *t, int way)
{
    const struct sb_cuda_matmuls *l = t->d->matmuls;
    const struct plan *plan = t->plan;
    const struct sb_matmul_data *p = &t->p;
    const float one = 1, beta = t->m->add ? 1 : 0;
    return l->lt->cublasLtMatmul(l->handle, plan->desc, &one, p->b, plan->a, p->a, plan->b, &beta,
                                 t->m->add ? p->c : p->y, plan->y, p->y, plan->y, &plan->algorithm[way], l->workspace,
                                 l->workspace_size, t->d->stream);
}

/* An algorithm that fails after all is replaced by the first that works. */
static void multiply(void *arg, int way)
{
    const struct trial *t = arg;
    cublasStatus_t status = launch(t, way);
    for (int i = 0; status != CUBLAS_STATUS_SUCCESS && i < t->plan->algorithms; i++) status = launch(t, i);
    check(t->d, status, "a matrix product failed");
}

/* Once a shape. Adding to y again and again would spoil it: that is timed in other memory, and where there is none the
 * first algorithm is taken. */
static void choose(const struct trial *real)
{
    struct trial t = *real;
    struct plan *plan = t.plan;
    void *other = NULL;
    if (sb_cuda_captures(t.d)) return;
    plan->chosen = true;
    if (plan->algorithms < 2) return;
    if (t.m->add && t.p.c == t.p.y) {
        if (cudaMalloc(&other, (size_t)(t.m->m * t.m->n) * sb_dtype_size(t.m->out)) != cudaSuccess) {
            (void)cudaGetLastError();
            return;
        }
        t.p.c = t.p.y = other;
    }
    int64_t number[KEY_NUMBERS + 2];
    memcpy(number, plan->key, sizeof plan->key);
    number[KEY_NUMBERS] = (int64_t)t.d->matmuls->lt->cublasLtGetVersion();
    number[KEY_NUMBERS + 1] = (int64_t)t.d->matmuls->workspace_size; /* what is proposed hangs on it */
    plan->fastest = sb_cuda_choose(t.d, "matmul", number, KEY_NUMBERS + 2, plan->algorithms, multiply, &t);
    cudaFree(other);
}

bool sb_cuda_matmul_can(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    if (m->epilogue == SB_EPILOGUE_NONE) return true;
    /* Where these are not so aligned, some epilogues fault in spite of what is proposed. */
    if (((uintptr_t)p->bias | (uintptr_t)p->pre | (uintptr_t)p->sums) % WIDE) return false;
    if (m->epilogue == SB_EPILOGUE_GELU_TANH_PRE && m->n % 8) return false;
    return find(d, m, p)->algorithms > 0;
}

void sb_cuda_matmul(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    if (!m->m || !m->n) return;
    struct trial t = {d, find(d, m, p), m, *p};
    if (!t.plan->algorithms) {
        sb_cuda_matmul_own(d, m, p);
        return;
    }
    point(d, t.plan, m, p);
    if (!t.plan->chosen) choose(&t);
    multiply(&t, t.plan->fastest);
}
