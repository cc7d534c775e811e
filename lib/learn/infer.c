#include "learn/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/infer_model.h"

static void flush(void *arg)
{
    struct sb_infer *n = arg;
    sb_writer_flush(n->filter.out);
}

/* The stream's tensors must be what the model was trained on. */
static void check_preprocess(struct sb_infer *n)
{
    struct sb_preprocess stream;
    bool applied;
    int found = sb_preprocess_from_header(&stream, &applied, &n->filter.header);
    const char *name = sb_reader_name(n->filter.in);
    if (found < 0) sb_die("%s: %s", name, sb_error_message());
    if (!found) return; /* a foreign stream: shapes are all there is to go by */
    if (n->partly) {
        struct sb_preprocess *wanted = &n->model.preprocess, own = *wanted;
        *wanted = stream;
        wanted->size = own.size;
        memcpy(wanted->mean, own.mean, sizeof own.mean);
        memcpy(wanted->std, own.std, sizeof own.std);
    }
    const char *differs = sb_preprocess_differs(&stream, &n->model.preprocess, "the model wants");
    if (differs) sb_die("%s was tensorized otherwise than the model wants: %s", name, differs);
    n->promised = applied ? SB_F32 : SB_U8;
}

static void open_net(struct sb_infer *n, const struct sb_infer_options *o)
{
    if (sb_backend_open(&n->backend, o->device, (int)o->jobs)) sb_die_error();
    struct sb_net_options options = {.batch = (int)o->batch,
                                     .batch_option = "--batch",
                                     .bf16 = sb_backend_bf16(&n->backend, o->precision)};
    n->net = sb_net_open(&n->backend, &n->model, &options);
    if (!n->net) sb_die_error();
}

void sb_infer_open(struct sb_infer *n, const struct sb_tool *tool, const struct sb_args *args,
                   const struct sb_infer_options *o)
{
    memset(n, 0, sizeof *n);
    n->promised = SB_NDTYPES;
    if (!o->model) sb_usage("-m MODEL is needed");
    int found = sb_infer_model(&n->model, o);
    if (found < 0) sb_die_error();
    n->partly = !found;
    sb_filter_open(&n->filter, args, o->output, o->drop);
    check_preprocess(n);
    open_net(n, o);
    n->flush_each = o->max_wait >= 0;
    n->tensor = sb_calloc((size_t)o->batch, sizeof *n->tensor);
    sb_filter_start(&n->filter, tool, args);
    double seconds = o->max_wait < 0 ? -1 : (double)o->max_wait / 1000;
    int held = n->backend.ops->host ? 1 : SB_INFER_HELD;
    n->batches = sb_batches_open(n->filter.in, (int)o->batch, held, seconds, flush, n);
}

static void check_crop(struct sb_infer *n, struct sb_record *rec)
{
    msgpack_object box;
    if (!n->model.crops || n->warned || sb_get_object(rec, "box", &box) == 1) return;
    sb_warn("the model was trained on crops, and record %llu has no `box`: whole frames, it seems, which it never saw",
            (unsigned long long)n->filter.at);
    n->warned = true;
}

static bool all_finite(const float *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* Copies a record's tensor to place i of the batch. */
static void take_tensor(struct sb_infer *n, struct sb_record *rec, int i)
{
    struct sb_tensor t;
    int side = sb_model_size(&n->model);
    int found = sb_get_tensor(rec, "tensor", &t);
    if (found < 0) sb_filter_die(&n->filter, rec, "%s", sb_error_message());
    if (!found) sb_filter_die(&n->filter, rec, "no field 'tensor' (sb-tensorize makes it)");
    if (n->filter.at == 1 && n->promised == SB_NDTYPES)
        sb_warn("%s does not say how its tensors were made: taken to be as the model wants them",
                sb_reader_name(n->filter.in));
    if (!i) n->dtype = t.dtype;
    if (t.ndim != 3 || t.shape[0] != 3 || t.shape[1] != side || t.shape[2] != side ||
        (t.dtype != SB_U8 && t.dtype != SB_F32) || t.dtype != n->dtype) {
        char text[96];
        sb_filter_die(&n->filter, rec, "tensor is %s, the model wants u8 or f32 [3,%d,%d]",
                      sb_tensor_text(&t, text, sizeof text), side, side);
    }
    if (n->promised != SB_NDTYPES && t.dtype != n->promised)
        sb_filter_die(&n->filter, rec, "tensor is %s: the stream's header says that mean and deviation were %s",
                      sb_dtype_name(t.dtype), n->promised == SB_F32 ? "applied" : "not applied");
    n->tensor[i] = t.data;
    if (t.dtype == SB_F32 && !all_finite(t.data, sb_tensor_count(&t)))
        sb_filter_die(&n->filter, rec, "its tensor holds values that are not finite numbers");
}

int sb_infer_next(struct sb_infer *n, struct sb_record **record, struct sb_batch *batch)
{
    int count = sb_batches_next(n->batches, record);
    if (count < 0) sb_die_error();
    for (int i = 0; i < count; i++) {
        n->filter.at = ++n->filter.counts.in; /* the reader is ahead of it */
        check_crop(n, &(*record)[i]);
        take_tensor(n, &(*record)[i], i);
    }
    *batch = (struct sb_batch){.count = count,
                               .dtype = n->dtype,
                               .each = n->tensor,
                               .height = sb_model_size(&n->model),
                               .width = sb_model_size(&n->model)};
    return count;
}

void sb_infer_put(struct sb_infer *n, struct sb_record *record, int count)
{
    for (int i = 0; i < count; i++) sb_filter_put(&n->filter, &record[i]);
    if (n->flush_each) sb_writer_flush(n->filter.out);
}

void sb_infer_close(struct sb_infer *n)
{
    sb_batches_close(n->batches);
    sb_filter_close(&n->filter);
    sb_net_close(n->net);
    sb_backend_close(&n->backend);
    sb_model_free(&n->model);
    free(n->tensor);
}
