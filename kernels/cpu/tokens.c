#include "kernels/cpu/cpu.h"

void sb_cpu_tokens(struct sb_dev *d, sb_in x, sb_in prefix, sb_in pos, sb_out y)
{
    int64_t rows = y->shape[0] * y->shape[1], t = y->shape[1], width = y->shape[2], n = x->shape[1], p = t - n;
    int64_t first = pos ? t - pos->shape[0] : t; /* the first token with a position */
    sb_cpu_reserve(d, 3 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t row = 0; row < rows; row++) {
        int64_t b = row / t, i = row % t;
        float *mine = sb_cpu_mine(d);
        const float *a =
            i < p ? sb_cpu_read(prefix, i * width, width, mine) : sb_cpu_read(x, (b * n + i - p) * width, width, mine);
        const float *where = i >= first ? sb_cpu_read(pos, (i - first) * width, width, mine + width) : NULL;
        float *out = sb_cpu_write(y, row * width, mine + 2 * width);
#pragma omp simd
        for (int64_t j = 0; j < width; j++) out[j] = a[j] + (where ? where[j] : 0.0f);
        sb_cpu_written(y, row * width, width, out);
    }
}

/* sum[i] += tokens first + i of every sample, in their order. */
static void sum_samples(struct sb_dev *d, sb_in dy, int64_t first, sb_out sum)
{
    int64_t batch = dy->shape[0], t = dy->shape[1], width = dy->shape[2], rows = sum->shape[0];
    sb_cpu_reserve(d, 2 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, batch * rows * width))
    for (int64_t i = 0; i < rows; i++) {
        float *mine = sb_cpu_mine(d), *to = (float *)sum->data + i * width;
        memset(mine, 0, (size_t)width * sizeof *mine);
        for (int64_t b = 0; b < batch; b++) {
            const float *g = sb_cpu_read(dy, (b * t + first + i) * width, width, mine + width);
#pragma omp simd
            for (int64_t j = 0; j < width; j++) mine[j] += g[j];
        }
        for (int64_t j = 0; j < width; j++) to[j] += mine[j];
    }
}

void sb_cpu_tokens_bwd(struct sb_dev *d, sb_in dy, sb_out dx, sb_out dprefix, sb_out dpos)
{
    int64_t batch = dy->shape[0], t = dy->shape[1], width = dy->shape[2];
    if (dprefix) sum_samples(d, dy, 0, dprefix);
    if (dpos) sum_samples(d, dy, t - dpos->shape[0], dpos);
    if (!dx) return;
    int64_t n = dx->shape[1];
    size_t bytes = (size_t)(n * width) * sb_dtype_size(dx->dtype);
    for (int64_t b = 0; b < batch; b++)
        memcpy(sb_cpu_at(dx, b * n * width), sb_cpu_at(dy, (b * t + t - n) * width), bytes);
}

void sb_cpu_embed(struct sb_dev *d, sb_in id, sb_in table, sb_in pos, const int32_t *start, sb_out y)
{
    int64_t t = id->shape[1], rows = id->shape[0] * t, width = table->shape[1], begin = start ? *start : 0;
    const int32_t *word = id->data;
    sb_cpu_reserve(d, 3 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t row = 0; row < rows; row++) {
        float *mine = sb_cpu_mine(d);
        const float *a = sb_cpu_read(table, word[row] * width, width, mine);
        const float *where = pos ? sb_cpu_read(pos, (begin + row % t) * width, width, mine + width) : NULL;
        float *out = sb_cpu_write(y, row * width, mine + 2 * width);
#pragma omp simd
        for (int64_t j = 0; j < width; j++) out[j] = a[j] + (where ? where[j] : 0.0f);
        sb_cpu_written(y, row * width, width, out);
    }
}

/* Each thread takes a stripe of the columns through all rows, so that sums are in order of rows whatever the threads.
 */
void sb_cpu_embed_bwd(struct sb_dev *d, sb_in id, sb_in dy, sb_out dtable, sb_out dpos)
{
    int64_t t = id->shape[1], rows = id->shape[0] * t, width = dy->shape[2];
    const int32_t *word = id->data;
    sb_cpu_reserve(d, width);
#pragma omp parallel num_threads(sb_cpu_threads(d, rows * width))
    {
        int64_t from, to;
        sb_cpu_share(width, &from, &to);
        for (int64_t row = 0; row < rows; row++) {
            const float *g = sb_cpu_read(dy, row * width + from, to - from, sb_cpu_mine(d));
            float *table = dtable ? (float *)dtable->data + word[row] * width + from : NULL;
            float *where = dpos ? (float *)dpos->data + row % t * width + from : NULL;
            for (int64_t j = 0; table && j < to - from; j++) table[j] += g[j];
            for (int64_t j = 0; where && j < to - from; j++) where[j] += g[j];
        }
    }
}

