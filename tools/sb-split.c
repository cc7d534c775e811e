/* sb-split: says which part of the data set each record belongs to, and keeps the parts that are asked for. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/labels.h"
#include "select/group.h"
#include "select/split.h"
#include "select/strata.h"
#include "select/tally.h"
#include "stream/spool.h"
#include "stream/stream.h"

#define DEFAULT_PARTS "train=0.7,val=0.15,test=0.15"

static const char *output, *drop, *parts_text, *group_text;
static struct sb_texts wanted;
static bool stratify;
static int64_t folds, fold = -1, seed = -1; /* seed -1: not given, which is 0 */

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {0, "parts", "NAME=WEIGHT,...", SB_TEXT, &parts_text, 0,
     "the parts and their weights (default " DEFAULT_PARTS ")", 0, 0},
    {0, "folds", "K", SB_INT, &folds, 0, "K equal folds for cross-validation, in the field fold", 2, 1000},
    {0, "group-by", "group|source|id|time:SECONDS", SB_TEXT, &group_text, 0,
     "what must not be cut through (default group)", 0, 0},
    {0, "stratify", NULL, SB_FLAG, &stratify, 0,
     "give each part its share of every label; needs the whole stream", 0, 0},
    {0, "fold", "N", SB_INT, &fold, 0, "fold N is the part test, the others are train", 0, 999},
    {0, "part", "NAMES", SB_TEXTS, &wanted, 0, "keep only these parts (comma-separated or repeated)", 0, 0},
    SB_OPT_SEED(&seed),
    SB_OPT_DROP(&drop),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-split", "[FILE]", "Splits a data set into parts and folds without cutting through its groups.", options, true,
};

struct split {
    struct sb_filter filter;
    struct sb_parts parts, folds; /* empty: that field is not set */
    struct sb_group_by by;
    struct sb_buffer key;
    struct sb_texts keep; /* names; empty: all */
    struct sb_strata strata;
    uint32_t *part_of, *fold_of; /* by the group's number in strata */
    struct sb_part_tallies tallies;
    uint64_t bad; /* with strata: number of the first record that can't be split, from 1 */
};

static bool splitting(void)
{
    return parts_text || folds || stratify || group_text || seed >= 0;
}

static void check_wanted(const struct split *s, bool split_here)
{
    for (size_t i = 0; i < s->keep.count; i++) {
        const char *name = s->keep.text[i];
        bool known = fold >= 0 ? !strcmp(name, "train") || !strcmp(name, "test")
                               : !split_here || sb_parts_find(&s->parts, name, strlen(name)) != SIZE_MAX;
        if (!known) sb_usage("--part %s: there is no such part", name);
    }
}

static void read_options(struct split *s)
{
    if (fold >= 0 && parts_text) sb_usage("--fold makes parts of its own, and --parts others");
    if (fold >= 0 && splitting() && !folds) sb_usage("--fold with an option that splits needs --folds K");
    if (folds && fold >= folds) sb_usage("--fold %" PRId64 ": the folds are 0 to %" PRId64, fold, folds - 1);
    if (folds && !parts_text && fold < 0 && wanted.count) sb_usage("--part with --folds needs --fold N or --parts");
    if (group_text && sb_group_by_parse(&s->by, group_text)) sb_usage("--group-by %s", sb_error_message());
    if (parts_text || (!folds && fold < 0))
        if (sb_parts_parse(&s->parts, parts_text ? parts_text : DEFAULT_PARTS))
            sb_usage("--parts: %s", sb_error_message());
    sb_parts_folds(&s->folds, (int)folds);
    for (size_t i = 0; i < wanted.count; i++) sb_texts_split(wanted.text[i], ',', &s->keep);
    check_wanted(s, splitting());
}

/* The hash of the record's group; 0 with a message if it has none. */
static bool find_group(struct split *s, const struct sb_record *rec, struct sb_hash *group)
{
    static const char *const lacks[] = {
        [SB_BY_GROUP] = "no field 'group', which tells what a split must not cut through: a dive, a video, a track; "
                        "add it, or choose --group-by source, id or time:SECONDS",
        [SB_BY_SOURCE] = "no field 'source' to group by",
        [SB_BY_ID] = "no field 'id' to group by",
        [SB_BY_TIME] = "neither 'time' nor 'source' and 'pts' to group by",
    };
    int found = sb_group_key(&s->by, rec, &s->key);
    if (!found) sb_error("%s", lacks[s->by.kind]);
    if (found > 0) *group = sb_split_hash((const char *)s->key.data, s->key.size, seed < 0 ? 0 : (uint64_t)seed);
    return found > 0;
}

struct stratum {
    struct sb_strata *strata;
    size_t group;
};

static void add_label(void *arg, const char *label, size_t size)
{
    struct stratum *to = arg;
    sb_strata_add_label(to->strata, to->group, label, size);
}

/* First pass: counts labels by group. */
static void gather(void *arg, uint64_t index, struct sb_record *rec)
{
    struct split *s = arg;
    struct sb_hash group;
    if (s->bad) return;
    if (find_group(s, rec, &group)) {
        struct stratum to = {&s->strata, sb_strata_add(&s->strata, group)};
        if (!sb_labels_each(rec, add_label, &to)) return;
    }
    s->bad = index + 1;
}

