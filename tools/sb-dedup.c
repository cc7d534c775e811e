/* sb-dedup: leaves out, or marks, pictures that the stream, or one before it, has shown already.
 *
 * Pictures are decoded and hashed in parallel; which of two is the duplicate is decided in the stream's order. Memory
 * grows with the kept records alone: see "MEMORY" in the man page. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "base/pipeline.h"
#include "formats/csv.h"
#include "formats/text.h"
#include "select/look.h"
#include "stream/kept.h"

static const char *output, *drop, *save, *report;
static struct sb_texts against;
static bool mark, exact_only, flips, crops;
static int64_t distance = -1, bits = 64, jobs;
static double cosine = -1;

static const struct sb_opt options[] = {
    SB_OPT_OUTPUT(&output),
    {0, "bits", "N", SB_INT, &bits, 0, "the length of perceptual hashes, 64 or 256 (default 64)", 0, 0},
    {0, "distance", "BITS", SB_INT, &distance, 0,
     "hashes that differ in at most BITS are near duplicates (default 4 of 64, 24 of 256)", 0, 4 * SB_HASH_INDEX_DISTANCE},
    {0, "flips", NULL, SB_FLAG, &flips, 0, "find copies mirrored left to right, too", 0, 0},
    {0, "crops", NULL, SB_FLAG, &crops, 0, "find copies cut off by up to 5 % at the edges, too", 0, 0},
    {0, "cosine", "D", SB_REAL, &cosine, 0, "embeddings at most D apart (1 minus the cosine) are duplicates, too", 0, 2},
    {0, "exact", NULL, SB_FLAG, &exact_only, 0, "exact duplicates only: the same pixels", 0, 0},
    {0, "mark", NULL, SB_FLAG, &mark, 0, "keep duplicates, with the field duplicate_of", 0, 0},
    {0, "against", "FILE", SB_TEXTS, &against, SB_OPT_FILE,
     "compare with what an earlier run kept, which wrote FILE by --save-hashes; may be repeated", 0, 0},
    {0, "save-hashes", "FILE", SB_TEXT, &save, SB_OPT_UNRECORDED, "write the kept records' ids and hashes to FILE", 0, 0},
    {0, "report", "FILE", SB_TEXT, &report, SB_OPT_UNRECORDED, "write which record repeats which to FILE, as CSV", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_JOBS(&jobs),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-dedup", "[FILE]", "Drops pictures that are duplicates, or nearly, of one that came before in the stream.",
    options, true,
};

static const char *const kinds[] = {
    [SB_EXACT] = "exact", [SB_NEAR] = "near", [SB_MIRRORED] = "mirrored", [SB_ALIKE] = "embedding",
};
static const char *const skipped[] = {
    [SB_EXACT] = "exact duplicate", [SB_NEAR] = "near duplicate", [SB_MIRRORED] = "mirrored duplicate",
    [SB_ALIKE] = "duplicate by embedding",
};

/* One record on its way through the pipeline. */
struct item {
    struct sb_record rec;
    uint64_t number; /* in the stream, from 1 */
    struct sb_look look;
    struct sb_look_memory memory;
    char error[200]; /* empty: looked at */
};

struct dedup {
    struct sb_filter filter;
    struct sb_duplicates kept;
    char **name; /* of kept records by number, with --mark or --report */
    size_t name_cap;
    struct sb_hash_table known; /* ids of --against's records, as hashes; */
    uint32_t *known_number;     /* as what they are kept */
    size_t known_cap;
    struct sb_writer *save;
    FILE *report;
    uint64_t count[SB_ALIKE + 1];
};

/* ---- in threads -------------------------------------------------------------------------------------------------- */

static bool take(void *arg, void *p)
{
    struct dedup *d = arg;
    struct item *item = p;
    if (!sb_filter_next(&d->filter, &item->rec)) return false;
    item->number = d->filter.at;
    sb_reader_keep(d->filter.in, &item->rec); /* the reader goes on */
    return true;
}

static void look(void *arg, void *p)
{
    const struct dedup *d = arg;
    struct item *item = p;
    item->error[0] = 0;
    if (sb_look_make(&d->kept, &item->rec, &item->memory, &item->look) < 0)
        snprintf(item->error, sizeof item->error, "%s", sb_error_message());
}

