/* sb-export's array: a field of all records as one NumPy file, and which row is which record as a table beside it. */
#include <stdlib.h>

#include "base/opt.h"
#include "base/output.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/npy.h"

struct npy_run {
    const char *field; /* NULL: not known yet */
    struct sb_csv rows;
    uint64_t written;
    bool converted;
};

struct npy_output {
    struct sb_npy array;
    FILE *rows;
};

static int npy_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct npy_run *r = run;
    (void)header;
    r->field = o->field;
    if (sb_csv_init(&r->rows, o->columns ? o->columns : "id,source,pts,label"))
        sb_usage("--columns: %s", sb_error_message());
    return 0;
}

static int npy_begin(void *run, void *output, FILE *out, const char *path)
{
    struct npy_run *r = run;
    struct npy_output *p = output;
    if (!path) sb_usage("npy needs a file: -o FILE.npy");
    if (fseeko(out, 0, SEEK_SET)) return sb_error("%s is no file: the array's length stands at its beginning", path);
    char *name = sb_format("%s.csv", path);
    p->rows = sb_output_stdio(name);
    free(name);
    sb_csv_head(&r->rows, p->rows);
    return 0;
}

static int npy_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct npy_run *r = run;
    struct npy_output *p = output;
    struct sb_tensor t;
    if (!r->field && sb_record_find(rec, "embedding")) r->field = "embedding";
    if (!r->field && sb_record_find(rec, "tensor")) r->field = "tensor";
    int rc = r->field ? sb_get_tensor(rec, r->field, &t) : 0;
    if (rc < 1) return rc;
    if (sb_npy_add(&p->array, out, &t)) {
        char why[512];
        snprintf(why, sizeof why, "%s", sb_error_message());
        return sb_error("field '%s' is %s", r->field, why);
    }
    if (t.dtype == SB_BF16 && !r->converted)
        sb_warn("field '%s' is bf16, which NumPy has not: it is written as f32", r->field);
    r->converted = r->converted || t.dtype == SB_BF16;
    r->written++;
    return sb_csv_write(&r->rows, p->rows, rec) ? -1 : 1;
}

static int npy_end(void *run, void *output, FILE *out)
{
    struct npy_output *p = output;
    struct npy_run *r = run;
    if (!r->written)
        return sb_error("no record has %s", r->field ? r->field : "an embedding or a tensor: name a --field");
    if (sb_npy_end(&p->array, out)) return -1;
    fclose(p->rows);
    return 0;
}

static int npy_close(void *run, uint64_t records)
{
    struct npy_run *r = run;
    (void)records;
    sb_csv_free(&r->rows);
    return 0;
}

const struct sb_exporter sb_export_npy = {.name = "npy",
                                          .suffix = ".npy",
                                          .summary = "a NumPy array",
                                          .options = "field,columns,by",
                                          .left_out = "without the field",
                                          .by_any = true,
                                          .run_size = sizeof(struct npy_run),
                                          .output_size = sizeof(struct npy_output),
                                          .open = npy_open,
                                          .begin = npy_begin,
                                          .write = npy_write,
                                          .end = npy_end,
                                          .close = npy_close};
