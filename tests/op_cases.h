/* The cases that hold a backend to the reference: one table of op, sizes, options and tolerance (op_cases.c), how each
 * op is called (op_calls_*.c), and what runs a case on a device (op_run.c). Whoever has an op table and a device can
 * take it: test_backend does for each plugin.
 *
 * A call is a function that names its operands and calls the op once; it reads like a layer. It runs first to invent
 * the operands' values on the host, then over null, ref and the backend, where NEW gives the device's tensors. */
#ifndef SB_TESTS_OP_CASES_H
#define SB_TESTS_OP_CASES_H

#include "base/rng.h"
#include "kernels/each.h"

enum op_role {
    IN,    /* read, and found unchanged */
    OUT,   /* full of NaN before each of the two runs: proves = */
    INOUT, /* as it was before each run */
    KEPT,  /* goes from the first run into the second: proves += */
};

struct op_run {
    const struct op_case *c;
    enum sb_dtype act;
    bool inventing; /* operands lie on the host, where sb_ops_ref may compute: fill them, and do not call the op */
    const struct sb_ops *ops;
    struct sb_dev *dev;
    struct op_operand *operand;
    int count, next;
    void *packed;
    struct sb_rng rng;
};

struct op_case {
    const char *op;
    void (*call)(struct op_run *r);
    /* For each act dtype the worst |x - ref| / (root mean square of ref + |ref|). 0: exact; below 0: not run. */
    double f32, bf16;
    const char *options; /* words */
    int64_t n[6];        /* sizes */
};

#define OP_CALL(op) void op_call_##op(struct op_run *r);
SB_OPS_EACH(OP_CALL) /* op_calls_*.c; the device's own functions have none */

extern const struct op_case op_cases[];
extern const int op_case_count;

/* Runs a case in one dtype. True, or false with a line in `what`. */
bool op_case_run(const struct op_case *c, enum sb_dtype act, const struct sb_ops *ops, struct sb_dev *dev, char *what,
                 size_t size);
void op_case_name(const struct op_case *c, enum sb_dtype act, char *name, size_t size); /* "linear bf16 [3,5,7] bias" */

static inline bool op_case_has_dtype(const struct op_case *c, enum sb_dtype act)
{
    return (act == SB_BF16 ? c->bf16 : c->f32) >= 0;
}

/* ---- for calls --------------------------------------------------------------------------------------------------- */

const struct sb_tensor *op_new(struct op_run *r, const char *name, enum op_role role, enum sb_dtype dtype, int ndim,
                               const int64_t *shape);
#define OP_DIMS(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__}
#define NEW(name, role, dtype, ...) op_new(r, #name, role, dtype, OP_DIMS(__VA_ARGS__))
#define HAS(option) op_has(r, option)
#define N(i) (r->c->n[i])
/* An operand that the case's options ask for by its name, and one that an option leaves out. */
#define MAY(name, role, dtype, ...) (HAS(#name) ? NEW(name, role, dtype, __VA_ARGS__) : NULL)
#define UNLESS(option, name, role, dtype, ...) (HAS(option) ? NULL : NEW(name, role, dtype, __VA_ARGS__))

bool op_has(const struct op_run *r, const char *option);
/* The packed weight on the device, or NULL where the backend has none. */
const void *op_packed(struct op_run *r, sb_in w, bool backward);

/* Values, while inventing. Without these f32 and bf16 are uniform in [-1,1), u8 in 0..255, i32 0. */
void op_fill(struct op_run *r, sb_in t, double low, double high);
void op_fill_integers(struct op_run *r, sb_in t, int32_t low, int32_t high); /* also into f32 and bf16: equals occur */

#endif
