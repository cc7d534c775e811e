/* sb-export's formats that are text: JSON lines, a CSV table, WebVTT. */
#include <string.h>

#include "base/opt.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/jsonl.h"
#include "formats/vtt.h"

static int jsonl_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    (void)run;
    (void)output;
    return sb_jsonl_write(out, rec) ? -1 : 1;
}

const struct sb_exporter sb_export_jsonl = {.name = "jsonl",
                                            .suffix = ".jsonl",
                                            .summary = "JSON lines",
                                            .options = "",
                                            .left_out = "",
                                            .is_text = true,
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

static int csv_begin(void *run, void *output, FILE *out)
{
    struct csv_run *r = run;
    (void)output;
    sb_csv_head(&r->csv, out);
    return 0;
}

static int csv_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct csv_run *r = run;
    (void)output;
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
                                          .options = "columns",
                                          .left_out = "",
                                          .is_text = true,
                                          .run_size = sizeof(struct csv_run),
                                          .open = csv_open,
                                          .begin = csv_begin,
                                          .write = csv_write,
                                          .close = csv_close};

/* ---- WebVTT ---- */

struct vtt_run {
    const char *column;
    struct sb_cell cell;
};

static int vtt_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    (void)header;
    ((struct vtt_run *)run)->column = o->text;
    return 0;
}

static int vtt_begin(void *run, void *output, FILE *out)
{
    (void)run;
    sb_vtt_begin(output, out);
    return 0;
}

static int vtt_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct vtt_run *r = run;
    (void)out;
    return sb_vtt_record(output, rec, r->column, &r->cell);
}

static int vtt_end(void *run, void *output, FILE *out)
{
    (void)run;
    (void)out;
    sb_vtt_end(output);
    sb_vtt_free(output);
    return 0;
}

static int vtt_close(void *run, uint64_t records)
{
    (void)records;
    sb_cell_free(&((struct vtt_run *)run)->cell);
    return 0;
}

const struct sb_exporter sb_export_vtt = {.name = "vtt",
                                          .suffix = ".vtt",
                                          .summary = "WebVTT subtitles",
                                          .options = "text",
                                          .left_out = "without text",
                                          .is_text = true,
                                          .by_source = true,
                                          .run_size = sizeof(struct vtt_run),
                                          .output_size = sizeof(struct sb_vtt),
                                          .open = vtt_open,
                                          .begin = vtt_begin,
                                          .write = vtt_write,
                                          .end = vtt_end,
                                          .close = vtt_close};
