/* Stratified splitting: how many records of each label each group has, and then which part gets which group.
 *
 * Groups are taken in the order of their hashes, each given to the part that is most behind its share of the group's
 * labels. The result depends on the records and not on their order. */
#ifndef SB_SELECT_STRATA_H
#define SB_SELECT_STRATA_H

#include "base/dictionary.h"
#include "select/hash_table.h"
#include "select/split.h"

struct sb_tally; /* a group's count of one label */

/* A zeroed one is empty. */
struct sb_strata {
    struct sb_hash_table group;
    struct sb_dictionary label;
    struct sb_tally *tally;
    size_t ntally, cap;
    uint32_t *first; /* by group: its first tally + 1 */
    size_t first_cap;
};

/* Counts a record of the group: once for each of its labels (add_label) and once as a record (add). */
size_t sb_strata_add(struct sb_strata *s, struct sb_hash group); /* the group's number */
void sb_strata_add_label(struct sb_strata *s, size_t group, const char *label, size_t size);
/* part[number of the group] becomes its part. */
void sb_strata_assign(struct sb_strata *s, const struct sb_parts *parts, enum sb_draw draw, uint32_t *part);
void sb_strata_free(struct sb_strata *s);

#endif