void sb_cpu_gather(struct sb_dev *d, sb_in x, sb_in index, sb_out y)
{
    int64_t n = x->shape[1], width = x->shape[2], k = index->shape[1], rows = index->shape[0] * k;
    const int32_t *row = index->data;
    size_t bytes = (size_t)width * sb_dtype_size(x->dtype);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * width))
    for (int64_t i = 0; i < rows; i++)
        memcpy(sb_cpu_at(y, i * width), sb_cpu_at(x, (i / k * n + row[i]) * width), bytes);
}

void sb_cpu_gather_bwd(struct sb_dev *d, sb_in index, sb_in dy, sb_out dx)
{
    int64_t batch = dx->shape[0], n = dx->shape[1], width = dx->shape[2], k = index->shape[1];
    const int32_t *row = index->data;
    size_t bytes = (size_t)width * sb_dtype_size(dx->dtype);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, batch * n * width))
    for (int64_t b = 0; b < batch; b++) {
        memset(sb_cpu_at(dx, b * n * width), 0, (size_t)n * bytes);
        for (int64_t i = b * k; i < (b + 1) * k; i++)
            memcpy(sb_cpu_at(dx, (b * n + row[i]) * width), sb_cpu_at(dy, i * width), bytes);
    }
}

void sb_cpu_patchify(struct sb_dev *d, sb_in x, int64_t patch, sb_out y)
{
    int64_t batch = x->shape[0], size = x->shape[2], grid = size / patch, patches = batch * grid * grid,
            width = 3 * patch * patch;
    size_t bytes = (size_t)patch * sb_dtype_size(x->dtype);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, patches * width))
    for (int64_t i = 0; i < patches; i++) {
        int64_t b = i / (grid * grid), top = i / grid % grid * patch, left = i % grid * patch, to = i * width;
        for (int64_t c = 0; c < 3; c++) {
            for (int64_t r = 0; r < patch; r++, to += patch) {
                memcpy(sb_cpu_at(y, to), sb_cpu_at(x, ((b * 3 + c) * size + top + r) * size + left), bytes);
            }
        }
    }
}

void sb_cpu_pool(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in x, sb_out y)
{
    int64_t batch = x->shape[0], n = x->shape[1], width = x->shape[2], end = kind == SB_POOL_FIRST ? first + 1 : n;
    float share = 1.0f / (float)(end - first);
    sb_cpu_reserve(d, 2 * width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, batch * (end - first) * width))
    for (int64_t b = 0; b < batch; b++) {
        float *sum = sb_cpu_mine(d);
        memset(sum, 0, (size_t)width * sizeof *sum);
        for (int64_t i = first; i < end; i++) {
            const float *a = sb_cpu_read(x, (b * n + i) * width, width, sum + width);
#pragma omp simd
            for (int64_t j = 0; j < width; j++) sum[j] += a[j];
        }
        float *out = sb_cpu_write(y, b * width, sum);
        for (int64_t j = 0; j < width; j++) out[j] = sum[j] * share;
        sb_cpu_written(y, b * width, width, out);
    }
}

void sb_cpu_pool_bwd(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in dy, sb_out dx)
{
    int64_t batch = dx->shape[0], n = dx->shape[1], width = dx->shape[2], end = kind == SB_POOL_FIRST ? first + 1 : n;
    float share = 1.0f / (float)(end - first);
    size_t bytes = (size_t)width * sb_dtype_size(dx->dtype);
    sb_cpu_reserve(d, width);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, batch * n * width))
    for (int64_t b = 0; b < batch; b++) {
        const float *g = sb_cpu_read(dy, b * width, width, sb_cpu_mine(d));
        float *row = sb_cpu_write(dx, (b * n + first) * width, sb_cpu_mine(d));
        for (int64_t j = 0; j < width; j++) row[j] = g[j] * share;
        sb_cpu_written(dx, (b * n + first) * width, width, row);
        for (int64_t i = 0; i < n; i++) {
            if (i < first || i >= end) memset(sb_cpu_at(dx, (b * n + i) * width), 0, bytes);
            else if (i > first)
                memcpy(sb_cpu_at(dx, (b * n + i) * width), sb_cpu_at(dx, (b * n + first) * width), bytes);
        }
    }
}
