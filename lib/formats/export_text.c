/* sb-export's formats that are text: JSON lines, a CSV table. */
#include <string.h>

#include "base/opt.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/jsonl.h"

static int jsonl_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    (void)run;
    (void)output;
    return sb_jsonl_write(out, rec) ? -1 : 1;
}

const struct sb_exporter sb_export_jsonl = {.name = "jsonl",
                                            .suffix = ".jsonl",
                                            .summary = "JSON lines",
                                            .options = "by",
                                            .is_text = true,
                                            .by_any = true,
                                            .write = jsonl_write};

/* ---- CSV ---- */

struct csv_run {
    struct sb_csv csv;
    bool chosen; /* columns were named: those that no record has are worth a word */
};

static int csv_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct csv_run *r = run;
    (void)header;
    r->chosen = o->columns != NULL;
    if (sb_csv_init(&r->csv, o->columns ? o->columns : sb_csv_columns)) sb_usage("--columns: %s", sb_error_message());
    return 0;
}

static int csv_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)path;
    struct csv_run *r = run;
    (void)output;
    sb_csv_head(&r->csv, out);
    return 0;
}

static int csv_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct csv_run *r = run;
    sb_csv_count(output);
    return sb_csv_write(&r->csv, out, rec) ? -1 : 1;
}

static int csv_close(void *run, uint64_t records)
{
    struct csv_run *r = run;
    if (r->chosen && records) sb_csv_warn(&r->csv);
    sb_csv_free(&r->csv);
    return 0;
}

const struct sb_exporter sb_export_csv = {.name = "csv",
                                          .suffix = ".csv",
                                          .summary = "a CSV table",
                                          .options = "columns,by",
                                          .is_text = true,
                                          .by_any = true,
                                          .run_size = sizeof(struct csv_run),
                                          .output_size = sizeof(uint64_t), /* rows */
                                          .open = csv_open,
                                          .begin = csv_begin,
                                          .write = csv_write,
                                          .close = csv_close};
