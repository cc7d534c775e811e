/* How matmul.c and convolution.c keep oneDNN's primitives. */
#ifndef SB_KERNELS_CPU_PLAN_H
#define SB_KERNELS_CPU_PLAN_H

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/onednn.h"

#define SB_PLAN_FIELDS 16
#define SB_PLAN_ARGS 6
#define SB_PLAN_LAYOUTS 8

enum { SB_PLAN_WORK, SB_PLAN_A, SB_PLAN_B, SB_PLAN_C, SB_PLAN_D, SB_PLAN_E, SB_PLAN_SPARES };
enum sb_plan_kind { SB_PLAN_MATMUL = 1, SB_PLAN_PACK, SB_PLAN_CONVOLVE };

struct sb_plan_key {
    int64_t field[SB_PLAN_FIELDS]; /* the kind, then what that kind depends on; the rest 0 */
};

struct sb_plan {
    struct sb_plan *next;
    struct sb_plan_key key;
    dnnl_primitive_t primitive; /* NULL in a plan that was just added */
    size_t work;                /* bytes of working memory that it wants */
    int args;                   /* the last is the working memory, if there is any */
    dnnl_exec_arg_t arg[SB_PLAN_ARGS];
    int layouts;
    dnnl_memory_desc_t layout[SB_PLAN_LAYOUTS]; /* owned: those that were described for it */
    const_dnnl_memory_desc_t packed;            /* one of them: the layout of the weights that the kernel wants */
    struct sb_plan
        *reorder; /* owned: brings a convolution's weights into that layout, or their gradient out of it; or NULL */
};

struct sb_plans {
    int threads;
    bool bf16; /* oneDNN computes with bf16 here */
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct sb_plan **bucket;
    void *spare[SB_PLAN_SPARES]; /* grows to what was needed most */
    size_t spare_size[SB_PLAN_SPARES];
};

void sb_plan_check(dnnl_status_t status, const char *what); /* ends the program with a line if it is not success */
/* The plan with this key; a new, empty one if there is none yet: the caller fills it. */
struct sb_plan *sb_plan_find(struct sb_plans *p, const struct sb_plan_key *key);
void *sb_plan_spare(struct sb_plans *p, int which, size_t bytes);
const float *sb_plan_widen(struct sb_plans *p, int which, const void *x,
                           int64_t n); /* bf16 x in spare memory; NULL stays NULL */
/* Layouts, which the plan owns: of a matrix, of a tensor, and of what a kernel wants. */
const_dnnl_memory_desc_t sb_plan_matrix(struct sb_plan *plan, int64_t rows, int64_t cols, bool transposed,
                                        dnnl_data_type_t type);
const_dnnl_memory_desc_t sb_plan_layout(struct sb_plan *plan, const int64_t *shape, int ndim, dnnl_data_type_t type,
                                        dnnl_format_tag_t tag);
const_dnnl_memory_desc_t sb_plan_wanted(struct sb_plan *plan, dnnl_primitive_desc_t desc, dnnl_query_t which);
/* With the epilogue, which it frees, unless that is NULL. The caller destroys them. */
dnnl_primitive_attr_t sb_plan_attributes(dnnl_post_ops_t epilogue);
void sb_plan_arg(struct sb_plans *p, struct sb_plan *plan, int name, const_dnnl_memory_desc_t desc);
void sb_plan_make(struct sb_plans *p, struct sb_plan *plan,
                  dnnl_primitive_desc_t desc); /* frees desc; after all sb_plan_arg */
/* Makes a plan that copies from one layout to another; add: it adds to what is there. */
void sb_plan_make_reorder(struct sb_plans *p, struct sb_plan *plan, const_dnnl_memory_desc_t from,
                          const_dnnl_memory_desc_t to, bool add);
void sb_plan_run(struct sb_plans *p, struct sb_plan *plan,
                 const void *const *data); /* data in the order of sb_plan_arg */

static inline dnnl_data_type_t sb_plan_type(int dtype)
{
    return dtype == SB_BF16 ? dnnl_bf16 : dnnl_f32;
}

#endif
