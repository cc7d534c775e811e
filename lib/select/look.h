/* A record's picture as it is compared with others (duplicates.h). */
#ifndef SB_SELECT_LOOK_H
#define SB_SELECT_LOOK_H

#include "base/record.h"
#include "media/picture.h"
#include "select/duplicates.h"

struct sb_look_memory { /* owned by the caller; a zeroed one is empty, and kept for reuse */
    struct sb_picture picture;
    float *embedding;
    size_t cap;
};

/* Looks at `image` as d says, and at `embedding` where d compares them. What is exact hangs on that: of a JPEG its bytes,
 * else the size and the pixels; with d->bits 0 always these. 0, or -1 with a message. Safe in threads. */
int sb_look_make(const struct sb_duplicates *d, struct sb_record *rec, struct sb_look_memory *m, struct sb_look *look);
void sb_look_memory_free(struct sb_look_memory *m);

#endif
