#include "formats/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define HEADER_MAX 100000000u /* the reference's limit */

static const struct {
    const char *name;
    enum sb_dtype dtype;
} dtypes[] = {
    {"BOOL", SB_BOOL}, {"U8", SB_U8},     {"I8", SB_I8},   {"I16", SB_I16}, {"U16", SB_U16},
    {"F16", SB_F16},   {"BF16", SB_BF16}, {"I32", SB_I32}, {"U32", SB_U32}, {"F32", SB_F32},
    {"F64", SB_F64},   {"I64", SB_I64},   {"U64", SB_U64},
};

const char *sb_weights_dtype_name(enum sb_dtype dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (dtypes[i].dtype == dtype) return dtypes[i].name;
    }
    return NULL;
}

static int parse_dtype(const char *file, const char *name, const json_t *value, enum sb_dtype *dtype)
{
    const char *text = json_string_value(value);
    if (!text) return sb_error("%s: tensor '%.200s': no dtype", file, name);
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (!strcmp(dtypes[i].name, text)) {
            *dtype = dtypes[i].dtype;
            return 0;
        }
    }
    return sb_error("%s: tensor '%.200s': dtype '%.50s' is not supported", file, name, text);
}

/* Fills t's shape and gives its bytes. */
static int parse_shape(const char *file, const char *name, const json_t *value, struct sb_tensor *t, size_t *bytes)
{
    if (!json_is_array(value)) return sb_error("%s: tensor '%.200s': no shape", file, name);
    size_t ndim = json_array_size(value), total = sb_dtype_size(t->dtype);
    if (ndim > SB_DIMS)
        return sb_error("%s: tensor '%.200s': %zu dimensions, at most %d are supported", file, name, ndim, SB_DIMS);
    t->ndim = (int)ndim;
    for (size_t i = 0; i < ndim; i++) {
        const json_t *dim = json_array_get(value, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0) {
            return sb_error("%s: tensor '%.200s': a dimension is not a count", file, name);
        }
        t->shape[i] = json_integer_value(dim);
        if (!sb_mul(total, (size_t)t->shape[i], &total))
            return sb_error("%s: tensor '%.200s': its shape overflows", file, name);
    }
    *bytes = total;
    return 0;
}

/* A tensor's range in the data, kept until all are known to be without holes and overlaps. */
struct range {
    size_t begin, end;
    const char *name;
};

static int parse_tensor(const char *file, const char *name, const json_t *value, const uint8_t *data, size_t data_size,
                        struct sb_tensor *t, struct range *r)
{
    if (!json_is_object(value)) return sb_error("%s: tensor '%.200s': its description is not an object", file, name);
    size_t bytes = 0;
    if (parse_dtype(file, name, json_object_get(value, "dtype"), &t->dtype)) return -1;
    if (parse_shape(file, name, json_object_get(value, "shape"), t, &bytes)) return -1;
    const json_t *offsets = json_object_get(value, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin)) {
        return sb_error("%s: tensor '%.200s': bad data_offsets", file, name);
    }
    r->begin = (size_t)json_integer_value(begin);
    r->end = (size_t)json_integer_value(end);
    r->name = name;
    if (r->end > data_size) {
        return sb_error("%s: tensor '%.200s': it ends at byte %zu of %zu: the file is cut off", file, name, r->end,
                        data_size);
    }
    if (r->end - r->begin != bytes) {
        return sb_error("%s: tensor '%.200s': its shape takes %zu bytes, its range has %zu", file, name, bytes,
                        r->end - r->begin);
    }
    t->data = (void *)(uintptr_t)(data + r->begin);
    return 0;
}

static int by_range(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int check_ranges(const char *file, struct range *range, size_t count, size_t data_size)
{
    qsort(range, count, sizeof *range, by_range);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (range[i].begin < at) return sb_error("%s: tensor '%.200s': it overlaps another", file, range[i].name);
        if (range[i].begin > at)
            return sb_error("%s: tensor '%.200s': a hole of %zu bytes lies before it", file, range[i].name,
                            range[i].begin - at);
        at = range[i].end;
    }
    if (at != data_size) return sb_error("%s: %zu bytes after the last tensor", file, data_size - at);
    return 0;
}

static int parse_metadata(struct sb_weights *w, const char *file, json_t *value)
{
    if (!json_is_object(value)) return sb_error("%s: __metadata__ is not an object", file);
    size_t n = json_object_size(value);
    w->key = sb_calloc(n, sizeof *w->key);
    w->value = sb_calloc(n, sizeof *w->value);
    const char *key;
    json_t *item;
    json_object_foreach(value, key, item)
    {
        if (!json_is_string(item)) return sb_error("%s: __metadata__ '%.200s' is not a text", file, key);
        w->key[w->metadata] = sb_strdup(key);
        w->value[w->metadata++] = sb_strdup(json_string_value(item));
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sb_weight *)a)->name, ((const struct sb_weight *)b)->name);
}

void sb_weights_sort(struct sb_weights *w)
{
    if (w->count) qsort(w->weight, w->count, sizeof *w->weight, by_name);
}

