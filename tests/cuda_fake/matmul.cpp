/* sb_cuda_matmul and sb_cuda_choose of the stand-in. Environment: CUSIM_WAY, which of the ways to do a piece of work is
 * taken, counted round; when it is set, the first call with a key also does the work each way, as timing would.
 * CUSIM_OWN_MATMUL: products are computed by the kernel that is for what cuBLASLt refuses. */
#include <stdlib.h>

#include <set>
#include <string>
#include <vector>

#include "kernels/cuda/kernel.h"
#include "kernels/cuda/matmul_own.h"

/* What a library may refuse: epilogues on odd sizes and addresses. */
bool sb_cuda_matmul_can(struct sb_dev *, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    if (m->epilogue == SB_EPILOGUE_NONE) return true;
    uintptr_t address = (uintptr_t)p->a | (uintptr_t)p->b | (uintptr_t)p->y | (uintptr_t)p->bias | (uintptr_t)p->pre |
                        (uintptr_t)p->sums;
    return m->n % 8 == 0 && m->k % 8 == 0 && address % 16 == 0;
}

static float read(const struct sb_matmul *m, const void *p, int64_t i)
{
    if (m->in == SB_BF16) return sb_bf16_to_f32(((const uint16_t *)p)[i]);
    float x = ((const float *)p)[i];
    return m->tf32 ? __uint_as_float((__float_as_uint(x) + 0x1000) & ~0x1fffu) : x;
}

static float read_out(const struct sb_matmul *m, const void *p, int64_t i)
{
    return m->out == SB_BF16 ? sb_bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}

static void write(const struct sb_matmul *m, void *p, int64_t i, float x)
{
    if (m->out == SB_BF16) ((uint16_t *)p)[i] = sb_f32_to_bf16(x);
    else ((float *)p)[i] = x;
}

/* As f32 [rows, cols], turned where it lies as [cols, rows]. */
static std::vector<float> load(const struct sb_matmul *m, const void *p, int64_t rows, int64_t cols, bool turned)
{
    std::vector<float> to((size_t)(rows * cols));
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++)
            to[(size_t)(i * cols + j)] = read(m, p, turned ? j * rows + i : i * cols + j);
    }
    return to;
}

#define ROWS 4
#define COLS 64

/* sum[r][c] = of k a[r, k] b[k, c]; rows of b are n apart. */
__attribute__((target_clones("default", "arch=x86-64-v3"), optimize("O3"))) static void
block(float sum[ROWS][COLS], const float *a, const float *b, int64_t k, int64_t n)
{
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLS; c++) sum[r][c] = 0;
    }
    for (int64_t i = 0; i < k; i++) {
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLS; c++) sum[r][c] += a[r * k + i] * b[i * n + c];
        }
    }
}

static void finish(const struct sb_matmul *m, const struct sb_matmul_data *p, int64_t i, int64_t j, float x)
{
    int64_t at = i * m->n + j;
    if (m->add) x += read_out(m, p->c, at);
    if (p->bias) x += read_out(m, p->bias, j);
    if (m->epilogue == SB_EPILOGUE_GELU_TANH_PRE) write(m, p->pre, at, x);
    if (m->epilogue == SB_EPILOGUE_GELU_TANH || m->epilogue == SB_EPILOGUE_GELU_TANH_PRE)
        x = 0.5f * x * (1 + tanhf(0.7978845608028654f * (x + 0.044715f * x * x * x)));
    write(m, p->y, at, x);
}

static void multiply(const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    int64_t wide = sb_ceil_div(m->n, COLS) * COLS, high = sb_ceil_div(m->m, ROWS) * ROWS;
    std::vector<float> a = load(m, p->a, m->m, m->k, m->a_transposed), b = load(m, p->b, m->k, m->n, m->b_transposed);
    std::vector<float> padded((size_t)(m->k * wide));
    a.resize((size_t)(high * m->k));
    for (int64_t i = 0; i < m->k; i++) {
        for (int64_t j = 0; j < m->n; j++) padded[(size_t)(i * wide + j)] = b[(size_t)(i * m->n + j)];
    }
    for (int64_t i = 0; i < m->m && m->epilogue == SB_EPILOGUE_SUMS; i++) {
        float sum = 0;
        for (int64_t k = 0; k < m->k; k++) sum += a[(size_t)(i * m->k + k)];
        write(m, p->sums, i, sum);
    }
    for (int64_t i = 0; i < m->m; i += ROWS) {
        for (int64_t j = 0; j < m->n; j += COLS) {
            float sum[ROWS][COLS];
            block(sum, &a[(size_t)(i * m->k)], &padded[(size_t)j], m->k, wide);
            for (int64_t r = i; r < i + ROWS && r < m->m; r++) {
                for (int64_t c = j; c < j + COLS && c < m->n; c++) finish(m, p, r, c, sum[r - i][c - j]);
            }
        }
    }
}

void sb_cuda_matmul(struct sb_dev *d, const struct sb_matmul *m, const struct sb_matmul_data *p)
{
    if (!sb_cuda_matmul_can(d, m, p)) cusim_fault("a matmul that sb_cuda_matmul_can refuses");
    if (m->epilogue == SB_EPILOGUE_NONE && getenv("CUSIM_OWN_MATMUL")) {
        sb_cuda_matmul_own(d, m, p);
        return;
    }
    struct sb_matmul shape = *m;
    struct sb_matmul_data data = *p;
    cusim_queue(d->stream, [=] { multiply(&shape, &data); });
}

int sb_cuda_choose(struct sb_dev *d, const char *name, const int64_t *number, int numbers, int ways,
                   void (*run)(void *arg, int way), void *arg)
{
    static std::set<std::string> known;
    const char *way = getenv("CUSIM_WAY");
    if (!way) return 0;
    std::string key = name;
    for (int i = 0; i < numbers; i++) key += " " + std::to_string(number[i]);
    if (!sb_cuda_captures(d) && known.insert(key).second) {
        for (int i = 0; i < ways; i++) run(arg, i);
    }
    return atoi(way) % ways;
}

void sb_cuda_matmuls_close(struct sb_dev *) {}
void sb_cuda_choices_close(struct sb_dev *) {}
