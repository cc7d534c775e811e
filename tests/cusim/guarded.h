/* Memory that ends where a page begins that no one may touch, and begins as near behind one as its size allows; bytes
 * between hold a pattern, a NaN in f32 and bf16, that must stay. */
#ifndef SB_TESTS_CUSIM_GUARDED_H
#define SB_TESTS_CUSIM_GUARDED_H

#include <stddef.h>

struct guarded {
    unsigned char *map, *data;
    size_t mapped, bytes;
};

struct guarded guarded_make(size_t bytes, size_t align); /* zeroed; data is NULL when there is not enough */
/* NULL, or what is wrong. */
const char *guarded_wrong(const struct guarded *g);
void guarded_protect(struct guarded *g, int how); /* as mprotect */
void guarded_free(struct guarded *g);

#endif
