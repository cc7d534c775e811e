#include "nn/run.h"

#include <string.h>

#include "base/err.h"

/* Where the fake stack begins: any address but NULL will do, nothing is ever read there. */
#define FAKE ((char *)(uintptr_t)0x100000)

void *sb_run_take(struct sb_run *r, size_t bytes)
{
    size_t rounded = (bytes + 63) / 64 * 64;
    if (rounded < bytes || rounded > r->size - r->used)
        sb_die("the memory plan was %zu bytes too small", rounded - (r->size - r->used));
    void *p = r->memory + r->used;
    r->used += rounded;
    if (r->used > r->peak) r->peak = r->used;
    return p;
}

size_t sb_run_mark(const struct sb_run *r) { return r->used; }

void sb_run_rewind(struct sb_run *r, size_t mark) { r->used = mark; }

size_t sb_run_plan(struct sb_run *r, void (*fn)(void *arg), void *arg)
{
    struct sb_run before = *r;
    const char *why = "";
    r->ops = &sb_ops_null;
    r->dev = r->ops->open(0, 1, &why);
    r->memory = FAKE;
    r->size = SIZE_MAX / 4;
    r->used = r->peak = 0;
    fn(arg);
    size_t peak = r->peak;
    r->ops->close(r->dev);
    *r = before;
    return peak;
}

struct sb_tensor sb_run_tensor(struct sb_run *r, enum sb_dtype dtype, const int64_t *shape, int ndim)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = ndim};
    memcpy(t.shape, shape, (size_t)ndim * sizeof *shape);
    t.data = sb_run_take(r, sb_tensor_bytes(&t));
    return t;
}

struct sb_tensor sb_view(const struct sb_tensor *t, const int64_t *shape, int ndim)
{
    struct sb_tensor v = {.dtype = t->dtype, .ndim = ndim, .data = t->data};
    memcpy(v.shape, shape, (size_t)ndim * sizeof *shape);
    return v;
}

struct sb_tensor sb_rows(const struct sb_tensor *t)
{
    int64_t d = t->shape[t->ndim - 1];
    return SB_VIEW(t, sb_tensor_count(t) / d, d);
}

static struct sb_tensor param_tensor(const struct sb_param *p, enum sb_dtype dtype, void *flat)
{
    struct sb_tensor t = {.dtype = dtype, .ndim = p->ndim};
    memcpy(t.shape, p->shape, (size_t)p->ndim * sizeof *p->shape);
    t.data = (char *)flat + (size_t)p->offset * sb_dtype_size(dtype);
    return t;
}

sb_in sb_run_value(const struct sb_run *r, int index, struct sb_tensor *space)
{
    if (index < 0) return NULL;
    const struct sb_param *p = &r->model->param[index];
    *space = param_tensor(p, r->act, r->value);
    if (r->mapped && p->mapped) space->data = (float *)(uintptr_t)p->mapped;
    return space;
}

sb_out sb_run_master(const struct sb_run *r, int index, struct sb_tensor *space)
{
    *space = param_tensor(&r->model->param[index], SB_F32, r->master);
    return space;
}

sb_out sb_run_grad(const struct sb_run *r, int index, struct sb_tensor *space)
{
    if (index < 0 || !r->grad || r->model->param[index].layer < r->frozen) return NULL;
    *space = param_tensor(&r->model->param[index], SB_F32, r->grad);
    return space;
}
