/* Which ids have come by, with whose bytes, so that a record that comes again is told from another one of the same id.
 * 30 to 35 bytes an id. */
#ifndef SB_SELECT_SEEN_H
#define SB_SELECT_SEEN_H

#include "select/hash_table.h"

/* A zeroed one is empty. */
struct sb_seen {
    struct sb_hash_table id;
    uint64_t *check; /* [id.count] XXH3-64 of the bytes that came with it */
    size_t cap;
    size_t *first; /* [inputs] how many ids there were when an input began */
    size_t inputs, inputs_cap;
};

enum sb_seen_how { SB_SEEN_NEW, SB_SEEN_AGAIN, SB_SEEN_OTHER };

void sb_seen_input(struct sb_seen *s); /* what is added next comes from the next input, the first one before any is */
/* Whether the id is new, or came before with the same bytes, or with others; then *input is the number, from 0, of the
 * input that it came from. */
enum sb_seen_how sb_seen_add(struct sb_seen *s, const char *id, size_t id_size, const void *bytes, size_t size,
                             size_t *input);
void sb_seen_free(struct sb_seen *s);

#endif
