/* oneDNN's primitives, made once for each shape and kept by it: making one takes milliseconds, calling it a third of a
 * microsecond.
 *
 * Where oneDNN has no bf16 (no AVX-512), operands are widened into spare memory, computed in f32, and narrowed again.
 */
#include "kernels/cpu/plan.h"

#include <stdlib.h>

#include "base/err.h"

#define BUCKETS 256

void sb_plan_check(dnnl_status_t status, const char *what)
{
    if (status != dnnl_success) sb_die("oneDNN: cannot %s (status %d)", what, (int)status);
}

static bool has(dnnl_cpu_isa_t isa)
{
    return ((int)dnnl_get_effective_cpu_isa() & (int)isa) == (int)isa;
}

/* With AMX. AVX-512's own bf16 products are slower than f32 on Intel's processors and twice as fast on AMD's. */
bool sb_plans_fast_bf16(void)
{
    return has(dnnl_cpu_isa_avx512_core_amx) || (has(dnnl_cpu_isa_avx512_core_bf16) && __builtin_cpu_is("amd"));
}

bool sb_plans_avx512(void)
{
    return has(dnnl_cpu_isa_avx512_core);
}

bool sb_plans_avx512_bf16(void)
{
    return has(dnnl_cpu_isa_avx512_core_bf16);
}

struct sb_plans *sb_plans_open(int threads)
{
    struct sb_plans *p = sb_calloc(1, sizeof *p);
    p->threads = threads;
    p->bf16 = sb_plans_avx512();
    p->bucket = sb_calloc(BUCKETS, sizeof *p->bucket);
    if (dnnl_engine_create(&p->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags) != dnnl_success) {
        sb_plans_close(p);
        return NULL;
    }
    return p;
}

static void plan_free(struct sb_plan *plan)
{
    if (plan->reorder) plan_free(plan->reorder);
    for (int i = 0; i < plan->args; i++) {
        if (plan->arg[i].memory) dnnl_memory_destroy(plan->arg[i].memory);
    }
    for (int i = 0; i < plan->layouts; i++) dnnl_memory_desc_destroy(plan->layout[i]);
    if (plan->primitive) dnnl_primitive_destroy(plan->primitive);
    free(plan);
}

void sb_plans_close(struct sb_plans *p)
{
    for (int i = 0; i < BUCKETS; i++) {
        while (p->bucket[i]) {
            struct sb_plan *next = p->bucket[i]->next;
            plan_free(p->bucket[i]);
            p->bucket[i] = next;
        }
    }
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    for (int i = 0; i < SB_PLAN_SPARES; i++) free(p->spare[i]);
    free(p->bucket);
    free(p);
}

struct sb_plan *sb_plan_find(struct sb_plans *p, const struct sb_plan_key *key)
{
    if (omp_get_max_threads() != p->threads) omp_set_num_threads(p->threads);
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < SB_PLAN_FIELDS; i++) hash = (hash ^ (uint64_t)key->field[i]) * 0x100000001b3u;
    struct sb_plan **at = &p->bucket[(hash ^ hash >> 32) % BUCKETS];
    for (struct sb_plan *plan = *at; plan; plan = plan->next) {
        if (memcmp(&plan->key, key, sizeof *key) == 0) return plan;
    }
    struct sb_plan *plan = sb_calloc(1, sizeof *plan);
    plan->key = *key;
    plan->next = *at;
    *at = plan;
    return plan;
}

void *sb_plan_spare(struct sb_plans *p, int which, size_t bytes)
{
    if (bytes > p->spare_size[which]) {
        free(p->spare[which]);
        p->spare[which] = sb_aligned(64, bytes);
        p->spare_size[which] = bytes;
    }
    return p->spare[which];
}

const float *sb_plan_widen(struct sb_plans *p, int which, const void *x, int64_t n)
{
    if (!x) return NULL;
    float *y = sb_plan_spare(p, which, (size_t)n * sizeof(float));
    sb_cpu_widen(x, y, n);
    return y;
}

