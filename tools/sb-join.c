/* sb-join: adds the rows of a table, or the records of another stream, to records. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "formats/csv.h"
#include "join/take.h"
#include "stream/stream.h"

static const char *output, *drop, *on = "id", *columns, *status, *by, *zone, *unmatched;
static double within = -1;
static bool matched_only;

static const struct sb_opt options[] = {
    {0, "on", "FIELDS", SB_TEXT, &on, 0,
     "what must be the same in a row and a record, separated by commas: id, or source,time, or others (default id)", 0, 0},
    {0, "within", "SECONDS", SB_REAL, &within, 0,
     "of time or pts: the rows of the nearest moment, at most SECONDS off (default: of the same microsecond)", 0, 1e6},
    {0, "columns", "NAMES", SB_TEXT, &columns, 0, "take only these columns of the table (default: all)", 0, 0},
    {0, "label-status", "machine|verified", SB_TEXT, &status, 0,
     "label_status of the table's labels: machine or verified (default: the table's, or verified)", 0, 0},
    {0, "labelled-by", "NAME", SB_TEXT, &by, 0, "labelled_by of the table's labels (default: the table's)", 0, 0},
    {0, "zone", "ZONE", SB_TEXT, &zone, 0, "the zone of a table's times that name none: Z, +02:00, Europe/Berlin", 0, 0},
    {0, "matched", NULL, SB_FLAG, &matched_only, 0, "leave out records that no row matches", 0, 0},
    {0, "unmatched", "FILE", SB_TEXT, &unmatched, SB_OPT_UNRECORDED,
     "write what was matched by nothing, or more than once, to FILE, as CSV", 0, 0},
    SB_OPT_DROP(&drop),
    SB_OPT_OUTPUT(&output),
    SB_OPT_QUIET,
    SB_OPT_END,
};

static const struct sb_tool tool = {
    "sb-join", "TABLE [FILE]",
    "Adds the columns of a table (CSV, TSV) or the fields of another stream to the records that they belong to, one "
    "record a match.",
    options, true,
};

struct join {
    struct sb_filter filter;
    struct sb_join_keys keys;
    struct sb_join_rows rows;
    struct sb_join_taking taking;
    struct sb_record out;
    FILE *report;
    struct sb_cell cell;
    uint64_t alone, several; /* records that no row matched, and that more than one did */
};

/* ---- what did not match ------------------------------------------------------------------------------------------ */

static void report_cell(struct join *j, struct sb_record *rec, const char *column)
{
    putc(',', j->report);
    if (sb_cell_text(&j->cell, rec, column) > 0) sb_csv_text(j->report, j->cell.text, j->cell.size);
}

/* side,number,KEYS,label */
static void report(struct join *j, const char *side, uint64_t number, struct sb_record *rec)
{
    if (!j->report) return;
    fprintf(j->report, "%s,%" PRIu64, side, number);
    for (size_t i = 0; i < j->keys.name.count; i++) report_cell(j, rec, j->keys.name.text[i]);
    report_cell(j, rec, sb_record_find(rec, "label") ? "label" : "labels");
    fputs("\r\n", j->report);
}

static void open_report(struct join *j)
{
    if (!unmatched) return;
    j->report = sb_output_stdio(unmatched);
    fputs("side,number", j->report);
    for (size_t i = 0; i < j->keys.name.count; i++) {
        putc(',', j->report);
        sb_csv_text(j->report, j->keys.name.text[i], strlen(j->keys.name.text[i]));
    }
    fputs(",label\r\n", j->report);
}

