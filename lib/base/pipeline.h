/* An ordered parallel map: one thread produces items, `jobs` threads work on them, the calling thread consumes them in
 * the order they were produced. At most `depth` items are in flight, and items are reused, so memory is bounded.
 * With jobs == 1 everything runs in the calling thread. */
#ifndef SB_BASE_PIPELINE_H
#define SB_BASE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

struct sb_pipeline {
    int jobs, depth;                       /* depth 0: 2 * jobs + 2 */
    size_t item_size;                      /* items are zeroed once, then reused */
    bool (*produce)(void *arg, void *item); /* false at the end; only one call at a time */
    void (*work)(void *arg, void *item);    /* any thread */
    void (*consume)(void *arg, void *item); /* the calling thread, in order */
    void (*idle)(void *arg);                /* NULL, or called before the consumer waits: flush output here */
    void (*release)(void *arg, void *item); /* NULL, or called once an item at the end, to free what it owns */
    void *arg;
};

void sb_pipeline_run(const struct sb_pipeline *p);

#endif
