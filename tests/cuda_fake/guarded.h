/* Memory that ends where a page begins that no one may touch, and begins less than a page behind one; the bytes between
 * hold a pattern, a NaN in f32 and bf16, that must stay. */
#ifndef SB_TESTS_CUDA_FAKE_GUARDED_H
#define SB_TESTS_CUDA_FAKE_GUARDED_H

#include <stddef.h>

struct guarded {
    unsigned char *map, *data;
    size_t mapped, bytes;
};

struct guarded guarded_make(size_t bytes, size_t align); /* zeroed; data is NULL when there is not enough */
const char *guarded_wrong(const struct guarded *g);      /* "before" or "behind", where it was written; NULL: nowhere */
void guarded_protect(struct guarded *g, int how);        /* as mprotect */
void guarded_free(struct guarded *g);

#endif