/* ---- in order ---------------------------------------------------------------------------------------------------- */

static _Noreturn void refuse(const struct dedup *d, const struct item *item, const char *why)
{
    struct sb_filter here = d->filter;
    here.at = item->number;
    sb_filter_die(&here, &item->rec, "%s", why);
}

/* What a record is called: its id, or its number in the stream where it has none. */
static char *name_record(const struct item *item)
{
    const char *id;
    size_t size;
    if (sb_get_text(&item->rec, "id", &id, &size) > 0) return sb_strndup(id, size);
    return sb_format("%" PRIu64, item->number);
}

/* The number as which the record was kept before, or SIZE_MAX. */
static size_t known_number(const struct dedup *d, const struct item *item)
{
    const char *id;
    size_t size;
    if (!d->known.count || sb_get_text(&item->rec, "id", &id, &size) <= 0) return SIZE_MAX;
    size_t at = sb_hash_table_find(&d->known, sb_hash_bytes(id, size));
    return at == SIZE_MAX ? at : d->known_number[at];
}

static void name(struct dedup *d, size_t number, char *text)
{
    SB_GROW(d->name, d->name_cap, number + 1);
    d->name[number] = text;
}

static void save_hashes(struct dedup *d, const struct item *item)
{
    struct sb_kept kept = {.exact = item->look.exact};
    if (sb_get_text(&item->rec, "id", &kept.id, &kept.id_size) <= 0) refuse(d, item, "no id to save hashes under");
    memcpy(kept.hash, item->look.hash[0].word, sizeof kept.hash);
    sb_kept_write(d->save, &kept, d->kept.bits);
}

static size_t keep(struct dedup *d, const struct item *item, size_t known)
{
    if (d->save) save_hashes(d, item);
    if (known != SIZE_MAX) {
        sb_duplicates_keep_again(&d->kept, &item->look, known);
        return known;
    }
    size_t number = sb_duplicates_keep(&d->kept, &item->look);
    if (mark || d->report) name(d, number, name_record(item));
    return number;
}

static void report_text(struct dedup *d, const struct item *item, const char *field)
{
    const char *text;
    size_t size;
    if (sb_get_text(&item->rec, field, &text, &size) > 0) sb_csv_text(d->report, text, size);
    putc(',', d->report);
}

/* group,id,source,pts,kind,distance,duplicate_of */
static void report_line(struct dedup *d, const struct item *item, const struct sb_match *match, size_t group)
{
    double pts;
    char number[SB_NUMBER];
    char *called = name_record(item);
    fprintf(d->report, "%zu,", group + 1);
    sb_csv_text(d->report, called, strlen(called));
    putc(',', d->report);
    report_text(d, item, "source");
    if (sb_get_real(&item->rec, "pts", &pts) > 0) fputs(sb_text_f64(pts, number), d->report);
    if (match->kind) {
        fprintf(d->report, ",%s,%s,", kinds[match->kind], sb_text_f32((float)match->distance, number));
        sb_csv_text(d->report, d->name[match->of], strlen(d->name[match->of]));
        fputs("\r\n", d->report);
    } else {
        fputs(",kept,,\r\n", d->report);
    }
    free(called);
}

static void check_dim(const struct dedup *d, const struct item *item)
{
    const struct sb_directions *all = &d->kept.embeddings;
    if (all->count && item->look.embedding && item->look.dim != all->dim)
        refuse(d, item, "its embedding is not as long as those before it");
}