const_dnnl_memory_desc_t sb_plan_matrix(struct sb_plan *plan, int64_t rows, int64_t cols, bool transposed,
                                        dnnl_data_type_t type)
{
    dnnl_memory_desc_t *at = &plan->layout[plan->layouts];
    dnnl_dims_t dims = {rows, cols}, strides = {transposed ? 1 : cols, transposed ? rows : 1};
    sb_plan_check(dnnl_memory_desc_create_with_strides(at, 2, dims, type, strides), "describe a matrix");
    return plan->layout[plan->layouts++];
}

const_dnnl_memory_desc_t sb_plan_layout(struct sb_plan *plan, const int64_t *shape, int ndim, dnnl_data_type_t type,
                                        dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = {0};
    for (int i = 0; i < ndim; i++) dims[i] = shape[i];
    sb_plan_check(dnnl_memory_desc_create_with_tag(&plan->layout[plan->layouts], ndim, dims, type, tag),
                  "describe an operand");
    return plan->layout[plan->layouts++];
}

const_dnnl_memory_desc_t sb_plan_wanted(struct sb_plan *plan, dnnl_primitive_desc_t desc, dnnl_query_t which)
{
    const_dnnl_memory_desc_t wanted = dnnl_primitive_desc_query_md(desc, which, 0);
    sb_plan_check(dnnl_memory_desc_clone(&plan->layout[plan->layouts], wanted), "describe an operand");
    return plan->layout[plan->layouts++];
}

void sb_plan_arg(struct sb_plans *p, struct sb_plan *plan, int name, const_dnnl_memory_desc_t desc)
{
    dnnl_exec_arg_t *arg = &plan->arg[plan->args++];
    arg->arg = name;
    sb_plan_check(dnnl_memory_create(&arg->memory, desc, p->engine, DNNL_MEMORY_NONE), "describe an operand");
}

dnnl_primitive_attr_t sb_plan_attributes(dnnl_post_ops_t epilogue)
{
    dnnl_primitive_attr_t attr;
    sb_plan_check(dnnl_primitive_attr_create(&attr), "make attributes");
    sb_plan_check(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user), "share working memory");
    if (epilogue) {
        sb_plan_check(dnnl_primitive_attr_set_post_ops(attr, epilogue), "make an epilogue");
        sb_plan_check(dnnl_post_ops_destroy(epilogue), "free an epilogue");
    }
    return attr;
}

void sb_plan_make(struct sb_plans *p, struct sb_plan *plan, dnnl_primitive_desc_t desc)
{
    const_dnnl_memory_desc_t work = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    plan->work = work ? dnnl_memory_desc_get_size(work) : 0;
    if (plan->work) sb_plan_arg(p, plan, DNNL_ARG_SCRATCHPAD, work);
    sb_plan_check(dnnl_primitive_create(&plan->primitive, desc), "make a kernel");
    sb_plan_check(dnnl_primitive_desc_destroy(desc), "free a description");
}

void sb_plan_make_reorder(struct sb_plans *p, struct sb_plan *plan, const_dnnl_memory_desc_t from,
                          const_dnnl_memory_desc_t to, bool add)
{
    dnnl_post_ops_t ops;
    dnnl_primitive_desc_t desc;
    sb_plan_check(dnnl_post_ops_create(&ops), "make an epilogue");
    if (add) sb_plan_check(dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef), "make an epilogue");
    dnnl_primitive_attr_t attr = sb_plan_attributes(ops);
    sb_plan_check(dnnl_reorder_primitive_desc_create(&desc, from, p->engine, to, p->engine, attr), "find a reorder");
    sb_plan_check(dnnl_primitive_attr_destroy(attr), "free attributes");
    sb_plan_arg(p, plan, DNNL_ARG_FROM, from);
    sb_plan_arg(p, plan, DNNL_ARG_TO, to);
    sb_plan_make(p, plan, desc);
}

void sb_plan_run(struct sb_plans *p, struct sb_plan *plan, const void *const *data)
{
    for (int i = 0; i < plan->args; i++) {
        dnnl_exec_arg_t *arg = &plan->arg[i];
        const void *at = arg->arg == DNNL_ARG_SCRATCHPAD ? sb_plan_spare(p, SB_PLAN_WORK, plan->work) : data[i];
        sb_plan_check(dnnl_memory_set_data_handle(arg->memory, (void *)(uintptr_t)at), "set an operand");
    }
    sb_plan_check(dnnl_primitive_execute(plan->primitive, p->stream, plan->args, plan->arg), "run a kernel");
}
