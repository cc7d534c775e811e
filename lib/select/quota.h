/* So many records of each group, the first ones or ones drawn by lot. A group is the hash of its name; 24 to 30 bytes
 * each. */
#ifndef SB_SELECT_QUOTA_H
#define SB_SELECT_QUOTA_H

#include "select/hash_table.h"

/* A zeroed one with its `most` is valid. */
struct sb_quota {
    uint64_t most;
    struct sb_hash_table group;
    uint64_t *taken; /* [group.count] */
    size_t cap;
};

/* Whether one more of the group is within the quota; it is taken then. */
bool sb_quota_take(struct sb_quota *q, struct sb_hash group);
void sb_quota_free(struct sb_quota *q);

/* A record's lot is a random number out of the seed and the record's number in the stream; of each group those with the
 * least lots are drawn. So every choice is equally likely, and none depends on how the stream was read. A zeroed one
 * with `most` and `seed` is valid; 16 bytes a record that may still be drawn. */
struct sb_lottery {
    uint64_t most, seed;
    struct sb_hash_table group;
    struct sb_lots *lots; /* [group.count] */
    size_t cap;
    uint64_t offered;
};

void sb_lottery_offer(struct sb_lottery *l, struct sb_hash group, uint64_t index);
/* The indices of those that were drawn, in order; the caller frees them. */
uint64_t *sb_lottery_draw(const struct sb_lottery *l, size_t *count);
void sb_lottery_free(struct sb_lottery *l);

#endif
