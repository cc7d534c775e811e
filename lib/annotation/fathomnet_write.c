/* FathomNet's CSV, as it is uploaded (fathomnet.org, "How to submit localized image annotations"): a row a box, always
 * the same columns, which fathomnet_read.c reads back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/view.h"
#include "base/clock.h"
#include "formats/cell.h"
#include "formats/csv.h"
#include "formats/exporter.h"

/* Columns behind the box that are a record's fields as they are. */
static const struct {
    const char *title, *field;
} passed_on[] = {
    {"altConcept", "alt_label"},
    {"groupOf", "group_of"},
    {"occluded", "occluded"},
    {"truncated", "truncated"},
    {"userDefinedKey", "user_defined_key"},
    {"uuid", "annotation_id"},
    {"imageUuid", "image_uuid"},
    {"latitude", "lat"},
    {"longitude", "lon"},
    {"depthMeters", "depth"},
    {"altitude", "altitude"},
    {"temperature", "temperature"},
    {"salinity", "salinity"},
    {"oxygen", "oxygen"},
    {"pressure", "pressure"},
    {"imagingType", "imaging_type"},
    {"contributorsEmail", "contributor"},
};
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

struct run {
    struct sb_view view;
    struct sb_counts *counts;
    struct sb_cell cell;
    const char *prefix; /* of URLs; NULL: none */
};

static int fathomnet_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    (void)header;
    r->view.least = o->least;
    r->counts = o->counts;
    r->prefix = o->url_prefix;
    return 0;
}

static int fathomnet_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)run;
    (void)output;
    (void)path;
    fputs("concept,url,x,y,width,height,observer,reviewer,verified,timestamp", out);
    for (size_t i = 0; i < PASSED_ON; i++) fprintf(out, ",%s", passed_on[i].title);
    fputs("\r\n", out);
    return 0;
}

static void put(FILE *out, struct sb_span text)
{
    putc(',', out);
    sb_csv_text(out, text.text, text.size);
}

/* FathomNet's pixels are whole ones. */
static void put_box(FILE *out, const float box[4])
{
    for (int i = 0; i < 2; i++) fprintf(out, ",%lld", llround((double)box[i]));
    for (int i = 0; i < 2; i++) {
        long long side = llround((double)box[i] + (double)box[i + 2]) - llround((double)box[i]);
        fprintf(out, ",%lld", side < 1 ? 1 : side);
    }
}

static int put_people(FILE *out, struct sb_record *rec, const struct sb_viewed *one)
{
    struct sb_span observer = {"", 0}, reviewer = {"", 0};
    bool verified = one->named_by == SB_NAMED_BY_REVIEW;
    if (sb_get_text(rec, "observer", &observer.text, &observer.size) < 0) return -1;
    if (one->by.size) *(verified ? &reviewer : &observer) = one->by;
    put(out, observer);
    put(out, reviewer);
    fputs(verified ? ",true" : ",", out);
    return 0;
}

static int put_row(struct run *r, FILE *out, const struct sb_viewed *one, struct sb_span url)
{
    const struct sb_view *v = &r->view;
    char clock[SB_CLOCK_TEXT];
    sb_csv_text(out, one->name.text, one->name.size);
    put(out, url);
    put_box(out, one->box);
    if (put_people(out, v->rec, one)) return -1;
    fprintf(out, ",%s", isnan(v->time) ? "" : sb_clock_text(v->time, -1, clock));
    for (size_t i = 0; i < PASSED_ON; i++) {
        int rc = sb_cell_text(&r->cell, v->rec, passed_on[i].field);
        if (rc < 0) return -1;
        put(out, (struct sb_span){r->cell.text, rc ? r->cell.size : 0});
    }
    fputs("\r\n", out);
    return 0;
}

static int fathomnet_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    (void)output;
    if (sb_view_read(&r->view, rec)) return -1;
    sb_view_count(&r->view, r->counts);
    if (r->view.count == 0 && !r->view.unlikely && !r->view.unboxed) sb_counts_skip(r->counts, "without an annotation");
    char *url = sb_view_url(&r->view, r->prefix);
    int shown = 0;
    for (size_t i = 0; shown >= 0 && i < r->view.count; i++) {
        const struct sb_viewed *one = &r->view.item[i];
        const char *why = !one->boxed       ? "annotation without a box"
                          : !one->name.size ? "box without a name"
                          : !url            ? "of a picture without a URL (--url-prefix)"
                                            : NULL;
        if (why) {
            sb_counts_skip(r->counts, why);
        } else {
            shown = put_row(r, out, one, (struct sb_span){url, strlen(url)}) ? -1 : 1;
        }
    }
    free(url);
    return shown;
}

static int fathomnet_close(void *run, uint64_t records)
{
    struct run *r = run;
    (void)records;
    sb_view_free(&r->view);
    sb_cell_free(&r->cell);
    return 0;
}

const struct sb_exporter sb_export_fathomnet = {.name = "fathomnet",
                                                .suffix = ".csv",
                                                .summary = "FathomNet's upload CSV",
                                                .options = "url-prefix,min-prob",
                                                .is_text = true,
                                                .run_size = sizeof(struct run),
                                                .open = fathomnet_open,
                                                .begin = fathomnet_begin,
                                                .write = fathomnet_write,
                                                .close = fathomnet_close};
