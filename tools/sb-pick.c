/* sb-pick: chooses records by what they hold, by a list of ids, by number or by lot, and renames labels. */
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "formats/cell.h"
#include "formats/label_map.h"
#include "select/group.h"
#include "select/ids.h"
#include "select/quota.h"
#include "select/rename.h"
#include "select/where.h"
#include "stream/spool.h"
#include "stream/stream.h"

static const char *output, *drop, *ids_path, *per_text, *map_path;
static struct sb_texts where_texts;
static int64_t first = -1, sample = -1, seed = -1; /* -1: not given */

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {0, "where", "CONDITION", SB_TEXTS, &where_texts, 0,
     "only records for which it holds: 'cluster = 7 and lat > 36'; may be repeated, then all must", 0, 0},
    {0, "ids", "FILE", SB_TEXT, &ids_path, SB_OPT_FILE,
     "only records with these ids: one a line, a table with a column id, or a stream", 0, 0},
    {0, "first", "N", SB_INT, &first, 0, "of those only the first N", 0, 9007199254740991.0},
    {0, "sample", "N", SB_INT, &sample, 0, "of those N by lot, in their order", 0, 9007199254740991.0},
    SB_OPT_SEED(&seed),
    {0, "per", "FIELD", SB_TEXT, &per_text, 0,
     "with --first or --sample: N for each value of this field; or of each time:SECONDS", 0, 0},
    {0, "rename", "FILE", SB_TEXT, &map_path, SB_OPT_FILE,
     "then rename labels: a table of old name, new name (empty: remove), AphiaID", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-pick", "[FILE]", "Chooses records, and renames labels.", options, true,
};

struct pick {
    struct sb_filter filter;
    struct sb_where **where; /* [where_texts.count] */
    struct sb_ids ids;
    struct sb_label_map map;
    bool by_field; /* --per names any field */
    struct sb_group_by by;
    struct sb_cell cell;
    struct sb_buffer key;
    char *lacks; /* why a record without --per's field is left out */
    struct sb_quota quota;
    struct sb_lottery lottery;
    struct sb_counts counts; /* of those left out while --sample reads the stream */
    uint64_t bad;            /* likewise, number of the first record that can't be judged, from 1, and */
    char *why;
};

static void read_options(struct pick *p)
{
    p->where = sb_calloc(where_texts.count + 1, sizeof *p->where);
    for (size_t i = 0; i < where_texts.count; i++)
        if (!(p->where[i] = sb_where_parse(where_texts.text[i]))) sb_usage("--where %s", sb_error_message());
    if (first >= 0 && sample >= 0) sb_usage("--first and --sample exclude each other");
    if (per_text && first < 0 && sample < 0) sb_usage("--per is for --first or --sample");
    if (seed >= 0 && sample < 0) sb_usage("--seed is for --sample");
    if (per_text) {
        p->by_field = sb_group_by_parse(&p->by, per_text) < 0;
        if (p->by_field && !strncmp(per_text, "time:", 5)) sb_usage("--per %s", sb_error_message());
        p->lacks = sb_format("without %s", per_text);
    }
    p->quota.most = first >= 0 ? (uint64_t)first : 0;
    p->lottery.most = sample >= 0 ? (uint64_t)sample : 0;
    p->lottery.seed = seed >= 0 ? (uint64_t)seed : 0;
    if (ids_path && sb_ids_read(&p->ids, ids_path)) sb_die_error();
    if (map_path && sb_label_map_read(map_path, &p->map)) sb_die_error();
}

/* 1, 0 for a record that is left out, and why, or -1 with a message. */
static int is_wanted(struct pick *p, struct sb_record *rec, const char **why)
{
    const char *id;
    size_t size;
    if (ids_path) {
        int found = sb_get_text(rec, "id", &id, &size);
        if (found < 0) return -1;
        *why = "not among the ids";
        if (!found || !sb_ids_meet(&p->ids, id, size)) return 0;
    }
    *why = "by condition";
    for (size_t i = 0; i < where_texts.count; i++) {
        int holds = sb_where_holds(p->where[i], rec);
        if (holds <= 0) return holds;
    }
    return 1;
}

