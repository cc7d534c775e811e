/* What each part of a data set holds: records, groups, labels. */
#ifndef SB_SELECT_TALLY_H
#define SB_SELECT_TALLY_H

#include "base/buffer.h"
#include "base/dictionary.h"
#include "base/record.h"
#include "select/hash_table.h"

struct sb_part_tally {
    uint64_t records;
    struct sb_hash_table groups;
    struct sb_dictionary labels;
};

/* A zeroed one is empty. Memory: about 25 bytes a group, and the labels. */
struct sb_part_tallies {
    struct sb_dictionary name;
    struct sb_part_tally *part; /* by the name's number */
    size_t cap;
    struct sb_dictionary labels; /* of all parts */
};

/* Names a part before it has records: parts are printed in the order in which they were named. Returns its number. */
uint32_t sb_part_tallies_name(struct sb_part_tallies *t, const char *part);
/* Counts a record under the part's name. group: what the record was grouped by; empty counts none. Labels that are not
 * text are not counted. */
void sb_part_tallies_add(struct sb_part_tallies *t, const char *part, struct sb_record *rec,
                         const struct sb_buffer *group);
uint64_t sb_part_tallies_records(const struct sb_part_tallies *t, const char *part);
/* A line for each part: "sb-split: train: 560 records (70.0 %), 84 groups, 7 of 8 labels". */
void sb_part_tallies_print(const struct sb_part_tallies *t, const char *before_name);
void sb_part_tallies_free(struct sb_part_tallies *t);

#endif
