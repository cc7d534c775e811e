/* The reference backend: each op as its definition reads, in doubles, one thread, no dependency. It is the truth that
 * other backends are held to, and what computes where no plugin is found. */
#ifndef SB_KERNELS_REF_REF_H
#define SB_KERNELS_REF_REF_H

#include "kernels/each.h"
#include "kernels/ref/load.h"

#define SB_REF_DECLARE(op) __typeof__(*((struct sb_ops *)0)->op) sb_ref_##op;
SB_OPS_EACH(SB_REF_DECLARE)

/* `count` doubles that belong to the op that runs, not zeroed. (The one backend that allocates in an op: the first of
 * each size.) */
double *sb_ref_scratch(struct sb_dev *d, int64_t count);

/* Sum of a[i] b[i]: eight partial sums, which the compiler turns into vectors. */
double sb_ref_dot(const double *a, const double *b, int64_t n);

double sb_ref_activate(enum sb_act a, double x);
double sb_ref_slope(enum sb_act a, double x); /* its derivative */

#endif