static int parse_header(struct sb_weights *w, json_t *header, const char *file, const uint8_t *data, size_t data_size)
{
    size_t n = json_object_size(header);
    struct range *range = sb_calloc(n, sizeof *range);
    w->weight = sb_calloc(n, sizeof *w->weight);
    int rc = 0;
    const char *name;
    json_t *value;
    json_object_foreach(header, name, value)
    {
        if (rc) break;
        if (!strcmp(name, "__metadata__")) {
            rc = parse_metadata(w, file, value);
            continue;
        }
        struct sb_weight *weight = &w->weight[w->count];
        rc = parse_tensor(file, name, value, data, data_size, &weight->tensor, &range[w->count]);
        if (!rc) {
            weight->name = sb_strdup(name);
            w->count++;
        }
    }
    if (!rc) rc = check_ranges(file, range, w->count, data_size);
    free(range);
    sb_weights_sort(w);
    return rc;
}

/* What torch.save writes: a zip archive, or before 2020 a bare pickle of protocol 2 or later. */
static bool is_pickle(const uint8_t *bytes, size_t size)
{
    bool zip = !memcmp(bytes, "PK\3\4", 4), bare = bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
    return (zip || bare) && (size < 9 || bytes[8] != '{');
}

/* reef.pth.tar: reef */
static int stem(const char *file)
{
    size_t size = strlen(file);
    static const char *const endings[] = {".tar", ".pth", ".pt", ".bin", ".th"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (size > n && !strncmp(file + size - n, endings[i], n)) size -= n;
    }
    return (int)size;
}

static int refuse_pickle(const char *file)
{
    sb_error(
        "%s: a pickle, as torch.save writes it: opening one can run any program. These lines of Python convert it:",
        file);
    return sb_error_advice(
        "import torch, safetensors.torch; x = torch.load(\"%s\", \"cpu\", weights_only=True); "
        "x = x.get(\"state_dict\", x.get(\"model\", x))\n"
        "safetensors.torch.save_file({k: v.clone().contiguous() for k, v in x.items() if torch.is_tensor(v)}, "
        "\"%.*s.safetensors\")",
        file, stem(file), file);
}

static int parse(struct sb_weights *w, const uint8_t *bytes, size_t size, const char *file)
{
    if (size < 8) return sb_error("%s: not a safetensors file: only %zu bytes", file, size);
    if (is_pickle(bytes, size)) return refuse_pickle(file);
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) n = n << 8 | bytes[i];
    if (n > HEADER_MAX)
        return sb_error("%s: not a safetensors file: its header would have %llu bytes", file, (unsigned long long)n);
    if (n > size - 8)
        return sb_error("%s: cut off: the header has %llu bytes, %zu are there", file, (unsigned long long)n, size - 8);
    if (n == 0 || bytes[8] != '{') return sb_error("%s: not a safetensors file: no header", file);
    json_error_t error;
    json_t *header = json_loadb((const char *)bytes + 8, (size_t)n, JSON_REJECT_DUPLICATES, &error);
    if (!header) return sb_error("%s: its header is not valid JSON: %s", file, error.text);
    int rc = parse_header(w, header, file, bytes + 8 + n, size - 8 - (size_t)n);
    json_decref(header);
    return rc;
}

int sb_weights_parse(struct sb_weights *w, const void *bytes, size_t size, const char *name)
{
    memset(w, 0, sizeof *w);
    int rc = parse(w, bytes, size, name);
    if (rc) sb_weights_close(w);
    return rc;
}

int sb_weights_open(struct sb_weights *w, const char *path)
{
    memset(w, 0, sizeof *w);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return sb_error("%s: %s", path, strerror(errno));
    struct stat st;
    int rc = 0;
    void *map = NULL;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        rc = sb_error("%s: not a regular file", path);
    else if (st.st_size < 8)
        rc = sb_error("%s: not a safetensors file: only %lld bytes", path, (long long)st.st_size);
    else {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) rc = sb_error("%s: cannot map it: %s", path, strerror(errno));
    }
    close(fd);
    if (rc) return rc;
    rc = parse(w, map, (size_t)st.st_size, path);
    w->map = map;
    w->map_size = (size_t)st.st_size;
    if (rc) sb_weights_close(w);
    return rc;
}

struct sb_weight *sb_weights_entry(const struct sb_weights *w, const char *name)
{
    struct sb_weight wanted = {.name = (char *)(uintptr_t)name};
    return w->count ? bsearch(&wanted, w->weight, w->count, sizeof *w->weight, by_name) : NULL;
}

const struct sb_tensor *sb_weights_find(const struct sb_weights *w, const char *name)
{
    const struct sb_weight *found = sb_weights_entry(w, name);
    return found ? &found->tensor : NULL;
}

const char *sb_weights_was(const struct sb_weights *w, const char *name)
{
    const struct sb_weight *found = sb_weights_entry(w, name);
    return found && found->was ? found->was : name;
}

const char *sb_weights_metadata(const struct sb_weights *w, const char *key)
{
    for (size_t i = 0; i < w->metadata; i++) {
        if (!strcmp(w->key[i], key)) return w->value[i];
    }
    return NULL;
}

void *sb_weights_own(struct sb_weights *w, size_t bytes)
{
    w->own = sb_realloc(w->own, w->owned + 1, sizeof *w->own);
    return w->own[w->owned++] = sb_malloc(bytes);
}

void sb_weights_close(struct sb_weights *w)
{
    for (size_t i = 0; i < w->owned; i++) free(w->own[i]);
    free(w->own);
    for (size_t i = 0; i < w->count; i++) {
        free(w->weight[i].name);
        free(w->weight[i].was);
    }
    for (size_t i = 0; i < w->metadata; i++) {
        free(w->key[i]);
        free(w->value[i]);
    }
    free(w->weight);
    free(w->key);
    free(w->value);
    if (w->map) munmap(w->map, w->map_size);
    memset(w, 0, sizeof *w);
}
