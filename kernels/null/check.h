/* What the null backend says of an operand: it is there, of this dtype and shape; else the program aborts with one
 * line, "sb-train: linear: w is f32 [192,64], wanted f32 [192,48]". Data is never touched: addresses may be made up. */
#ifndef SB_KERNELS_NULL_CHECK_H
#define SB_KERNELS_NULL_CHECK_H

#include "kernels/each.h"

#define SB_NULL_DECLARE(op) __typeof__(*((struct sb_ops *)0)->op) sb_null_##op;
SB_OPS_EACH(SB_NULL_DECLARE)

#define ANY (-1) /* a dimension of any size above 0 */

_Noreturn void sb_null_fail(const char *op, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sb_null_shape(const char *op, const char *name, const struct sb_tensor *t, enum sb_dtype dtype, int ndim,
                   const int64_t *shape);
/* There, with ndim dimensions (ANY: 1 or more). */
void sb_null_rank(const char *op, const char *name, const struct sb_tensor *t, int ndim);
/* The same, and of an activation's dtype, which is returned. */
enum sb_dtype sb_null_act(const char *op, const char *name, const struct sb_tensor *t, int ndim);
/* As many dimensions, each of the same size. */
void sb_null_like(const char *op, const char *name, const struct sb_tensor *t, enum sb_dtype dtype,
                  const struct sb_tensor *like);
void sb_null_pointer(const char *op, const char *name, const void *p);
void sb_null_chance(const char *op, struct sb_chance c);

#define OP (__func__ + sizeof "sb_null_" - 1)
#define COUNT(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define NEED(t, dtype, ...) sb_null_shape(OP, #t, t, dtype, COUNT(__VA_ARGS__), (int64_t[]){__VA_ARGS__})
#define MAY(t, dtype, ...) do { if (t) NEED(t, dtype, __VA_ARGS__); } while (0)
#define LIKE(t, dtype, like) sb_null_like(OP, #t, t, dtype, like)
#define MAY_LIKE(t, dtype, like) do { if (t) LIKE(t, dtype, like); } while (0)
#define RANK(t, ndim) sb_null_rank(OP, #t, t, ndim)
#define ACT(t, ndim) sb_null_act(OP, #t, t, ndim)
#define WANT(condition, ...) do { if (!(condition)) sb_null_fail(OP, __VA_ARGS__); } while (0)

#endif
