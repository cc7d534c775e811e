#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "stream/describe_inner.h"

enum { NAMES_SHOWN = 10, SOURCES_SHOWN = 20, TEXT_SIZE = 256 };

static const char *const kind_name[KIND_ARRAY] = {
    "nil",  "bool", "int",  "f32", "f64", "str",          "bin",
    "JPEG", "PNG",  "list", "map", "ext", "numpy scalar", "unreadable array",
};

/* Appends to a text of TEXT_SIZE bytes, cutting what does not fit. */
static void append(char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void append(char *text, const char *fmt, ...)
{
    size_t n = strlen(text);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + n, TEXT_SIZE - n, fmt, ap);
    va_end(ap);
}

/* ---- fields ---- */

static void types_text(const struct field_stats *s, char *text)
{
    text[0] = 0;
    for (int k = 0; k < KINDS; k++) {
        if (!s->kind[k]) continue;
        append(text, "%s%s", text[0] ? ", " : "",
               k < KIND_ARRAY ? kind_name[k] : sb_dtype_name((enum sb_dtype)(k - KIND_ARRAY)));
    }
}

/* "[480,640,3]", "[64..128,64,3]" or, of what has no shape, "4..9 bytes". */
static void shape_text(const struct field_stats *s, char *text)
{
    text[0] = 0;
    if (s->ndim >= 0) {
        append(text, s->dims_differ ? "[various]" : "[");
        for (int i = 0; i < s->ndim && !s->dims_differ; i++) {
            append(text, i ? ",%" PRId64 : "%" PRId64, s->low[i]);
            if (s->high[i] != s->low[i]) append(text, "..%" PRId64, s->high[i]);
        }
        if (!s->dims_differ) append(text, "]");
    }
    if (s->size.any) {
        bool bytes =
            s->kind[KIND_STR] || s->kind[KIND_BIN] || s->kind[KIND_JPEG] || s->kind[KIND_PNG] || s->kind[KIND_EXT];
        append(text, s->ndim >= 0 ? ", %.0f" : "%.0f", s->size.least);
        if (s->size.most != s->size.least) append(text, "..%.0f", s->size.most);
        append(text, bytes ? " bytes" : " items");
    }
}

static void range_text(const struct field_stats *s, char *text)
{
    text[0] = 0;
    if (s->value.any) {
        /* Whole numbers in full: pixels, counts and Unix times must not be rounded. */
        bool whole = floor(s->value.least) == s->value.least && floor(s->value.most) == s->value.most &&
                     fabs(s->value.most) < 1e15;
        append(text, whole ? "%.0f" : "%.6g", s->value.least);
        if (s->value.most != s->value.least) append(text, whole ? "..%.0f" : "..%.6g", s->value.most);
    }
    if (s->nan) append(text, text[0] ? ", some NaN" : "NaN");
}

static void share_text(uint64_t part, uint64_t all, char *text)
{
    text[0] = 0;
    if (part == all) {
        append(text, "all");
    } else {
        append(text, "%.1f %%", 100.0 * (double)part / (double)all);
    }
}

static void print_fields(const struct sb_description *d, FILE *out)
{
    struct sb_table t = {.align = "llrll"};
    char text[TEXT_SIZE];
    if (!d->names.count) return;
    fprintf(out, "\nfields\n");
    const char *const title[] = {"name", "type", "present", "shape or size", "range"};
    for (int i = 0; i < 5; i++) sb_table_add(&t, "%s", title[i]);
    for (size_t i = 0; i < d->names.count; i++) {
        const struct field_stats *s = &d->field[i];
        sb_table_add(&t, "%s", d->names.text[i]);
        types_text(s, text);
        sb_table_add(&t, "%s", text);
        share_text(s->present, d->records, text);
        sb_table_add(&t, "%s", text);
        shape_text(s, text);
        sb_table_add(&t, "%s", text);
        range_text(s, text);
        sb_table_add(&t, "%s", text);
    }
    sb_table_print(&t, out, 2);
    sb_table_free(&t);
    if (d->unnamed) fprintf(out, "  and %" PRIu64 " values of further fields\n", d->unnamed);
}

