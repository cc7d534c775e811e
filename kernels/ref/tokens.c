#include "kernels/ref/ref.h"

void sb_ref_tokens(struct sb_dev *d, sb_in x, sb_in prefix, sb_in pos, sb_out y)
{
    (void)d;
    int64_t batch = y->shape[0], t = y->shape[1], dim = y->shape[2], n = x->shape[1], p = t - n;
    int64_t first = pos ? t - pos->shape[0] : t; /* the first token with a position */
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t i = 0; i < t; i++) {
            for (int64_t j = 0; j < dim; j++) {
                double v = i < p ? sb_load(prefix, i * dim + j) : sb_load(x, (b * n + i - p) * dim + j);
                if (i >= first) v += sb_load(pos, (i - first) * dim + j);
                sb_store(y, (b * t + i) * dim + j, v);
            }
        }
    }
}

/* Rows first .. first+rows-1 of every sample, added up. */
static void sum_rows(sb_in dy, int64_t first, sb_out sum)
{
    int64_t batch = dy->shape[0], t = dy->shape[1], dim = dy->shape[2], rows = sum->shape[0];
    for (int64_t i = 0; i < rows * dim; i++) {
        double v = 0;
        for (int64_t b = 0; b < batch; b++) v += sb_load(dy, (b * t + first) * dim + i);
        sb_add(sum, i, v);
    }
}

void sb_ref_tokens_bwd(struct sb_dev *d, sb_in dy, sb_out dx, sb_out dprefix, sb_out dpos)
{
    (void)d;
    int64_t batch = dy->shape[0], t = dy->shape[1], dim = dy->shape[2];
    if (dprefix) sum_rows(dy, 0, dprefix);
    if (dpos) sum_rows(dy, t - dpos->shape[0], dpos);
    if (!dx) return;
    int64_t n = dx->shape[1];
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t i = 0; i < n * dim; i++) sb_store(dx, b * n * dim + i, sb_load(dy, (b * t + t - n) * dim + i));
    }
}

void sb_ref_embed(struct sb_dev *d, sb_in id, sb_in table, sb_in pos, const int32_t *start, sb_out y)
{
    (void)d;
    int64_t t = id->shape[1], tokens = id->shape[0] * t, dim = table->shape[1], begin = start ? *start : 0;
    const int32_t *word = id->data;
    for (int64_t i = 0; i < tokens; i++) {
        for (int64_t j = 0; j < dim; j++) {
            double v = sb_load(table, word[i] * dim + j);
            if (pos) v += sb_load(pos, (begin + i % t) * dim + j);
            sb_store(y, i * dim + j, v);
        }
    }
}

void sb_ref_embed_bwd(struct sb_dev *d, sb_in id, sb_in dy, sb_out dtable, sb_out dpos)
{
    (void)d;
    int64_t t = id->shape[1], tokens = id->shape[0] * t, dim = dy->shape[2];
    const int32_t *word = id->data;
    for (int64_t i = 0; i < tokens; i++) {
        for (int64_t j = 0; j < dim; j++) {
            double g = sb_load(dy, i * dim + j);
            if (dtable) sb_add(dtable, word[i] * dim + j, g);
            if (dpos) sb_add(dpos, i % t * dim + j, g);
        }
    }
}

void sb_ref_gather(struct sb_dev *d, sb_in x, sb_in index, sb_out y)
{
    (void)d;
    int64_t batch = x->shape[0], n = x->shape[1], dim = x->shape[2], k = index->shape[1];
    const int32_t *row = index->data;
    for (int64_t i = 0; i < batch * k; i++) {
        int64_t from = i / k * n + row[i];
        for (int64_t j = 0; j < dim; j++) sb_store(y, i * dim + j, sb_load(x, from * dim + j));
    }
}

void sb_ref_gather_bwd(struct sb_dev *d, sb_in index, sb_in dy, sb_out dx)
{
    (void)d;
    int64_t batch = dx->shape[0], n = dx->shape[1], dim = dx->shape[2], k = index->shape[1];
    const int32_t *row = index->data;
    for (int64_t i = 0; i < batch * n * dim; i++) sb_store(dx, i, 0);
    for (int64_t i = 0; i < batch * k; i++) {
        int64_t to = i / k * n + row[i];
        for (int64_t j = 0; j < dim; j++) sb_store(dx, to * dim + j, sb_load(dy, i * dim + j));
    }
}

void sb_ref_patchify(struct sb_dev *d, sb_in x, int64_t patch, sb_out y)
{
    (void)d;
    int64_t batch = x->shape[0], size = x->shape[2], grid = size / patch, to = 0;
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t g = 0; g < grid * grid; g++) {
            int64_t top = g / grid * patch, left = g % grid * patch;
            for (int64_t c = 0; c < 3; c++) {
                for (int64_t r = 0; r < patch; r++) {
                    int64_t from = ((b * 3 + c) * size + top + r) * size + left;
                    for (int64_t i = 0; i < patch; i++) sb_store(y, to++, sb_load(x, from + i));
                }
            }
        }
    }
}

void sb_ref_pool(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in x, sb_out y)
{
    (void)d;
    int64_t batch = x->shape[0], n = x->shape[1], dim = x->shape[2], end = kind == SB_POOL_FIRST ? first + 1 : n;
    for (int64_t b = 0; b < batch; b++) {
        for (int64_t j = 0; j < dim; j++) {
            double sum = 0;
            for (int64_t i = first; i < end; i++) sum += sb_load(x, (b * n + i) * dim + j);
            sb_store(y, b * dim + j, sum / (double)(end - first));
        }
    }
}

void sb_ref_pool_bwd(struct sb_dev *d, enum sb_pool_kind kind, int64_t first, sb_in dy, sb_out dx)
{
    (void)d;
    int64_t batch = dx->shape[0], n = dx->shape[1], dim = dx->shape[2], end = kind == SB_POOL_FIRST ? first + 1 : n;
    for (int64_t i = 0; i < batch * n; i++) {
        bool pooled = i % n >= first && i % n < end;
        for (int64_t j = 0; j < dim; j++) {
            sb_store(dx, i * dim + j, pooled ? sb_load(dy, i / n * dim + j) / (double)(end - first) : 0);
        }
    }
}
