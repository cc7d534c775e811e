/* sb-dedup: leaves out, or marks, pictures that the stream has shown already.
 *
 * Pictures are decoded and hashed in parallel; which of two is the duplicate is decided in the stream's order. Memory
 * grows with the kept records alone: about 60 bytes each at the default distance, and their identifiers with --mark. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pipeline.h"
#include "media/image.h"
#include "media/resize.h"
#include "select/hash_index.h"
#include "select/hash_table.h"
#include "select/phash.h"
#include "stream/stream.h"

static const char *output, *drop;
static bool mark, exact_only;
static int64_t distance = SB_PHASH_DISTANCE, jobs;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {0, "distance", "BITS", SB_INT, &distance, 0,
     "perceptual hashes that differ in at most BITS of 64 are near duplicates (default 4)", 0, SB_HASH_INDEX_DISTANCE},
    {0, "exact", NULL, SB_FLAG, &exact_only, 0, "exact duplicates only: the same pixels", 0, 0},
    {0, "mark", NULL, SB_FLAG, &mark, 0, "keep duplicates, with the field duplicate_of", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-dedup", "[FILE]", "Drops pictures that are duplicates, or nearly, of one that came before in the stream.",
    options, true,
};

/* One record on its way through the pipeline. */
struct item {
    struct sb_record rec;
    struct sb_picture picture, small;
    uint64_t number; /* in the stream, from 1 */
    struct sb_hash pixels;
    uint64_t phash;
    char error[200]; /* empty: hashed */
};

struct dedup {
    struct sb_filter filter;
    struct sb_hash_table exact;  /* the kept records' pixels; its numbers are theirs */
    struct sb_hash_index *near;  /* the kept records' perceptual hashes, the same numbers */
    char **id;                   /* by number, with --mark */
    size_t id_cap;
    uint64_t exact_count, near_count;
};

static bool take(void *arg, void *p)
{
    struct dedup *d = arg;
    struct item *item = p;
    if (!sb_filter_next(&d->filter, &item->rec)) return false;
    item->number = d->filter.at;
    sb_record_keep(&item->rec); /* the reader goes on */
    return true;
}

static struct sb_hash hash_pixels(const struct sb_picture *p)
{
    struct sb_hash pixels = sb_hash_bytes(p->rgb, (size_t)3 * (size_t)p->width * (size_t)p->height);
    uint64_t all[4] = {(uint64_t)p->width, (uint64_t)p->height, pixels.hi, pixels.lo};
    return sb_hash_bytes(all, sizeof all);
}

static void hash(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    item->error[0] = 0;
    int found = sb_image_get(&item->rec, "image", &item->picture);
    if (found > 0 && !sb_resize(&item->picture, &item->small, SB_PHASH_SIDE, SB_PHASH_SIDE, SB_BILINEAR)) {
        item->pixels = hash_pixels(&item->picture);
        item->phash = sb_phash(item->small.rgb);
        return;
    }
    snprintf(item->error, sizeof item->error, "%s", found ? sb_error_message() : "no field 'image' to compare");
}

static void set_phash(struct sb_record *rec, uint64_t phash)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(phash >> (56 - 8 * i));
    sb_set_bin(rec, "phash", bytes, sizeof bytes);
}

/* What a duplicate is called after: the record's id, or its number where it has none. */
static char *name_record(const struct item *item)
{
    const char *id;
    size_t size;
    if (sb_get_text(&item->rec, "id", &id, &size) > 0) return sb_strndup(id, size);
    return sb_format("%" PRIu64, item->number);
}

static void keep(struct dedup *d, const struct item *item)
{
    size_t number = sb_hash_table_add(&d->exact, item->pixels, NULL);
    if (!exact_only) sb_hash_index_add(d->near, item->phash);
    if (!mark) return;
    SB_GROW(d->id, d->id_cap, number + 1);
    d->id[number] = name_record(item);
}

static void decide(void *arg, void *p)
{
    struct dedup *d = arg;
    struct item *item = p;
    if (*item->error) {
        struct sb_filter here = d->filter;
        here.at = item->number;
        sb_filter_die(&here, &item->rec, "%s", item->error);
    }
    size_t of = sb_hash_table_find(&d->exact, item->pixels);
    bool exact = of != SIZE_MAX;
    if (!exact && !exact_only) of = sb_hash_index_find(d->near, item->phash);

    set_phash(&item->rec, item->phash);
    sb_record_remove(&item->rec, "duplicate_of"); /* of an earlier run */
    if (of == SIZE_MAX) {
        keep(d, item);
    } else {
        d->exact_count += exact;
        d->near_count += !exact;
        if (!mark) {
            sb_counts_skip(&d->filter.counts, exact ? "exact duplicate" : "near duplicate");
            return;
        }
        sb_set_cstr(&item->rec, "duplicate_of", d->id[of]);
    }
    sb_filter_put(&d->filter, &item->rec);
}

static void flush(void *arg)
{
    struct dedup *d = arg;
    sb_writer_flush(d->filter.out);
}

static void free_item(void *arg, void *p)
{
    struct item *item = p;
    (void)arg;
    sb_record_free(&item->rec);
    sb_picture_free(&item->picture);
    sb_picture_free(&item->small);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct dedup d = {0};
    sb_opt_parse(&tool, argc, argv, &args);
    if (!jobs) jobs = sb_cores();

    sb_filter_open(&d.filter, &args, output, drop);
    sb_filter_start(&d.filter, &tool, &args);
    d.near = sb_hash_index_new((int)distance);
    struct sb_pipeline pipeline = {
        .jobs = (int)jobs, .item_size = sizeof(struct item), .produce = take, .work = hash, .consume = decide,
        .idle = flush, .release = free_item, .arg = &d,
    };
    sb_pipeline_run(&pipeline);
    sb_filter_close(&d.filter);
    if (mark && d.exact_count + d.near_count)
        sb_warn("%" PRIu64 " marked: %" PRIu64 " exact duplicate, %" PRIu64 " near duplicate",
                d.exact_count + d.near_count, d.exact_count, d.near_count);

    for (size_t i = 0; i < d.exact.count && mark; i++) free(d.id[i]);
    free(d.id);
    sb_hash_table_free(&d.exact);
    sb_hash_index_free(d.near);
    return 0;
}