/* The group that --per puts a record in; returns as is_wanted(). */
static int find_group(struct pick *p, struct sb_record *rec, struct sb_hash *group, const char **why)
{
    int found = 1;
    memset(group, 0, sizeof *group);
    if (!per_text) return 1;
    *why = p->lacks;
    if (p->by_field)
        found = sb_cell_text(&p->cell, rec, per_text);
    else
        found = sb_group_key(&p->by, rec, &p->key);
    if (found > 0 && p->by_field) *group = sb_hash_bytes(p->cell.text, p->cell.size);
    if (found > 0 && !p->by_field) *group = sb_hash_bytes(p->key.data, p->key.size);
    return found;
}

static void put(struct pick *p, struct sb_record *rec)
{
    if (map_path && sb_rename_labels(rec, &p->map)) sb_filter_die(&p->filter, rec, "%s", sb_error_message());
    sb_filter_put(&p->filter, rec);
}

/* One pass. The input is read to its end even where --first has enough, so that who writes it ends well. */
static void pick_passing(struct pick *p, struct sb_record *rec)
{
    const char *why;
    struct sb_hash group;
    while (sb_filter_next(&p->filter, rec)) {
        int rc = is_wanted(p, rec, &why);
        if (rc > 0 && first >= 0) {
            rc = find_group(p, rec, &group, &why);
            if (rc > 0 && !sb_quota_take(&p->quota, group)) {
                why = "after the first";
                rc = 0;
            }
        }
        if (rc < 0) sb_filter_die(&p->filter, rec, "%s", sb_error_message());
        if (rc > 0)
            put(p, rec);
        else
            sb_counts_skip(&p->filter.counts, why);
    }
}

/* With --sample the first pass offers what is wanted, */
static void offer(void *arg, uint64_t index, struct sb_record *rec)
{
    struct pick *p = arg;
    const char *why;
    struct sb_hash group;
    if (p->bad) return;
    int rc = is_wanted(p, rec, &why);
    if (rc > 0) rc = find_group(p, rec, &group, &why);
    if (rc > 0) sb_lottery_offer(&p->lottery, group, index);
    if (rc == 0) sb_counts_skip(&p->counts, why);
    if (rc < 0) {
        p->bad = index + 1;
        p->why = sb_strdup(sb_error_message());
    }
}

/* and only what was drawn is read again. */
static void pick_drawn(struct pick *p, struct sb_record *rec)
{
    size_t count;
    if (p->bad) {
        p->filter.at = p->bad;
        if (sb_spool_get(p->filter.whole, p->bad - 1, rec)) sb_die_error();
        sb_filter_die(&p->filter, rec, "%s", p->why);
    }
    uint64_t *index = sb_lottery_draw(&p->lottery, &count);
    p->filter.counts = p->counts;
    for (size_t i = 0; i < count; i++) {
        p->filter.at = index[i];
        if (!sb_filter_next(&p->filter, rec)) break;
        put(p, rec);
    }
    for (uint64_t i = count; i < p->lottery.offered; i++) sb_counts_skip(&p->filter.counts, "not drawn");
    p->filter.counts.in = sb_spool_count(p->filter.whole);
    free(index);
}

static void release(struct pick *p)
{
    for (size_t i = 0; i < where_texts.count; i++) sb_where_free(p->where[i]);
    free(p->where);
    free(p->lacks);
    free(p->key.data);
    sb_cell_free(&p->cell);
    sb_ids_free(&p->ids);
    sb_label_map_free(&p->map);
    sb_quota_free(&p->quota);
    sb_lottery_free(&p->lottery);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct sb_record rec = {0};
    static struct pick p;
    setlocale(LC_CTYPE, "C.UTF-8"); /* a dot in an expression is a character, whatever the user's locale */
    sb_opt_parse(&tool, argc, argv, &args);
    read_options(&p);

    if (sample >= 0)
        sb_filter_open_whole(&p.filter, &args, output, drop, offer, &p);
    else
        sb_filter_open(&p.filter, &args, output, drop);
    sb_filter_start(&p.filter, &tool, &args);
    if (sample >= 0)
        pick_drawn(&p, &rec);
    else
        pick_passing(&p, &rec);
    sb_filter_close(&p.filter);
    if (ids_path) sb_ids_report(&p.ids, ids_path);
    if (map_path) sb_label_map_report(&p.map, map_path);
    sb_record_free(&rec);
    release(&p);
    return 0;
}
