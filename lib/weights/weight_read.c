#include "weights/weight_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "nn/vit.h"
#include "weights/positions.h"

static int64_t file_dim(const struct sb_param *p, int i) { return p->shape[p->transposed ? p->ndim - 1 - i : i]; }

/* "[3,24]" into buf. */
static void file_shape(const struct sb_param *p, char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "[");
    for (int i = 0; i < p->ndim && n < size; i++) {
        n += (size_t)snprintf(buf + n, size - n, i ? ",%lld" : "%lld", (long long)file_dim(p, i));
    }
    if (n < size) snprintf(buf + n, size - n, "]");
}

bool sb_weight_readable(enum sb_dtype dtype)
{
    return dtype == SB_F32 || dtype == SB_BF16 || dtype == SB_F16 || dtype == SB_F64;
}

bool sb_weight_fits(const struct sb_tensor *t, const struct sb_param *p)
{
    if (!sb_weight_readable(t->dtype) || t->ndim != p->ndim) return false;
    for (int i = 0; i < p->ndim; i++) {
        if (t->shape[i] != file_dim(p, i)) return false;
    }
    return true;
}

int sb_weight_misfit(const char *path, const struct sb_weights *w, const struct sb_param *p)
{
    const struct sb_tensor *t = sb_weights_find(w, p->name);
    char wanted[120], is[120];
    file_shape(p, wanted, sizeof wanted);
    if (!t) return sb_error("%s: it has no tensor '%s', wanted %s", path, p->name, wanted);
    return sb_error("%s: tensor '%s' is %s, wanted %s", path, sb_weights_was(w, p->name),
                    sb_tensor_text(t, is, sizeof is), wanted);
}

float sb_weight_at(const struct sb_tensor *t, int64_t i)
{
    const char *data = t->data;
    float single;
    double twice;
    uint16_t half;
    switch (t->dtype) { /* copies of a size that is known are single instructions: 1 ns each, not 10 */
    case SB_F32: memcpy(&single, data + i * 4, 4); return single;
    case SB_F64: memcpy(&twice, data + i * 8, 8); return (float)twice;
    default: memcpy(&half, data + i * 2, 2); return t->dtype == SB_BF16 ? sb_bf16_to_f32(half) : sb_f16_to_f32(half);
    }
}

void sb_weight_transpose(const float *from, int64_t rows, int64_t columns, float *to)
{
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
    }
}

static void read_transposed(const struct sb_tensor *t, int64_t out, int64_t in, float *to)
{
    for (int64_t i = 0; i < in; i++) {
        for (int64_t o = 0; o < out; o++) to[o * in + i] = sb_weight_at(t, i * out + o);
    }
}

void sb_weight_read(const struct sb_tensor *t, const struct sb_param *p, float *to)
{
    if (p->transposed)
        read_transposed(t, p->shape[0], p->shape[1], to);
    else if (t->dtype == SB_F32)
        memcpy(to, t->data, (size_t)p->count * sizeof *to);
    else
        for (int64_t i = 0; i < p->count; i++) to[i] = sb_weight_at(t, i);
}

/* Rows of our positions that are not of patches. */
static int64_t first_rows(const struct sb_model *m) { return m->vit.registers ? 0 : sb_vit_prefix(&m->vit); }

bool sb_weight_other_grid(const struct sb_model *m, const struct sb_model *from, const struct sb_param *p)
{
    if (m->family != SB_VIT || strcmp(p->name, "pos_embed")) return false;
    const struct sb_tensor *t = sb_weights_find(&from->file, p->name);
    int64_t rows = from->rows, columns = from->columns, side = m->vit.size / m->vit.patch;
    if (!t || !sb_weight_readable(t->dtype) || t->ndim != 3 || t->shape[0] != 1 || t->shape[2] != m->vit.dim)
        return false;
    return t->shape[1] == first_rows(m) + rows * columns && (rows != side || columns != side);
}

int sb_weight_check(const struct sb_model *m, const struct sb_model *from, const struct sb_param *p, const char *path)
{
    const struct sb_tensor *t = sb_weights_find(&from->file, p->name);
    bool fits = (t && sb_weight_fits(t, p)) || sb_weight_other_grid(m, from, p);
    return fits ? 0 : sb_weight_misfit(path, &from->file, p);
}

void sb_weight_positions(const struct sb_model *m, const struct sb_model *from, const struct sb_param *p, float *to)
{
    const struct sb_tensor *t = sb_weights_find(&from->file, p->name);
    int64_t count = sb_tensor_count(t);
    float *theirs = sb_malloc((size_t)count * sizeof *theirs);
    for (int64_t i = 0; i < count; i++) theirs[i] = sb_weight_at(t, i);
    sb_positions_resize(theirs, first_rows(m), from->rows, from->columns, m->vit.size / m->vit.patch, m->vit.dim, to);
    free(theirs);
}