/* ---- names ---- */

struct ranked {
    const char *name;
    uint64_t count;
};

static int commonest_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void print_tally(const struct tally *tally, FILE *out)
{
    struct sb_table t = {.align = "lrr"};
    size_t n = tally->names.count;
    if (!n) return;
    struct ranked *r = sb_calloc(n, sizeof *r);
    for (size_t i = 0; i < n; i++) r[i] = (struct ranked){tally->names.text[i], tally->count[i]};
    qsort(r, n, sizeof *r, commonest_first);
    fprintf(out, "\n%s (%zu%s)\n", tally->title, n, tally->others ? " or more" : "");
    size_t shown = n <= NAMES_SHOWN + 1 ? n : NAMES_SHOWN;
    uint64_t rest = tally->total;
    for (size_t i = 0; i < shown; i++) {
        sb_table_add(&t, "%s", r[i].name);
        sb_table_add(&t, "%" PRIu64, r[i].count);
        sb_table_add(&t, "%.1f %%", 100.0 * (double)r[i].count / (double)tally->total);
        rest -= r[i].count;
    }
    if (rest) {
        sb_table_add(&t, "others");
        sb_table_add(&t, "%" PRIu64, rest);
        sb_table_add(&t, "%.1f %%", 100.0 * (double)rest / (double)tally->total);
    }
    sb_table_print(&t, out, 2);
    sb_table_free(&t);
    free(r);
}

/* ---- sources ---- */

static void clock_text(double seconds, char *text)
{
    text[0] = 0;
    if (seconds < 0 || seconds > 1e9) {
        append(text, "%.6g s", seconds);
        return;
    }
    uint64_t ms = (uint64_t)llround(seconds * 1000);
    append(text, "%" PRIu64 ":%02d:%02d.%03d", ms / 3600000, (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
           (int)(ms % 1000));
}

/* The columns of what no source has are left out. */
static void print_sources(const struct sb_description *d, FILE *out)
{
    size_t n = d->sources.count, shown = n <= SOURCES_SHOWN + 1 ? n : SOURCES_SHOWN;
    char text[TEXT_SIZE];
    bool pts = false, time = false;
    if (!n) return;
    for (size_t i = 0; i < n; i++) {
        pts |= d->source[i].pts.any;
        time |= d->source[i].time.any;
    }
    struct sb_table t = {.align = pts && time ? "lrrrll" : pts ? "lrrr" : time ? "lrll" : "lr"};
    fprintf(out, "\nsources (%zu%s)\n", n, d->unsourced ? " or more" : "");
    const char *const title[] = {"name", "records", "from", "to", "first time", "last time"};
    for (int i = 0; i < 6; i++) {
        if (i < 2 || (i < 4 ? pts : time)) sb_table_add(&t, "%s", title[i]);
    }
    for (size_t i = 0; i < shown; i++) {
        const struct source_stats *s = &d->source[i];
        sb_table_add(&t, "%s", d->sources.text[i]);
        sb_table_add(&t, "%" PRIu64, s->records);
        for (int end = 0; end < 2 && pts; end++) {
            text[0] = 0;
            if (s->pts.any) clock_text(end ? s->pts.most : s->pts.least, text);
            sb_table_add(&t, "%s", text);
        }
        for (int end = 0; end < 2 && time; end++) {
            text[0] = 0;
            if (s->time.any) sb_clock_text(end ? s->time.most : s->time.least, 0, text);
            sb_table_add(&t, "%s", text);
        }
    }
    sb_table_print(&t, out, 2);
    sb_table_free(&t);
    if (shown < n) fprintf(out, "  and %zu more\n", n - shown);
}

void sb_description_print(const struct sb_description *d, FILE *out)
{
    print_fields(d, out);
    print_tally(&d->label, out);
    print_tally(&d->predicted, out);
    print_tally(&d->split, out);
    print_sources(d, out);
}