static int by_number(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The rows that no record matched, in the table's order. Returns how many matched more than one. */
static uint64_t report_rows(struct join *j, uint64_t *lone)
{
    size_t (*row)[2] = sb_calloc(j->rows.count + 1, sizeof *row); /* number, place */
    struct sb_record rec = {0};
    uint64_t shared = 0;
    *lone = 0;
    for (size_t i = 0; i < j->rows.count; i++) {
        shared += j->rows.row[i].matched > 1;
        if (j->rows.row[i].matched) continue;
        row[*lone][0] = j->rows.row[i].number;
        row[(*lone)++][1] = i;
    }
    qsort(row, *lone, sizeof *row, by_number);
    for (uint64_t i = 0; j->report && i < *lone; i++) {
        sb_join_row_fields(&j->rows, row[i][1], &rec);
        report(j, "row", row[i][0], &rec);
    }
    sb_record_free(&rec);
    free(row);
    return shared;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void pass(struct join *j, struct sb_record *rec)
{
    j->alone++;
    report(j, "record", j->filter.at, rec);
    if (matched_only)
        sb_counts_skip(&j->filter.counts, "matched by no row");
    else
        sb_filter_put(&j->filter, rec);
}

static void match(struct join *j, struct sb_record *rec)
{
    struct sb_join_key key;
    size_t first, count = 0;
    int rc = sb_join_key_of(&j->keys, rec, &key);
    if (rc < 0) sb_filter_die(&j->filter, rec, "%s", sb_error_message());
    if (rc) count = sb_join_rows_find(&j->rows, &key, within < 0 ? 0 : within, &first);
    if (!count) pass(j, rec);
    j->several += count > 1;
    for (size_t i = 0; i < count; i++) {
        if (sb_join_take(&j->taking, first + i, i, rec, &j->out) < 0)
            sb_filter_die(&j->filter, rec, "%s", sb_error_message());
        j->rows.row[first + i].matched++;
        if (i > 0) report(j, "several", j->rows.row[first + i].number, &j->taking.fields);
        sb_filter_put(&j->filter, &j->out);
    }
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static void check_options(struct join *j, const struct sb_args *args)
{
    if (args->count < 1) sb_usage("name the table: sb-join labels.csv dive.sb");
    if (!strcmp(args->operand[0], "-")) sb_usage("the table is a file; standard input is the stream");
    if (args->count == 1 && isatty(STDIN_FILENO)) sb_usage("name the stream, or pipe it in");
    if (sb_join_keys_parse(&j->keys, on) < 0) sb_usage("--on: %s", sb_error_message());
    if (within >= 0 && !j->keys.moment) sb_usage("--within is of seconds: --on must name time or pts");
    if (zone && sb_zone_parse(zone, &j->rows.reading.zone) < 0) sb_usage("--zone: %s", sb_error_message());
    sb_texts_split(columns, ',', &j->rows.taken);
    if (columns && !j->rows.taken.count) sb_usage("--columns: no column is named");
}

/* The header says how tensors were made, and may not say it of others. */
static void take_tensors(struct join *j, const char *table)
{
    const struct sb_field *old = sb_record_find(&j->filter.header, "tensor"), *new = sb_record_find(&j->rows.header, "tensor");
    if (j->rows.text || !sb_join_rows_take(&j->rows, "tensor")) return;
    if (old && !(new && new->size == old->size && !memcmp(new->value, old->value, old->size)))
        sb_die("%s: its tensors were made in another way than the stream's, whose header has 'tensor', too", table);
    if (new) sb_set_packed(&j->filter.header, "tensor", new->value, new->size);
}

static void say(const struct join *j, const char *table, uint64_t lone, uint64_t shared)
{
    sb_warn("%s: %" PRIu64 " rows, %" PRIu64 " matched by no record; %" PRIu64 " records matched by no row", table,
            (uint64_t)j->rows.count + j->rows.repeated, lone, j->alone);
    if (j->rows.count && lone == j->rows.count && j->alone)
        sb_warn("nothing matched: is '%s' the same thing in both?", on);
    if (j->rows.repeated) sb_warn("%" PRIu64 " rows repeat others, and count once", j->rows.repeated);
    if (j->several) sb_warn("%" PRIu64 " records came out more than once: several rows matched them", j->several);
    if (shared && within >= 0) sb_warn("%" PRIu64 " rows were the nearest of several records", shared);
    if (j->taking.unlabelled) sb_warn("%" PRIu64 " labels removed: their cells are empty", j->taking.unlabelled);
}

int main(int argc, char **argv)
{
    static struct join j; /* cells stay where they are */
    struct sb_args args;
    struct sb_record rec = {0};
    uint64_t lone, shared;
    sb_opt_parse(&tool, argc, argv, &args);
    check_options(&j, &args);
    j.rows.keys = &j.keys;
    if (sb_join_rows_load(&j.rows, args.operand[0]) < 0) sb_die_error();
    j.taking = (struct sb_join_taking){.rows = &j.rows, .status = status, .by = by, .nearby = within >= 0};

    struct sb_args stream = args;
    stream.operand++;
    stream.count--;
    sb_filter_open(&j.filter, &stream, output, drop);
    const struct sb_record *header = &j.rows.header;
    j.filter.input = &header;
    j.filter.inputs = !j.rows.text;
    take_tensors(&j, args.operand[0]);
    if (j.rows.text) sb_args_file(&args, args.operand[0]);
    open_report(&j);
    sb_filter_start(&j.filter, &tool, &args);
    while (sb_filter_next(&j.filter, &rec)) match(&j, &rec);
    shared = report_rows(&j, &lone);
    if (j.report) fclose(j.report);
    sb_filter_close(&j.filter);
    say(&j, args.operand[0], lone, shared);

    sb_record_free(&rec);
    sb_record_free(&j.out);
    sb_cell_free(&j.cell);
    sb_join_taking_free(&j.taking);
    sb_join_rows_free(&j.rows);
    sb_join_keys_free(&j.keys);
    return 0;
}
