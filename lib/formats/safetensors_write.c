#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/output.h"
#include "formats/safetensors.h"

/* Wide dtypes first, as the reference does, so that every tensor is aligned for its dtype; then by name. */
static int by_place(const void *a, const void *b)
{
    const struct sb_weight *x = *(const struct sb_weight *const *)a, *y = *(const struct sb_weight *const *)b;
    size_t sx = sb_dtype_size(x->tensor.dtype), sy = sb_dtype_size(y->tensor.dtype);
    return sx != sy ? (sx < sy ? 1 : -1) : strcmp(x->name, y->name);
}

static json_t *describe(const struct sb_weight *w, size_t begin)
{
    json_t *shape = json_array();
    for (int i = 0; i < w->tensor.ndim; i++) json_array_append_new(shape, json_integer(w->tensor.shape[i]));
    json_t *offsets = json_array();
    json_array_append_new(offsets, json_integer((json_int_t)begin));
    json_array_append_new(offsets, json_integer((json_int_t)(begin + sb_tensor_bytes(&w->tensor))));
    json_t *o = json_object();
    json_object_set_new(o, "dtype", json_string(sb_weights_dtype_name(w->tensor.dtype)));
    json_object_set_new(o, "shape", shape);
    json_object_set_new(o, "data_offsets", offsets);
    return o;
}

static int add_new(json_t *object, const char *path, const char *key, json_t *value)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return sb_error("%s: two entries named '%.200s'", path, key);
    }
    return json_object_set_new(object, key, value) ? sb_error("%s: '%.200s' or its text is not UTF-8", path, key) : 0;
}

static int fill_header(json_t *header, const char *path, const struct sb_weight **sorted, size_t count,
                       const char *const *key, const char *const *value, size_t metadata)
{
    if (metadata) {
        json_t *m = json_object();
        json_object_set_new(header, "__metadata__", m);
        for (size_t i = 0; i < metadata; i++) {
            if (add_new(m, path, key[i], json_string(value[i]))) return -1;
        }
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (add_new(header, path, sorted[i]->name, describe(sorted[i], at))) return -1;
        at += sb_tensor_bytes(&sorted[i]->tensor);
    }
    return 0;
}

static void write_file(const char *path, const char *text, const struct sb_weight **sorted, size_t count)
{
    static const char spaces[8] = "       ";
    size_t size = strlen(text), padded = (size + 7) / 8 * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)padded >> 8 * i);
    struct sb_output *o = sb_output_open(path);
    sb_output_write(o, length, sizeof length);
    sb_output_write(o, text, size);
    sb_output_write(o, spaces, padded - size);
    for (size_t i = 0; i < count; i++) sb_output_write(o, sorted[i]->tensor.data, sb_tensor_bytes(&sorted[i]->tensor));
    /* Hours of training: a new name must not reach the disk before its data. Pipes and devices have no disk. */
    if (fsync(sb_output_fd(o)) && errno != EINVAL) sb_die("%s: %s", path, strerror(errno));
    sb_output_close(o);
}

int sb_weights_save(const char *path, const struct sb_weight *weight, size_t count, const char *const *key,
                    const char *const *value, size_t metadata)
{
    const struct sb_weight **sorted = sb_calloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = &weight[i];
    if (count) qsort(sorted, count, sizeof *sorted, by_place);
    json_t *header = json_object();
    int rc = fill_header(header, path, sorted, count, key, value, metadata);
    /* jansson sorts keys, so the bytes depend on the content alone. */
    char *text = rc ? NULL : json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    if (!rc && !text) sb_die("%s: cannot write its header as JSON", path);
    if (text) write_file(path, text, sorted, count);
    free(text);
    json_decref(header);
    free(sorted);
    return rc;
}
