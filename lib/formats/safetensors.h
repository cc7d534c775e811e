/* Reads and writes safetensors files. Reading is strict: header size, ranges without holes or overlap, sizes multiplied
 * with overflow checks, duplicate keys refused, before anything is allocated by what the file declares. What torch.save
 * writes, pickles, could run code: it is refused, with the two lines of Python that convert it. */
#ifndef SB_FORMATS_SAFETENSORS_H
#define SB_FORMATS_SAFETENSORS_H

#include "base/tensor.h"

struct sb_weight {
    char *name;
    char *was;               /* what the file calls it, where it was renamed (weights/names.h); else NULL */
    struct sb_tensor tensor; /* points into the mapped file, where it may be misaligned for its dtype, or to memory */
};

struct sb_weights {
    struct sb_weight *weight; /* sorted by name */
    size_t count;
    char **key, **value; /* __metadata__ */
    size_t metadata;
    void *map;
    size_t map_size;
    void **own; /* memory of tensors that do not lie in the file */
    size_t owned;
};

int sb_weights_open(struct sb_weights *w, const char *path); /* "reef.safetensors: tensor 'head.bias': ..." */
/* The same from memory, which must outlive w. */
int sb_weights_parse(struct sb_weights *w, const void *bytes, size_t size, const char *name);
const struct sb_tensor *sb_weights_find(const struct sb_weights *w, const char *name); /* NULL if absent */
const char *sb_weights_metadata(const struct sb_weights *w, const char *key);          /* NULL if absent */
/* For who renames and replaces tensors (weights/names.h). */
struct sb_weight *sb_weights_entry(const struct sb_weights *w, const char *name); /* NULL if absent */
const char *sb_weights_was(const struct sb_weights *w, const char *name); /* for messages; name if it is absent */
void sb_weights_sort(struct sb_weights *w);                               /* by name, as all here want it */
void *sb_weights_own(struct sb_weights *w, size_t bytes);                 /* memory for a tensor that closing frees */
void sb_weights_close(struct sb_weights *w);

const char *sb_weights_dtype_name(enum sb_dtype dtype); /* as the format spells it: "F32", "BF16" */

/* Writes whole or not at all, as base/output.h does, which ends the program where it can't; -1 only if names are not
 * UTF-8 or stand twice. weight[] and its data are the caller's. Deterministic bytes: wide dtypes first, then by name;
 * metadata sorted. */
int sb_weights_save(const char *path, const struct sb_weight *weight, size_t count, const char *const *key,
                    const char *const *value, size_t metadata);

#endif
