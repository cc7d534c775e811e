#include "kernels/null/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

void sb_null_fail(const char *op, const char *fmt, ...)
{
    char text[512];
    va_list a;
    va_start(a, fmt);
    vsnprintf(text, sizeof text, fmt, a);
    va_end(a);
    fprintf(stderr, "%s: %s: %s\n", sb_program, op, text);
    abort();
}

static void there(const char *op, const char *name, const struct sb_tensor *t)
{
    if (!t) sb_null_fail(op, "%s is missing", name);
    if ((unsigned)t->dtype >= SB_NDTYPES || t->ndim < 0 || t->ndim > SB_DIMS) sb_null_fail(op, "%s is no tensor", name);
    char buf[128];
    for (int i = 0; i < t->ndim; i++) {
        if (t->shape[i] <= 0) sb_null_fail(op, "%s is empty: %s", name, sb_tensor_text(t, buf, sizeof buf));
    }
    if (!t->data) sb_null_fail(op, "%s has no data", name);
}

void sb_null_shape(const char *op, const char *name, const struct sb_tensor *t, enum sb_dtype dtype, int ndim,
                   const int64_t *shape)
{
    there(op, name, t);
    bool fits = t->dtype == dtype && t->ndim == ndim;
    for (int i = 0; fits && i < ndim; i++) fits = shape[i] == ANY || t->shape[i] == shape[i];
    if (fits) return;
    char is[128], wanted[SB_DIMS * 24] = "";
    for (int i = 0, n = 0; i < ndim; i++) {
        if (i) wanted[n++] = ',';
        n += shape[i] == ANY ? sprintf(wanted + n, "?") : sprintf(wanted + n, "%lld", (long long)shape[i]);
    }
    sb_null_fail(op, "%s is %s, wanted %s [%s]", name, sb_tensor_text(t, is, sizeof is), sb_dtype_name(dtype), wanted);
}

void sb_null_rank(const char *op, const char *name, const struct sb_tensor *t, int ndim)
{
    there(op, name, t);
    char is[128];
    if (ndim == ANY ? t->ndim >= 1 : t->ndim == ndim) return;
    sb_null_fail(op, "%s is %s, wanted %d dimensions", name, sb_tensor_text(t, is, sizeof is), ndim == ANY ? 1 : ndim);
}

enum sb_dtype sb_null_act(const char *op, const char *name, const struct sb_tensor *t, int ndim)
{
    sb_null_rank(op, name, t, ndim);
    if (t->dtype != SB_F32 && t->dtype != SB_BF16)
        sb_null_fail(op, "%s is %s, wanted f32 or bf16", name, sb_dtype_name(t->dtype));
    return t->dtype;
}

void sb_null_like(const char *op, const char *name, const struct sb_tensor *t, enum sb_dtype dtype,
                  const struct sb_tensor *like)
{
    sb_null_shape(op, name, t, dtype, like->ndim, like->shape);
}

void sb_null_pointer(const char *op, const char *name, const void *p)
{
    if (!p) sb_null_fail(op, "%s is missing", name);
}

void sb_null_chance(const char *op, struct sb_chance c)
{
    if (!(c.p >= 0 && c.p < 1)) sb_null_fail(op, "the probability of dropping is %g, wanted 0 <= p < 1", (double)c.p);
    if (c.p > 0 && !c.state) sb_null_fail(op, "the chance has no state");
}
