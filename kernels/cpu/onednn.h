/* oneDNN, called as its version 3 is. Where version 2 is installed (Debian 12), what it calls or declares otherwise is
 * put in terms of version 2 here; once version 2 is of no interest, nothing but the #include remains. */
#ifndef SB_KERNELS_CPU_ONEDNN_H
#define SB_KERNELS_CPU_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR < 3
#include <stdlib.h>

/* Version 3 hands out descriptions of memory by pointer, version 2 by value. */
typedef const dnnl_memory_desc_t *const_dnnl_memory_desc_t;
typedef dnnl_memory_desc_t *sb_onednn_memory_desc;
#define dnnl_memory_desc_t sb_onednn_memory_desc

enum { dnnl_query_inner_nblks_s32 };

static inline dnnl_status_t dnnl_memory_desc_create_with_tag(dnnl_memory_desc_t *desc, int ndims,
                                                             const dnnl_dims_t dims, dnnl_data_type_t type,
                                                             dnnl_format_tag_t tag)
{
    *desc = calloc(1, sizeof **desc);
    return *desc ? dnnl_memory_desc_init_by_tag(*desc, ndims, dims, type, tag) : dnnl_out_of_memory;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_strides(dnnl_memory_desc_t *desc, int ndims,
                                                                 const dnnl_dims_t dims, dnnl_data_type_t type,
                                                                 const dnnl_dims_t strides)
{
    *desc = calloc(1, sizeof **desc);
    return *desc ? dnnl_memory_desc_init_by_strides(*desc, ndims, dims, type, strides) : dnnl_out_of_memory;
}

static inline dnnl_status_t dnnl_memory_desc_clone(dnnl_memory_desc_t *desc, const_dnnl_memory_desc_t from)
{
    *desc = calloc(1, sizeof **desc);
    if (!*desc) return dnnl_out_of_memory;
    **desc = *from;
    return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_destroy(dnnl_memory_desc_t desc)
{
    free(desc);
    return dnnl_success;
}

/* What can be asked for here is the number of blocks. */
static inline dnnl_status_t dnnl_memory_desc_query(const_dnnl_memory_desc_t desc, int what, void *answer)
{
    if (what != dnnl_query_inner_nblks_s32) return dnnl_unimplemented;
    *(int *)answer = desc->format_desc.blocking.inner_nblks;
    return dnnl_success;
}

#define dnnl_post_ops_append_sum(ops, scale, zero_point, type) dnnl_post_ops_append_sum(ops, scale)
#define dnnl_post_ops_append_eltwise(ops, how, alpha, beta) dnnl_post_ops_append_eltwise(ops, 1.0f, how, alpha, beta)

/* Version 2 describes an operation first, then looks for a kernel that does it. */
static inline dnnl_status_t dnnl_matmul_primitive_desc_create(dnnl_primitive_desc_t *found, dnnl_engine_t engine,
                                                              const_dnnl_memory_desc_t x, const_dnnl_memory_desc_t w,
                                                              const_dnnl_memory_desc_t bias,
                                                              const_dnnl_memory_desc_t y,
                                                              const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t desc;
    dnnl_status_t status = dnnl_matmul_desc_init(&desc, x, w, bias, y);
    return status == dnnl_success ? dnnl_primitive_desc_create(found, &desc, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *found, dnnl_engine_t engine, dnnl_prop_kind_t kind, dnnl_alg_kind_t how,
    const_dnnl_memory_desc_t x, const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t y,
    const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t before, const dnnl_dims_t after,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(&desc, kind, how, x, w, bias, y, strides,
                                                                      dilates, before, after);
    return status == dnnl_success ? dnnl_primitive_desc_create(found, &desc, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *found, dnnl_engine_t engine, dnnl_alg_kind_t how, const_dnnl_memory_desc_t dx,
    const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t dy, const dnnl_dims_t strides, const dnnl_dims_t dilates,
    const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    dnnl_status_t status =
        dnnl_dilated_convolution_backward_data_desc_init(&desc, how, dx, w, dy, strides, dilates, before, after);
    return status == dnnl_success ? dnnl_primitive_desc_create(found, &desc, attr, engine, forward) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *found, dnnl_engine_t engine, dnnl_alg_kind_t how, const_dnnl_memory_desc_t x,
    const_dnnl_memory_desc_t dw, const_dnnl_memory_desc_t dbias, const_dnnl_memory_desc_t dy,
    const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t before, const dnnl_dims_t after,
    const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(&desc, how, x, dw, dbias, dy, strides,
                                                                               dilates, before, after);
    return status == dnnl_success ? dnnl_primitive_desc_create(found, &desc, attr, engine, forward) : status;
}
#endif

#endif
