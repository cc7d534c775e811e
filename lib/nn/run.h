/* What layers compute with: ops, a device, memory that was taken once, and the parameters on the device.
 *
 * Memory is a stack. In training, forward leaves what backward needs on it; temporaries are rewound. In inference every
 * half block is rewound, so that its peak is small. The peak is found by running the same code over the null backend
 * with a stack of fake addresses (sb_run_plan), so no output shape may depend on data. */
#ifndef SB_NN_RUN_H
#define SB_NN_RUN_H

#include "kernels/ops.h"
#include "nn/model.h"

struct sb_run {
    const struct sb_ops *ops;
    struct sb_dev *dev;
    enum sb_dtype act;            /* of activations and of the parameters that ops read: f32 or bf16 */
    bool save;                    /* forward keeps what backward needs */
    bool chance;                  /* dropout and drop path draw */
    bool recompute;               /* backward computes a block again from its input */
    const uint32_t *chance_state; /* device, 4 words: see struct sb_chance */

    /* parameters, flat, on the device; offsets as in the model */
    const struct sb_model *model;
    void *value;   /* act dtype */
    float *master; /* the same in f32 */
    bool mapped;   /* those of the model that are mapped are read there, not in value */
    float *grad;   /* NULL: not training */
    void **packed; /* [params] a linear's packed weight or NULL */
    int frozen;    /* layers below this are not trained */

    char *memory; /* the stack */
    size_t size, used, peak;
};

/* Bytes, 64-byte aligned. Dies where planning was wrong: that is a fault of the program. */
void *sb_run_take(struct sb_run *r, size_t bytes);
size_t sb_run_mark(const struct sb_run *r);
void sb_run_rewind(struct sb_run *r, size_t mark);

/* Calls fn(arg) over null with fake memory; the bytes of stack that it needs at its peak. The run is as before
 * afterwards. */
size_t sb_run_plan(struct sb_run *r, void (*fn)(void *arg), void *arg);

/* A tensor on the stack, and a view of one under another shape of as many elements. */
struct sb_tensor sb_run_tensor(struct sb_run *r, enum sb_dtype dtype, const int64_t *shape, int ndim);
struct sb_tensor sb_view(const struct sb_tensor *t, const int64_t *shape, int ndim);
#define SB_SHAPE(...) (const int64_t[]){__VA_ARGS__}, (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define SB_TAKE(r, dtype, ...) sb_run_tensor((r), (dtype), SB_SHAPE(__VA_ARGS__))
#define SB_VIEW(t, ...) sb_view((t), SB_SHAPE(__VA_ARGS__))
struct sb_tensor sb_rows(const struct sb_tensor *t); /* [M,D]: all but the last dimension as one */

/* A parameter's value and gradient as tensors, written to *space. NULL where there is none: index -1 (a linear without
 * bias); no gradient where nothing is trained or the parameter's layer is frozen. */
sb_in sb_run_value(const struct sb_run *r, int index, struct sb_tensor *space);
/* In f32: what a batch norm reads, and the running statistics that it writes. Never a mapped parameter. */
sb_out sb_run_master(const struct sb_run *r, int index, struct sb_tensor *space);
sb_out sb_run_grad(const struct sb_run *r, int index, struct sb_tensor *space);

#endif