static void decide(void *arg, void *p)
{
    struct dedup *d = arg;
    struct item *item = p;
    if (*item->error) refuse(d, item, item->error);
    check_dim(d, item);
    size_t known = known_number(d, item);
    struct sb_match match = sb_duplicates_find(&d->kept, &item->look, known);
    size_t number = match.kind ? match.of : keep(d, item, known);
    if (d->report) report_line(d, item, &match, number);

    if (!exact_only) sb_kept_set_phash(&item->rec, item->look.hash[0].word, (int)bits);
    sb_record_remove(&item->rec, "duplicate_of"); /* of an earlier run */
    d->count[match.kind]++;
    if (match.kind && !mark) {
        sb_counts_skip(&d->filter.counts, skipped[match.kind]);
        return;
    }
    if (match.kind) sb_set_cstr(&item->rec, "duplicate_of", d->name[match.of]);
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
    sb_look_memory_free(&item->memory);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

/* A record of --against. Of two with one id the first counts. */
static void take_known(void *arg, const struct sb_kept *kept)
{
    struct dedup *d = arg;
    struct sb_look look = {.exact = kept->exact};
    bool added;
    size_t at = sb_hash_table_add(&d->known, sb_hash_bytes(kept->id, kept->id_size), &added);
    if (!added) return;
    memcpy(look.hash[0].word, kept->hash, sizeof kept->hash);
    size_t number = sb_duplicates_keep(&d->kept, &look);
    SB_GROW(d->known_number, d->known_cap, at + 1);
    d->known_number[at] = (uint32_t)number;
    if (mark || report) name(d, number, sb_strndup(kept->id, kept->id_size));
}

static void check_options(void)
{
    if (bits != 64 && bits != 256) sb_usage("--bits is 64 or 256, not %" PRId64, bits);
    if (exact_only && (distance >= 0 || flips || crops || cosine >= 0))
        sb_usage("--exact looks for the same pixels only: no --distance, --flips, --crops or --cosine");
    if (distance > bits / 64 * SB_HASH_INDEX_DISTANCE)
        sb_usage("--distance is at most %d of %d bits", (int)bits / 64 * SB_HASH_INDEX_DISTANCE, (int)bits);
    if (distance < 0) distance = bits == 64 ? SB_PHASH_DISTANCE : SB_PHASH_DISTANCE_256;
    if (!jobs) jobs = sb_cores();
}

static void open_others(struct dedup *d, const struct sb_args *args)
{
    d->kept = (struct sb_duplicates){
        .bits = exact_only ? 0 : (int)bits, .distance = (int)distance, .flips = flips, .crops = crops, .cosine = cosine};
    sb_duplicates_init(&d->kept);
    for (size_t i = 0; i < against.count; i++)
        if (sb_kept_read(against.text[i], d->kept.bits, crops, take_known, d) < 0) sb_die_error();
    if (save) {
        d->save = sb_writer_open(save);
        struct sb_record header = {0};
        sb_record_copy(&header, &d->filter.header);
        if (d->kept.bits) sb_kept_set_phash_of(&header, crops);
        sb_writer_header(d->save, &header, &tool, args);
        sb_record_free(&header);
    }
    if (report) {
        d->report = sb_output_stdio(report);
        fputs("group,id,source,pts,kind,distance,duplicate_of\r\n", d->report);
    }
}

static void close_all(struct dedup *d)
{
    if (d->report) fclose(d->report);
    if (d->save) sb_writer_close(d->save);
    sb_filter_close(&d->filter);
    const uint64_t *n = d->count;
    if (mark && d->filter.counts.in > n[SB_NO_DUPLICATE])
        sb_warn("%" PRIu64 " marked: %" PRIu64 " exact, %" PRIu64 " near, %" PRIu64 " mirrored, %" PRIu64 " by embedding",
                n[SB_EXACT] + n[SB_NEAR] + n[SB_MIRRORED] + n[SB_ALIKE], n[SB_EXACT], n[SB_NEAR], n[SB_MIRRORED], n[SB_ALIKE]);
    for (size_t i = 0; d->name && i < d->kept.count; i++) free(d->name[i]);
    free(d->name);
    free(d->known_number);
    sb_hash_table_free(&d->known);
    sb_duplicates_free(&d->kept);
}

int main(int argc, char **argv)
{
    struct sb_args args;
    struct dedup d = {0};
    sb_opt_parse(&tool, argc, argv, &args);
    check_options();
    sb_filter_open(&d.filter, &args, output, drop);
    open_others(&d, &args);
    sb_filter_start(&d.filter, &tool, &args);
    struct sb_pipeline pipeline = {
        .jobs = (int)jobs, .item_size = sizeof(struct item), .produce = take, .work = look, .consume = decide,
        .idle = flush, .release = free_item, .arg = &d,
    };
    sb_pipeline_run(&pipeline);
    close_all(&d);
    return 0;
}
