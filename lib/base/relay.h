/* An ordered parallel map whose items give any number of outputs: one thread produces items, `jobs` threads work on
 * them, and the calling thread consumes what they give, in the order of the items and within an item in the order
 * given.
 *
 * Outputs come from one pool and are reused, so that memory is bounded however many an item gives: work on an item
 * waits where the pool is empty, except that the item whose outputs are consumed next always goes on. With jobs == 1
 * everything runs in the calling thread. (base/pipeline.h is the simpler one, for one output an item.) */
#ifndef SB_BASE_RELAY_H
#define SB_BASE_RELAY_H

#include <stdbool.h>
#include <stddef.h>

struct sb_relay_item;

struct sb_relay {
    int jobs, depth, pool;                  /* items in flight, 0: 2 * jobs + 2; outputs, 0: 8 * jobs + 2 */
    size_t item_size, output_size;          /* both are zeroed once, then reused */
    bool (*produce)(void *arg, void *item); /* false at the end; only one call at a time */
    /* Any thread. It asks for outputs with sb_relay_output(); what it filled is given with the next call, or on return.
     */
    void (*work)(void *arg, void *item, struct sb_relay_item *to);
    void (*consume)(void *arg, void *output); /* the calling thread, in order */
    void (*idle)(void *arg);                  /* NULL, or called before the consumer waits: flush output here */
    void (*release_item)(void *arg, void *item);
    void (*release_output)(void *arg, void *output); /* NULL, or called once each at the end, to free what they own */
    void *arg;
};

void sb_relay_run(const struct sb_relay *r);

/* The next output of the item being worked on, to be filled. */
void *sb_relay_output(struct sb_relay_item *to);

#endif