static void open_whole(struct split *s, const struct sb_args *args)
{
    sb_filter_open_whole(&s->filter, args, output, drop, gather, s);
    if (s->bad) {
        /* The message is still this thread's last one. */
        char *why = sb_strdup(sb_error_message());
        struct sb_record rec = {0};
        s->filter.at = s->bad;
        if (sb_spool_get(s->filter.whole, s->bad - 1, &rec)) sb_die_error();
        sb_filter_die(&s->filter, &rec, "%s", why);
    }
    s->part_of = sb_calloc(s->strata.group.count + 1, sizeof *s->part_of);
    s->fold_of = sb_calloc(s->strata.group.count + 1, sizeof *s->fold_of);
    if (s->parts.count) sb_strata_assign(&s->strata, &s->parts, SB_DRAW_PART, s->part_of);
    if (s->folds.count) sb_strata_assign(&s->strata, &s->folds, SB_DRAW_FOLD, s->fold_of);
}

/* Sets the fields that say where the record belongs. */
static void assign(struct split *s, struct sb_record *rec)
{
    struct sb_hash group;
    if (!find_group(s, rec, &group)) sb_filter_die(&s->filter, rec, "%s", sb_error_message());
    size_t number = stratify ? sb_hash_table_find(&s->strata.group, group) : 0;
    if (s->parts.count) {
        size_t part = stratify ? s->part_of[number] : sb_split_pick(&s->parts, group, SB_DRAW_PART);
        sb_set_cstr(rec, "split", s->parts.name[part]);
    }
    if (s->folds.count) {
        size_t part = stratify ? s->fold_of[number] : sb_split_pick(&s->folds, group, SB_DRAW_FOLD);
        sb_set_int(rec, "fold", (int64_t)part);
    }
}

/* The fold that is tested, and the others. */
static void assign_by_fold(struct split *s, struct sb_record *rec)
{
    int64_t of;
    int found = sb_get_int(rec, "fold", &of);
    if (found < 0) sb_filter_die(&s->filter, rec, "%s", sb_error_message());
    if (!found) sb_filter_die(&s->filter, rec, "no field 'fold': split with --folds first");
    sb_set_cstr(rec, "split", of == fold ? "test" : "train");
}

/* So that they are reported in their order, also where they stay empty. */
static void name_parts(struct split *s)
{
    const struct sb_parts *parts = s->parts.count ? &s->parts : &s->folds;
    if (fold >= 0) sb_part_tallies_name(&s->tallies, "train");
    if (fold >= 0) sb_part_tallies_name(&s->tallies, "test");
    for (size_t i = 0; i < parts->count && fold < 0; i++) sb_part_tallies_name(&s->tallies, parts->name[i]);
}

static void finish(struct split *s, struct sb_record *rec)
{
    const char *name = NULL;
    bool folds_only = s->folds.count && !s->parts.count && fold < 0;
    int found = folds_only ? 0 : sb_get_cstr(rec, "split", &name);
    int64_t of;
    if (found < 0) sb_filter_die(&s->filter, rec, "%s", sb_error_message());
    if (!folds_only && !found)
        sb_filter_die(&s->filter, rec, "no field 'split', though the stream is split: add --parts to split it anew");
    if (folds_only && sb_get_int(rec, "fold", &of) > 0) name = s->folds.name[of];
    sb_part_tallies_add(&s->tallies, name, rec, &s->key);

    bool keep = !s->keep.count;
    for (size_t i = 0; i < s->keep.count; i++) keep = keep || !strcmp(s->keep.text[i], name);
    if (keep)
        sb_filter_put(&s->filter, rec);
    else
        sb_counts_skip(&s->filter.counts, "in other parts");
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_record rec = {0};
    static struct split s;
    sb_opt_parse(&tool, argc, argv, &args);
    read_options(&s);

    if (stratify)
        open_whole(&s, &args);
    else
        sb_filter_open(&s.filter, &args, output, drop);
    sb_filter_start(&s.filter, &tool, &args);

    bool split_already = false;
    while (sb_filter_next(&s.filter, &rec)) {
        /* The first record tells whether a stream that is asked for parts is split already. */
        if (s.filter.at == 1) {
            split_already = !splitting() && (fold >= 0 || (wanted.count && sb_record_find(&rec, "split")));
            check_wanted(&s, !split_already);
            if (!split_already || fold >= 0) name_parts(&s);
        }
        if (split_already)
            sb_group_key(&s.by, &rec, &s.key); /* only to count them: a record may have none */
        else
            assign(&s, &rec);
        if (fold >= 0) assign_by_fold(&s, &rec);
        finish(&s, &rec);
    }
    sb_filter_close(&s.filter);
    sb_part_tallies_print(&s.tallies, fold >= 0 || s.parts.count ? "" : "fold ");
    for (size_t i = 0; i < s.keep.count; i++)
        if (!sb_part_tallies_records(&s.tallies, s.keep.text[i]))
            sb_warn("no record is in the part '%s'", s.keep.text[i]);

    sb_record_free(&rec);
    sb_part_tallies_free(&s.tallies);
    sb_strata_free(&s.strata);
    sb_parts_free(&s.parts);
    sb_parts_free(&s.folds);
    free(s.part_of);
    free(s.fold_of);
    free(s.key.data);
    return 0;
}
