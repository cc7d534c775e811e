#include "select/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/labels.h"

struct target {
    struct sb_part_tallies *all;
    struct sb_part_tally *part;
};

static void add_label(void *arg, const char *label, size_t size)
{
    struct target *to = arg;
    sb_dictionary_add(&to->all->labels, label, size);
    sb_dictionary_add(&to->part->labels, label, size);
}

uint32_t sb_part_tallies_name(struct sb_part_tallies *t, const char *part)
{
    size_t before = t->name.count;
    uint32_t number = sb_dictionary_add(&t->name, part, strlen(part));
    SB_GROW(t->part, t->cap, t->name.count);
    if (t->name.count > before) memset(&t->part[number], 0, sizeof *t->part);
    return number;
}

void sb_part_tallies_add(struct sb_part_tallies *t, const char *part, struct sb_record *rec,
                         const struct sb_buffer *group)
{
    uint32_t number = sb_part_tallies_name(t, part); /* may move the parts */
    struct target to = {t, &t->part[number]};
    to.part->records++;
    if (group->size) sb_hash_table_add(&to.part->groups, sb_hash_bytes(group->data, group->size), NULL);
    sb_labels_each(rec, add_label, &to);
}

uint64_t sb_part_tallies_records(const struct sb_part_tallies *t, const char *part)
{
    int64_t number = sb_dictionary_find(&t->name, part, strlen(part));
    return number < 0 ? 0 : t->part[number].records;
}

void sb_part_tallies_print(const struct sb_part_tallies *t, const char *before_name)
{
    uint64_t all = 0;
    for (size_t i = 0; i < t->name.count; i++) all += t->part[i].records;
    for (size_t i = 0; i < t->name.count; i++) {
        const struct sb_part_tally *p = &t->part[i];
        char groups[40] = "", labels[60] = "";
        if (p->groups.count)
            snprintf(groups, sizeof groups, ", %zu group%s", p->groups.count, p->groups.count == 1 ? "" : "s");
        if (t->labels.count) snprintf(labels, sizeof labels, ", %zu of %zu labels", p->labels.count, t->labels.count);
        sb_warn("%s%s: %" PRIu64 " record%s (%.1f %%)%s%s", before_name, t->name.text[i], p->records,
                p->records == 1 ? "" : "s", all ? 100.0 * (double)p->records / (double)all : 0.0, groups, labels);
    }
}

void sb_part_tallies_free(struct sb_part_tallies *t)
{
    for (size_t i = 0; i < t->name.count; i++) {
        sb_hash_table_free(&t->part[i].groups);
        sb_dictionary_free(&t->part[i].labels);
    }
    free(t->part);
    sb_dictionary_free(&t->name);
    sb_dictionary_free(&t->labels);
    memset(t, 0, sizeof *t);
}
